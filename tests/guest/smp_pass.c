/* SPDX-License-Identifier: MIT */
/*
 * Rule: VCPUs that wait for each other by YIELD have their part of their processors, beside VMs that compute: who gives way is asked again soon, and
 * who is waited for is not the last on its node. docs/tour.md.
 *
 * Method: two VCPUs on two nodes, each beside a VM that computes all the time, pass a token to and fro for half a second, with a little to compute in between.
 * The rounds that that makes are printed; how many there must be, tests/guest/test_yield.py says.
 *
 * Ends: with others
 * Needs: vcpus=2 nodes=2
 */
#include "tests/guest/test.h"

#define HALF_SECOND 83333333u
#define LOOPS	    2000

static volatile u64 token, stop;

static void compute(void)
{
	for (volatile unsigned i = 0; i < LOOPS; i++)
		;
}

static void pass(u64 id)
{
	while (!stop) {
		if (token % 2 != id) {
			hypercall(DISCO_HC_YIELD, 0, 0);
			continue;
		}
		compute();
		token++;
	}
}

int main(void)
{
	u32 start;

	need_monitor();
	check_eq("start", (u64)guest_start_vcpu(1, pass, 1), 0);
	start = cp0_read_count();
	while (cp0_read_count() - start < HALF_SECOND) {
		if (token % 2)
			hypercall(DISCO_HC_YIELD, 0, 0);
		else
			compute(), token++;
	}
	print("smp_pass: %lu rounds\n", (unsigned long)(token / 2));
	stop = 1;
	return verdict();
}
