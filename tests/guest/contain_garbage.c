/* SPDX-License-Identifier: MIT */
/*
 * Rule: a program that executes garbage gets exceptions, its kernel lives, and nothing outside its
 * VM changes.
 *
 * Method: 300 pages of pseudo-random words run in user mode, each until its first exception or the
 * timer; then random words as privileged instructions in kernel mode: COP0 moves from and
 * operations that cannot end the test.
 */
#include "tests/guest/test.h"

PROBE(p_jump, "jr $4\n\tnop");
PROBE(p_patch, "nop\n\tnop\n\tli $2, 7");

static u64 seed;

static u32 random32(void)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(seed >> 32);
}

int main(void)
{
	volatile u32 *code = (volatile u32 *)page_va(0);
	volatile u32 *patch = (volatile u32 *)p_patch;
	unsigned ended = 0;

	need_monitor();
	seed = guest_seed(42);
	probe_user_status = ST_BASE | ST_CU1 | ST_FR | ST_IE | ST_IM(7);
	probe_user_code_fixed =
		true; /* garbage may store to any address that a register leads to */
	for (int i = 0; i < 300; i++) {
		for (unsigned j = 0; j < 64; j++)
			code[j] = random32();
		asm volatile("synci 0(%0)\n\tsync" : : "r"(code) : "memory");
		tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
		timer_set(100000);
		ended += probe_user(p_jump, VA_USER, USER_DATA, USER_DATA)->taken;
	}
	check_eq("programs that ended", ended, 300);
	/* COP0 with rs = mfc0, dmfc0, mfhc0 into v1: any register, any select */
	for (unsigned i = 0; i < 3 * 256; i++) {
		patch[0] = 0x40030000 | (i / 256) << 21 | (i / 8 % 32) << 11 | i % 8;
		asm volatile("synci 0(%0)\n\tsync" : : "r"(patch) : "memory");
		probe(p_patch, 0, 0, 0);
	}
	/* CO functions but ERET, ERETNC, DERET, WAIT, HYPCALL */
	for (unsigned i = 0; i < 64; i++) {
		if (i == 0x18 || i == 0x1f || i == 0x20 || i == 0x28)
			continue;
		patch[0] = 0x42000000 | i;
		asm volatile("synci 0(%0)\n\tsync" : : "r"(patch) : "memory");
		probe(p_patch, 0, 0, 0);
	}
	patch[0] = 0;
	asm volatile("synci 0(%0)\n\tsync" : : "r"(patch) : "memory");
	check_eq("kernel is well", probe(p_patch, 0, 0, 0)->v0, 7);
	return verdict();
}
