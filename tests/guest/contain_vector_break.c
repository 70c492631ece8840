/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest that takes an exception in the first instruction of its own vector for ever is
 * contained: it is killed, or it keeps spinning in its own time; the others do not notice.
 *
 * Method: a vector page that holds BREAK. The runner stops the VM if the monitor did not.
 *
 * Ends: spins
 */
#include "tests/guest/test.h"

int main(void)
{
	volatile u32 *page = (volatile u32 *)page_va(0);

	need_monitor();
	check(true, "the rest is the monitor's");
	verdict();
	for (unsigned i = 0; i < PAGE_SIZE / 4; i++)
		page[i] = 0x0000000d;
	asm volatile("synci 0(%0)\n\tsync" : : "r"(page) : "memory");
	cp0_write_status(ST_BASE | ST_BEV);
	cp0_write_ebase((s32)(u64)page);
	cp0_write_status(ST_BASE);
	asm volatile("syscall");
	print("the syscall came back\n");
	return 1;
}
