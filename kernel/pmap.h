/* SPDX-License-Identifier: MIT */
/*
 * pmap: "physical" to machine, one array per VM. An entry is a ready EntryLo of the machine page
 * (arch_page_entry), or 0 while the VM has not used the page. A page is given,
 * zeroed, on its first use, near who uses it.
 */
#ifndef KERNEL_PMAP_H
#define KERNEL_PMAP_H

#include "kernel/lock.h"
#include "kernel/types.h"

struct vm;

/*
 * Two neighbouring blocks of 1 MB, mapped as one pair of large pages in the windows: the EntryLo of
 * each that is whole, in machine memory and aligned there. 0: not used yet. broken: single pages
 * were given there, so that the pair is not used.
 */
struct pmap_pair {
	u64 lo[2];
	u64 broken;
	u64 unused; /* 32 bytes: vectors.S shifts */
};

#define PAIR_SHIFT 9
#define PAIR_PAGES (1u << PAIR_SHIFT)
static inline u32 pmap_npairs(u32 npages) { return (npages + PAIR_PAGES - 1) / PAIR_PAGES; }

struct pmap {
	struct lock lock; /* RANK_PMAP: adding entries */
	u64 *lo; /* npages of them; grows from 0 to set, one word at a time; read without lock */
	struct pmap_pair *pairs; /* under lock; read without */
	bool alone; /* no other VM on the node: pairs may hold in all address spaces there */
	u32 npages; /* fixed */
	u32 used;   /* entries that are not 0; under lock */
};

/* EntryLo of gpn for vm, giving it a page near node if it has none. 0: not the VM's memory, or the
 * machine's is used up. */
u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node);
mpn_t pmap_lookup(const struct pmap *p, gpn_t gpn); /* MPN_NONE: none yet */
/* storage: pmap_bytes(npages). */
void pmap_init(struct pmap *p, void *storage, u32 npages);
size_t pmap_bytes(u32 npages);
void pmap_release(struct vm *vm); /* all pages back to their nodes; nobody may run in the VM */

#endif /* KERNEL_PMAP_H */
