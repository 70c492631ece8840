/* SPDX-License-Identifier: MIT */
/*
 * A VM with VCPUs on two nodes, the second of which sleeps for good: the first flushes both, again
 * and again, and says for how long its calls wait for the second's node. Bootargs: calls=N (1000).
 *
 * Where time is instructions of all processors together (run.sh -d), a call seems to take, too, what
 * QEMU lets the other node run in the middle of it: some ms, if a timer of a node is due just then,
 * which is a matter of chance, and has been so for one call of 200 at most. So the mean leaves out
 * the longest fiftieth of the calls. What flushes themselves wait for shows in the others.
 */
#include "guests/rivals/rivals.h"

#define CALLS	 10000
#define LEFT_OUT 50 /* one call in so many */

const char guest_name[] = "shooter";

static u32 took[CALLS];
static volatile bool asleep;

static void sleeper(u64 arg)
{
	(void)arg;
	cp0_write_status(ST_BASE);
	asleep = true;
	for (;;)
		cp0_wait();
}

static int by_length(const void *a, const void *b)
{
	u32 left = *(const u32 *)a, right = *(const u32 *)b;

	return (left > right) - (left < right);
}

int main(void)
{
	u64 calls = MIN(rivals_option("calls", 1000), (u64)CALLS), sum = 0;
	u64 counted = calls - calls / LEFT_OUT;

	guest_start_vcpu(1, sleeper, 0);
	while (!asleep)
		hypercall(DISCO_HC_YIELD, 0, 0);
	for (u64 i = 0; i < calls; i++) {
		u32 start = cp0_read_count();

		rivals_flush(3);
		took[i] = cp0_read_count() - start;
		while (cp0_read_count() - start < 100 * TICKS_US)
			;
	}
	qsort(took, calls, sizeof(*took), by_length);
	for (u64 i = 0; i < counted; i++)
		sum += took[i];
	print("shootdown %lu ns, longest %lu us\n", (unsigned long)(sum * 6 / counted),
	      (unsigned long)((u64)took[calls - 1] * 6 / 1000));
	return 0;
}
