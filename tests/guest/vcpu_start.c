/* SPDX-License-Identifier: MIT */
/*
 * Rule: VCPU_START starts a VCPU at the pc, sp, gp and argument of its start block, in kernel mode
 * with interrupts off; twice is EBUSY; after VCPU_STOP it can be started again. kernel/abi/disco.h.
 *
 * Method: the second VCPU reports what it finds, stops, and is started again.
 *
 * Needs: vcpus=2
 */
#include "tests/guest/test.h"

static volatile u64 arg_seen, id_seen, cpunum_seen, starts;

static void second(u64 arg)
{
	arg_seen = arg;
	id_seen = (u64)hypercall(DISCO_HC_VCPU_ID, 0, 0);
	cpunum_seen = cp0_read_ebase() & EBASE_CPUNUM;
	starts++;
}

static bool wait_for(volatile u64 *what, u64 value)
{
	u32 start = cp0_read_count();

	while (*what != value)
		if (cp0_read_count() - start > 1500000000u)
			return false;
		else
			hypercall(DISCO_HC_YIELD, 0, 0);
	return true;
}

static void raw_start(void)
{
	static u64 block[4];

	block[0] = 0x1234;
	check_eq("start of the running VCPU 0",
		 (u64)hypercall(DISCO_HC_VCPU_START, 0, guest_pa(block)), (u64)-DISCO_EBUSY);
	check_eq("start with a bad block", (u64)hypercall(DISCO_HC_VCPU_START, 1, 16ul << 30),
		 (u64)-DISCO_EINVAL);
	check_eq("start with a block that wraps", (u64)hypercall(DISCO_HC_VCPU_START, 1, -8ul),
		 (u64)-DISCO_EINVAL);
	check_eq("start of VCPU 2", (u64)hypercall(DISCO_HC_VCPU_START, 2, guest_pa(block)),
		 (u64)-DISCO_EINVAL);
}

int main(void)
{
	need_monitor();
	raw_start();
	for (u64 i = 1; i <= 3; i++) {
		int result;
		u32 start = cp0_read_count();

		do /* it may still be on its way to VCPU_STOP */
			result = guest_start_vcpu(1, second, 0x1234567800000000 | i);
		while (result == -DISCO_EBUSY && cp0_read_count() - start < 1500000000u);
		check_eq("VCPU_START", (u64)result, 0);
		if (!check(wait_for(&starts, i), "VCPU 1 did not come"))
			break;
		check_eq("argument", arg_seen, 0x1234567800000000 | i);
		check_eq("VCPU_ID", id_seen, 1);
		check_eq("CPUNum", cpunum_seen, 1);
	}
	return verdict();
}
