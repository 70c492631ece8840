/* SPDX-License-Identifier: MIT */
/* pmap: pages that are shared, written afterwards, pinned for a device, and given up by their guest. */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/errno.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

/* Guest pages of a VM that are taken out of its views, and the nodes that saw them. */
struct hidden {
	struct mmu_drop drop;
	struct nodemask seen_by, used_by[MMU_DROP_PAGES]; /* used_by: of those to be shown again */
};

static void begin(struct hidden *h, struct vm *vm)
{
	h->drop.vm = vm;
	h->drop.machine = h->drop.n = 0;
	h->seen_by = NODEMASK_NONE;
}

static void hide(struct hidden *h, gpn_t gpn, bool again)
{
	struct vm *vm = h->drop.vm;
	struct nodemask *used_by = &h->used_by[h->drop.n];

	*used_by = NODEMASK_NONE;
	for_each_node(node, vm->node_mask) {
		bool used = again && pmap_is_noted(pmap_entry(&vm->pmap, gpn, node));
		mpn_t shown = pmap_hide_locked(&vm->pmap, gpn, node);

		if (!mpn_valid(shown))
			continue;
		h->drop.machine |= BIT(shown.v % 64);
		nodemask_add(&h->seen_by, node);
		used_by->bits |= (u32)used << node;
	}
	h->drop.page[h->drop.n++] = gpn;
}

/* No processor has a translation of the pages any more on return. */
static void take_back(const struct hidden *h) { shootdown(h->seen_by, mmu_drop_pages, &h->drop); }

/* Whose guest used a page sees what is behind it now. Others may never look, and what no view shows wants no shootdown. */
static void show_again(const struct hidden *h)
{
	for (u32 i = 0; i < h->drop.n; i++)
		for_each_node(node, h->used_by[i])
			pmap_fill_locked(h->drop.vm, h->drop.page[i], node);
}

/* ---- sharing ---- */

/* The master that stood behind gpn until now, which no view shows, is not the guest page's any more. */
static void leave_master(struct vm *vm, gpn_t gpn, struct pmap_page page)
{
	mpn_t master = pmap_master(page);

	if (pmap_is_shared(page)) {
		share_leave_locked(master, vm, gpn);
	} else {
		memmap_take_back(master, vm->id);
		nodemem_free(master);
	}
}

static void release_master(struct vm *vm, gpn_t gpn)
{
	struct pmap_page page = pmap_page(&vm->pmap, gpn);

	leave_master(vm, gpn, page);
	if (pmap_is_shared(page))
		pmap_count(&vm->pmap.shared, -1);
}

/* A block is on its way to the VM, and gpn will be in it. */
static bool is_coming(const struct pmap *p, gpn_t gpn)
{
	const struct pmap_range *range = &p->range[pmap_range_of(gpn)];

	return mpn_valid(range->coming.block) && gpn.v - range->coming.start.v < BLOCK_PAGES;
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
	hide(h, at->gpn, at->shown);
}

/* The shared page, which the caller holds, takes the place of what stood behind its guest page, which no view shows. */
static void put_locked(struct vm *vm, const struct share_at *at)
{
	struct pmap *p = &vm->pmap;
	struct pmap_page old = pmap_page(p, at->gpn);

	if (old.master)
		leave_master(vm, at->gpn, old);
	else
		pmap_count(&p->used, 1);
	if (!pmap_is_shared(old))
		pmap_count(&p->shared, 1);
	share_join_locked(at->page, vm, at->gpn, at->given);
	pmap_change_locked(p, at->gpn, BIT(PMAP_UNUSED) | BIT(PMAP_SINGLE) | BIT(PMAP_SHARED),
			   (struct pmap_page){ .master = (u32)at->page.v | PMAP_MASTER_SHARED });
}

/* Those of one lock; which were shared. */
static u32 share_locked(struct vm *vm, const struct share_at *at, u32 which)
{
	struct hidden h;
	u32 shared = 0;

	begin(&h, vm);
	for (u32 rest = which; rest; rest &= rest - 1) {
		const struct share_at *a = &at[__builtin_ctz(rest)];

		if (pmap_page(&vm->pmap, a->gpn).busy || is_coming(&vm->pmap, a->gpn))
			continue;
		withdraw(&h, a);
		shared |= rest & -rest;
	}
	take_back(&h);
	for (u32 rest = shared; rest; rest &= rest - 1)
		put_locked(vm, &at[__builtin_ctz(rest)]);
	show_again(&h);
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

int pmap_share(struct vm *vm, gpn_t gpn, mpn_t shared)
{
	if (gpn.v >= vm->pmap.npages)
		return -EFAULT;
	return pmap_share_pages(vm, &(struct share_at){ gpn, shared, false, false }, 1) ? 0
											: -EAGAIN;
}

bool pmap_replace(struct vm *vm, gpn_t gpn, mpn_t from, mpn_t to)
{
	const struct share_at at = { gpn, to, false, false };
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

	begin(&h, vm);
	for (u32 rest = which; rest; rest &= rest - 1) {
		const struct share_at *a = &at[__builtin_ctz(rest)];
		struct pmap_page page = pmap_page(&vm->pmap, a->gpn);

		if (page.master && !page.busy && !pmap_is_shared(page))
			withdraw(&h, a);
	}
	take_back(&h);
	for (u32 rest = which; rest; rest &= rest - 1) {
		struct share_at *a = &at[__builtin_ctz(rest)];

		a->page = lend_page_locked(vm, a->gpn);
	}
	show_again(&h);
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
 * shared one took its place.
 */
static bool copy_of_own(struct vm *vm, gpn_t gpn, u32 node)
{
	struct hidden h;
	mpn_t shared = pmap_copies(&vm->pmap, gpn).master;
	mpn_t own = pmap_alloc_locked(vm, gpn, node);

	if (!mpn_valid(own))
		return false;
	begin(&h, vm);
	hide(&h, gpn, false);
	take_back(&h);
	memcpy(mpn_ptr(own), mpn_ptr(shared), PAGE_SIZE);
	memmap_give(own, vm->id, gpn);
	pmap_change_locked(&vm->pmap, gpn, BIT(PMAP_SHARED), (struct pmap_page){ .master = own.v });
	share_leave_locked(shared, vm, gpn);
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

bool pmap_own_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	mpn_t master = pmap_copies(&vm->pmap, gpn).master;

	if (share_take_over_locked(master, vm, gpn))
		take_over(vm, gpn, master);
	else if (!copy_of_own(vm, gpn, node))
		return false;
	pmap_count(&vm->pmap.shared, -1);
	node_self()->stats.broken++;
	return true;
}

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

/* ---- memory that the guest has no use for ---- */

static bool is_listed(const struct hidden *h, gpn_t gpn)
{
	for (u32 i = 0; i < h->drop.n; i++)
		if (h->drop.page[i].v == gpn.v)
			return true;
	return false;
}

/* unused: even one that has no machine page. */
static bool can_give_up(const struct hidden *h, gpn_t gpn, bool unused)
{
	struct vm *vm = h->drop.vm;
	const struct pmap *p = &vm->pmap;

	if (gpn.v >= p->npages || pmap_page(p, gpn).busy || is_listed(h, gpn))
		return false;
	if (!pmap_page(p, gpn).master)
		return unused && !is_coming(p, gpn);
	if (pmap_page(p, gpn).replicas)
		numa_collapse(vm, gpn, vm->home->id);
	return true;
}

_Static_assert(PMAP_BALLOON_PAGES <= MMU_DROP_PAGES && SHARE_PAGES <= MMU_DROP_PAGES,
	       "one shootdown for all");

/* Pages of one range. */
static u32 give_up_locked(struct vm *vm, const gpn_t *pages, u32 n, struct pmap_page becomes)
{
	struct hidden h;

	begin(&h, vm);
	for (u32 i = 0; i < n; i++)
		if (can_give_up(&h, pages[i], becomes.busy == PMAP_BUSY_BALLOON))
			hide(&h, pages[i], false);
	take_back(&h);
	for (u32 i = 0; i < h.drop.n; i++) {
		gpn_t gpn = h.drop.page[i];

		if (pmap_page(&vm->pmap, gpn).master) {
			release_master(vm, gpn);
			pmap_count(&vm->pmap.used, -1);
		}
		pmap_change_locked(&vm->pmap, gpn,
				   BIT(PMAP_UNUSED) | BIT(PMAP_SINGLE) | BIT(PMAP_SHARED), becomes);
	}
	return h.drop.n;
}

/* How many pages from the first on are in its range. */
static u32 run_of(const gpn_t *pages, u32 n)
{
	u32 run = 1;

	while (run < n && pages[run].v >> PMAP_RANGE_SHIFT == pages[0].v >> PMAP_RANGE_SHIFT)
		run++;
	return run;
}

static u32 give_up(struct vm *vm, const gpn_t *pages, u32 n, struct pmap_page becomes)
{
	struct pmap *p = &vm->pmap;
	u32 all = 0, run, given;

	for (u32 i = 0; i < n; i += run) {
		run = run_of(pages + i, n - i);
		pmap_lock(p, pages[i]);
		given = give_up_locked(vm, pages + i, run, becomes);
		if (becomes.busy == PMAP_BUSY_BALLOON) {
			pmap_count(&p->ballooned, given);
			nodemem_unreserve(given);
		}
		pmap_unlock(p, pages[i]);
		all += given;
	}
	return all;
}

u32 pmap_give_up(struct vm *vm, gpn_t first, u32 npages)
{
	gpn_t pages[MMU_DROP_PAGES];
	u32 given = 0, n;

	if (first.v >= vm->pmap.npages)
		return 0;
	npages = MIN(npages, vm->pmap.npages - first.v);
	for (u32 done = 0; done < npages; done += n) {
		n = MIN(npages - done, (u32)MMU_DROP_PAGES);
		for (u32 i = 0; i < n; i++)
			pages[i].v = first.v + done + i;
		given += give_up(vm, pages, n, (struct pmap_page){ 0 });
	}
	__atomic_fetch_add(&vm->pmap.reported, given, __ATOMIC_RELAXED);
	return given;
}

/* ---- the balloon: with the promise of it ---- */

u32 pmap_balloon(struct vm *vm, const gpn_t *pages, u32 n)
{
	return give_up(vm, pages, MIN(n, (u32)PMAP_BALLOON_PAGES),
		       (struct pmap_page){ .busy = PMAP_BUSY_BALLOON });
}

bool pmap_promise_locked(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;

	pmap_assert_locked(p, gpn);
	if (pmap_state_of(pmap_page(p, gpn)) != PMAP_BALLOONED)
		return true;
	if (nodemem_reserve(1))
		return false;
	pmap_count(&p->ballooned, -1);
	pmap_change_locked(p, gpn, BIT(PMAP_BALLOONED), (struct pmap_page){ 0 });
	return true;
}

int pmap_unballoon(struct vm *vm, gpn_t gpn)
{
	bool promised;

	if (gpn.v >= vm->pmap.npages)
		return 0;
	pmap_lock(&vm->pmap, gpn);
	promised = pmap_promise_locked(vm, gpn);
	pmap_unlock(&vm->pmap, gpn);
	return promised ? 0 : -ENOMEM;
}

u32 pmap_end_promise(struct pmap *p)
{
	u32 promised = p->npages - p->ballooned;

	p->ballooned = 0;
	p->reported = 0;
	return promised;
}
