/* SPDX-License-Identifier: MIT */
/*
 * Shared pages: machine pages that belong to no VM, and that pages of several VMs, or several pages of
 * one, have as their master (pmap_state.h). No view shows one writable: who writes gets a copy of its
 * own (paper: section 4.4).
 *
 * A shared page is held by those who may give it to more users, a cache of disk blocks say, and used
 * by the guest pages that have it as master. Its users are a list, threaded through the links of the
 * VMs' pmaps, so that joining allocates nothing and leaving takes the same time however many there are.
 *
 *   held  users  the page                                      leaves this row by
 *   1..   0      known to its holders alone                    share_join_locked, share_drop (the last: FREE)
 *   1..   1..    in memory once, for all                       share_join_locked, share_leave_locked, share_drop
 *   0     2..    what its users have left of it; no more come  share_leave_locked, share_hold_used, .._locked
 *   0     1      the same                                      the same (share_leave_locked: FREE), or its user takes
 *                                                              it over: a GUEST page (share_take_over_locked)
 *
 * It begins as a page that nobody had (share_new), or as one that a VM had and goes on using (share_lend_locked).
 *
 * Memory: while it is held the page is one beyond what VMs were promised. Afterwards its users' promises
 * pay for it: each of them was promised a page of its own.
 *
 * Locks: RANK_SHARE, one lock for many pages; it protects the page's holders and the list.
 */
#ifndef KERNEL_MEM_SHARE_H
#define KERNEL_MEM_SHARE_H

#include "kernel/types.h"

struct vm;

/* A guest page, and the shared page that is to stand behind it, or does from now on. */
struct share_at {
	gpn_t gpn;
	mpn_t page;
	bool given; /* to be shared: a hold of the caller's goes with it, if it is: one for each that is given */
	bool renew; /* no page: what is SHARED there and has other users is the VM's own, as by pmap_renew_locked */
	bool shown; /* views whose guest used the page before show the one that is there afterwards */
};
#define SHARE_PAGES 16 /* of a VM, for which there is one shootdown */

/*
 * A page near node, held once by the caller, with whatever was in it before: the caller fills it before
 * it is joined. MPN_NONE: there is no memory that nobody was promised, or a VM that starts collects it.
 */
mpn_t share_new(u32 node);
/* The same of a page that the caller was promised (nodemem_reserve): the shared page has the promise. */
mpn_t share_new_promised(u32 node);
/* A page of the monitor's that is never given back, such as one of the boot archive. Boot only. */
void share_for_ever(mpn_t page);
void share_hold(mpn_t page); /* one more holder; the caller is one already */
void share_drop(mpn_t page); /* a holder less */

/*
 * A holder more, who was none, of a page that has users: nobody writes the page as long as he holds it. He was promised a
 * page for it (nodemem_reserve). False: it is no such page any more; the promise is still his.
 */
bool share_hold_used(mpn_t page);

bool share_is(mpn_t page);
bool share_is_for_ever(mpn_t page);
void share_count(u64 *pages, u64 *for_ever); /* of the machine: all, and those of share_for_ever */
u32 share_users(mpn_t page);		     /* of one moment */
/* The caller, who holds the page, is the only one that ever will read it: it may be written. */
bool share_is_sole(mpn_t page);
/*
 * A guest page of vm that uses the page, among the first few users: one without a replica on the node, if
 * there is such a one. False: none of them is the VM's.
 */
bool share_user(mpn_t page, const struct vm *vm, u32 node, gpn_t *gpn);
/* A VM with a VCPU on the node, the same way; NULL: none. */
struct vm *share_user_on(mpn_t page, u32 node, gpn_t *gpn);
/*
 * A user whose page the node alone sees, and which has no replica: its view shows the page and no other does, or all VCPUs of
 * the VM are on the node. NULL: none of the first few.
 */
struct vm *share_user_only_on(mpn_t page, u32 node, gpn_t *gpn);
/* Some VM that uses the page, wherever it is seen; NULL: none. */
struct vm *share_some_user(mpn_t page, gpn_t *gpn);

/* ---- for kernel/mem, under the lock of the range of the VM's page ---- */

/* gpn is one more user. The caller holds the page, and if that is given, does not any more. */
void share_join_locked(mpn_t page, struct vm *vm, gpn_t gpn, bool given);
void share_leave_locked(mpn_t page, struct vm *vm, gpn_t gpn);
/*
 * A GUEST page, the master of gpn and in no view, is shared from now on: held by the caller, who was promised
 * a page for it (nodemem_reserve), and used by gpn.
 */
void share_lend_locked(mpn_t page, struct vm *vm, gpn_t gpn);
/* The caller holds the page, which gpn uses, too. True: as the only one, so that it wants a promise, as above. */
bool share_hold_used_locked(mpn_t page, struct vm *vm, gpn_t gpn);
/* True: vm's page was the only user and nobody holds it, so that it is the VM's own now. */
bool share_take_over_locked(mpn_t page, struct vm *vm, gpn_t gpn);

#endif /* KERNEL_MEM_SHARE_H */
