/* SPDX-License-Identifier: MIT */
/*
 * Rule: a store to a page whose TLB entry has V = 1, D = 0 raises Mod (ExcCode 1) and stores
 * nothing; loads work. MD00090 6.2.22.
 *
 * Method: three positions in each segment and mode; SC is a store too.
 */
#include "tests/guest/test.h"

PROBE3(p_sd, "sd $0, 8($4)");
PROBE(p_ld, "ld $2, 8($4)");

static void map(u64 va)
{
	tlb_map_at(TLB_FREE, va, 0, LO_PA(page_pa(0)) | LO_C | LO_V, LO_RW(page_pa(1)));
}

#define MOD(mode, what, to) \
	EXPECT3(mode, what, p_sd, (to), 0, .exc = EXC_MOD, .has_va = true, .va = (to) + 8)

int main(void)
{
	page_va(0)[1] = 0x1234;
	map(VA_USER);
	MOD(MODE_KERNEL, "kernel: useg", VA_USER);
	MOD(MODE_USER, "user: useg", VA_USER);
	expect_none("store to the odd page", probe_user(p_sd, VA_USER + PAGE_SIZE, 0, 0));
	check_eq("load", probe_user(p_ld, VA_USER, 0, 0)->v0, 0x1234);
	map(VA_XUSER);
	MOD(MODE_USER, "user: xuseg", VA_XUSER);
	map(VA_CSSEG);
	MOD(MODE_KERNEL, "kernel: csseg", VA_CSSEG);
	map(VA_XSSEG);
	MOD(MODE_KERNEL, "kernel: xsseg", VA_XSSEG);
	check_eq("memory", page_va(0)[1], 0x1234);
	return verdict();
}
