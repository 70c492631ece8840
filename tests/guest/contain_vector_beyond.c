/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest whose exception vector lies where it has no memory makes no further step: the
 * monitor ends that VM with one line.
 *
 * Method: EBase is set to the last pages of the csseg window, then SYSCALL.
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
	cp0_write_ebase((s32)(DISCO_CSSEG_BASE + 0x0fff0000));
	cp0_write_status(ST_BASE);
	asm volatile("syscall");
	print("the syscall came back\n");
	return 1;
}
