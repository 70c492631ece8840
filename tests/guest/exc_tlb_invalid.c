/* SPDX-License-Identifier: MIT */
/*
 * Rule: an access to a page whose TLB entry has V = 0 raises TLBL or TLBS at the general vector
 * 0x180, not at the refill vector. MD00090 6.2.19.
 *
 * Method: the even page valid and the odd one not; loads, stores and fetches in three positions.
 */
#include "tests/guest/test.h"

PROBE3(p_ld, "ld $2, 8($4)");
PROBE3(p_sd, "sd $0, 8($4)");
PROBE(p_jump, "jr $4\n\tnop");

#define INVALID(mode, what, p, code, to) \
	EXPECT3(mode, what, p, (to), 0, .exc = code, .has_va = true, .va = (to) + 8)

static void map(u64 va)
{
	tlb_map_at(TLB_FREE, va, 0, LO_RW(page_pa(0)), LO_PA(page_pa(1)) | LO_C | LO_D);
}

int main(void)
{
	map(VA_USER);
	expect_none("the even page", probe(p_ld, VA_USER, 0, 0));
	INVALID(MODE_KERNEL, "kernel: load useg", p_ld, EXC_TLBL, VA_USER + PAGE_SIZE);
	INVALID(MODE_KERNEL, "kernel: store useg", p_sd, EXC_TLBS, VA_USER + PAGE_SIZE);
	INVALID(MODE_USER, "user: load useg", p_ld, EXC_TLBL, VA_USER + PAGE_SIZE);
	INVALID(MODE_USER, "user: store useg", p_sd, EXC_TLBS, VA_USER + PAGE_SIZE);
	EXPECT("user: fetch useg", probe_user(p_jump, VA_USER + PAGE_SIZE, 0, 0), .exc = EXC_TLBL,
	       .no_insn = true, .at = (void *)(VA_USER + PAGE_SIZE), .has_va = true,
	       .va = VA_USER + PAGE_SIZE);
	map(VA_CSSEG);
	INVALID(MODE_KERNEL, "kernel: load csseg", p_ld, EXC_TLBL, VA_CSSEG + PAGE_SIZE);
	INVALID(MODE_KERNEL, "kernel: store csseg", p_sd, EXC_TLBS, VA_CSSEG + PAGE_SIZE);
	map(VA_XSSEG);
	INVALID(MODE_KERNEL, "kernel: load xsseg", p_ld, EXC_TLBL, VA_XSSEG + PAGE_SIZE);
	return verdict();
}
