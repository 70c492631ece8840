/* SPDX-License-Identifier: MIT */
/*
 * Rule: YIELD_TO of a VCPU on another node gives the processor away as YIELD does, and harms
 * nobody; time goes by for all VCPUs alike. kernel/abi/disco.h.
 *
 * Method: a token goes round the ring of eight VCPUs, each naming the next one in YIELD_TO; with it
 * goes a reading of Count, which must never go back.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"

#define TURNS 300

static volatile u64 token, reading, back, done;

static void passes(u64 id)
{
	for (u64 n = 0; n < TURNS; n++) {
		u32 start = cp0_read_count();

		while (token != n * SMP + id) {
			if (hypercall(DISCO_HC_YIELD_TO, (id + 1) % SMP, 0) ||
			    cp0_read_count() - start > SMP_LIMIT)
				smp_late = 1;
			if (smp_late)
				return;
		}
		back += token && (s32)(cp0_read_count() - (u32)reading) < 0;
		reading = cp0_read_count();
		token = n * SMP + id + 1;
	}
	smp_add(&done, 1);
}

int main(void)
{
	need_monitor();
	check_eq("one that is off", (u64)hypercall(DISCO_HC_YIELD_TO, SMP - 1, 0), 0);
	check_eq("no such VCPU", (u64)hypercall(DISCO_HC_YIELD_TO, SMP, 0), (u64)-DISCO_EINVAL);
	smp_start_all(passes);
	passes(0);
	smp_wait(&done, SMP);
	check_eq("token", token, TURNS * SMP);
	check_eq("readings of Count that were behind", back, 0);
	check_eq("late", smp_late, 0);
	return verdict();
}
