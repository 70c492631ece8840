/* SPDX-License-Identifier: MIT */
/*
 * What others send to a network device: where a frame goes in the guest's receive buffers, and how it gets there.
 * drivers/subnet/subnet.h has the states of buffers. All by the sender's home, as the sender's time.
 *
 * A plan comes first: buffers are taken and each piece of the frame has its place, or nothing is taken. Where
 * a whole page of the sender's comes and a buffer begins with a page, the page is a piece of its own, to be passed:
 * the buffer before it ends early, with as many bytes as it has. Without mergeable buffers there is one buffer, and
 * its length says nothing about its middle.
 * Then all pages are passed, and the other pieces are put, some at a time: in between the lock is free for the
 * guest's driver, and for other senders, who take buffers behind these. If the driver begins anew in between, the
 * rest is not put.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/virtio/net.h"
#include "kernel/mem/pass.h"
#include "kernel/mem/share.h"
#include "kernel/vm/vm.h"

/* Bytes that are copied while the lock is held, and what a piece counts for beside its own. */
#define AT_ONCE	    PAGE_SIZE
#define PIECE_BYTES 512

static struct net *of_port(struct port *p)
{
	return (struct net *)((u8 *)p - offsetof(struct net, port));
}

/* ---- the plan ---- */

struct plan {
	struct net *n; /* the receiver */
	const struct frame *f;
	struct net_delivery *d;
	u32 max; /* buffers */
	bool pass;
	u32 at;			    /* bytes of header and frame that have a place */
	struct vqueue_chain *chain; /* the buffer that is filled: */
	u32 range, filled;	    /* its range, and bytes of that */
	struct vqueue_chain *ahead; /* the next one, if it was taken already */
	bool has_ahead;
};

/* The next buffer into *chain. False: there is none, or it is none. */
static bool take(struct plan *p, struct vqueue_chain *chain)
{
	struct virtio *v = &p->n->virtio;

	if (p->d->nbuffers == p->max || !virtio_next(v, NET_RECEIVE, chain))
		return false;
	if (chain->nread || !chain->nwritten) {
		virtio_malformed(v, NET_RECEIVE, "a buffer that cannot be written");
		return false;
	}
	return true;
}

/* The next buffer is filled from now on. */
static bool open_buffer(struct plan *p)
{
	struct vqueue_chain *last = p->chain;

	if (p->has_ahead) {
		p->chain = p->ahead;
		p->ahead = last;
		p->has_ahead = false;
	} else if (!take(p, p->chain)) {
		return false;
	}
	p->d->used[p->d->nbuffers++] = (struct vqueue_used){ p->chain->head, 0 };
	p->range = p->filled = 0;
	return true;
}

/* Where the next byte goes in the buffer that is filled, and how many are free there; bytes 0: it is full. */
static struct dma_range place(struct plan *p)
{
	if (p->d->nbuffers && p->range < p->chain->nwritten &&
	    p->filled == p->chain->range[p->range].bytes) {
		p->range++;
		p->filled = 0;
	}
	if (!p->d->nbuffers || p->range == p->chain->nwritten)
		return (struct dma_range){ 0, 0 };
	return (struct dma_range){ p->chain->range[p->range].gpa + p->filled,
				   p->chain->range[p->range].bytes - p->filled };
}

static bool add_piece(struct plan *p, struct dma_range to, u32 bytes, const struct frame_page *page)
{
	struct net_delivery *d = p->d;

	if (d->npieces == NET_PIECES_MAX)
		return false;
	d->piece[d->npieces++] = (struct net_piece){ to.gpa, p->at, bytes, to.bytes, page };
	d->used[d->nbuffers - 1].bytes += bytes;
	p->filled += bytes;
	p->at += bytes;
	return true;
}

/* Bytes to be copied. False: there are too few buffers. */
static bool plan_copy(struct plan *p, u32 bytes)
{
	while (bytes) {
		struct dma_range to = place(p);
		u32 part = MIN(bytes, to.bytes);

		if (!part && !open_buffer(p))
			return false;
		if (part && !add_piece(p, to, part, NULL))
			return false;
		bytes -= part;
	}
	return true;
}

static bool holds_page(struct dma_range r) { return !(r.gpa & PAGE_MASK) && r.bytes >= PAGE_SIZE; }

/* The buffer that is filled goes on with a whole page, now or because the next one does. */
static bool at_page(struct plan *p)
{
	if (holds_page(place(p)))
		return true;
	if (!p->has_ahead)
		p->has_ahead = take(p, p->ahead);
	return p->has_ahead && holds_page(p->ahead->range[0]) && open_buffer(p);
}

static bool plan_page(struct plan *p, const struct frame_page *page)
{
	if (!at_page(p))
		return plan_copy(p, PAGE_SIZE);
	return add_piece(p, place(p), PAGE_SIZE, page);
}

static bool plan_frame(struct plan *p)
{
	const struct frame *f = p->f;
	const u32 head = sizeof(struct net_header);
	bool ok = true;

	for (u32 i = 0; ok && p->pass && i < f->npages; i++)
		ok = plan_copy(p, head + f->page[i].at - p->at) && plan_page(p, &f->page[i]);
	return ok && plan_copy(p, head + f->bytes - p->at);
}

/* What the plan leaves in the queue is enough for the others. */
static bool is_fair(struct net *n, const struct frame *f)
{
	struct vqueue *q = &n->virtio.queue[NET_RECEIVE];
	u32 leaves = fair_leaves(&n->fair, f->sender, q->size);

	return !leaves || vqueue_available(q) >= leaves;
}

/* PORT_SENT; or why not, and no buffer is taken. */
static enum port_count plan(struct net *n, const struct frame *f, bool pass)
{
	struct virtio *v = &n->virtio;
	struct plan p = { .n = n,
			  .f = f,
			  .d = f->delivery,
			  .max = v->accepted & NET_F_MERGEABLE ? NET_BUFFERS_MAX : 1,
			  .pass = pass,
			  .chain = &v->chain,
			  .ahead = &n->ahead };
	enum port_count what = PORT_SENT;

	p.d->npieces = p.d->nbuffers = 0;
	if (!plan_frame(&p))
		what = PORT_NO_BUFFER;
	if (!virtio_is_live(v))
		return what;
	vqueue_put_back(&v->queue[NET_RECEIVE], p.has_ahead);
	if (what == PORT_SENT && !is_fair(n, f))
		what = PORT_SHARE;
	if (what != PORT_SENT)
		vqueue_put_back(&v->queue[NET_RECEIVE], p.d->nbuffers);
	return what;
}

/* With pages of their own, or else copied into fewer buffers. */
static enum port_count find_buffers(struct net *n, const struct frame *f)
{
	enum port_count what = PORT_NO_BUFFER;

	fair_age(&n->fair, count64());
	if (f->npages)
		what = plan(n, f, true);
	if (what != PORT_SENT)
		what = plan(n, f, false);
	if (what == PORT_SENT)
		fair_took(&n->fair, f->sender, f->delivery->nbuffers);
	else
		fair_refused(&n->fair, f->sender);
	return what;
}

/* ---- putting ---- */

static bool is_ready(const struct net *n)
{
	return virtio_is_live(&n->virtio) && n->virtio.queue[NET_RECEIVE].state == VQUEUE_READY;
}

/* Others have their turn. False: the driver that offered the buffers is gone. */
static bool let_others(struct net *n)
{
	u32 epoch = n->epoch[NET_RECEIVE];

	lock_release(&n->virtio.lock);
	lock_take(&n->virtio.lock);
	return epoch == n->epoch[NET_RECEIVE] && is_ready(n);
}

_Static_assert(FRAME_PAGES <= SHARE_PAGES, "one call for a frame");

/* The page that the header goes to, if all of it is the buffer's. */
static bool has_head_page(const struct net_delivery *d, gpn_t *page)
{
	const struct net_piece *first = &d->piece[0];

	*page = gpa_gpn((gpa_t){ first->gpa });
	return !first->page && !(first->gpa & PAGE_MASK) && first->room >= PAGE_SIZE;
}

/* All pages of the frame that can be; the others are pieces as any. */
static void pass_all(struct net *n, const struct frame *f)
{
	struct net_delivery *d = f->delivery;
	struct pass list[FRAME_PAGES];
	u32 pages = 0, passed;
	gpn_t page;
	const gpn_t *head = has_head_page(d, &page) ? &page : NULL;

	for (u32 i = 0; i < d->npieces; i++)
		if (d->piece[i].page)
			list[pages++] = (struct pass){ d->piece[i].page->gpn,
						       gpa_gpn((gpa_t){ d->piece[i].gpa }) };
	passed = pages ? dma_pass(f->vm, n->virtio.dev->vm, list, pages, head) : 0;
	for (u32 i = 0; i < d->npieces; i++) {
		if (!d->piece[i].page)
			continue;
		if (passed & 1)
			d->passed += PAGE_SIZE;
		else
			d->piece[i].page = NULL;
		passed >>= 1;
	}
}

/* The header that this device's guest gets before the frame, from some byte of it on, and the frame's first bytes with it: how many. */
static u32 put_header(const struct frame *f, u32 at, u32 bytes, const struct frame_target *to,
		      const u8 *sum)
{
	struct net_delivery *d = f->delivery;
	u32 room = PAGE_SIZE - (to->gpa & PAGE_MASK), rest = 0;

	bytes = MIN(bytes, room);
	if (bytes > sizeof(d->header) - at) {
		rest = MIN(bytes - (u32)(sizeof(d->header) - at), (u32)FRAME_HEAD);
		bytes = sizeof(d->header) - at;
	}
	memcpy(d->head, (const u8 *)&d->header + at, bytes);
	frame_take(f, 0, d->head + bytes, rest, sum);
	frame_put(to, d->head, bytes + rest);
	return bytes + rest;
}

static void put(struct net *n, const struct frame *f, const struct net_piece *piece, u32 skip,
		u32 bytes)
{
	const struct net_delivery *d = f->delivery;
	const u8 *sum = d->has_sum ? d->sum : NULL;
	struct frame_target to = { n->virtio.dev->vm, piece->gpa + skip, piece->room - skip };
	u32 at = piece->at + skip;

	while (bytes && at < sizeof(d->header)) {
		u32 done = put_header(f, at, bytes, &to, sum);

		at += done;
		bytes -= done;
		to.gpa += done;
		to.room -= done;
	}
	if (bytes)
		frame_copy(f, at - sizeof(d->header), bytes, to, sum);
}

/* There are bytes left of those at once, or of the next ones. False: as let_others. */
static bool has_left(struct net *n, u32 *left)
{
	if (*left)
		return true;
	*left = AT_ONCE;
	return let_others(n);
}

/* All pieces; false: the driver has begun anew in the middle. */
static bool put_all(struct net *n, const struct frame *f)
{
	const struct net_delivery *d = f->delivery;
	u32 left = AT_ONCE, part;

	pass_all(n, f);
	for (u32 i = 0; i < d->npieces; i++) {
		if (d->piece[i].page)
			continue;
		for (u32 done = 0; done < d->piece[i].bytes; done += part) {
			if (!has_left(n, &left))
				return false;
			part = MIN(d->piece[i].bytes - done, left);
			put(n, f, &d->piece[i], done, part);
			left -= MIN(left, part + PIECE_BYTES);
		}
	}
	return true;
}

/* ---- a frame ---- */

static void make_header(const struct frame *f, bool checksum)
{
	struct net_delivery *d = f->delivery;

	d->header = (struct net_header){ .buffers = d->nbuffers };
	if (!checksum)
		return;
	d->header.flags = NET_NEEDS_CSUM;
	d->header.checksum_start = f->checksum_start;
	d->header.checksum_offset = f->checksum_at - f->checksum_start;
}

/* The receiver wants the sum itself: a look at the whole frame, without the lock. False: as let_others. */
static bool sum_up(struct net *n, const struct frame *f)
{
	u32 epoch = n->epoch[NET_RECEIVE];

	lock_release(&n->virtio.lock);
	frame_sum(f, f->delivery->sum);
	lock_take(&n->virtio.lock);
	return epoch == n->epoch[NET_RECEIVE] && is_ready(n);
}

static enum port_count receive_locked(struct net *n, const struct frame *f)
{
	struct net_delivery *d = f->delivery;
	struct virtio *v = &n->virtio;
	bool checksum = f->checksum && (v->accepted & NET_F_GUEST_CSUM);
	enum port_count what = is_ready(n) ? find_buffers(n, f) : PORT_NOBODY;

	if (what != PORT_SENT)
		return what;
	make_header(f, checksum);
	d->passed = 0;
	d->has_sum = f->checksum && !checksum;
	if ((d->has_sum && !sum_up(n, f)) || !put_all(n, f))
		return PORT_NOBODY;
	vqueue_give_back_all(&v->queue[NET_RECEIVE], d->used, d->nbuffers);
	virtio_tell(v, NET_RECEIVE);
	n->port.count[PORT_RECEIVED]++;
	n->port.count[PORT_RECEIVED_BYTES] += f->bytes;
	n->port.count[PORT_RECEIVED_PASSED] += d->passed;
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
