/* SPDX-License-Identifier: MIT */
/*
 * Rule: with PageGrain.RIE, XIE and IEC set, a load from a page with RI raises TLBRI (19) and a
 * fetch from a page with XI raises TLBXI (20), both at 0x180; stores ignore RI, loads ignore XI.
 * MD00090 6.2.20, 6.2.21.
 *
 * Method: even page RI, odd page XI, in user and kernel mode.
 */
#include "tests/guest/test.h"

PROBE3(p_ld, "ld $2, 8($4)");
PROBE(p_sd, "sd $0, 8($4)");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

static void both(int mode, u64 va)
{
	tlb_map_at(TLB_FREE, va, 0, LO_RW(page_pa(0)) | LO_RI, LO_RW(page_pa(1)) | LO_XI);
	EXPECT3(mode, "load from RI", p_ld, va, 0, .exc = EXC_TLBRI, .has_va = true, .va = va + 8);
	expect_none("store to RI", probe_in(mode, p_sd, va, 0, 0));
	expect_none("load from XI", probe_in(mode, p_ld, va + PAGE_SIZE, 0, 0));
	EXPECT("fetch from XI", probe_in(mode, p_jump, va + PAGE_SIZE, 0, 0), .exc = EXC_TLBXI,
	       .no_insn = true, .at = (void *)(va + PAGE_SIZE), .has_va = true,
	       .va = va + PAGE_SIZE);
}

int main(void)
{
	both(MODE_USER, VA_USER);
	both(MODE_KERNEL, VA_USER);
	both(MODE_KERNEL, VA_CSSEG);
	both(MODE_KERNEL, VA_XSSEG);
	return verdict();
}
