/* SPDX-License-Identifier: MIT */
/*
 * Rule: RESET by a VCPU of any node loads and starts the VM afresh, on all of its nodes; for the
 * caller it does not come back. kernel/abi/disco.h.
 *
 * Method: looks for what the run before left in memory, gives its verdict, starts all VCPUs, each
 * of which leaves marks; then one of them, by turns of Count, resets. The runner stops it after a
 * few.
 *
 * Needs: vcpus=8 nodes=8
 *
 * Ends: resets
 */
#include "tests/guest/smp.h"

#define MARK 0x5e5e7777ul

static volatile u64 in_data = 1, in_bss, together;

static void marks(u64 id)
{
	for (unsigned i = (unsigned)id; i < 600; i += SMP)
		page_va(i)[id] = MARK;
	in_data = in_bss = MARK;
	smp_add(&together, 1);
	smp_wait(&together, SMP);
	if (id == (cp0_read_count() >> 10) % SMP || id == SMP - 1) {
		hypercall(DISCO_HC_RESET, 0, 0);
		print("RESET came back\n");
	}
	for (;;)
		hypercall(DISCO_HC_YIELD, 0, 0);
}

int main(void)
{
	need_monitor();
	check_eq("data", in_data, 1);
	check_eq("bss", in_bss, 0);
	for (unsigned i = 0; i < 600; i++)
		for (unsigned id = 0; id < SMP; id++)
			if (page_va(i)[id])
				check(false, "page %u is not zero", i);
	smp_start_all(marks);
	verdict();
	marks(0);
	return 1;
}
