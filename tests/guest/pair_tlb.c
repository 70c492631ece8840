/* SPDX-License-Identifier: MIT */
/*
 * Rule: two VMs that map the same addresses under the same ASID each see their own memory.
 *
 * Method: loads from four segments through many time slices.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

int main(void)
{
	need_monitor();
	for (int i = 0; i < 5; i++)
		pair_tlb(OURS);
	return verdict();
}
