/* SPDX-License-Identifier: MIT */
/* The states of a page of a VM, and the changes that moving and copying make. */
#include "arch/mips/arch.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/panic.h"

_Static_assert(MAX_NODES <= 16, "replicas has a bit for each node");

/* The table of pmap_state.h: bits of the states that each state may become. */
static const u16 may_become[] = {
	[PMAP_UNUSED] = BIT(PMAP_SINGLE) | BIT(PMAP_SHARED) | BIT(PMAP_BALLOONED),
	[PMAP_SINGLE] = BIT(PMAP_LEAVING) | BIT(PMAP_COPIED) | BIT(PMAP_PINNED) | BIT(PMAP_SHARED) |
			BIT(PMAP_UNUSED) | BIT(PMAP_BALLOONED),
	[PMAP_SHARED] = BIT(PMAP_SHARED) | BIT(PMAP_SINGLE) | BIT(PMAP_COPIED) | BIT(PMAP_UNUSED) |
			BIT(PMAP_BALLOONED),
	[PMAP_PINNED] = BIT(PMAP_PINNED) | BIT(PMAP_SINGLE),
	[PMAP_LEAVING] = BIT(PMAP_SINGLE),
	[PMAP_COPIED] = BIT(PMAP_COPIED) | BIT(PMAP_REPLICATED),
	[PMAP_REPLICATED] = BIT(PMAP_COPIED) | BIT(PMAP_REPLICATED) | BIT(PMAP_SINGLE) |
			    BIT(PMAP_SHARED) | BIT(PMAP_UNUSED),
	[PMAP_BALLOONED] = BIT(PMAP_UNUSED),
	[PMAP_IMPOSSIBLE] = 0,
};

/* All but SINGLE and SHARED, which pmap_state_of sees at once. */
enum pmap_state pmap_other_state(struct pmap_page page)
{
	if (!page.master && page.busy == PMAP_BUSY_BALLOON)
		return page.replicas ? PMAP_IMPOSSIBLE : PMAP_BALLOONED;
	if (!page.master)
		return page.replicas || page.busy ? PMAP_IMPOSSIBLE : PMAP_UNUSED;
	if (page.busy == PMAP_BUSY_LEAVING)
		return page.replicas || pmap_is_shared(page) ? PMAP_IMPOSSIBLE : PMAP_LEAVING;
	if (page.busy > PMAP_BUSY_PINNED)
		return page.replicas || pmap_is_shared(page) ? PMAP_IMPOSSIBLE : PMAP_PINNED;
	if (page.busy)
		return page.busy <= MAX_NODES ? PMAP_COPIED : PMAP_IMPOSSIBLE;
	return PMAP_REPLICATED;
}

/* A page gets a master of the other kind only from one that is alone to one that is alone. */
static bool keeps_kind(struct pmap_page from, struct pmap_page to)
{
	bool alone = !(from.replicas | from.busy | to.replicas | to.busy);

	return alone || !to.master || pmap_is_shared(from) == pmap_is_shared(to);
}

void pmap_change_locked(struct pmap *p, gpn_t gpn, u32 from, struct pmap_page to)
{
	struct pmap_page page = p->page[gpn.v];
	enum pmap_state old = pmap_state_of(page), new = pmap_state_of(to);

	pmap_assert_locked(p, gpn);
	if (!(BIT(old) & from) || !(may_become[old] & BIT(new)) || !keeps_kind(page, to))
		panic("page %lx of a VM in state %u cannot become %u", gpn.v, old, new);
	if (old == PMAP_UNUSED && p->shown[gpn.v])
		panic("page %lx of a VM is shown as zero and becomes %u", gpn.v, new);
	for_each_node(node, (struct nodemask){ page.replicas ^ to.replicas })
		pmap_count(&p->replicas, to.replicas & BIT(node) ? 1 : -1);
	__atomic_store(&p->page[gpn.v], &to, __ATOMIC_RELEASE);
}

/* ---- what numa/ asks ---- */

struct pmap_copies pmap_copies(const struct pmap *p, gpn_t gpn)
{
	struct pmap_page page = { 0 };

	if (gpn.v < p->npages)
		page = pmap_page(p, gpn);
	return (struct pmap_copies){ pmap_master(page), { page.replicas } };
}

bool pmap_has_view(const struct pmap *p, u32 node)
{
	return p->view[node].entry && !p->view[node].going;
}

/* ---- to another node ---- */

bool pmap_may_leave_locked(const struct pmap *p, gpn_t gpn)
{
	pmap_assert_locked(p, gpn);
	return pmap_state_of(p->page[gpn.v]) == PMAP_SINGLE;
}

void pmap_leave_locked(struct pmap *p, gpn_t gpn)
{
	struct pmap_page page = p->page[gpn.v];

	page.busy = PMAP_BUSY_LEAVING;
	pmap_change_locked(p, gpn, BIT(PMAP_SINGLE), page);
}

void pmap_arrive_locked(struct pmap *p, gpn_t gpn, mpn_t to)
{
	pmap_change_locked(p, gpn, BIT(PMAP_LEAVING), (struct pmap_page){ .master = to.v });
}

/* ---- to one more node ---- */

#define MAY_COPY (BIT(PMAP_SINGLE) | BIT(PMAP_SHARED) | BIT(PMAP_COPIED) | BIT(PMAP_REPLICATED))

bool pmap_may_copy_locked(const struct pmap *p, gpn_t gpn, u32 node)
{
	pmap_assert_locked(p, gpn);
	return (BIT(pmap_state_of(p->page[gpn.v])) & MAY_COPY) &&
	       !nodemask_has(pmap_copies(p, gpn).replicas, node);
}

void pmap_copy_begin_locked(struct pmap *p, gpn_t gpn)
{
	struct pmap_page page = p->page[gpn.v];

	page.busy++;
	pmap_change_locked(p, gpn, MAY_COPY, page);
}

void pmap_copy_end_locked(struct pmap *p, gpn_t gpn, u32 node, mpn_t replica)
{
	u64 lo = arch_readonly_entry(arch_page_entry(replica));
	struct pmap_page page = p->page[gpn.v];

	page.busy--;
	page.replicas |= nodemask_of(node).bits;
	p->shown[gpn.v] |= nodemask_of(node).bits;
	__atomic_store_n(&pmap_entry(p, gpn, node)->lo, lo, __ATOMIC_RELEASE);
	pmap_change_locked(p, gpn, BIT(PMAP_COPIED), page);
}

void pmap_collapse_locked(struct pmap *p, gpn_t gpn, mpn_t kept)
{
	u32 kind = p->page[gpn.v].master & PMAP_MASTER_SHARED;

	pmap_change_locked(p, gpn, BIT(PMAP_REPLICATED),
			   (struct pmap_page){ .master = (u32)kept.v | kind });
}

/* ---- views ---- */

mpn_t pmap_hide_locked(struct pmap *p, gpn_t gpn, u32 node)
{
	struct pmap_entry *e = pmap_entry(p, gpn, node);
	mpn_t shown;

	pmap_assert_locked(p, gpn);
	if (!pmap_is_shown_locked(p, gpn, node))
		return MPN_NONE;
	shown = arch_entry_page(e->lo);
	p->shown[gpn.v] &= ~nodemask_of(node).bits;
	if (!p->shown[gpn.v] && !p->page[gpn.v].master)
		pmap_count(&p->zero.pages, -1);
	__atomic_store_n(&e->lo, 0, __ATOMIC_RELEASE);
	pmap_large_changed_locked(p, gpn, node);
	return shown;
}

bool pmap_downgrade_locked(struct pmap *p, gpn_t gpn, u32 node)
{
	struct pmap_entry *e = pmap_entry(p, gpn, node);

	pmap_assert_locked(p, gpn);
	if (!pmap_is_shown_locked(p, gpn, node))
		return false;
	if (!arch_entry_writable(e->lo))
		return e->lo && p->page[gpn.v].busy > 1;
	__atomic_store_n(&e->lo, arch_readonly_entry(e->lo), __ATOMIC_RELEASE);
	pmap_large_changed_locked(p, gpn, node);
	return true;
}
