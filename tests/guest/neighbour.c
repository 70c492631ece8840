/* SPDX-License-Identifier: MIT */
/*
 * Rule: the companion of the pair_ tests: a guest that fills its memory, registers, FPU, CP0 and
 * TLB with patterns of its own while it shares a processor with them; and for which the same rules
 * hold.
 *
 * Method: two seconds of filling and checking.
 *
 * Runs: with pair_*
 */
#include "tests/guest/pair.h"

int main(void)
{
	u32 start = cp0_read_count();
	unsigned rounds = 0;

	need_monitor();
	do {
		fill_memory(NEIGHBOUR);
		pair_registers(NEIGHBOUR);
		pair_fpu(NEIGHBOUR);
		pair_cp0(NEIGHBOUR);
		pair_tlb(NEIGHBOUR);
		check_memory(NEIGHBOUR);
		rounds++;
	} while (cp0_read_count() - start < 2 * SECOND);
	check(rounds > 0, "no round");
	return verdict();
}
