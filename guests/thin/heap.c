/* SPDX-License-Identifier: MIT */
/*
 * The heap: see heap.h. A table has an entry for each chunk; that of a run's first chunk tells about the run. A free run has its
 * length in its last entry too, so that neighbours become one when a run is given back; free runs are in a list, and who asks gets
 * the smallest that fits, from its low end. What was never given is zero. In a run of small blocks each entry knows the first.
 *
 * Small blocks: a run of their class gives those that came back first, then those that it never gave before, in ascending order. An
 * empty run goes, unless it is short and the only one of its class.
 */
#include "guests/thin/thin.h"

enum { RUN_FREE, RUN_LARGE, RUN_SMALL, RUN_INSIDE };

#define SHORT_RUN	2u  /* chunks */
#define BLOCKS_OF_A_RUN 4u  /* at least */
#define LONG_RUN	16u /* chunks */

struct chunk {
	u8 kind;
	u8 class;
	u8 owner; /* of small blocks: a VCPU */
	bool listed;
	u32 length; /* of the run; RUN_INSIDE of small blocks: chunks back to the first */
	u32 used;   /* blocks that are in use */
	u32 begun;  /* bytes that were given out once */
	void *back; /* blocks that came back, each with the address of the next */
	struct chunk *next, *previous; /* free runs, or runs of a class with blocks to give */
};

static struct chunk *chunks;
static u8 *base; /* what the first entry is about */
static u64 chunk_count, chunks_used, chunks_touched;
static struct chunk *free_runs;
static struct spin runs_lock;
u32 heap_refused;

/* ---- classes: steps of 16 up to 128, then four to a doubling ---- */
static u32 class_of(size_t n)
{
	u32 log;

	if (n <= 128)
		return n ? (u32)((n - 1) >> 4) : 0;
	log = 63 - (u32)__builtin_clzl(n - 1);
	return 8 + (log - 7) * 4 + ((u32)((n - 1) >> (log - 2)) & 3);
}

static size_t bytes_of(u32 class)
{
	if (class < 8)
		return (class + 1) * 16;
	return (size_t)(5 + (class & 3)) << (5 + (class - 8) / 4);
}

_Static_assert(HEAP_CLASSES == 8 + 4 * 7, "128 << 7 is HEAP_SMALL_BYTES");

/* ---- runs, under runs_lock ---- */
static void run_list(struct chunk *c, u64 length)
{
	c->kind = c[length - 1].kind = RUN_FREE;
	c->length = c[length - 1].length = (u32)length;
	c->previous = NULL;
	c->next = free_runs;
	if (free_runs)
		free_runs->previous = c;
	free_runs = c;
}

static void run_unlist(struct chunk *c)
{
	if (c->previous)
		c->previous->next = c->next;
	else
		free_runs = c->next;
	if (c->next)
		c->next->previous = c->previous;
}

/* Chunks of run c from its first to where one is at a multiple of align chunks. */
static u64 skip_of(const struct chunk *c, u64 align)
{
	u64 at = ((u64)base / HEAP_CHUNK) + (u64)(c - chunks);

	return ROUND_UP(at, align) - at;
}

/*
 * Long runs come from the high end, so that what is small, and stacks, lie together at the low one: the monitor zeroes up to two
 * megabytes when one byte of them is touched first, which takes 7 ms on the paper's machine.
 */
static u64 skip_within(const struct chunk *c, u64 length, u64 align)
{
	u64 skip = skip_of(c, align), more;

	if (length < LONG_RUN)
		return skip;
	more = ROUND_DOWN(c->length - length - skip, align);
	return skip + more;
}

static struct chunk *run_take(u64 length, u64 align)
{
	struct chunk *best = NULL;
	u64 skip, total;

	for (struct chunk *c = free_runs; c; c = c->next)
		if (c->length >= length + skip_of(c, align) && (!best || c->length < best->length))
			best = c;
	if (!best)
		return NULL;
	run_unlist(best);
	skip = skip_within(best, length, align);
	total = best->length;
	if (skip)
		run_list(best, skip);
	best += skip;
	if (total > skip + length)
		run_list(best + length, total - skip - length);
	best[length - 1].kind = RUN_INSIDE; /* it must not look free to the run behind it */
	best[length - 1].length = 0;
	best->length = (u32)length;
	chunks_used += length;
	return best;
}

static struct chunk *run_alloc(u64 length, u64 align, u8 kind, bool *fresh)
{
	u32 was = irq_off();
	struct chunk *c;

	spin_lock(&runs_lock);
	c = run_take(length, align);
	if (!c) {
		heap_refused++;
	} else {
		u64 end = (u64)(c - chunks) + length;

		c->kind = kind;
		*fresh = end - length >= chunks_touched;
		chunks_touched = MAX(chunks_touched, end);
	}
	spin_unlock(&runs_lock);
	irq_back(was);
	return c;
}

static void run_free(struct chunk *c)
{
	u32 was = irq_off();
	u64 length;

	spin_lock(&runs_lock);
	length = c->length;
	chunks_used -= length;
	if (c + length < chunks + chunk_count && c[length].kind == RUN_FREE) {
		run_unlist(c + length);
		length += c[length].length;
	}
	if (c > chunks && c[-1].kind == RUN_FREE) {
		struct chunk *before = c - c[-1].length;

		run_unlist(before);
		length += before->length;
		c = before;
	}
	run_list(c, length);
	spin_unlock(&runs_lock);
	irq_back(was);
}

void heap_begin(u64 first, u64 bytes)
{
	u64 end = ROUND_DOWN(first + bytes, HEAP_CHUNK), table;

	first = ROUND_UP(first, HEAP_CHUNK);
	chunk_count = (end - first) / HEAP_CHUNK;
	table = ROUND_UP((chunk_count + 1) * sizeof(struct chunk), HEAP_CHUNK);
	chunk_count -= table / HEAP_CHUNK;
	base = window(first);
	chunks = window(end - table);
	run_list(chunks, chunk_count);
}

u64 heap_total(void) { return chunk_count * HEAP_CHUNK; }
u64 heap_used(void) { return chunks_used * HEAP_CHUNK; }

/* ---- small blocks: this VCPU only, with interrupts off ---- */
static u8 *memory_of(const struct chunk *c) { return base + (u64)(c - chunks) * HEAP_CHUNK; }

/* The run that p lies in, if it is one of small blocks, or begins there. */
static struct chunk *run_of(const void *p)
{
	u64 n = ((u64)p - (u64)base) / HEAP_CHUNK;

	if (n >= chunk_count)
		return NULL;
	return &chunks[chunks[n].kind == RUN_INSIDE ? n - MIN(chunks[n].length, n) : n];
}

static bool has_more(const struct chunk *c)
{
	return c->back || c->begun + bytes_of(c->class) <= c->length * HEAP_CHUNK;
}

static void list(struct heap *h, struct chunk *c)
{
	c->previous = NULL;
	c->next = h->runs[c->class];
	if (c->next)
		c->next->previous = c;
	h->runs[c->class] = c;
	c->listed = true;
}

static void unlist(struct heap *h, struct chunk *c)
{
	if (c->previous)
		c->previous->next = c->next;
	else
		h->runs[c->class] = c->next;
	if (c->next)
		c->next->previous = c->previous;
	c->listed = false;
}

/* The second word of a block that came back, so that it is noticed if it does so again. */
static u64 *mark_of(void *p) { return (u64 *)p + 1; }
static u64 freed_mark(const void *p) { return 0x9d3a5e7c16b8f024 ^ (u64)p; }

static void give_back(struct heap *h, struct chunk *c, void *p)
{
	*(void **)p = c->back;
	c->back = p;
	c->used--;
	if (!c->listed)
		list(h, c);
	if (!c->used && (c->length > SHORT_RUN || c->next || c->previous)) {
		unlist(h, c);
		run_free(c);
	}
}

static void take_back_all(struct heap *h)
{
	void *p, *next;

	if (!h->freed)
		return;
	for (p = __atomic_exchange_n(&h->freed, NULL, __ATOMIC_ACQUIRE); p; p = next) {
		next = *(void **)p;
		give_back(h, run_of(p), p);
	}
}

static void *give(struct heap *h, struct chunk *c, bool *fresh)
{
	u8 *p = c->back;

	if (p) {
		c->back = *(void **)p;
		*fresh = false;
	} else {
		p = memory_of(c) + c->begun;
		c->begun += (u32)bytes_of(c->class);
	}
	*mark_of(p) = 0; /* also of one that another run had here before */
	c->used++;
	if (!has_more(c))
		unlist(h, c);
	return p;
}

/* Blocks of a power of two lie at multiples of themselves. */
static u64 align_of(u32 class)
{
	size_t n = bytes_of(class);

	return n & (n - 1) ? 1 : MAX(n / HEAP_CHUNK, 1ul);
}

static struct chunk *new_run(struct vcpu *v, u32 class, bool *fresh)
{
	u64 chunks_wanted = ROUND_UP(BLOCKS_OF_A_RUN * bytes_of(class), HEAP_CHUNK) / HEAP_CHUNK;
	struct chunk *c =
		run_alloc(MAX(chunks_wanted, SHORT_RUN), align_of(class), RUN_SMALL, fresh);

	if (!c)
		return NULL;
	c->class = (u8) class;
	c->owner = (u8)v->id;
	c->used = 0;
	c->begun = 0;
	c->back = NULL;
	for (u32 i = 1; i < c->length; i++) {
		c[i].kind = RUN_INSIDE;
		c[i].length = i;
	}
	list(&v->heap, c);
	return c;
}

static void *small(u32 class, bool *fresh)
{
	u32 was = irq_off();
	struct vcpu *v = this_vcpu();
	struct heap *h = &v->heap;
	void *p = NULL;

	*fresh = false; /* a run may have been another's before */
	if (!h->runs[class])
		take_back_all(h);
	if (h->runs[class] || new_run(v, class, fresh))
		p = give(h, h->runs[class], fresh);
	irq_back(was);
	return p;
}

/* ---- all blocks ---- */
void *heap_alloc(size_t n, size_t align, bool *fresh)
{
	bool unused;
	struct chunk *c;

	if (!fresh)
		fresh = &unused;
	if (align > 16 && n <= HEAP_SMALL_BYTES && align <= HEAP_SMALL_BYTES) {
		/* Blocks of a power of two lie at multiples of themselves. */
		n = MAX(n, align);
		n = n <= 1 ? 1 : 1ul << (64 - __builtin_clzl(n - 1));
	}
	if (n <= HEAP_SMALL_BYTES && align <= HEAP_SMALL_BYTES)
		return small(class_of(n), fresh);
	if (n > chunk_count * HEAP_CHUNK)
		return NULL;
	c = run_alloc(ROUND_UP(n, HEAP_CHUNK) / HEAP_CHUNK, MAX(align / HEAP_CHUNK, 1ul), RUN_LARGE,
		      fresh);
	return c ? memory_of(c) : NULL;
}

static const char *wrong(const struct chunk *c, const void *p)
{
	if (!c)
		return "not of malloc's memory";
	if (c->kind == RUN_LARGE)
		return p == memory_of(c) ? NULL : "inside of a block";
	if (c->kind != RUN_SMALL)
		return "in no block that is in use";
	return ((u64)p - (u64)memory_of(c)) % bytes_of(c->class) ? "inside of a block" : NULL;
}

static struct chunk *checked(const void *p, const char *what)
{
	struct chunk *c = run_of(p);
	const char *why = wrong(c, p);

	if (why) {
		say("%s of %x, which is %s", what, (u64)p, why);
		give_up("the program's own mistake, here or before:");
	}
	return c;
}

size_t heap_bytes(const void *p)
{
	const struct chunk *c = checked(p, "realloc()");

	return c->kind == RUN_LARGE ? c->length * HEAP_CHUNK : bytes_of(c->class);
}

void heap_free(void *p)
{
	struct chunk *c;
	struct vcpu *v;
	u32 was;

	if (!p)
		return;
	c = checked(p, "free()");
	if (c->kind == RUN_LARGE) {
		run_free(c);
		return;
	}
	if (*mark_of(p) == freed_mark(p)) {
		say("free() of %x, which is free already", (u64)p);
		give_up("the program's own mistake:");
	}
	*mark_of(p) = freed_mark(p);
	was = irq_off();
	v = this_vcpu();
	if (c->owner == v->id) {
		give_back(&v->heap, c, p);
	} else {
		struct heap *h = &vcpus[c->owner]->heap;
		void *first = h->freed;

		do
			*(void **)p = first;
		while (!__atomic_compare_exchange_n(&h->freed, &first, p, false, __ATOMIC_RELEASE,
						    __ATOMIC_RELAXED));
	}
	irq_back(was);
}
