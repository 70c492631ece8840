/* SPDX-License-Identifier: MIT */
/*
 * memmap: an entry for each machine page, an array for each node. Who is free is numa/nodemem.c's.
 */
#include "kernel/mem/memmap.h"
#include "kernel/node.h"
#include "kernel/panic.h"

_Static_assert(sizeof(struct page) == 16, "one cache line holds eight");

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

/* The page in one of the states, bits of a mask. */
static struct page *expect(mpn_t mpn, u32 states)
{
	struct page *p = memmap_page(mpn);

	if (!p || !(BIT(p->state) & states))
		panic("machine page %lx is in state %d, expected one of mask %x", mpn.v,
		      p ? p->state : -1, states);
	return p;
}

static void give(mpn_t mpn, enum page_state state, u32 vm, gpn_t gpn)
{
	struct page *p = expect(mpn, BIT(PAGE_FREE));

	*p = (struct page){ .state = state, .owner = vm, .gpn = gpn.v, .refs = 1 };
}

void memmap_give(mpn_t mpn, u32 vm, gpn_t gpn) { give(mpn, PAGE_GUEST, vm, gpn); }

void memmap_give_replica(mpn_t mpn, u32 vm, gpn_t gpn) { give(mpn, PAGE_REPLICA, vm, gpn); }

void memmap_promote(mpn_t mpn) { expect(mpn, BIT(PAGE_REPLICA))->state = PAGE_GUEST; }

void memmap_moved(mpn_t mpn)
{
	struct page *p = expect(mpn, BIT(PAGE_GUEST));

	p->moves += p->moves < UINT8_MAX;
}

void memmap_take_back(mpn_t mpn, u32 vm)
{
	struct page *p = expect(mpn, BIT(PAGE_GUEST) | BIT(PAGE_REPLICA));

	if (p->owner != vm)
		panic("machine page %lx belongs to VM %u, not %u", mpn.v, p->owner, vm);
	*p = (struct page){ .state = PAGE_FREE };
}
