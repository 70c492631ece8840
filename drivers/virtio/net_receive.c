/* SPDX-License-Identifier: MIT */
/* What others send to a network device: into the guest's receive buffers, under the device's lock. */
#include "drivers/virtio/net.h"
#include "kernel/vm/vm.h"

static struct net *of_port(struct port *p)
{
	return (struct net *)((u8 *)p - offsetof(struct net, port));
}

/*
 * The next bytes of header and frame, from *done on, go into the chain: how many. The header is written
 * when it is known how many buffers there are.
 */
static u32 fill(struct net *n, const struct vqueue_chain *in, const struct frame *f, u32 done,
		const u8 *sum)
{
	struct vm *vm = n->virtio.dev->vm;
	u32 total = sizeof(struct net_header) + f->bytes, before = done;

	for (u32 i = 0; i < in->nwritten && done < total; i++) {
		struct dma_range r = in->range[in->nread + i];
		u32 part = MIN(r.bytes, total - done), header = 0;

		if (done < sizeof(struct net_header)) {
			header = MIN(part, (u32)sizeof(struct net_header) - done);
			n->header[n->nheader++] = (struct dma_range){ r.gpa, header };
		}
		if (part > header)
			frame_copy(f, done + header - sizeof(struct net_header), part - header, vm,
				   r.gpa + header, sum);
		done += part;
	}
	return done - before;
}

static void write_header(struct net *n, const struct frame *f, bool checksum, u32 buffers)
{
	struct net_header h = { .buffers = buffers };
	const u8 *from = (const u8 *)&h;

	if (checksum) {
		h.flags = NET_NEEDS_CSUM;
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
	u32 max = v->accepted & NET_F_MERGEABLE ? NET_BUFFERS_MAX : 1;
	u32 total = sizeof(struct net_header) + f->bytes, done = 0, i;

	n->nheader = 0;
	for (i = 0; i < max && done < total && virtio_next(v, NET_RECEIVE, &v->chain); i++) {
		if (v->chain.nread || !v->chain.nwritten) {
			virtio_malformed(v, NET_RECEIVE, "a buffer that cannot be written");
			return 0;
		}
		n->used[i].head = v->chain.head;
		n->used[i].bytes = fill(n, &v->chain, f, done, sum);
		done += n->used[i].bytes;
	}
	if (done == total)
		return i;
	if (virtio_is_live(v))
		vqueue_put_back(&v->queue[NET_RECEIVE], i);
	return 0;
}

static enum port_count receive_locked(struct net *n, const struct frame *f)
{
	struct virtio *v = &n->virtio;
	bool checksum = f->checksum && (v->accepted & NET_F_GUEST_CSUM);
	u8 sum[NET_CHECKSUM];
	u32 buffers;

	if (!virtio_is_live(v) || v->queue[NET_RECEIVE].state != VQUEUE_READY)
		return PORT_NOBODY;
	if (f->checksum && !checksum)
		frame_sum(f, sum);
	buffers = fill_buffers(n, f, f->checksum && !checksum ? sum : NULL);
	if (!buffers)
		return PORT_NO_BUFFER;
	write_header(n, f, checksum, buffers);
	vqueue_give_back_all(&v->queue[NET_RECEIVE], n->used, buffers);
	virtio_tell(v, NET_RECEIVE);
	n->port.count[PORT_RECEIVED]++;
	n->port.count[PORT_RECEIVED_BYTES] += f->bytes;
	return PORT_SENT;
}

enum port_count net_receive(struct port *to, const struct frame *f)
{
	struct net *n = of_port(to);
	enum port_count what;

	lock_take(&n->virtio.lock);
	what = receive_locked(n, f);
	lock_release(&n->virtio.lock);
	return what;
}
