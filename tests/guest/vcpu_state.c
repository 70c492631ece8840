/* SPDX-License-Identifier: MIT */
/*
 * Rule: each VCPU has its own CP0, TLB, timer and FPU.
 *
 * Method: both VCPUs write marks of their own everywhere, meet, and look.
 *
 * Needs: vcpus=2
 */
#include "tests/guest/pair.h"

static volatile u64 at[2];

static bool meet(u64 id, u64 where)
{
	u32 start = cp0_read_count();

	at[id] = where;
	while (at[!id] < where) {
		if (cp0_read_count() - start > 1500000000u)
			return false;
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	return true;
}

static void work(u64 id)
{
	u64 who = id ? NEIGHBOUR : OURS;

	cp0_write_kscratch2(who);
	cp0_write_userlocal(who);
	cp0_write_context(who << 1);
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	tlb_map_at(TLB_FREE, VA_CSSEG, 0, LO_RW(page_pa(4 + (unsigned)id)), 0);
	page_va(4 + (unsigned)id)[0] = who;
	if (id)
		timer_set(100000);
	check(meet(id, 1), "VCPU %lu waits in vain", (unsigned long)id);
	check_eq("FPU registers", probe(pair_fpr, who, SPIN_LOOPS, id)->v0, 0);
	check_eq("KScratch2", cp0_read_kscratch2(), who);
	check_eq("UserLocal", cp0_read_userlocal(), who);
	check_eq("own TLB entry", load(MODE_KERNEL, VA_CSSEG)->v0, who);
	if (id) {
		u32 start = cp0_read_count();

		while (!(cp0_read_cause() & CAUSE_TI) && cp0_read_count() - start < 1000000000u)
			;
		check_eq("TI of VCPU 1", cp0_read_cause() & CAUSE_TI, CAUSE_TI);
		tlb_clear();
	}
	check(meet(id, 2), "VCPU %lu waits in vain", (unsigned long)id);
	if (!id) {
		check_eq("TI of VCPU 0", cp0_read_cause() & CAUSE_TI, 0);
		check_eq("TLB entry after the other's tlbinvf", load(MODE_KERNEL, VA_CSSEG)->v0,
			 who);
	}
	check(meet(id, 3), "VCPU %lu waits in vain", (unsigned long)id);
}

int main(void)
{
	need_monitor();
	cp0_write_compare((s32)(cp0_read_count() - 1));
	check_eq("start", (u64)guest_start_vcpu(1, work, 1), 0);
	work(0);
	return verdict();
}
