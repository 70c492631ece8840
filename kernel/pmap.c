/* SPDX-License-Identifier: MIT */
/* pmap: "physical" to machine pages of a VM. */
#include "arch/mips/arch.h"
#include "kernel/memmap.h"
#include "kernel/vm.h"
#include "numa/numa.h"

void pmap_init(struct pmap *p, u64 *lo, u32 npages)
{
	*p = (struct pmap){ .lock = LOCK_INIT(RANK_PMAP), .lo = lo, .npages = npages };
	for (u32 i = 0; i < npages; i++)
		lo[i] = 0;
}

mpn_t pmap_lookup(const struct pmap *p, gpn_t gpn)
{
	u64 lo = gpn.v < p->npages ? p->lo[gpn.v] : 0;

	return lo ? arch_entry_page(lo) : MPN_NONE;
}

/* First use. The VM's pages were reserved when it started, so that running out here is the
 * monitor's own mistake. */
static u64 give_page(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	mpn_t mpn;

	lock_take(&p->lock);
	if (!p->lo[gpn.v]) {
		mpn = nodemem_alloc(node);
		if (mpn_valid(mpn)) {
			memmap_give(mpn, vm->id, gpn);
			p->used++;
			__atomic_store_n(&p->lo[gpn.v], arch_page_entry(mpn), __ATOMIC_RELEASE);
		}
	}
	lock_release(&p->lock);
	return p->lo[gpn.v];
}

u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node)
{
	u64 lo;

	if (gpn.v >= vm->pmap.npages)
		return 0;
	lo = vm->pmap.lo[gpn.v];
	return lo ? lo : give_page(vm, gpn, node);
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
}
