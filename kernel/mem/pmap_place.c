/* SPDX-License-Identifier: MIT */
/*
 * pmap: which machine pages a VM gets for pages that are used first: beside those that it has, so that large pages can be made of
 * them.
 */
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

mpn_t pmap_place_locked(const struct pmap *p, gpn_t gpn, u32 within, u32 node)
{
	for (u64 i = 1; i < within; i++) { /* nearest first */
		gpn_t other = { gpn.v ^ i };
		struct pmap_page page = { 0 };

		if (other.v < p->npages)
			page = pmap_page(p, other);
		if (page.master && !pmap_is_shared(page) &&
		    (page.master ^ other.v) % BLOCK_PAGES == 0 &&
		    memmap_node((mpn_t){ page.master }) == (int)node)
			return (mpn_t){ page.master + gpn.v - other.v };
	}
	return MPN_NONE;
}

mpn_t pmap_alloc_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	u32 target = placement_node(vm, gpn, node);
	mpn_t place = pmap_place_locked(&vm->pmap, gpn, BLOCK_PAGES, target), mpn = MPN_NONE;

	pmap_assert_locked(&vm->pmap, gpn);
	if (mpn_valid(place))
		mpn = nodemem_alloc_exact(place, 1);
	else if (placement_by_neighbours())
		mpn = nodemem_alloc_within(target, gpn.v % BLOCK_PAGES, 1);
	return mpn_valid(mpn) ? mpn : nodemem_alloc_unzeroed(target);
}

/* ---- blocks ---- */

/* No page of the block is used, or BALLOONED. */
static bool is_unused(const struct pmap *p, u64 start)
{
	for (u64 i = start; i < start + BLOCK_PAGES; i++)
		if (p->page[i].master || p->page[i].busy)
			return false;
	return true;
}

/*
 * A whole block of the node for the guest pages from start on: the neighbour of the one that the VM has for the other half of the
 * range, if that is free, so that both make one large pair.
 */
static mpn_t choose_block(const struct pmap *p, u64 start, u32 node)
{
	mpn_t want = pmap_place_locked(p, (gpn_t){ start }, 2 * BLOCK_PAGES, node),
	      block = MPN_NONE;

	if (mpn_valid(want))
		block = nodemem_alloc_block_at(node, want);
	return mpn_valid(block) ? block : nodemem_alloc_block(node, start / BLOCK_PAGES % 2);
}

bool pmap_begin_block_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_range *range = &p->range[pmap_range_of(gpn)];
	u64 start = ROUND_DOWN(gpn.v, BLOCK_PAGES);

	if (!placement_by_blocks(vm))
		return false;
	if (start + BLOCK_PAGES > p->npages || !is_unused(p, start))
		return false;
	range->coming.block = choose_block(p, start, placement_node(vm, gpn, node));
	range->coming.start.v = start;
	range->coming.begun = range->coming.zeroed = 0;
	return mpn_valid(range->coming.block);
}
