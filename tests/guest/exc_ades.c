/* SPDX-License-Identifier: MIT */
/*
 * Rule: a store to an address that the mode may not use, or beyond SEGBITS, raises AdES (ExcCode 5)
 * with BadVAddr at 0x180, whatever the TLB holds. MD00090 4.3, 6.2.16.
 *
 * Method: stores of several widths in three positions; the first page of each segment that user
 * mode must not see.
 */
#include "tests/guest/test.h"

PROBE3(p_sd, "sd $0, 8($4)");
PROBE1(p_sb, "sb $0, 8($4)");
PROBE1(p_sw, "sw $0, 9($4)");

static void refused(int mode, const char *what, u64 base)
{
	EXPECT3(mode, "sd", p_sd, base, 0, .exc = EXC_ADES, .has_va = true, .va = base + 8);
	EXPECT("sb", probe_in(mode, p_sb, base, 0, 0), .exc = EXC_ADES, .at = p_sb_at,
	       .has_va = true, .va = base + 8);
	EXPECT("sw", probe_in(mode, p_sw, base, 0, 0), .exc = EXC_ADES, .at = p_sw_at,
	       .has_va = true, .va = base + 9);
	print("%s done\n", what);
}

int main(void)
{
	refused(MODE_KERNEL, "kernel: xuseg beyond SEGBITS", 1ull << 48);
	refused(MODE_KERNEL, "kernel: xsseg beyond SEGBITS", 0x4001000000000000);
	refused(MODE_USER, "user: xuseg beyond SEGBITS", 1ull << 48);
	refused(MODE_USER, "user: KSEG0", 0xffffffff80000000);
	refused(MODE_USER, "user: KSEG1", 0xffffffffa0000000);
	refused(MODE_USER, "user: csseg", 0xffffffffc0000000);
	refused(MODE_USER, "user: mapped csseg", 0xffffffffd0000000);
	refused(MODE_USER, "user: kseg3", 0xffffffffe0000000);
	refused(MODE_USER, "user: xsseg", 0x4000000000000000);
	refused(MODE_USER, "user: XKPHYS", 0x9800000080000000);
	refused(MODE_USER, "user: xkseg", 0xc000000000000000);
	return verdict();
}
