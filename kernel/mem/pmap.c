/* SPDX-License-Identifier: MIT */
/* pmap: pages are given on their first use, and put into the views of nodes; at the end all go back. */
#include "arch/mips/arch.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"
#include "kernel/options.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

_Static_assert(PMAP_RANGE_PAGES % BLOCK_PAGES == 0 && PMAP_RANGE_PAGES % PIECE_PAGES == 0,
	       "one lock is all that a block and a large pair want");

size_t pmap_bytes(u32 npages)
{
	return npages * (sizeof(struct pmap_page) + sizeof(struct pmap_link) + sizeof(u16));
}

/* Each is given once: one that came again would find what another guest has left. */
u32 pmap_new_life(void)
{
	static u32 last;
	u32 have = __atomic_load_n(&last, __ATOMIC_RELAXED);

	do {
		if (have == UINT32_MAX)
			return 0;
	} while (!__atomic_compare_exchange_n(&last, &have, have + 1, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return have + 1;
}

void pmap_init(struct pmap *p, void *storage, u32 npages)
{
	struct pmap_page *page = storage;

	*p = (struct pmap){ .npages = npages,
			    .life = pmap_new_life(),
			    .page = page,
			    .link = (struct pmap_link *)(page + npages) };
	p->shown = (u16 *)(p->link + npages);
	for (u32 i = 0; i < PMAP_RANGES; i++)
		p->range[i].lock = (struct lock)LOCK_INIT(RANK_PMAP);
}

/* ---- giving pages ---- */

static bool is_copied(const struct pmap *p, gpn_t gpn)
{
	enum pmap_state state = pmap_state_of(pmap_page(p, gpn));

	return state == PMAP_LEAVING || state == PMAP_COPIED;
}

/* For what another node does. */
static void wait(void)
{
	shootdown_answer(node_self());
	node_heed_stop(node_self());
	arch_yield();
}

void pmap_wait_locked(struct pmap *p, gpn_t gpn)
{
	pmap_assert_locked(p, gpn);
	while (is_copied(p, gpn)) {
		pmap_unlock(p, gpn);
		while (is_copied(p, gpn))
			wait();
		pmap_lock(p, gpn);
	}
}

void pmap_unsettle(struct pmap *p) { __atomic_fetch_add(&p->unsettled, 1, __ATOMIC_ACQ_REL); }

void pmap_settled(struct pmap *p) { __atomic_fetch_sub(&p->unsettled, 1, __ATOMIC_ACQ_REL); }

void pmap_settle(struct pmap *p, struct reading r)
{
	for (u32 i = 0; i < PMAP_RANGES; i++) { /* who holds one over a shootdown */
		lock_take(&p->range[i].lock);
		lock_release(&p->range[i].lock);
	}
	while (__atomic_load_n(&p->unsettled, __ATOMIC_ACQUIRE) && reading_holds(node_self(), r))
		wait();
}

void pmap_fill_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	struct pmap_view *view = &p->view[node];
	struct pmap_copies copies = pmap_copies(p, gpn);
	u64 lo;

	pmap_assert_locked(p, gpn);
	if (nodemask_has(copies.replicas, node))
		return; /* the view is where that one is known */
	lo = arch_page_entry(copies.master);
	if (!nodemask_empty(copies.replicas) || pmap_is_shared(pmap_page(p, gpn)))
		lo = arch_readonly_entry(lo);
	if (view->entry[gpn.v].lo == lo)
		return;
	p->shown[gpn.v] |= nodemask_of(node).bits;
	__atomic_store_n(&view->entry[gpn.v].lo, lo, __ATOMIC_RELEASE);
	pmap_large_changed_locked(p, gpn, node);
}

static void set(struct vm *vm, gpn_t gpn, mpn_t mpn)
{
	struct pmap *p = &vm->pmap;

	memmap_give(mpn, vm->id, gpn);
	pmap_change_locked(p, gpn, BIT(PMAP_UNUSED), (struct pmap_page){ .master = mpn.v });
}

/*
 * The next part of the block that is coming is zeroed, without the lock, and the block is the VM's when the last one that is at work on it has
 * done its part. Nothing is done if others are at work on all parts that are left.
 */
static void advance_block(struct vm *vm, struct pmap_range *range, u32 node)
{
	struct pmap *p = &vm->pmap;
	gpn_t start = range->coming.start;
	u64 first = start.v;
	mpn_t block = range->coming.block;
	u32 part = range->coming.begun, n = range->coming.npages, pages = MIN(n, PMAP_PART);

	if (part == n)
		return;
	range->coming.begun += pages;
	pmap_hide_zero_locked(vm, (gpn_t){ first + part }, pages);
	pmap_unlock(p, start);
	nodemem_zero((mpn_t){ block.v + part }, pages);
	pmap_lock(p, start);
	range->coming.zeroed += pages;
	if (range->coming.zeroed < n)
		return;
	range->coming.block = MPN_NONE;
	pmap_count(&p->used, (s32)n);
	for (u32 i = 0; i < n; i++)
		set(vm, (gpn_t){ first + i }, (mpn_t){ block.v + i });
	for (u32 i = 0; i < n; i++)
		pmap_fill_locked(vm, (gpn_t){ first + i }, node);
}

static void give_page(struct vm *vm, gpn_t gpn, u32 node)
{
	mpn_t mpn = pmap_alloc_locked(vm, gpn, node);

	if (!mpn_valid(mpn))
		return;
	pmap_hide_zero_locked(vm, gpn, 1);
	nodemem_zero(mpn, 1);
	pmap_count(&vm->pmap.used, 1);
	set(vm, gpn, mpn);
	pmap_fill_locked(vm, gpn, node);
}

/*
 * The view gets the pages around one that it shows from now on, as far as others of the VM use them: the lock is here, and the home's
 * lines that say what they are. Who moves one has this node among those that saw it.
 */
static void fill_near_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 first = ROUND_DOWN(gpn.v, PMAP_SHOWN), end = MIN(first + PMAP_SHOWN, (u64)p->npages);

	for (gpn_t near = { first }; near.v < end; near.v++) {
		u64 lo = pmap_shown(p, near, node);
		struct pmap_page page;

		if (lo)
			continue;
		page = pmap_page(p, near);
		if (page.master && !page.busy && !pmap_show_own_locked(p, near, node, page) &&
		    (near.v ^ gpn.v) < PMAP_NEAR)
			pmap_fill_locked(vm, near, node);
	}
}

/*
 * A page that the VM has not used, or has only read, is shown as zero, or given. The VM's pages were reserved when it
 * started, so that running out here is the monitor's own mistake, but for a page that the VM gave away with its promise.
 * While a block is coming to one of the ranges of a lock no other page is given there. As pmap_try_use.
 */
static u64 give_locked(struct vm *vm, gpn_t gpn, u32 node, bool write)
{
	struct pmap *p = &vm->pmap;
	struct pmap_range *range = &p->range[pmap_range_of(gpn)];

	if (!pmap_promise_locked(vm, gpn))
		return 0; /* the guest gave it away, and there is none to give it back */
	if (!mpn_valid(range->coming.block)) {
		if (!write && pmap_show_zero_locked(vm, gpn, node))
			return pmap_shown(p, gpn, node);
		if (!pmap_begin_block_locked(vm, gpn, node)) {
			give_page(vm, gpn, node);
			return p->page[gpn.v].master ? pmap_shown(p, gpn, node) : 0;
		}
	}
	advance_block(vm, range, node);
	return p->page[gpn.v].master ? pmap_shown(p, gpn, node) : PMAP_LATER;
}

/* First use of the view. */
static u64 first_use(struct vm *vm, gpn_t gpn, u32 node, bool write)
{
	struct pmap *p = &vm->pmap;
	u64 lo;

	pmap_lock(p, gpn);
	pmap_wait_locked(p, gpn);
	if (p->page[gpn.v].master) {
		pmap_fill_locked(vm, gpn, node);
		fill_near_locked(vm, gpn, node);
		lo = pmap_shown(p, gpn, node);
	} else {
		lo = give_locked(vm, gpn, node, write);
	}
	pmap_unlock(p, gpn);
	return lo;
}

/* The view has the page, not writable: a write ends its replicas, and makes it the VM's own. */
static u64 use_to_write(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 lo = 0;

	pmap_lock(p, gpn);
	pmap_wait_locked(p, gpn);
	if (p->page[gpn.v].replicas)
		numa_collapse(vm, gpn, node);
	if (!p->page[gpn.v].master) {
		lo = give_locked(vm, gpn, node, true);
	} else if (!pmap_is_shared(p->page[gpn.v]) || pmap_own_locked(vm, gpn, node)) {
		pmap_fill_locked(vm, gpn, node);
		lo = pmap_shown(p, gpn, node);
	}
	pmap_unlock(p, gpn);
	return lo;
}

/*
 * While others are at work on all that is left of a block, for some 20,000 instructions at most, which a part takes: then whoever waits looks at the rest of
 * its mail. The others may wait for this node's answer before they zero (pmap_hide_zero_locked), and for the processor under it.
 */
#define AWAIT_TURNS 100
#define AWAIT_POLLS 16

static bool is_awaited(const struct pmap_range *range)
{
	u32 n = __atomic_load_n(&range->coming.npages, __ATOMIC_RELAXED);

	return __atomic_load_n(&range->coming.begun, __ATOMIC_RELAXED) == n &&
	       __atomic_load_n(&range->coming.zeroed, __ATOMIC_RELAXED) < n;
}

static void await_block(const struct pmap_range *range)
{
	for (u32 i = 0; i < AWAIT_TURNS; i++) {
		for (u32 k = 0; k < AWAIT_POLLS; k++)
			if (!is_awaited(range))
				return;
		wait();
	}
}

u64 pmap_try_use(struct vm *vm, gpn_t gpn, u32 node, bool write)
{
	u64 lo;

	if (gpn.v >= vm->pmap.npages)
		return 0;
	lo = pmap_entry(&vm->pmap, gpn, node)->lo;
	if (!lo)
		lo = first_use(vm, gpn, node, write);
	if (lo && lo != PMAP_LATER && write && !arch_entry_writable(lo))
		lo = use_to_write(vm, gpn, node);
	if (lo == PMAP_LATER)
		await_block(&vm->pmap.range[pmap_range_of(gpn)]);
	return lo;
}

static u64 use(struct vm *vm, gpn_t gpn, u32 node, bool write)
{
	u64 lo;

	while ((lo = pmap_try_use(vm, gpn, node, write)) == PMAP_LATER)
		node_read_mail(node_self());
	return lo;
}

u64 pmap_use(struct vm *vm, gpn_t gpn, u32 node) { return use(vm, gpn, node, false); }

u64 pmap_use_to_write(struct vm *vm, gpn_t gpn, u32 node) { return use(vm, gpn, node, true); }

u64 pmap_look(struct vm *vm, gpn_t gpn, u32 node)
{
	u64 lo;

	if (gpn.v >= vm->pmap.npages)
		return 0;
	lo = pmap_shown(&vm->pmap, gpn, node);
	return lo || !vm->pmap.page[gpn.v].master ? lo : pmap_use(vm, gpn, node);
}

/* ---- taking them all back ---- */

static void give_back(struct vm *vm, mpn_t mpn)
{
	memmap_take_back(mpn, vm->id);
	nodemem_free(mpn);
}

/* Nobody has written the page, which views show as zero. */
static void release_zero(struct vm *vm, gpn_t gpn)
{
	for_each_node(node, vm->node_mask)
		*pmap_entry(&vm->pmap, gpn, node) = (struct pmap_entry){ 0 };
	vm->pmap.shown[gpn.v] = 0;
	pmap_count(&vm->pmap.zero.pages, -1);
}

/* Nobody copies the page, which is used. */
static void release_page(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;
	struct pmap_copies copies = pmap_copies(p, gpn);

	for_each_node(node, vm->node_mask) {
		struct pmap_entry *e = pmap_entry(p, gpn, node);

		if (nodemask_has(copies.replicas, node)) {
			give_back(vm, arch_entry_page(e->lo));
			nodemem_unreserve(1);
		}
		*e = (struct pmap_entry){ 0 };
		pmap_forget_windows(&p->view[node], gpn);
	}
	p->shown[gpn.v] = 0;
	if (pmap_is_shared(p->page[gpn.v])) {
		share_leave_locked(copies.master, vm, gpn);
		pmap_count(&p->shared, -1);
	} else {
		give_back(vm, copies.master);
	}
	pmap_change_locked(p, gpn, BIT(PMAP_SINGLE) | BIT(PMAP_SHARED) | BIT(PMAP_REPLICATED),
			   (struct pmap_page){ 0 });
	pmap_count(&p->used, -1);
}

/*
 * What a step may cost, in pages that were never used: looking at one is 20 instructions, giving
 * one back some 300 for each of its copies.
 */
#define STEP_COST 2048
#define USED_COST 16

/* The block that was on its way when the VM ended. False: somebody zeroes a part of it still. */
static bool release_coming(struct pmap_range *range)
{
	mpn_t block = range->coming.block;

	if (mpn_valid(block) && range->coming.begun != range->coming.zeroed)
		return false;
	range->coming.block = MPN_NONE;
	for (u32 i = 0; mpn_valid(block) && i < range->coming.npages; i++)
		nodemem_free((mpn_t){ block.v + i });
	return true;
}

/* What it cost; 0: a device still writes the page, and the next step asks again. */
static u32 release_one(struct vm *vm, gpn_t gpn)
{
	struct pmap *p = &vm->pmap;
	u32 cost = 1;

	pmap_wait_locked(p, gpn); /* it may be on its way to another node */
	if (pmap_state_of(pmap_page(p, gpn)) == PMAP_PINNED)
		return 0;
	if (mpn_valid(pmap_copies(p, gpn).master)) {
		struct nodemask replicas = pmap_copies(p, gpn).replicas;

		cost += USED_COST;
		for_each_node(node, replicas)
			cost += USED_COST;
		release_page(vm, gpn);
	} else if (p->shown[gpn.v]) {
		release_zero(vm, gpn);
	}
	if (pmap_state_of(pmap_page(p, gpn)) == PMAP_BALLOONED)
		pmap_change_locked(p, gpn, BIT(PMAP_BALLOONED), (struct pmap_page){ 0 });
	if (gpn.v % PIECE_PAGES == 0)
		for_each_node(node, vm->node_mask)
			pmap_large_released(p, gpn, node);
	return cost;
}

/* The pages of one range from *next on, for at most *left; false: one of them is pinned, or not zeroed yet. */
static bool release_range(struct vm *vm, u32 *next, s32 *left)
{
	struct pmap *p = &vm->pmap;
	const gpn_t first = { *next };
	u32 cost = 1;

	pmap_lock(p, first);
	if (!release_coming(&p->range[pmap_range_of(first)]))
		cost = 0;
	while (cost && *left > 0 && *next < p->npages) {
		cost = release_one(vm, (gpn_t){ *next });
		*left -= cost;
		*next += cost != 0;
		if (*next % PMAP_RANGE_PAGES == 0)
			break;
	}
	pmap_unlock(p, first);
	return cost;
}

bool pmap_release_step(struct vm *vm, u32 *next)
{
	s32 left = STEP_COST;

	while (left > 0 && *next < vm->pmap.npages && release_range(vm, next, &left))
		continue;
	return *next >= vm->pmap.npages;
}
