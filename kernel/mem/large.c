/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a view make large pages of the windows (table in pmap.h). What TLBs hold is taken
 * back by arch/mips/forget.c.
 */
#include "arch/mips/arch.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

_Static_assert(WINDOW_SHIFT == PAGE_SHIFT + LARGE_SHIFT, "vectors.S indexes the words by it");

#define GROWTH 4 /* each size of large pages is four times the one before */

static void set_words(struct pmap_view *view, u64 first, u32 pages, u64 word)
{
	for (u32 i = 0; i < pages >> LARGE_SHIFT; i++)
		__atomic_store_n(&view->large[(first >> LARGE_SHIFT) + i], word, __ATOMIC_RELEASE);
}

/* ---- pairs end ---- */

/*
 * The pair around gpn falls into those that are left without the page's 32 KB: three of each smaller size, whose pages the view
 * shows as before. The page's own word is the last to change: a node that finds it empty, and has flushed its TLB, can't take
 * the old pair from any other.
 */
static void split(struct pmap_view *view, gpn_t gpn, u64 pair)
{
	u32 pages = arch_large_pages(pair);
	u64 first = ROUND_DOWN(gpn.v, pages), lo = arch_large_lo(pair);

	while (pages > 1 << LARGE_SHIFT) {
		u64 inner = ROUND_DOWN(gpn.v, pages / GROWTH);

		pages /= GROWTH;
		for (u32 i = 0; i < GROWTH; i++)
			if (first + i * pages != inner)
				set_words(view, first + i * pages, pages,
					  arch_large_pair(arch_neighbour_entry(lo, i * pages),
							  pages));
		lo = arch_neighbour_entry(lo, (s64)(inner - first));
		first = inner;
	}
	set_words(view, first, pages, 0);
}

void pmap_large_changed_locked(struct pmap *p, gpn_t gpn, u32 node)
{
	struct pmap_view *view = &p->view[node];
	u64 pair = view->large[gpn.v >> LARGE_SHIFT];

	pmap_assert_locked(p, gpn);
	if (pair)
		split(view, gpn, pair);
}

void pmap_large_released(struct pmap *p, gpn_t gpn, u32 node)
{
	set_words(&p->view[node], gpn.v, PIECE_PAGES, 0);
	p->view[node].held[gpn.v / PIECE_PAGES] = 0;
}

/* Those that were made for all address spaces go, as do the translations that the TLB has of them. */
static void end_alone(struct pmap *p, u32 node)
{
	struct pmap_view *view = &p->view[node];

	view->alone = false;
	for (gpn_t gpn = { 0 }; gpn.v < p->npages; gpn.v += PIECE_PAGES) {
		pmap_lock(p, gpn);
		set_words(view, gpn.v, PIECE_PAGES, 0);
		pmap_unlock(p, gpn);
	}
	mmu_flush_node();
}

void pmap_set_alone(struct pmap *p, u32 node, bool alone)
{
	if (p->view[node].alone && !alone)
		end_alone(p, node);
	p->view[node].alone = alone;
}

/* ---- pairs begin ---- */

/*
 * Whether the view shows the page by this entry, or would if it were asked for: it was not until now.
 * Of one moment, if the lock is not held.
 */
static bool could_show(const struct pmap *p, gpn_t gpn, u32 node, u64 lo)
{
	u64 shown = __atomic_load_n(&pmap_entry(p, gpn, node)->lo, __ATOMIC_RELAXED);

	if (shown)
		return shown == lo;
	return !pmap_page(p, gpn).busy && pmap_copies(p, gpn).master.v == arch_entry_page(lo).v;
}

/* The page is not in the view yet, and this entry would be its own. */
static bool shows_own(struct pmap *p, gpn_t gpn, u32 node, u64 lo)
{
	struct pmap_page page = pmap_page(p, gpn);

	return arch_page_entry(pmap_master(page)) == lo && pmap_show_own_locked(p, gpn, node, page);
}

static bool shows(struct vm *vm, gpn_t gpn, u32 node, u64 lo)
{
	struct pmap *p = &vm->pmap;
	u64 shown = p->view[node].entry[gpn.v].lo;

	if (shown == lo || (!shown && shows_own(p, gpn, node, lo)))
		return true;
	if (!could_show(p, gpn, node, lo))
		return false;
	if (!pmap_entry(p, gpn, node)->lo)
		pmap_fill_locked(vm, gpn, node);
	return pmap_entry(p, gpn, node)->lo == lo;
}

/* The entry of the first of this many pages around gpn, if they were one piece; 0: they cannot be. */
static u64 first_entry(const struct pmap *p, gpn_t gpn, u32 node, u32 pages)
{
	u64 first = ROUND_DOWN(gpn.v, pages);
	u64 shown = __atomic_load_n(&pmap_entry(p, gpn, node)->lo, __ATOMIC_RELAXED), lo;

	/* behind its memory xsseg is the guest's to map */
	if (!shown || first + pages > p->npages)
		return 0;
	lo = arch_neighbour_entry(shown, -(s64)(gpn.v - first));
	return arch_entry_page(lo).v % (pages / 2) ? 0 : lo;
}

/*
 * Without the lock, whose own LL and SC would break a reservation that the guest has (kernel/lock.h): most
 * misses are on pages that no pair fits around.
 */
static bool may_fit(const struct pmap *p, gpn_t gpn, u32 node)
{
	u32 pages = 1 << LARGE_SHIFT;
	u64 first = ROUND_DOWN(gpn.v, pages), lo = first_entry(p, gpn, node, pages);

	for (u32 i = 0; lo && i < pages; i++)
		if (!could_show(p, (gpn_t){ first + i }, node, arch_neighbour_entry(lo, i)))
			return false;
	return lo;
}

/* The pair of this many pages around gpn, which is shown, as are the `known` ones around it; 0: they do not fit. */
static u64 pair_of(struct vm *vm, gpn_t gpn, u32 node, u32 pages, u32 known)
{
	const struct pmap *p = &vm->pmap;
	u64 first = ROUND_DOWN(gpn.v, pages), lo = first_entry(p, gpn, node, pages);

	if (!lo)
		return 0;
	for (u32 i = 0; i < pages; i++)
		if (((first + i) ^ gpn.v) & ~(u64)(known - 1) &&
		    !shows(vm, (gpn_t){ first + i }, node, arch_neighbour_entry(lo, i)))
			return 0;
	return arch_large_pair(p->view[node].alone ? arch_global_entry(lo) : lo, pages);
}

/* The TLB may have the pair of that many pages from first on. */
static void hold(struct pmap_view *view, u64 first, u32 pages)
{
	u64 words = ~0ul >> (64 - (pages >> LARGE_SHIFT));

	view->held[first / PIECE_PAGES] |= words << (first % PIECE_PAGES >> LARGE_SHIFT);
}

/* The largest pair around gpn, which is shown. The TLB keeps no smaller page in its place. */
static u64 make_pair(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap_view *view = &vm->pmap.view[node];
	u64 found = 0, pair;
	u32 pages, most = mmu_largest_pair();

	for (pages = 1 << LARGE_SHIFT; pages <= most; pages *= GROWTH, found = pair) {
		pair = pair_of(vm, gpn, node, pages, found ? pages / GROWTH : 1);
		if (!pair)
			break;
	}
	if (!found)
		return 0;
	set_words(view, ROUND_DOWN(gpn.v, arch_large_pages(found)), arch_large_pages(found), found);
	mmu_flush_node();
	hold(view, ROUND_DOWN(gpn.v, arch_large_pages(found)), arch_large_pages(found));
	return found;
}

u64 pmap_large(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 pair = p->view[node].large[gpn.v >> LARGE_SHIFT];

	if (pair || !option_on(OPTION_LARGE) || !may_fit(p, gpn, node))
		return pair;
	pmap_lock(p, gpn);
	if (pmap_entry(p, gpn, node)->lo) /* or it is on its way by now */
		pair = make_pair(vm, gpn, node);
	pmap_unlock(p, gpn);
	return pair;
}
