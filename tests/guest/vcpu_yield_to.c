/* SPDX-License-Identifier: MIT */
/*
 * Rule: YIELD_TO gives the rest of the time slice to the VCPU named, if that can run, and returns 0
 * when the caller's turn comes again; no VCPU of that number is EINVAL. Two that yield to each
 * other do not take turns from a third, nor from other VMs. kernel/abi/disco.h.
 *
 * Method: two VCPUs pass a token to and fro; then they do nothing but yield to each other, for half
 * a second, or longer if the host was busy with something else, while the third counts.
 *
 * Needs: vcpus=3
 */
#include "tests/guest/test.h"

#define ROUNDS	    300
#define HALF_SECOND 83000000u
#define LONG	    (40 * HALF_SECOND)

static volatile u64 token, third_runs, stop, turns[2];

static void passes(u64 id)
{
	for (u64 n = 0; n < ROUNDS;) {
		if (token % 2 == id) {
			token++;
			n++;
		}
		hypercall(DISCO_HC_YIELD_TO, !id, 0);
	}
	while (!stop) {
		turns[id]++;
		hypercall(DISCO_HC_YIELD_TO, !id, 0);
	}
}

static void third(u64 arg)
{
	(void)arg;
	while (!stop)
		third_runs++;
}

static void second(u64 arg) { passes(arg); }

int main(void)
{
	u32 start;
	u64 before;

	need_monitor();
	check_eq("no such VCPU", (u64)hypercall(DISCO_HC_YIELD_TO, 3, 0), (u64)-DISCO_EINVAL);
	check_eq("far from any", (u64)hypercall(DISCO_HC_YIELD_TO, ~0ul, 0), (u64)-DISCO_EINVAL);
	check_eq("one that is off", (u64)hypercall(DISCO_HC_YIELD_TO, 1, 0), 0);
	check_eq("oneself", (u64)hypercall(DISCO_HC_YIELD_TO, 0, 0), 0);
	check_eq("start", (u64)guest_start_vcpu(1, second, 1), 0);
	for (u64 n = 0; n < ROUNDS;) {
		if (token % 2 == 0) {
			token++;
			n++;
		}
		check_eq("YIELD_TO", (u64)hypercall(DISCO_HC_YIELD_TO, 1, 0), 0);
	}
	check(token >= 2 * ROUNDS - 1, "token %lu", (unsigned long)token);
	check_eq("start", (u64)guest_start_vcpu(2, third, 0), 0);
	start = cp0_read_count();
	while (!third_runs && cp0_read_count() - start < LONG)
		hypercall(DISCO_HC_YIELD_TO, 1, 0);
	before = third_runs;
	check(before != 0, "the third VCPU never ran");
	start = cp0_read_count();
	while (cp0_read_count() - start < HALF_SECOND ||
	       ((third_runs == before || turns[1] <= 10) && cp0_read_count() - start < LONG))
		hypercall(DISCO_HC_YIELD_TO, 1, 0);
	check(third_runs != before, "the third VCPU got nothing");
	check(turns[1] > 10, "the second had %lu turns", (unsigned long)turns[1]);
	stop = 1;
	return verdict();
}
