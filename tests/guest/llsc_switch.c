/* SPDX-License-Identifier: MIT */
/*
 * Rule: an SC after the processor ran another VCPU fails, as it would after any ERET of an
 * operating system. First rule of "Surprises", risks.
 *
 * Method: LL; YIELD to a busy neighbour; SC: none may succeed; without the YIELD most do.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

PROBE(p_yield, "ll $3, 0($4)\n\tli $2, 9\n\t.word 0x42000028\n\tsc $3, 0($4)\n\tmove $2, $3");
PROBE(p_plain, "ll $3, 0($4)\n\tmfc0 $2, $12\n\tsc $3, 0($4)\n\tmove $2, $3");

int main(void)
{
	unsigned with = 0, without = 0;

	need_monitor();
	for (int i = 0; i < 10; i++) {
		with += probe(p_yield, (u64)page_va(0), 0, 0)->v0 != 0;
		without += probe(p_plain, (u64)page_va(0), 0, 0)->v0 != 0;
	}
	check_eq("SC after YIELD", with, 0);
	check(without >= 5, "SC without YIELD: %u of 10", without);
	return verdict();
}
