/* SPDX-License-Identifier: MIT */
/* pmap: pages that are shared, written afterwards, and pinned for a device. */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/errno.h"
#include "kernel/mem/hidden.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

/* ---- sharing ---- */

void pmap_leave_master_locked(struct vm *vm, gpn_t gpn, struct pmap_page page)
{
	mpn_t master = pmap_master(page);

	if (pmap_is_shared(page)) {
		share_leave_locked(master, vm, gpn);
	} else {
		memmap_leave(master, vm->id, vm->pmap.life);
		nodemem_free(master);
	}
}

/* The pages of the list that are left and share a lock with the first of them; bit = place in the list. */
static u32 with_first(const struct share_at *at, u32 left)
{
	u32 same = 0, range;

	if (!(left & (left - 1)))
		return left;
	range = pmap_range_of(at[__builtin_ctz(left)].gpn);
	for (u32 rest = left; rest; rest &= rest - 1)
		if (pmap_range_of(at[__builtin_ctz(rest)].gpn) == range)
			same |= rest & -rest;
	return same;
}

/* Of a list of n pages those that are the VM's memory. */
static u32 of_memory(const struct vm *vm, const struct share_at *at, u32 n)
{
	u32 are = 0;

	for (u32 i = 0; i < n; i++)
		if (at[i].gpn.v < vm->pmap.npages)
			are |= BIT(i);
	return are;
}

/* The page, with one copy and in no view. */
static void withdraw(struct hidden *h, const struct share_at *at)
{
	struct vm *vm = h->drop.vm;

	if (pmap_page(&vm->pmap, at->gpn).replicas)
		numa_collapse(vm, at->gpn, vm->home->id);
	hidden_add(h, at->gpn, at->shown);
}

/* The shared page, which the caller holds, takes the place of what stood behind its guest page, which no view shows. */
static void put_locked(struct vm *vm, const struct share_at *at)
{
	struct pmap *p = &vm->pmap;
	struct pmap_page old = pmap_page(p, at->gpn);

	if (old.master)
		pmap_leave_master_locked(vm, at->gpn, old);
	else
		pmap_count(&p->used, 1);
	if (!pmap_is_shared(old))
		pmap_count(&p->shared, 1);
	share_join_locked(at->page, vm, at->gpn, at->given);
	pmap_change_locked(p, at->gpn, BIT(PMAP_UNUSED) | BIT(PMAP_SINGLE) | BIT(PMAP_SHARED),
			   (struct pmap_page){ .master = (u32)at->page.v | PMAP_MASTER_SHARED });
}

/* No view shows the page, which has no copies and is not on its way: nobody is to be asked. */
static bool is_at_rest(const struct vm *vm, gpn_t gpn)
{
	const struct pmap *p = &vm->pmap;
	struct pmap_page page = pmap_page(p, gpn);

	if (page.busy || page.replicas || pmap_is_coming(p, gpn))
		return false;
	for_each_node(node, vm->node_mask)
		if (pmap_shown(p, gpn, node))
			return false;
	return true;
}

/* In place of the shared page, which no view shows: a page of the VM's own. */
static void put_own_locked(struct vm *vm, gpn_t gpn, mpn_t own)
{
	mpn_t shared = pmap_copies(&vm->pmap, gpn).master;

	memmap_give(own, vm->id, gpn);
	pmap_change_locked(&vm->pmap, gpn, BIT(PMAP_SHARED), (struct pmap_page){ .master = own.v });
	share_leave_locked(shared, vm, gpn);
}

static void count_own(struct vm *vm)
{
	pmap_count(&vm->pmap.shared, -1);
	node_self()->stats.broken++;
}

/* A page of the VM's promise, with what its guest left in it, or zeroes. */
static mpn_t new_own_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	bool left;
	mpn_t own = pmap_alloc_left_locked(vm, gpn, node, &left);

	if (mpn_valid(own) && !left)
		nodemem_zero(own, 1);
	return own;
}

/* It has no copy or move under way. The only user takes the page over as it is, by pmap_renew_locked. */
static bool may_renew(const struct vm *vm, gpn_t gpn)
{
	struct pmap_page page = pmap_page(&vm->pmap, gpn);

	return pmap_state_of(page) == PMAP_SHARED && share_users(pmap_master(page)) > 1;
}

/* The page, which no view shows, is in home's afterwards. */
static void renew_hidden_locked(struct vm *vm, gpn_t gpn)
{
	mpn_t own = new_own_locked(vm, gpn, vm->home->id);

	if (!mpn_valid(own))
		return;
	put_own_locked(vm, gpn, own);
	count_own(vm);
	pmap_fill_locked(vm, gpn, vm->home->id);
}

/* Those of one lock; which were shared. */
static u32 share_locked(struct vm *vm, const struct share_at *at, u32 which)
{
	struct hidden h;
	u32 shared = 0;

	hidden_begin(&h, vm);
	for (u32 rest = which; rest; rest &= rest - 1) {
		const struct share_at *a = &at[__builtin_ctz(rest)];

		if (pmap_page(&vm->pmap, a->gpn).busy || pmap_is_coming(&vm->pmap, a->gpn))
			continue;
		if (a->renew && !may_renew(vm, a->gpn))
			continue;
		if (!is_at_rest(vm, a->gpn))
			withdraw(&h, a);
		shared |= rest & -rest;
	}
	hidden_take_back(&h);
	for (u32 rest = shared; rest; rest &= rest - 1) {
		const struct share_at *a = &at[__builtin_ctz(rest)];

		if (a->renew)
			renew_hidden_locked(vm, a->gpn);
		else
			put_locked(vm, a);
	}
	hidden_show_again(&h);
	return shared;
}

u32 pmap_share_pages(struct vm *vm, const struct share_at *at, u32 n)
{
	u32 left = of_memory(vm, at, n), shared = 0;

	while (left) {
		gpn_t first = at[__builtin_ctz(left)].gpn;
		u32 now = with_first(at, left);

		pmap_lock(&vm->pmap, first);
		shared |= share_locked(vm, at, now);
		pmap_unlock(&vm->pmap, first);
		left &= ~now;
	}
	return shared;
}

bool pmap_share_page(struct vm *vm, const struct share_at *at)
{
	bool shared = true;

	if (at->gpn.v >= vm->pmap.npages)
		return false;
	pmap_lock(&vm->pmap, at->gpn);
	if (is_at_rest(vm, at->gpn))
		put_locked(vm, at);
	else
		shared = share_locked(vm, at, 1);
	pmap_unlock(&vm->pmap, at->gpn);
	return shared;
}

int pmap_share(struct vm *vm, gpn_t gpn, mpn_t shared)
{
	if (gpn.v >= vm->pmap.npages)
		return -EFAULT;
	return pmap_share_page(vm, &(struct share_at){ .gpn = gpn, .page = shared }) ? 0 : -EAGAIN;
}

bool pmap_replace(struct vm *vm, gpn_t gpn, mpn_t from, mpn_t to)
{
	const struct share_at at = { .gpn = gpn, .page = to };
	struct pmap_page page;
	bool done = false;

	if (gpn.v >= vm->pmap.npages)
		return false;
	pmap_lock(&vm->pmap, gpn);
	page = pmap_page(&vm->pmap, gpn);
	if (pmap_is_shared(page) && pmap_master(page).v == from.v)
		done = share_locked(vm, &at, 1);
	pmap_unlock(&vm->pmap, gpn);
	return done;
}

/* The VM's own page, in no view, becomes a shared one where it is. */
static mpn_t lend_own_locked(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;
	mpn_t master = pmap_copies(p, gpn).master;

	share_lend_locked(master, vm, gpn);
	pmap_count(&p->shared, 1);
	pmap_change_locked(p, gpn, BIT(PMAP_SINGLE),
			   (struct pmap_page){ .master = (u32)master.v | PMAP_MASTER_SHARED });
	return master;
}

/* The page, which is in no view if it is the VM's own and can be lent. */
static mpn_t lend_page_locked(struct vm *vm, gpn_t gpn)
{
	struct pmap_page page = pmap_page(&vm->pmap, gpn);
	mpn_t master = pmap_master(page);

	if (pmap_is_shared(page)) { /* replicas of it are as good as it is */
		if (!share_hold_used_locked(master, vm, gpn))
			nodemem_unreserve(1); /* its first holder had a promise */
		return master;
	}
	return page.master && !page.busy ? lend_own_locked(vm, gpn) : MPN_NONE;
}

/* Those of one lock. A page that is there twice is lent, and then held once more. */
static void lend_locked(struct vm *vm, struct share_at *at, u32 which)
{
	struct hidden h;

	hidden_begin(&h, vm);
	for (u32 rest = which; rest; rest &= rest - 1) {
		const struct share_at *a = &at[__builtin_ctz(rest)];
		struct pmap_page page = pmap_page(&vm->pmap, a->gpn);

		if (page.master && !page.busy && !pmap_is_shared(page))
			withdraw(&h, a);
	}
	hidden_take_back(&h);
	for (u32 rest = which; rest; rest &= rest - 1) {
		struct share_at *a = &at[__builtin_ctz(rest)];

		a->page = lend_page_locked(vm, a->gpn);
	}
	hidden_show_again(&h);
}

void pmap_lend_pages(struct vm *vm, struct share_at *at, u32 n)
{
	u32 left = of_memory(vm, at, n);

	for (u32 i = 0; i < n; i++)
		at[i].page = MPN_NONE;
	while (left) {
		gpn_t first = at[__builtin_ctz(left)].gpn;
		u32 now = with_first(at, left);

		pmap_lock(&vm->pmap, first);
		lend_locked(vm, at, now);
		pmap_unlock(&vm->pmap, first);
		left &= ~now;
	}
}

/*
 * A page of the VM's promise. Free ones are many: the VM's own page went back to its node when the
 * shared one took its place. keep: with what is in the shared one.
 */
static bool copy_of_own(struct vm *vm, gpn_t gpn, u32 node, bool keep)
{
	struct hidden h;
	mpn_t shared = pmap_copies(&vm->pmap, gpn).master;
	mpn_t own = keep ? pmap_alloc_locked(vm, gpn, node) : new_own_locked(vm, gpn, node);

	if (!mpn_valid(own))
		return false;
	hidden_begin(&h, vm);
	hidden_add(&h, gpn, false);
	hidden_take_back(&h);
	if (keep)
		memcpy(mpn_ptr(own), mpn_ptr(shared), PAGE_SIZE);
	put_own_locked(vm, gpn, own);
	return true;
}

/* Nobody else has the page: the views that show it may show it writable. */
static void take_over(struct vm *vm, gpn_t gpn, mpn_t master)
{
	struct pmap *p = &vm->pmap;

	pmap_change_locked(p, gpn, BIT(PMAP_SHARED), (struct pmap_page){ .master = master.v });
	for_each_node(node, vm->node_mask)
		if (pmap_entry(p, gpn, node)->lo)
			pmap_fill_locked(vm, gpn, node);
}

static bool own_locked(struct vm *vm, gpn_t gpn, u32 node, bool keep)
{
	mpn_t master = pmap_copies(&vm->pmap, gpn).master;

	if (share_take_over_locked(master, vm, gpn))
		take_over(vm, gpn, master);
	else if (!copy_of_own(vm, gpn, node, keep))
		return false;
	count_own(vm);
	return true;
}

bool pmap_own_locked(struct vm *vm, gpn_t gpn, u32 node) { return own_locked(vm, gpn, node, true); }

u64 pmap_renew_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;

	if (pmap_state_of(pmap_page(p, gpn)) != PMAP_SHARED || !own_locked(vm, gpn, node, false))
		return 0;
	pmap_fill_locked(vm, gpn, node);
	return pmap_shown(p, gpn, node);
}

_Static_assert(SHARE_PAGES <= MMU_DROP_PAGES, "one shootdown for all");

/* ---- pinning ---- */

_Static_assert(PMAP_BUSY_PINNED + PMAP_PINS < PMAP_BUSY_LEAVING,
	       "the count runs into no other state");

/* After pmap_use_to_write. -EAGAIN: something has come in between; -EBUSY: it has all of its pins. */
static int pin_locked(struct pmap *p, gpn_t gpn)
{
	struct pmap_page page = pmap_page(p, gpn);
	enum pmap_state state = pmap_state_of(page);

	if (state != PMAP_SINGLE && state != PMAP_PINNED)
		return -EAGAIN;
	if (page.busy == PMAP_BUSY_PINNED + PMAP_PINS)
		return -EBUSY;
	page.busy = page.busy ? page.busy + 1 : PMAP_BUSY_PINNED + 1;
	pmap_change_locked(p, gpn, BIT(PMAP_SINGLE) | BIT(PMAP_PINNED), page);
	return 0;
}

mpn_t pmap_pin(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;
	int err;

	do {
		if (!pmap_use_to_write(vm, gpn, vm->home->id))
			return MPN_NONE;
		pmap_lock(p, gpn);
		err = pin_locked(p, gpn);
		pmap_unlock(p, gpn);
	} while (err == -EAGAIN);
	return err ? MPN_NONE : pmap_copies(p, gpn).master;
}

void pmap_unpin(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;
	struct pmap_page page;

	pmap_lock(p, gpn);
	page = pmap_page(p, gpn);
	page.busy = page.busy == PMAP_BUSY_PINNED + 1 ? 0 : page.busy - 1;
	pmap_change_locked(p, gpn, BIT(PMAP_PINNED), page);
	pmap_unlock(p, gpn);
}
