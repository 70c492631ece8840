/* SPDX-License-Identifier: MIT */
/*
 * Rule: a load or store through a valid TLB entry to a physical address with nothing behind it
 * raises DBE (ExcCode 7), a fetch IBE (6), at 0x180. MD00090 6.2.23.
 *
 * Method: a page at 16 GB, where neither the machine nor any VM has memory. BadVAddr is not
 * defined.
 */
#include "tests/guest/test.h"

PROBE3(p_ld, "ld $2, 8($4)");
PROBE3(p_sd, "sd $0, 8($4)");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

#define NOWHERE (16ull << 30)

static void all(int mode, u64 va)
{
	tlb_map_at(TLB_FREE, va, 0, LO_RW(NOWHERE), LO_RW(NOWHERE + PAGE_SIZE));
	EXPECT3(mode, "load", p_ld, va, 0, .exc = EXC_DBE, .no_insn = true);
	EXPECT3(mode, "store", p_sd, va + PAGE_SIZE, 0, .exc = EXC_DBE, .no_insn = true);
	EXPECT("fetch", probe_in(mode, p_jump, va, 0, 0), .exc = EXC_IBE, .no_insn = true,
	       .at = (void *)va);
}

int main(void)
{
	all(MODE_USER, VA_USER);
	all(MODE_KERNEL, VA_USER);
	all(MODE_KERNEL, VA_CSSEG);
	all(MODE_KERNEL, VA_XSSEG);
	return verdict();
}
