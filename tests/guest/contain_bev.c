/* SPDX-License-Identifier: MIT */
/*
 * Rule: an exception while Status.BEV is set has no vector in a VM: the VM ends with one line
 * saying so.
 *
 * Method: BEV set, then BREAK.
 *
 * Ends: killed
 */
#include "tests/guest/test.h"

int main(void)
{
	need_monitor();
	check(true, "the rest is the monitor's");
	verdict();
	cp0_write_status(ST_BASE | ST_BEV);
	asm volatile("break");
	print("the break came back\n");
	return 1;
}
