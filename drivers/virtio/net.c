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
#include "drivers/virtio/net.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/gdtb.h"
#include "kernel/vm/vm.h"

#define ID	      1
#define LINK_UP	      1
#define BYTES_AT_ONCE 131072 /* of frames, each receiver counted */

static struct net *of(struct virtio *v) { return (struct net *)v; }

/* ---- sending ---- */

/* The frame of the chain that was taken, looked at: what is wrong with it, or PORT_SENT. */
static enum port_count read_frame(struct net *n)
{
	u64 bytes = n->out.read_bytes - sizeof(struct net_header);
	struct frame *f = &n->frame;
	struct net_header h;

	if (bytes > VMDESC_MTU_MAX + FRAME_HEADER)
		return PORT_TOO_LONG;
	*f = (struct frame){ .vm = n->virtio.dev->vm,
			     .range = n->out.range,
			     .nranges = n->out.nread,
			     .place = &n->place,
			     .part = n->part,
			     .delivery = &n->delivery,
			     .passed = &n->delivery.passed,
			     .pieces = &n->delivery.npieces };
	n->place = (struct frame_place){ 0, 0 };
	dma_gather(f->vm, n->out.range, 0, &h, sizeof(h));
	f->skip = sizeof(h);
	f->bytes = bytes;
	if (bytes < FRAME_HEADER)
		return PORT_BAD;
	dma_gather(f->vm, n->out.range, sizeof(h), f->header, FRAME_HEADER);
	f->checksum = h.flags & NET_NEEDS_CSUM;
	f->checksum_start = h.checksum_start;
	f->checksum_at = (u32)h.checksum_start + h.checksum_offset;
	if (h.gso_type || (f->checksum && !(n->virtio.accepted & NET_F_CSUM)))
		return PORT_BAD;
	if (f->checksum &&
	    (f->checksum_start < FRAME_HEADER || f->checksum_at + NET_CHECKSUM > bytes))
		return PORT_BAD;
	return PORT_SENT;
}

/* The chain that was taken is under way, or goes back at once. */
static enum virtio_left begin(struct net *n)
{
	struct virtio *v = &n->virtio;
	enum port_count what;

	if (n->out.nwritten || n->out.read_bytes < sizeof(struct net_header)) {
		virtio_malformed(v, NET_TRANSMIT,
				 n->out.nwritten ? "a buffer to write" : "a frame without header");
		return VIRTIO_NOTHING;
	}
	what = read_frame(n);
	if (what != PORT_SENT) {
		n->port.count[what]++;
		virtio_give_back(v, NET_TRANSMIT, n->out.head, 0);
		return VIRTIO_MORE;
	}
	n->port.next = 0;
	n->begun = n->epoch[NET_TRANSMIT];
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
	return virtio_next(v, NET_TRANSMIT, &n->out) ? begin(n) : VIRTIO_NOTHING;
}

static void end(struct net *n)
{
	struct virtio *v = &n->virtio;

	lock_take(&v->lock);
	n->sending = false;
	if (n->begun == n->epoch[NET_TRANSMIT])
		virtio_give_back(v, NET_TRANSMIT, n->out.head, 0);
	lock_release(&v->lock);
	virtio_look_again(v, NET_TRANSMIT);
}

/*
 * A part of sending the frame; true: that was all. A frame of a driver that has begun anew is dropped here: what its
 * buffers hold now is not the frame any more.
 */
static bool send(struct net *n, u32 *budget)
{
	bool done = true;

	lock_take(&n->virtio.work);
	if (n->begun == n->epoch[NET_TRANSMIT])
		done = port_send(&n->port, &n->frame, budget);
	lock_release(&n->virtio.work);
	return done;
}

static void work(struct device *dev)
{
	struct net *n = dev->state;
	u32 budget = BYTES_AT_ONCE;

	virtio_work(dev);
	while (n->sending && budget && send(n, &budget)) {
		end(n);
		virtio_work(dev);
	}
	if (n->sending)
		device_ask_work(dev);
}

/* ---- the device ---- */

/* Nobody waits for receive buffers, so that nobody wants to hear of new ones. */
static enum virtio_left notified(struct virtio *v, u32 n)
{
	return n == NET_TRANSMIT ? transmit(of(v)) : VIRTIO_LATER;
}

/* On another node than home, home may be between two parts of a frame: it finds the epoch changed before the next. */
static void forget(struct virtio *v, u32 queue)
{
	struct net *n = of(v);

	n->epoch[queue]++;
	if (queue == NET_TRANSMIT && node_self() == v->dev->vm->home)
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
	.features = NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU | NET_F_MAC | NET_F_MERGEABLE |
		    NET_F_STATUS,
	.nqueues = NET_QUEUES,
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
	n->port.receive = net_receive;
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
	n->cell[sizeof(n->cell) - 1] = desc->subnet_number;
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
