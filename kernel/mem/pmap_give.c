/* SPDX-License-Identifier: MIT */
/* pmap: memory that the guest has no use for goes back to its node, with the promise of it or without. */
#include "arch/mips/arch.h"
#include "kernel/errno.h"
#include "kernel/mem/hidden.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

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
		return unused && !pmap_is_coming(p, gpn);
	if (pmap_page(p, gpn).replicas)
		numa_collapse(vm, gpn, vm->home->id);
	return true;
}

_Static_assert(PMAP_BALLOON_PAGES <= MMU_DROP_PAGES, "one shootdown for all");

static void release_master(struct vm *vm, gpn_t gpn)
{
	struct pmap_page page = pmap_page(&vm->pmap, gpn);

	pmap_leave_master_locked(vm, gpn, page);
	if (pmap_is_shared(page))
		pmap_count(&vm->pmap.shared, -1);
}

/* Pages of one range. */
static u32 give_up_locked(struct vm *vm, const gpn_t *pages, u32 n, struct pmap_page becomes)
{
	struct move_stats *stats = &node_self()->stats.given;
	struct hidden h;
	u64 before;

	hidden_begin(&h, vm);
	for (u32 i = 0; i < n; i++)
		if (can_give_up(&h, pages[i], becomes.busy == PMAP_BUSY_BALLOON))
			hidden_add(&h, pages[i], false);
	before = count64();
	hidden_take_back(&h);
	stats->shootdown += count64() - before;
	for (u32 i = 0; i < h.drop.n; i++) {
		gpn_t gpn = h.drop.page[i];

		if (pmap_page(&vm->pmap, gpn).master) {
			release_master(vm, gpn);
			pmap_count(&vm->pmap.used, -1);
		}
		pmap_change_locked(&vm->pmap, gpn,
				   BIT(PMAP_UNUSED) | BIT(PMAP_SINGLE) | BIT(PMAP_SHARED), becomes);
	}
	stats->pages += h.drop.n;
	stats->batches += h.drop.n != 0;
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
	struct move_stats *stats = &node_self()->stats.given;
	struct pmap *p = &vm->pmap;
	u32 all = 0, run, given;
	u64 before;

	for (u32 i = 0; i < n; i += run) {
		run = run_of(pages + i, n - i);
		before = count64();
		pmap_lock(p, pages[i]);
		stats->wait += count64() - before;
		given = give_up_locked(vm, pages + i, run, becomes);
		if (becomes.busy == PMAP_BUSY_BALLOON) {
			pmap_count(&p->ballooned, given);
			nodemem_unreserve(given);
		}
		pmap_unlock(p, pages[i]);
		stats->total += count64() - before;
		all += given;
	}
	return all;
}

/*
 * The first page from this one on that has a machine page; end: none has. A kernel that has just booted reports all of its memory,
 * most of which it never used. A page that gets one at this moment is as if it were asked for a moment later.
 */
static u64 next_given(const struct pmap *p, u64 gpn, u64 end)
{
	while (gpn < end && !pmap_page(p, (gpn_t){ gpn }).master)
		gpn++;
	return gpn;
}

u32 pmap_give_up(struct vm *vm, gpn_t first, u32 npages)
{
	u64 at = first.v, end = MIN(first.v + npages, (u64)vm->pmap.npages);
	gpn_t pages[MMU_DROP_PAGES];
	u32 given = 0, n;

	while (at < end && (at = next_given(&vm->pmap, at, end)) < end) {
		n = (u32)MIN(end - at, (u64)MMU_DROP_PAGES);
		for (u32 i = 0; i < n; i++)
			pages[i].v = at++;
		given += give_up(vm, pages, n, (struct pmap_page){ 0 });
	}
	__atomic_fetch_add(&vm->pmap.reported, given, __ATOMIC_RELAXED);
	return given;
}

bool pmap_erase(struct vm *vm, gpn_t gpn)
{
	return gpn.v < vm->pmap.npages && give_up(vm, &gpn, 1, (struct pmap_page){ 0 });
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
	p->life = pmap_new_life();
	p->zero = (struct pmap_zeroes){ 0 };
	return promised;
}
