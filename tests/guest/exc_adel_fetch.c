/* SPDX-License-Identifier: MIT */
/*
 * Rule: a jump to an address whose low two bits are not zero, or beyond SEGBITS, raises AdEL on the
 * fetch: EPC = BadVAddr = the target, BD clear. MD00090 6.2.16.
 *
 * Method: jr from kernel and user mode.
 */
#include "tests/guest/test.h"

PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

static void jump(int mode, const char *what, u64 to)
{
	EXPECT(what, probe_in(mode, p_jump, to, 0, 0), .exc = EXC_ADEL, .at = (void *)to,
	       .no_insn = true, .has_va = true, .va = to);
}

int main(void)
{
	/* The alignment is looked at when the word has been fetched: the page must be there. */
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
	tlb_map_at(TLB_FREE + 1, VA_CSSEG, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
	jump(MODE_KERNEL, "kernel: odd halfword", VA_USER + 2);
	jump(MODE_USER, "user: odd halfword", VA_USER + 2);
	jump(MODE_KERNEL, "kernel: odd byte", VA_CSSEG + 5);
	jump(MODE_KERNEL, "kernel: xuseg beyond SEGBITS", 1ull << 48);
	jump(MODE_KERNEL, "kernel: xsseg beyond SEGBITS", 0x4001000000000000);
	jump(MODE_USER, "user: csseg", 0xffffffffd0000000);
	jump(MODE_USER, "user: xsseg", 0x4000000200000000);
	jump(MODE_USER, "user: KSEG0", 0xffffffff80000000);
	jump(MODE_USER, "user: XKPHYS", 0x9800000080000000);
	return verdict();
}
