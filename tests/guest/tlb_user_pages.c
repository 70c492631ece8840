/* SPDX-License-Identifier: MIT */
/*
 * Rule: user and kernel mode share the TLB: a mapping of useg serves both, and user mode cannot use
 * a mapping of csseg or xsseg however it is marked. MD00090 4.3.
 *
 * Method: the same entries from both modes.
 */
#include "tests/guest/test.h"

int main(void)
{
	static const u64 kernel_only[] = { VA_CSSEG, VA_XSSEG };
	const struct trap *t;

	tag_page(0, 0xc000);
	tlb_map_at(TLB_FREE, VA_XUSER, 0, LO_RW(page_pa(0)), 0);
	check_load("kernel: xuseg", VA_XUSER, 0xc000);
	t = load(MODE_USER, VA_XUSER);
	check(!t->taken && t->v0 == 0xc000, "user: xuseg: %s", trap_name(t->exc));
	for (unsigned i = 0; i < ARRAY_SIZE(kernel_only); i++) {
		tlb_map_at(TLB_FREE + 1, kernel_only[i], 0, LO_RW(page_pa(0)) | LO_G, LO_G);
		check_load("kernel", kernel_only[i], 0xc000);
		EXPECT("user", load(MODE_USER, kernel_only[i]), .exc = EXC_ADEL, .at = test_ld,
		       .has_va = true, .va = kernel_only[i]);
		EXPECT("user", store(MODE_USER, kernel_only[i], 1), .exc = EXC_ADES, .at = test_sd,
		       .has_va = true, .va = kernel_only[i]);
		check_load("kernel again", kernel_only[i], 0xc000);
	}
	return verdict();
}
