/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VCPU that stopped can be started again by a VCPU of another node, VCPU 0 too; the VM goes
 * on as long as one runs, and is over, with code 0, when the last one stops - if all stop at once,
 * too. kernel/abi/disco.h.
 *
 * Method: each VCPU starts the next one and stops, many times round the ring; then all run, meet,
 * and stop at the same time.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"

#define HOPS 800

static volatile u64 hops, together;

static void stops(u64 id)
{
	(void)id;
	smp_add(&together, 1);
	smp_wait(&together, SMP);
}

/* The hop of this number, on VCPU hop % SMP. */
static void hop(u64 n)
{
	unsigned id = (unsigned)hypercall(DISCO_HC_VCPU_ID, 0, 0);

	if (id != n % SMP || hops != n)
		check(false, "hop %lu: VCPU %u, %lu hops before it", (unsigned long)n, id,
		      (unsigned long)hops);
	hops++;
	if (n < HOPS) {
		check_eq("start of the next", (u64)smp_start((unsigned)(n + 1) % SMP, hop, n + 1),
			 0);
		return;
	}
	for (unsigned i = 1; i < SMP; i++)
		check_eq("start of all", (u64)smp_start((unsigned)(n + i) % SMP, stops, 0), 0);
	smp_wait(&together, SMP - 1);
	verdict();
	stops(0);
}

int main(void)
{
	need_monitor();
	hop(0);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
	print("VCPU_STOP came back\n");
	return 1;
}
