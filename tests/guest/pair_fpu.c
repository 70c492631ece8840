/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VCPU's FPU registers and FCSR are its own, whatever else runs on its processor.
 *
 * Method: marks in all 32 and a rounding mode through many time slices, kernel and user mode.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

int main(void)
{
	need_monitor();
	for (int i = 0; i < 5; i++)
		pair_fpu(OURS);
	return verdict();
}
