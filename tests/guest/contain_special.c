/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest that fills its special page with all ones, Status and EBase too, ends at its next
 * exception, with one line that says why; nothing else ends. kernel/abi/disco.h.
 *
 * Method: just that.
 *
 * Ends: killed
 */
#include "tests/guest/test.h"

int main(void)
{
	volatile u64 *page = (volatile u64 *)DISCO_SPECIAL_PAGE;

	need_monitor();
	check(true, "the rest is the monitor's");
	verdict();
	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		page[i] = ~0ul;
	asm volatile("break");
	print("the break came back\n");
	return 1;
}
