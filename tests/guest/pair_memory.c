/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VM's memory is zero when it gets it and nobody else's afterwards.
 *
 * Method: every word that is not image, stack or device tree is read at the start; then a pattern
 * is kept for a while.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

int main(void)
{
	need_monitor();
	u64 wrong = 0, foreign = 0;

	for (u64 pa = PAIR_FROM; pa < PAIR_TO; pa += 8) {
		u64 w = *(volatile u64 *)guest_va(pa);
		bool tree = guest_boot.a[1] - (u64)guest_va(pa & ~0xfffful) < 0x10000;

		wrong += w != 0 && !tree;
		foreign += (w & PATTERN_MASK) == NEIGHBOUR;
	}
	check_eq("words that were not zero", wrong, 0);
	check_eq("words of the neighbour", foreign, 0);
	for (int i = 0; i < 3; i++) {
		fill_memory(OURS);
		probe(pair_spin, 0, SPIN_LOOPS, 0);
		check_memory(OURS);
	}
	return verdict();
}
