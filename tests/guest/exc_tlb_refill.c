/* SPDX-License-Identifier: MIT */
/*
 * Rule: an access whose page no TLB entry matches raises TLBL or TLBS at the XTLB refill vector
 * (offset 0x080, since Status.KX/SX/UX are set); BadVAddr, EntryHi.VPN2, Context and XContext
 * describe the address. MD00090 6.2.18, 9.
 *
 * Method: loads, stores and fetches in every mapped segment, three positions, kernel and user mode.
 */
#include "tests/guest/test.h"

PROBE3(p_ld, "ld $2, 8($4)");
PROBE3(p_sd, "sd $0, 8($4)");
PROBE3(p_lb, "lb $2, 8($4)");
PROBE(p_jump, "jr $4\n\tnop");

#define MISS(mode, what, p, code, to) \
	EXPECT3(mode, what, p, (to), 0, .exc = code, .vector = 0x80, .has_va = true, .va = (to) + 8)
#define FETCH(mode, what, to)                                                             \
	EXPECT(what, probe_in(mode, p_jump, (to), 0, 0), .exc = EXC_TLBL, .vector = 0x80, \
	       .at = (void *)(to), .no_insn = true, .has_va = true, .va = (to))

int main(void)
{
	MISS(MODE_KERNEL, "kernel: load useg", p_ld, EXC_TLBL, VA_USER);
	MISS(MODE_KERNEL, "kernel: load xuseg", p_ld, EXC_TLBL, VA_XUSER);
	MISS(MODE_KERNEL, "kernel: load csseg", p_ld, EXC_TLBL, VA_CSSEG);
	MISS(MODE_KERNEL, "kernel: load xsseg", p_lb, EXC_TLBL, VA_XSSEG);
	MISS(MODE_KERNEL, "kernel: store useg", p_sd, EXC_TLBS, VA_USER);
	MISS(MODE_KERNEL, "kernel: store xuseg", p_sd, EXC_TLBS, VA_XUSER);
	MISS(MODE_KERNEL, "kernel: store csseg", p_sd, EXC_TLBS, VA_CSSEG);
	MISS(MODE_KERNEL, "kernel: store xsseg", p_sd, EXC_TLBS, VA_XSSEG);
	MISS(MODE_USER, "user: load useg", p_ld, EXC_TLBL, VA_USER);
	MISS(MODE_USER, "user: load xuseg", p_lb, EXC_TLBL, VA_XUSER);
	MISS(MODE_USER, "user: store useg", p_sd, EXC_TLBS, VA_USER);
	MISS(MODE_USER, "user: store xuseg", p_sd, EXC_TLBS, VA_XUSER);
	FETCH(MODE_KERNEL, "kernel: fetch useg", VA_USER);
	FETCH(MODE_KERNEL, "kernel: fetch csseg", VA_CSSEG);
	FETCH(MODE_KERNEL, "kernel: fetch xsseg", VA_XSSEG);
	FETCH(MODE_USER, "user: fetch xuseg", VA_XUSER);
	return verdict();
}
