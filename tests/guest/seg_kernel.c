/* SPDX-License-Identifier: MIT */
/*
 * Rule: kernel mode uses useg, xuseg, xsseg and csseg through the TLB, at their first and last
 * pages; and addresses between the segments (beyond SEGBITS = 48) are address errors.
 * MD00090 4.3, 4.4.
 *
 * Method: a page mapped at the edges of each; loads and stores through it.
 */
#include "tests/guest/test.h"

static const u64 edges[] = {
	0x0000000000000000, 0x000000007fffe000, 0x0000000080000000,
	0x00000000ffffe000, 0x0000fffffffa0000, 0x4000000200000000,
	0x40000ffffffa0000, 0xffffffffd0000000, 0xffffffffdfffc000,
};
static const u64 errors[] = { 0x0001000000000000, 0x3ffffffffffff000, 0x4001000000000000,
			      0x7ffffffffffff000 };

int main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(edges); i++) {
		u64 va = edges[i];

		tag_page(0, 0xf000 + i);
		tag_page(1, 0xf100 + i);
		check_miss(text("edge %u", i), va);
		tlb_map_at(TLB_FREE, va, 0, LO_RW(page_pa(0)), LO_RW(page_pa(1)));
		check_load(text("edge %u", i), va, 0xf000 + i);
		check_load(text("edge %u, odd page", i), va + PAGE_SIZE, 0xf100 + i);
		check(!store(MODE_KERNEL, va + PAGE_SIZE, 0xf200 + i)->taken, "store");
		check_eq("memory", page_va(1)[0], 0xf200 + i);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(errors); i++)
		EXPECT("between", load(MODE_KERNEL, errors[i]), .exc = EXC_ADEL, .at = test_ld,
		       .has_va = true, .va = errors[i]);
	return verdict();
}
