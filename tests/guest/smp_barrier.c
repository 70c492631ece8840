/* SPDX-License-Identifier: MIT */
/*
 * Rule: VCPUs that spin on each other, without a word to the monitor, get on (kernel/sched/turn.h).
 *
 * Method: all pass barriers, at which they spin; it says how long one took. test_guest.py compares that with
 * what it is where QEMU alone changes the turns.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"

#define BARRIERS 20

static volatile u64 arrived, passed;

static void barriers(u64 id)
{
	(void)id;
	for (u64 n = 1; n <= BARRIERS; n++) {
		if (smp_add(&arrived, 1) == n * SMP)
			passed = n;
		while (passed < n)
			;
	}
}

int main(void)
{
	u32 start;

	need_monitor();
	smp_start_all(barriers);
	start = cp0_read_count();
	barriers(0);
	print("%u us a barrier\n", (cp0_read_count() - start) / (BARRIERS * 167));
	return verdict();
}
