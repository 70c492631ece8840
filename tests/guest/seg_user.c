/* SPDX-License-Identifier: MIT */
/*
 * Rule: user mode sees useg and xuseg only, everything else is an address error; kernel mode sees
 * both as well. MD00090 4.3, 4.4.
 *
 * Method: one load in each segment.
 */
#include "tests/guest/test.h"

static void refused(const char *what, u64 va)
{
	EXPECT(what, load(MODE_USER, va), .exc = EXC_ADEL, .at = test_ld, .has_va = true, .va = va);
}

int main(void)
{
	tag_page(0, 0xd000);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	tlb_map_at(TLB_FREE + 1, VA_XUSER, 0, LO_RW(page_pa(0)), 0);
	check_eq("user: useg", load(MODE_USER, VA_USER)->v0, 0xd000);
	check_eq("user: xuseg", load(MODE_USER, VA_XUSER)->v0, 0xd000);
	check_load("kernel: useg", VA_USER, 0xd000);
	check_load("kernel: xuseg", VA_XUSER, 0xd000);
	EXPECT("user: top of xuseg", load(MODE_USER, 0x0000fffffffff000), .exc = EXC_TLBL,
	       .vector = 0x80, .at = test_ld, .has_va = true, .va = 0x0000fffffffff000);
	refused("user: above xuseg", 0x0001000000000000);
	refused("user: csseg", 0xffffffffc0000000);
	refused("user: last page of csseg", 0xffffffffdffff000);
	refused("user: xsseg", 0x4000000000000000);
	refused("user: KSEG0", 0xffffffff80000000);
	refused("user: KSEG1", 0xffffffffa0000000);
	refused("user: kseg3", 0xffffffffe0000000);
	refused("user: XKPHYS", 0x9800000080000000);
	refused("user: xkseg", 0xc000000000000000);
	return verdict();
}
