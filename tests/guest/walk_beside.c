/* SPDX-License-Identifier: MIT */
/*
 * Rule: a page that the guest maps and never touches costs nothing: misses on the other page of its pair are served as if
 * both had been used, and when it is touched at last it is there. arch/mips/walk_fast.S.
 *
 * Method: pairs of which one half was used and the other is memory that was never used, in either order; the TLBs are
 * emptied again and again. The monitor counts no more misses that its assembly did not serve than when both have been used.
 */
#include "tests/guest/walk.h"

#define PAIRS  64u
#define ROUNDS 8u
#define UNUSED 1024u /* pages further on: no block of memory that was given with others (1 MB) */

static volatile u64 *address(unsigned pair, unsigned half)
{
	return (volatile u64 *)(VA_USER + (2ul * pair + half) * PAGE_SIZE);
}

/* Even pairs are used in their first half, odd ones in their second. */
static void use_all(bool other, unsigned *bad)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		volatile u64 *p = address(i, (i + other) % 2);

		*bad += *p != (other ? 0 : i + 1);
	}
}

static u64 slow_misses(void) { return (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_TLB, 0); }

/* Misses that assembly did not serve, while the TLBs are emptied again and again. */
static u64 go_round(unsigned *bad)
{
	u64 before = slow_misses();

	for (unsigned round = 0; round < ROUNDS; round++) {
		walk_flush(0, 0, 1);
		use_all(false, bad);
	}
	return slow_misses() - before;
}

int main(void)
{
	unsigned bad = 0;
	u64 alone, both;

	need_monitor();
	walk_tables();
	for (unsigned i = 0; i < PAIRS; i++) {
		page_va(i)[0] = i + 1;
		for (unsigned half = 0; half < 2; half++)
			*walk_entry(walk_last, (u64)address(i, half)) =
				PTE(page_pa(half == i % 2 ? i : UNUSED + i),
				    PRESENT | WRITE | WRITE_BITS);
	}
	walk_describe(walk_pointer(walk_root));
	check_eq("MMU_SETUP", (u64)walk_setup(), 0);
	walk_switch(1, walk_root);
	use_all(false, &bad);
	alone = go_round(&bad);
	use_all(true, &bad);
	both = go_round(&bad);
	check(alone < both + PAIRS,
	      "of %u misses %lu were not served in assembly, %lu of full pairs", ROUNDS * PAIRS,
	      (unsigned long)alone, (unsigned long)both);
	for (unsigned i = 0; i < PAIRS; i++)
		*address(i, (i + 1) % 2) = 0;
	walk_flush(0, 0, 1);
	use_all(false, &bad);
	use_all(true, &bad);
	check_eq("wrong values", bad, 0);
	return verdict();
}
