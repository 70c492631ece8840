/* SPDX-License-Identifier: MIT */
/*
 * Rule: what one VCPU does wrong ends its VM on all nodes, whatever the other VCPUs are doing.
 *
 * Method: seven VCPUs use memory, interrupt each other, flush, stop and start; then one of them
 * takes an exception while BEV is set.
 *
 * Ends: killed
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"
#include "tests/guest/walk.h"

static volatile u64 busy[SMP], together;

static void works(u64 id)
{
	smp_add(&together, 1);
	for (;;) {
		u64 n = ++busy[id];

		page_va((unsigned)(n + id) % 600)[id] = n;
		if (n % 16 == id)
			hypercall(DISCO_HC_IPI, (1ul << SMP) - 1, 0);
		if (n % 32 == id)
			hypercall4(DISCO_HC_MMU_FLUSH, 0, 0, ~0ul, DISCO_ALL_ASIDS);
		if (n % 8 == 0)
			hypercall(DISCO_HC_YIELD, 0, 0);
		if (n % 64 == 0 && id < SMP - 1) {
			guest_start_vcpu((unsigned)id % (SMP - 2) + 1, works, id);
			if (id & 1)
				return;
		}
	}
}

int main(void)
{
	need_monitor();
	smp_start_all(works);
	check(smp_wait(&together, SMP - 1), "%lu VCPUs came", (unsigned long)together);
	for (unsigned i = 0; i < 100; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	check(busy[SMP - 1] > 0, "nothing was done");
	verdict();
	cp0_write_status(ST_BASE | ST_BEV);
	asm volatile("break");
	print("the break came back\n");
	return 1;
}
