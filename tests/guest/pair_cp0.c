/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VCPU's CP0 registers are its own, those that the machine holds (UserLocal, HWREna) too.
 *
 * Method: marks through many time slices; UserLocal read by RDHWR in user mode.
 *
 * Runs: with neighbour
 */
#include "tests/guest/pair.h"

int main(void)
{
	need_monitor();
	for (int i = 0; i < 5; i++)
		pair_cp0(OURS);
	return verdict();
}
