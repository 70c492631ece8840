/* SPDX-License-Identifier: MIT */
/* pmap: pages that a VM has read and never written, which show the zero page of their reader's node. */
#include "arch/mips/arch.h"
#include "kernel/mem/hidden.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"

static u64 zero_entry(u32 node) { return arch_readonly_entry(arch_page_entry(nodes[node]->zero)); }

static void count(u64 *counter, u64 n) { __atomic_fetch_add(counter, n, __ATOMIC_RELAXED); }

static u64 counted(const u64 *counter) { return __atomic_load_n(counter, __ATOMIC_RELAXED); }

/* ---- whether it pays ---- */

#define WORTH \
	3 /* what two pages save that stay zero, one costs that is written after all, or less (docs/experiments/memory.md) */
#define CREDIT 64 /* pages, to begin with */
#define PROBE \
	128 /* then one page of so many, and those near it, are shown as zero still: the guest may do otherwise now */

/*
 * Each page that is shown as zero and written later costs more than one that was given at once: the zeroes are taken back
 * first. A program that reads a word before it writes it, such as a counter, does that to all of its memory; so a VM has
 * no more of them than what the others have saved pays for.
 */
static bool pays(struct pmap_zeroes *z)
{
	if (counted(&z->written) * WORTH <= counted(&z->given) + CREDIT)
		return true;
	return __atomic_fetch_add(&z->refused, 1, __ATOMIC_RELAXED) % PROBE == PROBE - 1;
}

/* ---- shown, and not any more ---- */

static bool is_unused(const struct pmap *p, gpn_t gpn)
{
	return !p->page[gpn.v].master && !p->page[gpn.v].busy;
}

static void show(struct pmap *p, gpn_t gpn, u32 node)
{
	if (!p->shown[gpn.v]) {
		pmap_count(&p->zero.pages, 1);
		count(&p->zero.given, 1);
	}
	p->shown[gpn.v] |= nodemask_of(node).bits;
	__atomic_store_n(&pmap_entry(p, gpn, node)->lo, zero_entry(node), __ATOMIC_RELEASE);
}

bool pmap_show_zero_locked(struct vm *vm, gpn_t gpn, u32 node)
{
	struct pmap *p = &vm->pmap;
	u64 first = gpn.v & ~(PMAP_NEAR - 1ul), end = MIN(first + PMAP_NEAR, (u64)p->npages);

	pmap_assert_locked(p, gpn);
	if (!option_on(OPTION_ZERO) || !pays(&p->zero))
		return false;
	for (gpn_t near = { first }; near.v < end; near.v++)
		if (is_unused(p, near) && !pmap_shown(p, near, node))
			show(p, near, node);
	return true;
}

/* From this page on as many as one shootdown is for; the page behind the last one looked at. */
static u64 hide_some(struct vm *vm, u64 next, u64 end)
{
	struct hidden h;

	hidden_begin(&h, vm);
	for (; next < end && h.drop.n < MMU_DROP_PAGES; next++)
		if (vm->pmap.shown[next])
			hidden_add(&h, (gpn_t){ next }, false);
	hidden_take_back(&h);
	count(&vm->pmap.zero.written, h.drop.n);
	return next;
}

void pmap_hide_zero_locked(struct vm *vm, gpn_t first, u32 npages)
{
	const u16 *shown = vm->pmap.shown;
	u64 next = first.v, end = first.v + npages;

	pmap_assert_locked(&vm->pmap, first);
	for (;;) {
		while (next < end && !shown[next])
			next++;
		if (next == end)
			return;
		next = hide_some(vm, next, end);
	}
}
