/* SPDX-License-Identifier: MIT */
/* pmap: "physical" to machine pages of a VM. */
#include "arch/mips/arch.h"
#include "kernel/memmap.h"
#include "kernel/options.h"
#include "kernel/vm.h"
#include "numa/numa.h"

size_t pmap_bytes(u32 npages)
{
	return npages * sizeof(u64) + pmap_npairs(npages) * sizeof(struct pmap_pair);
}

/*
 * Half a pair at the end of memory is broken from the start: behind it xsseg is the guest's TLB's,
 * whose entries a large pair would overlap.
 */
static void forget_pairs(struct pmap *p)
{
	for (u32 i = 0; i < pmap_npairs(p->npages); i++)
		p->pairs[i] = (struct pmap_pair){ .broken = (i + 1) * PAIR_PAGES > p->npages };
}

void pmap_init(struct pmap *p, void *storage, u32 npages)
{
	u64 *lo = storage;

	*p = (struct pmap){ .lock = LOCK_INIT(RANK_PMAP),
			    .lo = lo,
			    .pairs = (struct pmap_pair *)(lo + npages),
			    .npages = npages };
	forget_pairs(p);
	for (u32 i = 0; i < npages; i++)
		lo[i] = 0;
}

mpn_t pmap_lookup(const struct pmap *p, gpn_t gpn)
{
	u64 lo = gpn.v < p->npages ? p->lo[gpn.v] : 0;

	return lo ? arch_entry_page(lo) : MPN_NONE;
}

static void set(struct vm *vm, gpn_t gpn, mpn_t mpn)
{
	struct pmap *p = &vm->pmap;

	memmap_give(mpn, vm->id, gpn);
	p->used++;
	__atomic_store_n(&p->lo[gpn.v], arch_page_entry(mpn), __ATOMIC_RELEASE);
}

/* A whole block for the block that gpn lies in, if nothing of it was used yet. */
static bool give_block(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 start = ROUND_DOWN(gpn.v, BLOCK_PAGES);
	mpn_t mpn;

	if (start + BLOCK_PAGES > p->npages)
		return false;
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		if (p->lo[start + i])
			return false;
	mpn = nodemem_alloc_block(node);
	if (!mpn_valid(mpn))
		return false;
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		set(vm, (gpn_t){ start + i }, (mpn_t){ mpn.v + i });
	if (option_on(OPTION_LARGE) && !p->pairs[start / PAIR_PAGES].broken)
		p->pairs[start / PAIR_PAGES].lo[start / BLOCK_PAGES % 2] =
			p->alone ? arch_global_entry(mpn) : arch_page_entry(mpn);
	return true;
}

/* A single page: its pair of blocks is mapped page by page from now on. */
static void give_page(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap_pair *pair = &vm->pmap.pairs[gpn.v / PAIR_PAGES];
	mpn_t mpn = nodemem_alloc(node);

	if (!mpn_valid(mpn))
		return;
	if (pair->lo[0] | pair->lo[1]) {
		pair->lo[0] = pair->lo[1] = 0;
		mmu_flush_node();
	}
	pair->broken = true;
	set(vm, gpn, mpn);
}

/* First use. The VM's pages were reserved when it started, so that running out here is the
 * monitor's own mistake. */
static u64 first_use(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;

	lock_take(&p->lock);
	if (!p->lo[gpn.v] && !give_block(vm, gpn, node))
		give_page(vm, gpn, node);
	lock_release(&p->lock);
	return p->lo[gpn.v];
}

u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node)
{
	u64 lo;

	if (gpn.v >= vm->pmap.npages)
		return 0;
	lo = vm->pmap.lo[gpn.v];
	return lo ? lo : first_use(vm, gpn, node);
}

void pmap_release(struct vm *vm)
{
	struct pmap *p = &vm->pmap;

	for (u32 i = 0; i < p->npages; i++) {
		if (!p->lo[i])
			continue;
		mpn_t mpn = arch_entry_page(p->lo[i]);

		p->lo[i] = 0;
		memmap_take_back(mpn, vm->id);
		nodemem_free(mpn);
	}
	p->used = 0;
	forget_pairs(p);
}
