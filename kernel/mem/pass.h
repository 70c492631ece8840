/* SPDX-License-Identifier: MIT */
/*
 * Pages that are passed: what a page of one VM holds is behind a page of another from then on, or of the same VM,
 * in place of what was there. Both are copied by who writes to them afterwards; until then the page is in memory
 * once. As a copy of 4 KB, but for what it costs. Not here: which pages are worth it (drivers/subnet).
 *
 *   source, when it is lent (pmap_lend_pages)             what becomes of it
 *   SINGLE                                                SHARED, by the machine page where it is
 *   REPLICATED, a page of the VM's own                    the same: its replicas go first
 *   SHARED, REPLICATED or COPIED of a shared page         stays: the page has one user more
 *   LEAVING or COPIED of its own, PINNED                  stays: not passed
 *   UNUSED, BALLOONED                                     stays: not passed, there is nothing behind it
 *
 *   target, when it is shared (pmap_share_pages)          what becomes of it
 *   UNUSED, SINGLE, SHARED, REPLICATED                    SHARED; what was behind it goes back
 *   LEAVING, COPIED, PINNED, BALLOONED, on its way        stays: not passed
 *   the source itself                                     stays: it is passed
 *
 * A large pair that one of the two is a page of is taken back, and made again when all pages of it fit.
 *
 * Between the two moments the page is held (share.h), and no lock is: whoever writes the source has a copy, and
 * the target gets what was lent. While it is held the page is one beyond what VMs were promised, so that it wants
 * a promise of its own, which goes back at the end: each of its users was promised a page, and pays for the copy.
 */
#ifndef KERNEL_MEM_PASS_H
#define KERNEL_MEM_PASS_H

#include "kernel/types.h"

struct vm;

/*
 * 0: the page is passed. -EAGAIN: not now, by the tables, or no promise is left; the caller copies instead, and
 * what the guests see is as before. -EFAULT: one of the two is not its VM's memory. Takes RANK_PMAP up, one at a
 * time; answers shootdowns, and waits for two of its own at most. Both VMs stay (device.h).
 */
int pass_page(struct vm *from, gpn_t source, struct vm *to, gpn_t target);

/*
 * The same for up to SHARE_PAGES pages, with one shootdown for the sources of a range and one for its targets: a bit
 * for each that was passed. All are lent before the first target is another.
 */
struct pass {
	gpn_t source, target;
};
/* also: a page of `to` that is renewed with them, if it is SHARED and another (pmap_renew_locked), by the same shootdown; NULL: none. */
u32 pass_pages(struct vm *from, struct vm *to, const struct pass *list, u32 n, const gpn_t *also);

/*
 * The other way to the same: two shared pages, both held by the caller, were found to be equal. Users of the one have
 * the other in its place from now on, but for some that are on the move or copied just now, and those beyond
 * PASS_USERS. Their guests notice nothing. Locks and shootdowns as above, one page at a time.
 */
#define PASS_USERS 16
void pass_users(mpn_t from, mpn_t to);

/* The same for those users that nobody but VCPUs of this node sees (share_user_only_on). How many there were. */
u32 pass_users_on(mpn_t from, mpn_t to, u32 node);

#endif /* KERNEL_MEM_PASS_H */
