/* SPDX-License-Identifier: MIT */
/* Virtqueues: chains of descriptors taken from guest memory, checked, and given back. */
#include "drivers/virtio/queue.h"
#include "kernel/errno.h"

#define FLAG_NEXT     1
#define FLAG_WRITE    2
#define FLAG_INDIRECT 4

/* The available ring: flags, idx, ring[size], used_event; the used ring: flags, idx, ring[size] of two
 * words, avail_event. */
#define OFFSET_FLAGS   0
#define OFFSET_INDEX   2
#define OFFSET_RING    4
#define NO_INTERRUPT   1
#define USED_ELEMENT   8
#define DESCRIPTOR     sizeof(struct vqueue_descriptor)
#define AVAIL_BYTES(n) (OFFSET_RING + 2ul * (n) + 2)
#define USED_BYTES(n)  (OFFSET_RING + (u64)USED_ELEMENT * (n) + 2)

_Static_assert(sizeof(struct vqueue_used) == USED_ELEMENT, "the layout is the specification's");
_Static_assert(DESCRIPTOR == 16, "the layout is the specification's");

static int broken(struct vqueue *q, const char *error)
{
	q->state = VQUEUE_BROKEN;
	q->error = error;
	return -EINVAL;
}

void vqueue_reset(struct vqueue *q) { *q = (struct vqueue){ .vm = q->vm }; }

bool vqueue_start(struct vqueue *q)
{
	const char *error = NULL;

	if (!q->size || q->size > VQUEUE_SIZE_MAX || (q->size & (q->size - 1)))
		error = "a size that is no power of two up to the largest";
	else if (q->descriptors % 16 || q->available % 2 || q->used % 4)
		error = "an address that is not aligned";
	else if (!dma_valid(q->vm, q->descriptors, DESCRIPTOR * q->size) ||
		 !dma_valid(q->vm, q->available, AVAIL_BYTES(q->size)) ||
		 !dma_valid(q->vm, q->used, USED_BYTES(q->size)))
		error = "rings outside memory";
	if (error)
		broken(q, error);
	else
		q->state = VQUEUE_READY;
	return !error;
}

/* The addresses were checked when the queue was started, and a VM's memory does not change its size. */
static u16 read16(struct vqueue *q, u64 gpa) /* of the available ring */
{
	u16 value = 0;

	dma_read_at(q->vm, &q->available_spot, &value, gpa, sizeof(value));
	return value;
}

static void write_used(struct vqueue *q, u64 offset, const void *from, size_t bytes)
{
	dma_write_at(q->vm, &q->used_spot, q->used + offset, from, bytes);
}

/* ---- taking ---- */

/* Where a walk along a chain is. */
struct walk {
	u64 table;
	struct dma_spot *spot; /* the table's */
	const u8 *here;	   /* all of it, if this node's view shows it in one page; nobody answers
					  shootdowns on the way, so that it stays there */
	u32 entries, left; /* of the table; descriptors that may still come from it */
	bool inside;	   /* an indirect table */
};

static int enter_table(struct vqueue *q, struct walk *w, const struct vqueue_descriptor *d)
{
	if (!q->indirect)
		return broken(q, "an indirect descriptor, which was not negotiated");
	if (w->inside)
		return broken(q, "an indirect descriptor in an indirect table");
	if (d->flags & FLAG_NEXT)
		return broken(q, "an indirect descriptor with a next one");
	if (!d->bytes || d->bytes % DESCRIPTOR)
		return broken(q, "an indirect table that is not made of descriptors");
	if (!dma_valid(q->vm, d->address, d->bytes))
		return broken(q, "an indirect table outside memory");
	w->table = d->address;
	w->spot = &q->indirect_spot;
	w->here = dma_found(w->spot, d->address, d->bytes);
	w->entries = d->bytes / DESCRIPTOR;
	w->left = MIN(w->entries, (u32)VQUEUE_RANGES_MAX);
	w->inside = true;
	return 0;
}

static int add_range(struct vqueue *q, struct vqueue_chain *c, const struct vqueue_descriptor *d)
{
	bool write = d->flags & FLAG_WRITE;
	u64 *sum = write ? &c->written_bytes : &c->read_bytes;

	if (c->nread + c->nwritten == VQUEUE_RANGES_MAX)
		return broken(q, "a chain of too many buffers");
	if (!write && c->nwritten)
		return broken(q, "a buffer to read behind one to write");
	if (!d->bytes)
		return broken(q, "an empty buffer");
	if (!dma_valid(q->vm, d->address, d->bytes))
		return broken(q, "a buffer outside memory");
	c->range[c->nread + c->nwritten] = (struct dma_range){ d->address, d->bytes };
	*(write ? &c->nwritten : &c->nread) += 1;
	*sum += d->bytes;
	return 0;
}

static void read_descriptor(struct vqueue *q, const struct walk *w, u32 index,
			    struct vqueue_descriptor *d)
{
	u32 ahead = index - q->ahead_from;

	if (!w->inside && ahead < q->nahead)
		*d = q->ahead[ahead];
	else if (w->here)
		copy_few(d, w->here + DESCRIPTOR * index, DESCRIPTOR);
	else
		dma_read_at(q->vm, w->spot, d, w->table + DESCRIPTOR * index, DESCRIPTOR);
}

/* From the descriptor at index of the walk's table to the end of the chain. */
static int walk(struct vqueue *q, struct walk *w, u32 index, struct vqueue_chain *c)
{
	struct vqueue_descriptor d;
	u16 flags;
	int err;

	do {
		if (index >= w->entries)
			return broken(q, "a descriptor behind the table's end");
		if (!w->left--)
			return broken(q, "a chain longer than its table");
		read_descriptor(q, w, index, &d);
		index = d.next;
		flags = d.flags;
		if (flags & FLAG_INDIRECT) {
			err = enter_table(q, w, &d);
			index = 0;
			flags = FLAG_NEXT;
		} else {
			err = add_range(q, c, &d);
		}
	} while (!err && (flags & FLAG_NEXT));
	return err;
}

/* How many chains the guest has made available. */
static void look(struct vqueue *q)
{
	q->waiting = (u16)(read16(q, q->available + OFFSET_INDEX) - q->next_available);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before what it is about */
}

/*
 * Another VM's rings, such as those of who gets a frame, this node reaches by a lock and some 300 instructions each time. So the heads'
 * descriptors are read at once, if they lie near each other, as those of receive buffers do; heads that lie elsewhere are
 * read again later. Those of chains that are available do not change any more.
 */
static void read_ahead(struct vqueue *q)
{
	u32 first = q->size, last = 0, n = 0;

	q->nahead = 0;
	if (dma_found(&q->table_spot, q->descriptors, DESCRIPTOR))
		return;
	for (; n < q->nheads && q->head[n] < q->size; n++) {
		u32 low = MIN(first, (u32)q->head[n]), high = MAX(last, (u32)q->head[n]);

		if (high - low >= VQUEUE_AHEAD)
			break;
		first = low;
		last = high;
	}
	if (n < 2)
		return;
	q->nheads = n;
	q->ahead_from = first;
	q->nahead = last - first + 1;
	dma_read(q->vm, q->ahead, q->descriptors + DESCRIPTOR * first, DESCRIPTOR * q->nahead);
}

/* The head of the next chain, which is available: read with those behind it, which do not change any more. */
static u16 next_head(struct vqueue *q)
{
	u16 at = q->next_available - q->heads_from;
	u32 place = q->next_available & (q->size - 1);

	if (at >= q->nheads) {
		q->heads_from = q->next_available;
		q->nheads = MIN(MIN((u32)q->waiting, q->size - place), (u32)VQUEUE_HEADS);
		dma_read_at(q->vm, &q->available_spot, q->head,
			    q->available + OFFSET_RING + 2ul * place, 2ul * q->nheads);
		read_ahead(q);
		at = 0;
	}
	return q->head[at];
}

int vqueue_next(struct vqueue *q, struct vqueue_chain *chain)
{
	struct walk w;
	int err;

	if (q->state != VQUEUE_READY)
		return q->state == VQUEUE_OFF ? 0 : -EINVAL;
	if (!q->waiting)
		look(q);
	if (!q->waiting)
		return 0;
	if (q->waiting > q->size)
		return broken(q, "more chains available than the queue has descriptors");
	w.table = q->descriptors;
	w.spot = &q->table_spot;
	w.here = NULL;
	w.entries = w.left = q->size;
	w.inside = false;
	chain->nread = chain->nwritten = 0;
	chain->read_bytes = chain->written_bytes = 0;
	chain->head = next_head(q);
	err = walk(q, &w, chain->head, chain);
	if (err)
		return err;
	q->next_available++;
	q->waiting--;
	return 1;
}

/* ---- the chain that most are ---- */

/* The second double word of a descriptor, whole or without `next`, as little-endian machines read it. */
#define FORM(bytes, flags, next) ((u64)(bytes) | (u64)(flags) << 32 | (u64)(next) << 48)
#define WITHOUT_NEXT		 (BIT(48) - 1)

/* At one of the guest's descriptors, each double word of which is read once. */
static u64 address_at(const u64 *d) { return __atomic_load_n(&d[0], __ATOMIC_RELAXED); }
static u64 form_at(const u64 *d) { return __atomic_load_n(&d[1], __ATOMIC_RELAXED); }

/* Some 150 instructions, where a walk takes 400. */
bool vqueue_sees_page(struct vqueue *q, struct vqueue_page *c)
{
	const u64 *d;

	if (q->state != VQUEUE_READY || !q->indirect)
		return false;
	if (!q->waiting)
		look(q);
	if (!q->waiting || q->waiting > q->size)
		return false;
	c->head = next_head(q);
	if (c->head >= q->size)
		return false;
	d = dma_found(&q->table_spot, q->descriptors + DESCRIPTOR * c->head, DESCRIPTOR);
	if (!d || (form_at(d) & WITHOUT_NEXT) != FORM(3 * DESCRIPTOR, FLAG_INDIRECT, 0))
		return false;
	d = dma_found(&q->indirect_spot, address_at(d), 3 * DESCRIPTOR);
	if (!d || (u64)d % sizeof(*d))
		return false;
	if (form_at(d) != FORM(VQUEUE_HEADER, FLAG_NEXT, 1) ||
	    form_at(d + 2) != FORM(PAGE_SIZE, FLAG_NEXT | FLAG_WRITE, 2) ||
	    (form_at(d + 4) & WITHOUT_NEXT) != FORM(1, FLAG_WRITE, 0))
		return false;
	c->header = address_at(d);
	c->page = address_at(d + 2);
	c->status = address_at(d + 4);
	return c->page % PAGE_SIZE == 0 && dma_valid(q->vm, c->header, VQUEUE_HEADER) &&
	       dma_valid(q->vm, c->page, PAGE_SIZE) && dma_valid(q->vm, c->status, 1);
}

bool vqueue_ask_to_notify(struct vqueue *q)
{
	u16 index = q->next_available;

	if (q->state != VQUEUE_READY)
		return false;
	if (q->event_index)
		write_used(q, OFFSET_RING + (u64)USED_ELEMENT * q->size, &index, sizeof(index));
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* asked before the last look */
	look(q);
	return q->waiting;
}

u32 vqueue_available(struct vqueue *q)
{
	if (q->state == VQUEUE_READY)
		look(q);
	return q->waiting;
}

void vqueue_put_back(struct vqueue *q, u32 n)
{
	q->next_available -= n;
	q->waiting += n;
}

/* ---- giving back ---- */

bool vqueue_give_back(struct vqueue *q, u16 head, u32 bytes)
{
	struct vqueue_used used = { head, bytes };
	u32 place = q->next_used & (q->size - 1);

	if (q->state != VQUEUE_READY)
		return false;
	write_used(q, OFFSET_RING + (u64)USED_ELEMENT * place, &used, sizeof(used));
	q->next_used++;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the element before the index */
	write_used(q, OFFSET_INDEX, &q->next_used, sizeof(q->next_used));
	return true;
}

bool vqueue_give_back_all(struct vqueue *q, const struct vqueue_used *used, u32 n)
{
	if (q->state != VQUEUE_READY)
		return false;
	for (u32 run; n; n -= run, used += run, q->next_used += run) {
		u32 place = q->next_used & (q->size - 1);

		run = MIN(n, q->size - place);
		write_used(q, OFFSET_RING + (u64)USED_ELEMENT * place, used, run * sizeof(*used));
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the elements before the index */
	write_used(q, OFFSET_INDEX, &q->next_used, sizeof(q->next_used));
	return true;
}

bool vqueue_wants_interrupt(struct vqueue *q)
{
	u16 old = q->told, event;

	if (q->state != VQUEUE_READY || q->next_used == old)
		return false;
	q->told = q->next_used;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before what the guest says about it */
	if (!q->event_index)
		return !(read16(q, q->available + OFFSET_FLAGS) & NO_INTERRUPT);
	event = read16(q, q->available + OFFSET_RING + 2ul * q->size);
	return (u16)(q->next_used - event - 1) < (u16)(q->next_used - old);
}
