/* SPDX-License-Identifier: MIT */
/*
 * Rule: a node without a free page gains none; everything goes on as before. The companion of
 * test_numa.py's test of that: touches all its memory, says so, and keeps it.
 *
 * Ends: spins
 */
#include "tests/guest/numa.h"

int main(void)
{
	extern char __image_end[];
	u64 pages = 0;

	need_monitor();
	/* a bus error ends the memory: the probe's load does not come back with a value */
	for (u64 pa = ROUND_UP(guest_pa(__image_end), PAGE_SIZE);; pa += PAGE_SIZE) {
		if (load(MODE_KERNEL, (u64)guest_va(pa))->taken)
			break;
		*(volatile u64 *)guest_va(pa) = ++pages;
	}
	check(pages > 100, "%lu pages", (unsigned long)pages);
	verdict();
	cp0_write_status(ST_BASE);
	for (;;)
		cp0_wait();
}
