/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest whose exception vector cannot be fetched makes no further step: the monitor ends
 * that VM with one line saying why, and no other VM notices.
 *
 * Method: EBase is set to a csseg page that nothing maps, then SYSCALL.
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
	cp0_write_ebase((s32)VA_CSSEG);
	cp0_write_status(ST_BASE);
	asm volatile("syscall");
	print("the syscall came back\n");
	return 1;
}
