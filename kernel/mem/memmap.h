/* SPDX-License-Identifier: MIT */
/*
 * memmap: what each machine page is. Every node keeps the entries of its own pages in its own
 * memory.
 *
 *   state     owner   gpn     refs   next          leaves it by
 *   MONITOR   -       -       0      -             never: text, data, stacks, this array
 *   FREE      -       -       0      free list     memmap_give
 *   GUEST     VM      set     1      -             memmap_take_back; the page's master (pmap.h)
 *   REPLICA   VM      set     1      -             memmap_take_back; a copy of the master
 */
#ifndef KERNEL_MEM_MEMMAP_H
#define KERNEL_MEM_MEMMAP_H

#include "kernel/types.h"

enum page_state { PAGE_MONITOR, PAGE_FREE, PAGE_GUEST, PAGE_REPLICA };

/*
 * state, owner, gpn and refs: whoever owns the page (its free list's lock, or the VM's pmap lock).
 */
struct page {
	u8 state;
	u8 moves;  /* GUEST: how often it moved or its replicas collapsed; stays at 255 */
	u16 owner; /* VM id */
	union {
		u32 gpn;  /* GUEST */
		u32 prev; /* FREE: before it in its list */
	};
	u32 refs; /* mappings by pmaps */
	u32 next; /* free list of the node: page number within it */
};

/* The pages [first, first + npages) of a node, all MONITOR at first. entries: storage for npages of
 * them. */
void memmap_init_node(u32 node, mpn_t first, u32 npages, struct page *entries);
struct page *memmap_page(mpn_t mpn); /* NULL: not RAM of any node */
int memmap_node(mpn_t mpn);	     /* the page's home; -1: none */

/* A page for guest page gpn of a VM, zeroed or a copy of its other page; back to FREE. Any other
 * state of the page is a bug of the monitor. */
void memmap_give(mpn_t mpn, u32 vm, gpn_t gpn);
void memmap_give_replica(mpn_t mpn, u32 vm, gpn_t gpn);
void memmap_promote(mpn_t mpn); /* REPLICA -> GUEST */
void memmap_moved(mpn_t mpn);	/* one more of its moves */
void memmap_take_back(mpn_t mpn, u32 vm);

#endif /* KERNEL_MEM_MEMMAP_H */
