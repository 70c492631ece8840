/* SPDX-License-Identifier: MIT */
/*
 * memmap: what each machine page is. Every node keeps the entries of its own pages in its own
 * memory. The table lists every change of state that there is; any other is a bug of the monitor
 * and ends it. One function makes them all (change in memmap.c).
 *
 *   state     owner   gpn   the page                                becomes     by
 *   MONITOR   -       -     text, data, stacks, these entries,      FREE        memmap_free_at_boot, memmap_return
 *                           what VCPUs away from home need
 *                                                                   SHARED      memmap_share_at_boot
 *   FREE      -       -     nobody's, in its node's free list; by    GUEST       memmap_give
 *                           memmap_leave with what its VM wrote
 *                                                                   REPLICA     memmap_give_replica
 *                                                                   SHARED      memmap_share
 *                                                                   MONITOR     memmap_keep
 *   GUEST     VM      set   the master of a guest page (pmap.h)     FREE        memmap_take_back, memmap_leave
 *                                                                   SHARED      memmap_lend
 *   REPLICA   VM      set   a copy of a master, for one node        FREE        memmap_take_back
 *                                                                   GUEST       memmap_promote
 *   SHARED    -       -     read by pages of any VMs (share.h)      FREE        memmap_unshare
 *                                                                   GUEST       memmap_take_over
 */
#ifndef KERNEL_MEM_MEMMAP_H
#define KERNEL_MEM_MEMMAP_H

#include "kernel/types.h"

enum page_state { PAGE_MONITOR, PAGE_FREE, PAGE_GUEST, PAGE_REPLICA, PAGE_SHARED };

/*
 * Written by whoever has the page: numa/nodemem.c under its node's lock while it is FREE, else
 * under the lock of the guest page's range, and under share.c's while it is SHARED. Read by all, without a lock:
 * what such a reader sees may be past.
 */
struct page {
	u8 state;
	u8 moves;  /* GUEST: how often it moved or its replicas collapsed; stays at 255 */
	u16 owner; /* GUEST, REPLICA: VM id; SHARED: share.c's */
	union {
		u32 gpn;	/* GUEST, REPLICA */
		u32 first_user; /* SHARED: VM and page (share.c) */
		u32 left_by; /* FREE: the life (pmap.h) whose bytes it holds, and nobody else's; 0: not known */
	};
	union {
		/* FREE: the neighbours in a list of the node, as page numbers within it */
		struct {
			u32 prev, next;
		};
		struct {
			u32 nusers, held; /* SHARED */
		};
	};
};

/* The pages [first, first + npages) of a node, all MONITOR at first. entries: storage for npages of
 * them. */
void memmap_init_node(u32 node, mpn_t first, u32 npages, struct page *entries);
struct page *memmap_page(mpn_t mpn); /* NULL: not RAM of any node */
int memmap_node(mpn_t mpn);	     /* the page's home; -1: none */

void memmap_free_at_boot(mpn_t mpn);
void memmap_keep(mpn_t mpn);   /* FREE: the monitor's from now on, until */
void memmap_return(mpn_t mpn); /* it is FREE again */

/* The page is for guest page gpn of a VM: zeroed by the caller, or a copy of the master. */
void memmap_give(mpn_t mpn, u32 vm, gpn_t gpn);
void memmap_give_replica(mpn_t mpn, u32 vm, gpn_t gpn);
/* A GUEST page or a REPLICA of that VM is FREE from now on. */
void memmap_take_back(mpn_t mpn, u32 vm);
/* The same of a GUEST page, with the bytes that this life of its VM has had in it (nodemem_alloc_left). */
void memmap_leave(mpn_t mpn, u32 vm, u32 life);

/* The guest page of from has to, a FREE page, instead: from is FREE, its moves are one more. */
void memmap_move(mpn_t from, mpn_t to);
/* The same where to is a REPLICA of from. */
void memmap_promote(mpn_t from, mpn_t to);
void memmap_moved(mpn_t mpn); /* a GUEST page: one more of its moves */

/* A FREE page is SHARED, without users, and held by the caller; one of the monitor's, for good. */
struct page *memmap_share(mpn_t mpn);
struct page *memmap_share_at_boot(mpn_t mpn);
/* A GUEST page of that VM is SHARED with what is in it, without users, and held by the caller. */
struct page *memmap_lend(mpn_t mpn, u32 vm);
struct page *memmap_shared(mpn_t mpn); /* that is SHARED, or it is a bug */
void memmap_unshare(mpn_t mpn);	       /* FREE from now on */
void memmap_take_over(mpn_t mpn, u32 vm, gpn_t gpn);

#endif /* KERNEL_MEM_MEMMAP_H */
