/* SPDX-License-Identifier: MIT */
/*
 * The states of a "physical" page of a VM. For kernel/mem only: others use the functions of pmap.h.
 *
 *   state       master  replicas  busy     views show                            becomes     by
 *   UNUSED      0       none      0        nothing, or their node's zero page,   SINGLE      first use; of a page that is shown as
 *                                          not writable                                      zero, the first write
 *                                                                                SHARED      pmap_share
 *                                                                                BALLOONED   pmap_balloon
 *   SINGLE      set     none      0        nothing, or the master, writable      LEAVING     pmap_leave_locked
 *                                                                                COPIED      pmap_copy_begin_locked
 *                                                                                PINNED      pmap_pin
 *                                                                                SHARED      pmap_share, pmap_lend_pages: the same master
 *                                                                                UNUSED      pmap_release_step, pmap_give_up
 *                                                                                BALLOONED   pmap_balloon
 *   SHARED      shared  none      0        nothing, or the master, not writable  SHARED      pmap_share, pmap_replace: another master; pmap_lend_pages
 *                                                                                            holds the same one once more
 *                                                                                SINGLE      a write: a copy, or taken over
 *                                                                                COPIED      pmap_copy_begin_locked
 *                                                                                UNUSED      pmap_release_step, pmap_give_up
 *                                                                                BALLOONED   pmap_balloon
 *   PINNED      set     none      1.. | P  nothing, or the master, writable      PINNED      pmap_pin, pmap_unpin
 *                                                                                SINGLE      pmap_unpin, the last
 *   LEAVING     set     none      LEAVING  nothing                               SINGLE      pmap_arrive_locked
 *   COPIED      set     any       1..16    the master or their own replica,      COPIED      pmap_copy_begin_locked, ..end..
 *                                          not writable, or nothing              REPLICATED  pmap_copy_end_locked, the last
 *   REPLICATED  set     some      0        the same                              COPIED      pmap_copy_begin_locked
 *                                                                                SINGLE      pmap_collapse_locked
 *                                                                                SHARED      the same, if the master is shared
 *                                                                                REPLICATED,
 *                                                                                SINGLE,
 *                                                                                SHARED      pmap_lose_view_step: one replica goes
 *                                                                                UNUSED      pmap_release_step
 *   BALLOONED   0       none      B        nothing; the VM has no promise of it  UNUSED      pmap_unballoon, a use, if memory is
 *                                                                                            left; pmap_release_step
 *   impossible  0       some      any      -
 *   impossible  0       any       no B     -
 *   impossible  set     some      LEAVING  -
 *   impossible  shared  any       LEAVING  -
 *   impossible  set     some      P        -
 *   impossible  shared  any       P        -
 *
 * A page that was read before it was written does not exist: it is UNUSED, and views of nodes that have read it show the
 * zero page that each node has for all VMs. So it costs nothing, needs no promise, and has no user or holder. Whatever
 * makes something else of the page takes it out of these views first. Its block of 1 MB comes with the first write in
 * there, and then all pages of it are given, those shown as zero, too: memory that is written has its large pages.
 *
 *   UNUSED page  a read by node       a write by node              shared, ballooned   given up       a block comes
 *   hidden       shown, if it pays    SINGLE, or its block comes   as in the table     stays          SINGLE
 *   shown        stays, shown there   hidden everywhere, the same  hidden, the same    stays, shown   hidden, then SINGLE
 *
 * A page that is COPIED or REPLICATED may have a shared master: its replicas are the VM's own, and it is
 * SHARED again when they are gone.
 * A shared page goes nowhere: who holds it may copy from it, or have it in a transfer of a disk, and is not told. But
 * its users may have an equal one in its place, of the node where they are (SHARED -> SHARED by pmap_replace, numa/shared.c);
 * who sees it on several nodes gets replicas. Users of the page, by the nodes that show it:
 *
 *   the one user           of several VMs, one node        seen by several nodes
 *   moves                  all move, to one copy           stays; a replica for each node that misses on it
 *
 * The page that they leave is free if nobody holds it, which makes the move one; else it is its holder's, as before.
 */
#ifndef KERNEL_MEM_PMAP_STATE_H
#define KERNEL_MEM_PMAP_STATE_H

#include "kernel/mem/pmap.h"
#include "numa/numa.h"

enum pmap_state {
	PMAP_UNUSED,
	PMAP_SINGLE,
	PMAP_LEAVING,
	PMAP_COPIED,
	PMAP_REPLICATED,
	PMAP_SHARED,
	PMAP_PINNED,
	PMAP_BALLOONED,
	PMAP_IMPOSSIBLE,
};

/* Read and written as one word, so that readers without the lock see one state of it. */
struct pmap_page {
	u32 master;   /* machine page number; PMAP_MASTER_SHARED: it is a shared one */
	u16 replicas; /* bit = node whose view holds a replica */
	/*
	 * Being copied, without the lock: by so many nodes that will have a replica, or PMAP_BUSY_LEAVING
	 * to another node. Until it is 0 nobody else changes the page, or fills a view with it.
	 * PMAP_BUSY_PINNED and a count: a device of the machine uses it; views may show it.
	 * PMAP_BUSY_BALLOON: no machine page, and no promise of one.
	 */
	u16 busy;
} __attribute__((aligned(8)));

#define PMAP_BUSY_LEAVING  0xffff
#define PMAP_BUSY_PINNED   0x8000
#define PMAP_BUSY_BALLOON  0xfffe
#define PMAP_MASTER_SHARED 0x80000000u

static inline mpn_t pmap_master(struct pmap_page page)
{
	return (mpn_t){ page.master & ~PMAP_MASTER_SHARED };
}

static inline bool pmap_is_shared(struct pmap_page page)
{
	return page.master & PMAP_MASTER_SHARED;
}

enum pmap_state pmap_other_state(struct pmap_page page);
static inline enum pmap_state pmap_state_of(struct pmap_page page)
{
	if (!page.master || page.busy || page.replicas)
		return pmap_other_state(page);
	return pmap_is_shared(page) ? PMAP_SHARED : PMAP_SINGLE;
}

/* As it is now. */
static inline struct pmap_page pmap_page(const struct pmap *p, gpn_t gpn)
{
	struct pmap_page page;

	__atomic_load(&p->page[gpn.v], &page, __ATOMIC_ACQUIRE);
	return page;
}
/*
 * Every change of a page, which is in one of the states of the mask from. Any other state, and a
 * change that is not in the table above, is a bug of the monitor.
 */
void pmap_change_locked(struct pmap *p, gpn_t gpn, u32 from, struct pmap_page to);

/* A block, or a part of one, is on its way to the VM, and gpn will be in it. */
static inline bool pmap_is_coming(const struct pmap *p, gpn_t gpn)
{
	const struct pmap_range *range = &p->range[pmap_range_of(gpn)];

	return mpn_valid(range->coming.block) &&
	       gpn.v - range->coming.start.v < range->coming.npages;
}

/* ---- pmap.c ---- */
u32 pmap_new_life(void); /* for struct pmap: another guest has the VM from now on */

/* ---- pmap_share.c ---- */
/* The master that stood behind gpn until now, which no view shows, is not the guest page's any more. */
void pmap_leave_master_locked(struct vm *vm, gpn_t gpn, struct pmap_page page);

#define PMAP_NEAR 8 /* pages: their entries share a line of the second-level cache */
/* Pages: a view that gets one gets those around it that are the VM's own and have no copies; of others PMAP_NEAR. */
#define PMAP_SHOWN 32
/*
 * The node's view, in which gpn is not, shows it from now on if it is SINGLE, as most are: page is what it is. 25 instructions, for there
 * may be 512 pages in a pair. False: nothing was done, and pmap_fill_locked is the way.
 */
static inline bool pmap_show_own_locked(struct pmap *p, gpn_t gpn, u32 node, struct pmap_page page)
{
	if (!page.master || pmap_state_of(page) != PMAP_SINGLE)
		return false;
	p->shown[gpn.v] |= nodemask_of(node).bits;
	__atomic_store_n(&p->view[node].entry[gpn.v].lo, arch_page_entry((mpn_t){ page.master }),
			 __ATOMIC_RELEASE);
	return true;
}

/* ---- pmap_zero.c ---- */
/*
 * The node's view shows gpn, which is UNUSED, as zero, and those of the PMAP_NEAR pages around it that are, too. False:
 * it is to be given instead.
 */
bool pmap_show_zero_locked(struct vm *vm, gpn_t gpn, u32 node);
/* No view shows these pages, which are UNUSED and of one range, any more: they are about to be given. */
void pmap_hide_zero_locked(struct vm *vm, gpn_t first, u32 npages);

/* ---- pmap_give.c ---- */
/* The VM is promised a page for gpn, again if that was BALLOONED. False: the machine has none left. */
bool pmap_promise_locked(struct vm *vm, gpn_t gpn);

/* ---- pmap_place.c ---- */
/*
 * A page of the VM's promise for gpn, which a VCPU of node wants, with whatever it held before: where
 * the VM's pages around gpn would have it, if that is free, or else where more of them will fit.
 */
mpn_t pmap_alloc_locked(struct vm *vm, gpn_t gpn, u32 node);
/* The same; *left: it is known to hold nothing but what this VM's guest had in it. */
mpn_t pmap_alloc_left_locked(struct vm *vm, gpn_t gpn, u32 node, bool *left);
/*
 * Pages on their way to the VM, for gpn, which a VCPU of node uses first, and for what is around it: a block of which nothing was
 * used yet, or where the node that uses pages first has them, PMAP_NEAR to PMAP_PART pages. False: gpn gets a page of its own.
 */
bool pmap_begin_block_locked(struct vm *vm, gpn_t gpn, u32 node);
/*
 * At most this many pages are zeroed at a time, 600 instructions each: an eighth of a block, for the threads of a program often touch their
 * parts of one array at the same moment.
 */
#define PMAP_PART (BLOCK_PAGES / 8)

/* ---- large.c: the words of struct pmap_view ---- */
/* The node's view shows another thing now as page gpn, or nothing. */
void pmap_large_changed_locked(struct pmap *p, gpn_t gpn, u32 node);
/* The whole piece that begins with gpn, of a VM that ends: nobody runs in it. */
void pmap_large_released(struct pmap *p, gpn_t gpn, u32 node);

#endif /* KERNEL_MEM_PMAP_STATE_H */
