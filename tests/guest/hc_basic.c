/* SPDX-License-Identifier: MIT */
/*
 * Rule: a monitor call takes its number in v0, returns its result there and changes no other
 * register; it works in delay and forbidden slots. kernel/abi/disco.h.
 *
 * Method: VERSION, VCPU_ID, YIELD, STAT in all positions; all caller-saved registers keep their
 * marks.
 */
#include "tests/guest/test.h"

#define HYPCALL ".word 0x42000028"
PROBE(p_call, "move $2, $4\n\tmove $4, $5\n\tmove $5, $6\n\t" HYPCALL);
PROBE(p_slot, "move $2, $4\n\tbeq $0, $0, 1f\n\t" HYPCALL "\n\tli $2, 99\n1:");
PROBE(p_forbidden, "move $2, $4\n\tmove $1, $0\n\tbnezc $1, 1f\n\t" HYPCALL "\n\tnop\n1:");
PROBE(p_marks,
      "li $3, 0x33\n\tli $4, 0x44\n\tli $5, 0x55\n\tli $6, 0x66\n\tli $7, 0x77\n\tli $8, 0x88\n\tli $9, 0x99\n\t"
      "li $10, 0xaa\n\tli $11, 0xbb\n\tli $12, 0xcc\n\tli $13, 0xdd\n\tli $14, 0xee\n\tli $15, 0xff\n\tli $24, 0x11\n\t"
      "li $25, 0x22\n\tli $1, 0x10\n\tli $2, 0\n\t" HYPCALL "\n\t"
      "move $2, $3\n\txor $2, $2, $4\n\txor $2, $2, $5\n\txor $2, $2, $6\n\txor $2, $2, $7\n\txor $2, $2, $8\n\t"
      "xor $2, $2, $9\n\txor $2, $2, $10\n\txor $2, $2, $11\n\txor $2, $2, $12\n\txor $2, $2, $13\n\txor $2, $2, $14\n\t"
      "xor $2, $2, $15\n\tdsll $2, $2, 8\n\tor $2, $2, $24\n\tdsll $2, $2, 8\n\tor $2, $2, $25\n\tdsll $2, $2, 8\n\tor $2, $2, $1");

int main(void)
{
	u64 before, after;

	need_monitor();
	check_eq("VERSION", probe(p_call, DISCO_HC_VERSION, 0, 0)->v0, DISCO_ABI_VERSION);
	check_eq("VERSION in a delay slot", probe(p_slot, DISCO_HC_VERSION, 0, 0)->v0,
		 DISCO_ABI_VERSION);
	check_eq("VERSION in a forbidden slot", probe(p_forbidden, DISCO_HC_VERSION, 0, 0)->v0,
		 DISCO_ABI_VERSION);
	check_eq("VCPU_ID", probe(p_call, DISCO_HC_VCPU_ID, 0, 0)->v0, 0);
	check_eq("YIELD", probe(p_call, DISCO_HC_YIELD, 0, 0)->v0, 0);
	check_eq("YIELD in a delay slot", probe(p_slot, DISCO_HC_YIELD, 0, 0)->v0, 0);
	check_eq("the other registers", probe(p_marks, 0, 0, 0)->v0,
		 (u64)(0x33 ^ 0x44 ^ 0x55 ^ 0x66 ^ 0x77 ^ 0x88 ^ 0x99 ^ 0xaa ^ 0xbb ^ 0xcc ^ 0xdd ^
		       0xee ^
		       0xff) << 24 |
			 0x112210);
	before = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_HYPCALL, 0);
	for (int i = 0; i < 10; i++)
		hypercall(DISCO_HC_VERSION, 0, 0);
	after = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_HYPCALL, 0);
	check_eq("STAT counts calls", after - before, 11);
	before = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_PRIV, 0);
	for (int i = 0; i < 10; i++)
		cp0_read_status();
	after = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_PRIV, 0);
	check(after - before >= 10 && after - before <= 14,
	      "STAT counts %lu privileged instructions for 10", (unsigned long)(after - before));
	check(hypercall(DISCO_HC_STAT, DISCO_STAT_EXITS, 0) > 0, "STAT of exits");
	check(hypercall(DISCO_HC_STAT, DISCO_STAT_TLB, 0) >= 0, "STAT of TLB misses");
	check(hypercall(DISCO_HC_STAT, DISCO_STAT_IRQ, 0) >= 0, "STAT of interrupts");
	return verdict();
}
