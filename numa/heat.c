/* SPDX-License-Identifier: MIT */
/* Counters of misses on pages, MAGIC's or our own, and the rings of candidates. Decides nothing. */
#include <string.h>
#include "kernel/mem/memmap.h"
#include "kernel/node.h"
#include "numa/heat.h"
#include "numa/magic.h"

#define RAM_FIRST   0x80000ul /* page number, as MAGIC counts */
#define GROUP_NODES 16
#define GROUPS	    ((MAX_NODES + GROUP_NODES - 1) / GROUP_NODES)
#define COUNT_MAX   255

/* Counters of neighbouring nodes, cleared together: zero unless of the page's generation. */
struct heat_group {
	u16 generation;
	u8 count[GROUP_NODES]; /* each its node's own */
};

/* Samples of a page, in its home's memory. Any node writes any field, at the risk that another's
 * addition is lost. */
struct heat_page {
	u32 epoch;	    /* the interval of these counts; they are stale in any other */
	u8 sharers, writes; /* end at 255 */
	u16 generation;	    /* goes up whenever the page is cleared */
	u16 from;	    /* the node it last moved from, plus 1; 0: it never did */
	struct heat_group group[GROUPS];
};

_Static_assert(MAX_NODES > GROUP_NODES || sizeof(struct heat_page) + sizeof(u32) == 32,
	       "32 bytes a page");
_Static_assert(MAX_NODES < UINT16_MAX, "from");

static struct heat_node {
	mpn_t first;
	u32 npages;
	struct magic_ring *ring;  /* MAGIC's, or in the same form our own */
	u32 *moved;		  /* of each page: ms, 0: never */
	struct heat_page *sample; /* of each page; samples only */
} heat[MAX_NODES];		  /* fixed after boot */

static struct magic *magic; /* fixed after boot, like the next two */
static enum heat_source source;
static bool sees_local;

/* node 0 writes, all read */
static u32 trigger = HEAT_NEVER, sharing = 1, weight = 1, interval = 100;
static u32 now, epoch = 1, epoch_start; /* ms; stored samples begin with epoch 0 */

#define LOAD(x)	     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define STORE(x, to) __atomic_store_n(&(x), to, __ATOMIC_RELAXED)

enum heat_source heat_source(void) { return source; }

bool heat_sees_local(void) { return sees_local; }

void heat_use_magic(struct magic *m)
{
	magic = m;
	source = HEAT_MAGIC;
	sees_local = true;
}

void heat_use_samples(bool everything)
{
	source = HEAT_SAMPLES;
	sees_local = everything;
}

/* ---- storage ---- */

size_t heat_bytes(u32 npages)
{
	if (source == HEAT_MAGIC)
		return npages * sizeof(u32);
	return sizeof(struct magic_ring) + npages * (sizeof(struct heat_page) + sizeof(u32));
}

void heat_init_node(u32 node, mpn_t first, u32 npages, void *storage)
{
	struct heat_node *h = &heat[node];

	*h = (struct heat_node){ .first = first, .npages = npages, .moved = storage };
	if (source == HEAT_MAGIC) {
		h->ring = (struct magic_ring *)maddr_ptr((maddr_t){ magic->rings }) + node;
		return;
	}
	h->ring = storage;
	h->sample = (struct heat_page *)(h->ring + 1);
	h->moved = (u32 *)(h->sample + npages);
}

/* NULL: not a page that is counted. */
static struct heat_node *home(mpn_t mpn, u32 *index)
{
	int node = memmap_node(mpn);
	struct heat_node *h = node < 0 ? NULL : &heat[node];

	if (!h || mpn.v - h->first.v >= h->npages)
		return NULL;
	*index = (u32)(mpn.v - h->first.v);
	return h;
}

static struct magic_page *magic_page(mpn_t mpn)
{
	u64 index = mpn.v - RAM_FIRST;

	if (index >= maddr_mpn((maddr_t){ magic->range }).v - RAM_FIRST)
		return NULL;
	return (struct magic_page *)maddr_ptr((maddr_t){ magic->pages }) + index;
}

/* ---- thresholds and time ---- */

static void next_epoch(void)
{
	STORE(epoch_start, now);
	STORE(epoch, epoch + 1);
}

void heat_set(u32 new_trigger, u32 new_sharing, u32 new_weight, u32 new_interval)
{
	STORE(trigger, new_trigger);
	STORE(sharing, new_sharing);
	STORE(weight, new_weight);
	STORE(interval, new_interval);
	next_epoch(); /* sharers were counted by the old threshold */
	if (!magic)
		return;
	STORE(magic->sharing, new_sharing);
	STORE(magic->interval, (u64)new_interval * magic->clock_mhz * 1000);
	STORE(magic->trigger, new_trigger);
}

void heat_clock(u64 ms)
{
	STORE(now, (u32)ms);
	if (now - epoch_start >= interval)
		next_epoch();
}

/* ---- samples ---- */

static void clear_sample(struct heat_page *p)
{
	STORE(p->sharers, 0);
	STORE(p->writes, 0);
	STORE(p->generation, (u16)(LOAD(p->generation) + 1));
	STORE(p->epoch, LOAD(epoch));
}

/* The page's entry, of this interval. */
static struct heat_page *fresh_page(struct heat_node *h, u32 index)
{
	struct heat_page *p = &h->sample[index];

	if (LOAD(p->epoch) != LOAD(epoch))
		clear_sample(p);
	return p;
}

static u8 *fresh_count(struct heat_page *p, u32 node)
{
	struct heat_group *g = &p->group[node / GROUP_NODES];
	u16 current = LOAD(p->generation);

	if (LOAD(g->generation) != current) {
		memset(g->count, 0, sizeof(g->count));
		STORE(g->generation, current);
	}
	return &g->count[node % GROUP_NODES];
}

static void add(u8 *count, u32 n)
{
	u32 sum = LOAD(*count) + n;

	STORE(*count, (u8)MIN(sum, (u32)COUNT_MAX));
}

static void offer(struct magic_ring *r, mpn_t mpn)
{
	if (r->head - r->tail == MAGIC_RING) {
		r->lost++;
		return;
	}
	r->page[r->head % MAGIC_RING] = mpn.v;
	r->head++;
}

void heat_sample(u32 node, mpn_t mpn, bool write)
{
	u32 index, before, after;
	struct heat_node *h;
	struct heat_page *p;
	u8 *count;

	if (source != HEAT_SAMPLES)
		return;
	h = home(mpn, &index);
	if (!h)
		return;
	p = fresh_page(h, index);
	count = fresh_count(p, node);
	before = LOAD(*count);
	add(count, LOAD(weight));
	after = LOAD(*count);
	if (before < LOAD(sharing) && after >= LOAD(sharing))
		add(&p->sharers, 1);
	if (write)
		add(&p->writes, LOAD(weight));
	if (before / LOAD(trigger) < after / LOAD(trigger))
		offer(heat[node].ring, mpn);
}

/* ---- reading ---- */

bool heat_next(u32 node, mpn_t *mpn)
{
	struct magic_ring *r = heat[node].ring;

	if (!r || r->tail == __atomic_load_n(&r->head, __ATOMIC_ACQUIRE))
		return false;
	mpn->v = r->page[r->tail % MAGIC_RING];
	__atomic_store_n(&r->tail, r->tail + 1, __ATOMIC_RELEASE);
	return true;
}

u32 heat_waiting(u32 node)
{
	const struct magic_ring *r = heat[node].ring;

	return r ? __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) - r->tail : 0;
}

mpn_t heat_peek(u32 node, u32 i)
{
	const struct magic_ring *r = heat[node].ring;

	return (mpn_t){ r->page[(r->tail + i) % MAGIC_RING] };
}

u32 heat_drop(u32 node)
{
	struct magic_ring *r = heat[node].ring;
	u32 n = heat_waiting(node);

	if (n)
		__atomic_store_n(&r->tail, r->tail + n, __ATOMIC_RELEASE);
	return n;
}

u64 heat_lost(u32 node) { return heat[node].ring ? LOAD(heat[node].ring->lost) : 0; }

static void read_magic(struct heat *seen, u32 node, mpn_t mpn)
{
	const struct magic_page *p = magic_page(mpn);

	if (!p || node >= MAGIC_MAX_NODES)
		return;
	seen->mine = LOAD(p->count[node]);
	seen->writes = LOAD(p->writes);
	seen->upgrades = LOAD(p->upgrades);
	for (u32 sharers = LOAD(p->sharers); sharers; sharers &= sharers - 1)
		seen->others++;
}

static void read_sample(struct heat *seen, u32 node, const struct heat_page *p)
{
	const struct heat_group *g = &p->group[node / GROUP_NODES];

	seen->back = !sees_local && LOAD(p->from) == node + 1;
	if (LOAD(p->epoch) != LOAD(epoch))
		return;
	if (LOAD(g->generation) == LOAD(p->generation))
		seen->mine = LOAD(g->count[node % GROUP_NODES]);
	seen->writes = LOAD(p->writes);
	seen->others = LOAD(p->sharers);
}

struct heat heat_read(u32 node, mpn_t mpn)
{
	struct heat seen = { .age = ~0u };
	struct heat_node *h;
	u32 index, moved;

	h = home(mpn, &index);
	if (!h)
		return seen;
	if (source == HEAT_MAGIC)
		read_magic(&seen, node, mpn);
	else
		read_sample(&seen, node, &h->sample[index]);
	if (seen.others && seen.mine >= LOAD(sharing)) /* itself one of them */
		seen.others--;
	moved = LOAD(h->moved[index]);
	if (moved)
		seen.age = LOAD(now) - moved;
	return seen;
}

u32 heat_count(u32 node, mpn_t mpn)
{
	struct heat seen = { 0 };
	const struct magic_page *p;
	struct heat_node *h;
	u32 index;

	if (source == HEAT_MAGIC) {
		p = magic_page(mpn);
		return p && node < MAGIC_MAX_NODES ? LOAD(p->count[node]) : 0;
	}
	h = home(mpn, &index);
	if (h && source == HEAT_SAMPLES)
		read_sample(&seen, node, &h->sample[index]);
	return seen.mine;
}

u32 heat_all(mpn_t mpn, u32 nodes)
{
	u32 sum = 0, index;
	struct heat_node *h = home(mpn, &index);

	/* a page that nobody missed on is told by one word */
	if (!h || (source == HEAT_SAMPLES && LOAD(h->sample[index].epoch) != LOAD(epoch)))
		return 0;
	for (u32 i = 0; i < nodes && source != HEAT_NONE; i++)
		sum += heat_read(i, mpn).mine;
	return sum;
}

/* ---- moves ---- */

static void clear_counts(struct heat_node *h, u32 index, mpn_t mpn)
{
	if (source == HEAT_MAGIC)
		STORE(magic->forget, mpn.v + 1);
	else
		clear_sample(&h->sample[index]);
}

void heat_clear(mpn_t mpn)
{
	struct heat_node *h;
	u32 index;

	h = home(mpn, &index);
	if (h)
		clear_counts(h, index, mpn);
}

void heat_forget(mpn_t mpn)
{
	struct heat_node *h;
	u32 index;

	h = home(mpn, &index);
	if (!h)
		return;
	clear_counts(h, index, mpn);
	STORE(h->moved[index], 0);
	if (h->sample)
		STORE(h->sample[index].from, 0);
}

void heat_moved(mpn_t from, mpn_t to)
{
	int left = memmap_node(from);
	struct heat_node *h;
	u32 index;

	heat_forget(from);
	h = home(to, &index);
	if (!h)
		return;
	clear_counts(h, index, to);
	STORE(h->moved[index], MAX(LOAD(now), 1u));
	if (h->sample && from.v != to.v)
		STORE(h->sample[index].from, (u16)(left + 1));
}
