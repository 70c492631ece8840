/* SPDX-License-Identifier: MIT */
/*
 * The network device (virtio 1.2, section 5.1), a port of a subnet (drivers/subnet): what the guest
 * queues are frames, which the VM's home sends, one at a time and no lock held; what others send goes
 * into its receive buffers. drivers/subnet/subnet.h has the states of both.
 *
 * Checksums may be left to the device: a receiver that accepts packets without one gets them so, for
 * others the monitor computes it. No other offload is offered, so that packets are what the MTU allows.
 */
#include <string.h>
#include "drivers/dev.h"
#include "drivers/subnet/subnet.h"
#include "drivers/virtio/mmio.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/gdtb.h"
#include "kernel/vm/vm.h"

#define ID	      1
#define F_CSUM	      BIT(0)
#define F_GUEST_CSUM  BIT(1)
#define F_MTU	      BIT(3)
#define F_MAC	      BIT(5)
#define F_MERGEABLE   BIT(15)
#define F_STATUS      BIT(16)
#define NEEDS_CSUM    1
#define LINK_UP	      1
#define CHECKSUM      2	     /* bytes */
#define BUFFERS_MAX   64     /* for one frame: Linux has 44 of the smallest for the longest */
#define BYTES_AT_ONCE 131072 /* of frames, each receiver counted */

enum { RECEIVE, TRANSMIT, QUEUES };

/* Before each frame, in both directions; the layout is the specification's. */
struct header {
	u8 flags, gso_type;
	u16 header_bytes, gso_bytes, checksum_start, checksum_offset, buffers;
};

_Static_assert(sizeof(struct header) == 12, "the layout is the specification's");

struct net {
	struct virtio virtio; /* the first field: drivers/virtio/mmio.h */
	struct port port;
	u32 epoch; /* resets of the device; under its lock */
	/* home alone: the frame under way */
	bool sending;
	u32 begun; /* the epoch that it is of */
	struct frame frame;
	struct vqueue_chain out;
	u8 part[FRAME_PART];
	/* a frame that comes, under the device's lock: where its header goes, and the buffers that it takes */
	struct dma_range header[sizeof(struct header)];
	u32 nheader;
	struct vqueue_used used[BUFFERS_MAX];
	/* for the device tree: the labels of the VMs on the subnet, and its number */
	char names[NAMES_BYTES];
	u8 cell[4]; /* the most significant byte first */
};

static struct net *of(struct virtio *v) { return (struct net *)v; }

static struct net *of_port(struct port *p)
{
	return (struct net *)((u8 *)p - offsetof(struct net, port));
}

/* ---- sending ---- */

/* The frame of the chain that was taken, looked at: what is wrong with it, or PORT_SENT. */
static enum port_count read_frame(struct net *n)
{
	u64 bytes = n->out.read_bytes - sizeof(struct header);
	struct frame *f = &n->frame;
	struct header h;

	if (bytes > VMDESC_MTU_MAX + FRAME_HEADER)
		return PORT_TOO_LONG;
	*f = (struct frame){ .vm = n->virtio.dev->vm, .range = n->out.range, .part = n->part };
	dma_gather(f->vm, n->out.range, 0, &h, sizeof(h));
	f->skip = sizeof(h);
	f->bytes = bytes;
	if (bytes < FRAME_HEADER)
		return PORT_BAD;
	dma_gather(f->vm, n->out.range, sizeof(h), f->header, FRAME_HEADER);
	f->checksum = h.flags & NEEDS_CSUM;
	f->checksum_start = h.checksum_start;
	f->checksum_at = (u32)h.checksum_start + h.checksum_offset;
	if (h.gso_type || (f->checksum && !(n->virtio.accepted & F_CSUM)))
		return PORT_BAD;
	if (f->checksum && (f->checksum_start < FRAME_HEADER || f->checksum_at + CHECKSUM > bytes))
		return PORT_BAD;
	return PORT_SENT;
}

/* The chain that was taken is under way, or goes back at once. */
static enum virtio_left begin(struct net *n)
{
	struct virtio *v = &n->virtio;
	enum port_count what;

	if (n->out.nwritten || n->out.read_bytes < sizeof(struct header)) {
		virtio_malformed(v, TRANSMIT,
				 n->out.nwritten ? "a buffer to write" : "a frame without header");
		return VIRTIO_NOTHING;
	}
	what = read_frame(n);
	if (what != PORT_SENT) {
		n->port.count[what]++;
		virtio_give_back(v, TRANSMIT, n->out.head, 0);
		return VIRTIO_MORE;
	}
	n->port.next = 0;
	n->begun = n->epoch;
	n->sending = true;
	device_ask_work(v->dev);
	return VIRTIO_LATER;
}

/* Home takes frames, nobody else: another node's VCPU that notifies asks it to. */
static enum virtio_left transmit(struct net *n)
{
	struct virtio *v = &n->virtio;

	if (node_self() != v->dev->vm->home)
		return VIRTIO_MORE;
	if (n->sending)
		return VIRTIO_LATER;
	return virtio_next(v, TRANSMIT, &n->out) ? begin(n) : VIRTIO_NOTHING;
}

static void end(struct net *n)
{
	struct virtio *v = &n->virtio;

	lock_take(&v->lock);
	n->sending = false;
	if (n->begun == n->epoch)
		virtio_give_back(v, TRANSMIT, n->out.head, 0);
	lock_release(&v->lock);
	virtio_look_again(v, TRANSMIT);
}

static void work(struct device *dev)
{
	struct net *n = dev->state;
	u32 budget = BYTES_AT_ONCE;

	virtio_work(dev);
	while (n->sending && budget && port_send(&n->port, &n->frame, &budget)) {
		end(n);
		virtio_work(dev);
	}
	if (n->sending)
		device_ask_work(dev);
}

/* ---- receiving ---- */

/*
 * The next bytes of header and frame, from *done on, go into the chain: how many. The header is written
 * when it is known how many buffers there are.
 */
static u32 fill(struct net *n, const struct vqueue_chain *in, const struct frame *f, u32 done,
		const u8 *sum)
{
	struct vm *vm = n->virtio.dev->vm;
	u32 total = sizeof(struct header) + f->bytes, before = done;

	for (u32 i = 0; i < in->nwritten && done < total; i++) {
		struct dma_range r = in->range[in->nread + i];
		u32 part = MIN(r.bytes, total - done), header = 0;

		if (done < sizeof(struct header)) {
			header = MIN(part, (u32)sizeof(struct header) - done);
			n->header[n->nheader++] = (struct dma_range){ r.gpa, header };
		}
		if (part > header)
			frame_copy(f, done + header - sizeof(struct header), part - header, vm,
				   r.gpa + header, sum);
		done += part;
	}
	return done - before;
}

static void write_header(struct net *n, const struct frame *f, bool checksum, u32 buffers)
{
	struct header h = { .buffers = buffers };
	const u8 *from = (const u8 *)&h;

	if (checksum) {
		h.flags = NEEDS_CSUM;
		h.checksum_start = f->checksum_start;
		h.checksum_offset = f->checksum_at - f->checksum_start;
	}
	for (u32 i = 0; i < n->nheader; i++) {
		dma_write(n->virtio.dev->vm, n->header[i].gpa, from, n->header[i].bytes);
		from += n->header[i].bytes;
	}
}

/* Takes buffers until the frame is in them: how many; 0: there are too few, and none was taken. */
static u32 fill_buffers(struct net *n, const struct frame *f, const u8 *sum)
{
	struct virtio *v = &n->virtio;
	u32 max = v->accepted & F_MERGEABLE ? BUFFERS_MAX : 1;
	u32 total = sizeof(struct header) + f->bytes, done = 0, i;

	n->nheader = 0;
	for (i = 0; i < max && done < total && virtio_next(v, RECEIVE, &v->chain); i++) {
		if (v->chain.nread || !v->chain.nwritten) {
			virtio_malformed(v, RECEIVE, "a buffer that cannot be written");
			return 0;
		}
		n->used[i].head = v->chain.head;
		n->used[i].bytes = fill(n, &v->chain, f, done, sum);
		done += n->used[i].bytes;
	}
	if (done == total)
		return i;
	if (virtio_is_live(v))
		vqueue_put_back(&v->queue[RECEIVE], i);
	return 0;
}

static enum port_count receive_locked(struct net *n, const struct frame *f)
{
	struct virtio *v = &n->virtio;
	bool checksum = f->checksum && (v->accepted & F_GUEST_CSUM);
	u8 sum[CHECKSUM];
	u32 buffers;

	if (!virtio_is_live(v) || v->queue[RECEIVE].state != VQUEUE_READY)
		return PORT_NOBODY;
	if (f->checksum && !checksum)
		frame_sum(f, sum);
	buffers = fill_buffers(n, f, f->checksum && !checksum ? sum : NULL);
	if (!buffers)
		return PORT_NO_BUFFER;
	write_header(n, f, checksum, buffers);
	vqueue_give_back_all(&v->queue[RECEIVE], n->used, buffers);
	virtio_tell(v, RECEIVE);
	n->port.count[PORT_RECEIVED]++;
	n->port.count[PORT_RECEIVED_BYTES] += f->bytes;
	return PORT_SENT;
}

static enum port_count receive(struct port *to, const struct frame *f)
{
	struct net *n = of_port(to);
	enum port_count what;

	lock_take(&n->virtio.lock);
	what = receive_locked(n, f);
	lock_release(&n->virtio.lock);
	return what;
}

/* ---- the device ---- */

/* Nobody waits for receive buffers, so that nobody wants to hear of new ones. */
static enum virtio_left notified(struct virtio *v, u32 n)
{
	return n == TRANSMIT ? transmit(of(v)) : VIRTIO_LATER;
}

/* On another node than home, home may be sending: it finds the epoch changed when the frame is sent. */
static void forget(struct virtio *v)
{
	struct net *n = of(v);

	n->epoch++;
	if (node_self() == v->dev->vm->home)
		n->sending = false;
}

static void config(struct virtio *v, u8 *bytes)
{
	const struct net_desc *desc = of(v)->port.desc;
	struct {
		u8 address[NET_ADDRESS_BYTES];
		u16 status, queue_pairs, mtu;
	} c = { .status = LINK_UP, .queue_pairs = 1, .mtu = desc->mtu };

	_Static_assert(sizeof(c) == 12, "the layout is the specification's");
	memcpy(c.address, desc->address, sizeof(c.address));
	memcpy(bytes, &c, sizeof(c));
}

static const struct virtio_type type = {
	.id = ID,
	.features = F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_MERGEABLE | F_STATUS,
	.nqueues = QUEUES,
	.config_bytes = 12,
	.notified = notified,
	.reset = forget,
	.config = config,
};

static void create(struct device *dev)
{
	struct net *n = dev->state;

	virtio_create(&n->virtio, dev, &type);
	n->port.desc = &dev->vm->desc->nets[dev->index];
	n->port.vm = dev->vm;
	n->port.receive = receive;
	port_add(&n->port);
}

/* What a guest needs to give itself an address, and the others their names: docs/guest-abi.md. */
static u32 properties(struct device *dev, struct gdtb_property *list)
{
	struct net *n = dev->state;
	const struct net_desc *desc = n->port.desc;
	u32 bytes = port_names(&n->port, n->names);

	list[0] =
		(struct gdtb_property){ "local-mac-address", desc->address, sizeof(desc->address) };
	list[1] = (struct gdtb_property){ "disco,subnet", desc->subnet, strlen(desc->subnet) + 1 };
	n->cell[sizeof(n->cell) - 1] = n->port.subnet;
	list[2] = (struct gdtb_property){ "disco,subnet-number", n->cell, sizeof(n->cell) };
	list[3] = (struct gdtb_property){ "disco,names", n->names, bytes };
	return 4;
}

static u32 count(const struct vm_desc *desc) { return desc->nnets; }

const struct device_type net_type = {
	VIRTIO_REGISTERS,      .count = count,		 .state_bytes = sizeof(struct net),
	.line = DISCO_IRQ_NET, .create = create,	 .reset = virtio_reset,
	.work = work,	       .properties = properties,
};
