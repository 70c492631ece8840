/* SPDX-License-Identifier: MIT */
/*
 * Rule: a kernel that executes garbage harms its own VM only: that VM may die or spin, the others
 * do not notice.
 *
 * Method: pseudo-random words, a third of them COP0 or TLB instructions, run in kernel mode, each
 * page until its first exception or a timer tick, for ever, or until the VM has ruined itself.
 *
 * Ends: spins
 */
#include "tests/guest/test.h"

PROBE(p_jump, "jr $4\n\tnop");

static u64 seed;

static u32 random32(void)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(seed >> 32);
}

static u32 word(void)
{
	u32 w = random32();

	switch (w % 6) {
	case 0: return 0x40000000 | (w >> 6 & 0x01ffffff);
	case 1: return 0x42000000 | (w >> 8 & 0x3f);
	default: return random32();
	}
}

int main(void)
{
	volatile u32 *code = (volatile u32 *)page_va(0);

	need_monitor();
	seed = guest_seed(4711);
	check(true, "the rest is the monitor's");
	verdict();
	for (;;) {
		for (unsigned j = 0; j < 32; j++)
			code[j] = word();
		asm volatile("synci 0(%0)\n\tsync" : : "r"(code) : "memory");
		cp0_write_compare((s32)(cp0_read_count() + 200000));
		cp0_write_status(ST_BASE | ST_IE | ST_IM(7));
		probe(p_jump, (u64)code, (u64)page_va(4), (u64)page_va(5));
		cp0_write_status(ST_BASE);
	}
}
