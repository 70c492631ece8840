/* SPDX-License-Identifier: MIT */
/*
 * Rule: memory that a guest only reads is zero and takes none of the machine's. The companion of test_sharing.py's test of
 * that: reads all its memory, says so, and waits.
 *
 * Ends: spins
 */
#include "tests/guest/test.h"

int main(void)
{
	extern char __image_end[];
	u64 pages = 0, sum = 0, tree = guest_boot.a[1] & ~(PAGE_SIZE - 1ul); /* is not zero */

	need_monitor();
	/* a bus error ends the memory: the probe's load does not come back with a value */
	for (u64 pa = ROUND_UP(guest_pa(__image_end), PAGE_SIZE);; pa += PAGE_SIZE, pages++) {
		const volatile u64 *words = guest_va(pa);

		if (load(MODE_KERNEL, (u64)words)->taken)
			break;
		for (u64 i = 0; (u64)words < tree && i < PAGE_SIZE / sizeof(u64); i++)
			sum |= words[i];
	}
	check(pages > 100, "%lu pages", (unsigned long)pages);
	check(!sum, "what nobody wrote is not zero");
	verdict();
	cp0_write_status(ST_BASE);
	for (;;)
		cp0_wait();
}
