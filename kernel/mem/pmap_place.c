/* SPDX-License-Identifier: MIT */
/*
 * pmap: which machine pages a VM gets for pages that are used first: beside those that it has, so that large pages can be made of
 * them, and how many at a time.
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

/*
 * For the n guest pages from first on, of one block: neighbours of the node, where the VM's pages around them would have them if they are
 * free, or else where more of them will fit.
 */
static mpn_t alloc_beside(const struct pmap *p, gpn_t first, u32 n, u32 node)
{
	mpn_t place = pmap_place_locked(p, first, BLOCK_PAGES, node);

	if (mpn_valid(place))
		return nodemem_alloc_exact(place, n);
	return placement_by_neighbours() ? nodemem_alloc_within(node, first.v % BLOCK_PAGES, n)
					 : MPN_NONE;
}

mpn_t pmap_alloc_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	u32 target = placement_node(vm, gpn, node);
	mpn_t mpn = alloc_beside(&vm->pmap, gpn, 1, target);

	pmap_assert_locked(&vm->pmap, gpn);
	return mpn_valid(mpn) ? mpn : nodemem_alloc_unzeroed(target);
}

mpn_t pmap_alloc_left_locked(struct vm *vm, gpn_t gpn, u32 node, bool *left)
{
	u32 target = placement_node(vm, gpn, node);
	mpn_t place = pmap_place_locked(&vm->pmap, gpn, BLOCK_PAGES, target);
	mpn_t mpn = nodemem_alloc_left(target, vm->pmap.life, place);

	*left = mpn_valid(mpn);
	return *left ? mpn : pmap_alloc_locked(vm, gpn, node);
}

/* ---- several at a time ---- */

struct run {
	u64 start;
	u32 n;
};

/* None of these is used, or BALLOONED. */
static bool is_unused(const struct pmap *p, u64 start, u32 n)
{
	for (u64 i = start; i < start + n; i++)
		if (p->page[i].master || p->page[i].busy)
			return false;
	return true;
}

/* Each of these is unused, or the node has it. */
static bool are_of(const struct pmap *p, u64 start, u32 n, u32 node)
{
	for (u64 i = start; i < start + n; i++)
		if (p->page[i].busy ||
		    (p->page[i].master && memmap_node(pmap_master(p->page[i])) != (int)node))
			return false;
	return true;
}

/*
 * What comes with gpn where the node that uses a page first has it: PMAP_NEAR pages around it of which none was used yet; and if
 * the node has others of the same PMAP_PART and no other node has any there, all that is left beside it. A guest's kernel hands
 * neighbouring pages to one processor often, but not for sure: the second use there is what says so. n is 0: gpn comes alone.
 */
static struct run coming_with(const struct pmap *p, gpn_t gpn, u32 node)
{
	u64 part = ROUND_DOWN(gpn.v, PMAP_PART), end = part + PMAP_PART, last;
	struct run run = { ROUND_DOWN(gpn.v, PMAP_NEAR), PMAP_NEAR };

	if (end > p->npages || !is_unused(p, run.start, PMAP_NEAR))
		return (struct run){ 0 };
	if (is_unused(p, part, PMAP_PART) || !are_of(p, part, PMAP_PART, node))
		return run;
	last = run.start + PMAP_NEAR;
	while (run.start > part && is_unused(p, run.start - PMAP_NEAR, PMAP_NEAR))
		run.start -= PMAP_NEAR;
	while (last < end && is_unused(p, last, PMAP_NEAR))
		last += PMAP_NEAR;
	run.n = (u32)(last - run.start);
	return run;
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

static bool begin(struct pmap_range *range, struct run run, mpn_t block)
{
	range->coming.block = block;
	range->coming.start.v = run.start;
	range->coming.npages = run.n;
	range->coming.begun = range->coming.zeroed = 0;
	return mpn_valid(block);
}

bool pmap_begin_block_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_range *range = &p->range[pmap_range_of(gpn)];
	struct run run = { ROUND_DOWN(gpn.v, BLOCK_PAGES), BLOCK_PAGES };
	u32 target = placement_node(vm, gpn, node);

	pmap_assert_locked(p, gpn);
	if (placement_by_blocks(vm))
		return run.start + run.n <= p->npages && is_unused(p, run.start, run.n) &&
		       begin(range, run, choose_block(p, run.start, target));
	if (!placement_by_neighbours())
		return false;
	run = coming_with(p, gpn, target);
	return run.n && begin(range, run, alloc_beside(p, (gpn_t){ run.start }, run.n, target));
}
