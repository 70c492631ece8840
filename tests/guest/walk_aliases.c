/* SPDX-License-Identifier: MIT */
/*
 * Rule: a page that a guest maps at many addresses is taken back from all of them, wherever in the L2TLB their pairs are. arch/mips/walk_fast.S,
 * kernel/mem/pmap.h (struct pmap_entry).
 *
 * Method: a page at one to eight addresses, in four parts of the L2TLB and beside each other, read through all of them; then REMAP puts another page
 * in its place, and a write through one of them a third. All addresses show it.
 *
 * Needs: nothing
 */
#include "tests/guest/walk.h"

#define MANY   8u
#define ROUNDS 64u
#define PART   (512ul << 10) /* addresses whose pairs are in one part of the L2TLB */
#define PAGE   2u
#define SOURCE 8u

static volatile u64 *address(unsigned i)
{
	return (volatile u64 *)(VA_USER + i % 4 * PART + i / 4 * 2 * PAGE_SIZE);
}

/* Through n of them from `first` on. */
static void all_show(const char *what, unsigned first, unsigned n, u64 value)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned at = (first + i) % MANY;

		check(*address(at) == value, "%s, %u addresses: address %u shows %lx, wanted %lx",
		      what, n, at, (unsigned long)*address(at), (unsigned long)value);
	}
}

int main(void)
{
	unsigned passed = 0;

	need_monitor();
	walk_on();
	for (unsigned i = 0; i < MANY; i++)
		*walk_entry(walk_last, (u64)address(i)) =
			PTE(page_pa(PAGE), PRESENT | WRITE | WRITE_BITS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned n = 1 + round % MANY, first = round / MANY, source = SOURCE + round % 2;
		u64 value = 1000 + round;

		page_va(PAGE)[0] = value;
		all_show("a page", first, n, value);
		page_va(source)[0] = value * 2;
		if (hypercall(DISCO_HC_REMAP, page_pa(PAGE), page_pa(source)))
			continue; /* not now: a page is on its way to another node */
		passed++;
		all_show("another in its place", first, n, value * 2);
		*address((first + round) % MANY) = value * 3;
		all_show("written", first, n, value * 3);
		check_eq("the other one", page_va(source)[0], value * 2);
	}
	check(passed > ROUNDS / 2, "%u of %u pages were passed", passed, ROUNDS);
	return verdict();
}
