/* SPDX-License-Identifier: MIT */
/*
 * The neighbour that does nothing but compute, and looks at its watch: the share of the time for
 * which it ran, and the longest for which it did not. Bootargs: ms=N, for how long it looks (3000),
 * after 200 ms in which the other may settle.
 */
#include "guests/rivals/rivals.h"

#define SETTLE_MS 200
#define AWAY	  (18 * TICKS_US) /* longer than an interrupt that is handled on the way */

const char guest_name[] = "victim";

static u32 now(void)
{
	u32 count;

	asm volatile("rdhwr %0, $2" : "=r"(count));
	return count;
}

int main(void)
{
	u64 wanted = rivals_option("ms", 3000) * TICKS_MS, total = 0, ran = 0, longest = 0;
	u32 last, step;

	cp0_write_hwrena(0xf);
	for (last = now(); now() - last < SETTLE_MS * TICKS_MS;)
		;
	last = now();
	while (total < wanted) {
		step = now() - last;
		last += step;
		total += step;
		if (step < AWAY)
			ran += step;
		else if (step > longest)
			longest = step;
	}
	print("share %lu per mille, gap %lu us\n", (unsigned long)(ran * 1000 / total),
	      (unsigned long)(longest * 6 / 1000));
	return 0;
}
