/* SPDX-License-Identifier: MIT */
/*
 * memmap: an entry for each machine page, an array for each node. Who is free is numa/nodemem.c's.
 */
#include "kernel/mem/memmap.h"
#include "kernel/node.h"
#include "kernel/panic.h"

_Static_assert(sizeof(struct page) == 16, "a page number times it is a shift; a line holds eight");

static struct {
	mpn_t first;
	u32 npages;
	struct page *entries;
} memmap[MAX_NODES]; /* fixed after boot */

void memmap_init_node(u32 node, mpn_t first, u32 npages, struct page *entries)
{
	memmap[node].first = first;
	memmap[node].npages = npages;
	memmap[node].entries = entries;
	for (u32 i = 0; i < npages; i++)
		entries[i] = (struct page){ .state = PAGE_MONITOR };
}

int memmap_node(mpn_t mpn)
{
	u64 index = mpn.v - memmap[0].first.v, node;

	if (!memmap[0].npages)
		return -1;
	node = index / memmap[0].npages;
	return node < MAX_NODES && index - node * memmap[0].npages < memmap[node].npages ? (int)node
											 : -1;
}

struct page *memmap_page(mpn_t mpn)
{
	int node = memmap_node(mpn);

	return node < 0 ? NULL : &memmap[node].entries[mpn.v - memmap[node].first.v];
}

/* The table of memmap.h: bits of the states that each state may become. */
static const u8 may_become[] = {
	[PAGE_MONITOR] = BIT(PAGE_FREE) | BIT(PAGE_SHARED),
	[PAGE_FREE] = BIT(PAGE_GUEST) | BIT(PAGE_REPLICA) | BIT(PAGE_SHARED) | BIT(PAGE_MONITOR),
	[PAGE_GUEST] = BIT(PAGE_FREE) | BIT(PAGE_SHARED),
	[PAGE_REPLICA] = BIT(PAGE_FREE) | BIT(PAGE_GUEST),
	[PAGE_SHARED] = BIT(PAGE_FREE) | BIT(PAGE_GUEST),
};

/* The page, if it is in one of the states of a mask: those that the caller's kind of change is for. */
static struct page *expect(mpn_t mpn, u32 states)
{
	struct page *p = memmap_page(mpn);

	if (!p || !(BIT(p->state) & states))
		panic("machine page %lx is in state %d, expected one of mask %x", mpn.v,
		      p ? p->state : -1, states);
	return p;
}

/* Every change of a page's state. What the page was before is forgotten. */
static struct page *change(mpn_t mpn, u32 from, struct page to)
{
	struct page *p = expect(mpn, from);

	if (!(may_become[p->state] & BIT(to.state)))
		panic("machine page %lx in state %u cannot become %u", mpn.v, p->state, to.state);
	*p = to;
	return p;
}

static void add_move(struct page *p) { p->moves += p->moves < UINT8_MAX; }

void memmap_free_at_boot(mpn_t mpn)
{
	change(mpn, BIT(PAGE_MONITOR), (struct page){ .state = PAGE_FREE });
}

void memmap_keep(mpn_t mpn) { change(mpn, BIT(PAGE_FREE), (struct page){ .state = PAGE_MONITOR }); }

void memmap_return(mpn_t mpn)
{
	change(mpn, BIT(PAGE_MONITOR), (struct page){ .state = PAGE_FREE });
}

void memmap_give(mpn_t mpn, u32 vm, gpn_t gpn)
{
	change(mpn, BIT(PAGE_FREE),
	       (struct page){ .state = PAGE_GUEST, .owner = vm, .gpn = gpn.v });
}

void memmap_give_replica(mpn_t mpn, u32 vm, gpn_t gpn)
{
	change(mpn, BIT(PAGE_FREE),
	       (struct page){ .state = PAGE_REPLICA, .owner = vm, .gpn = gpn.v });
}

/* The page, which the VM has, becomes another. */
static struct page *leave(mpn_t mpn, u32 vm, u32 from, struct page to)
{
	const struct page *p = expect(mpn, from);

	if (p->owner != vm)
		panic("machine page %lx belongs to VM %u, not %u", mpn.v, p->owner, vm);
	return change(mpn, from, to);
}

void memmap_take_back(mpn_t mpn, u32 vm)
{
	leave(mpn, vm, BIT(PAGE_GUEST) | BIT(PAGE_REPLICA), (struct page){ .state = PAGE_FREE });
}

void memmap_leave(mpn_t mpn, u32 vm, u32 life)
{
	leave(mpn, vm, BIT(PAGE_GUEST), (struct page){ .state = PAGE_FREE, .left_by = life });
}

struct page *memmap_lend(mpn_t mpn, u32 vm)
{
	return leave(mpn, vm, BIT(PAGE_GUEST), (struct page){ .state = PAGE_SHARED, .held = 1 });
}

static void replace(mpn_t from, mpn_t to, u32 to_states)
{
	struct page master = *expect(from, BIT(PAGE_GUEST));

	add_move(change(to, to_states, master));
	change(from, BIT(PAGE_GUEST), (struct page){ .state = PAGE_FREE });
}

void memmap_move(mpn_t from, mpn_t to) { replace(from, to, BIT(PAGE_FREE)); }

void memmap_promote(mpn_t from, mpn_t to) { replace(from, to, BIT(PAGE_REPLICA)); }

void memmap_moved(mpn_t mpn) { add_move(expect(mpn, BIT(PAGE_GUEST))); }

struct page *memmap_share(mpn_t mpn)
{
	return change(mpn, BIT(PAGE_FREE), (struct page){ .state = PAGE_SHARED, .held = 1 });
}

struct page *memmap_share_at_boot(mpn_t mpn)
{
	return change(mpn, BIT(PAGE_MONITOR), (struct page){ .state = PAGE_SHARED, .held = 1 });
}

struct page *memmap_shared(mpn_t mpn) { return expect(mpn, BIT(PAGE_SHARED)); }

void memmap_unshare(mpn_t mpn)
{
	change(mpn, BIT(PAGE_SHARED), (struct page){ .state = PAGE_FREE });
}

void memmap_take_over(mpn_t mpn, u32 vm, gpn_t gpn)
{
	change(mpn, BIT(PAGE_SHARED),
	       (struct page){ .state = PAGE_GUEST, .owner = vm, .gpn = gpn.v });
}
