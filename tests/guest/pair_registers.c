/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VCPU's general registers are its own, whatever else runs on its processor.
 *
 * Method: marks in all of them through many time slices, kernel and user mode.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

int main(void)
{
	need_monitor();
	for (int i = 0; i < 5; i++)
		pair_registers(OURS);
	return verdict();
}
