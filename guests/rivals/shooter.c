/* SPDX-License-Identifier: MIT */
/*
 * A VM with VCPUs on two nodes, the second of which sleeps for good: the first flushes both, again
 * and again, and says for how long its calls wait for the second's node. Bootargs: calls=N (1000).
 */
#include "guests/rivals/rivals.h"

const char guest_name[] = "shooter";

static volatile bool asleep;

static void sleeper(u64 arg)
{
	(void)arg;
	cp0_write_status(ST_BASE);
	asleep = true;
	for (;;)
		cp0_wait();
}

int main(void)
{
	u64 calls = rivals_option("calls", 1000), sum = 0, longest = 0;

	guest_start_vcpu(1, sleeper, 0);
	while (!asleep)
		hypercall(DISCO_HC_YIELD, 0, 0);
	for (u64 i = 0; i < calls; i++) {
		u32 start = cp0_read_count(), took;

		rivals_flush(3);
		took = cp0_read_count() - start;
		sum += took;
		longest = MAX(longest, (u64)took);
		while (cp0_read_count() - start < 100 * TICKS_US)
			;
	}
	print("shootdown %lu ns, longest %lu us\n", (unsigned long)(sum * 6 / calls),
	      (unsigned long)(longest * 6 / 1000));
	return 0;
}
