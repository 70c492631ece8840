/* SPDX-License-Identifier: MIT */
/*
 * Rule: two virtual addresses may map one physical page; what is stored through one is read through
 * the other, through every segment and the unmapped window. MD00090 4.
 *
 * Method: one page mapped in useg, csseg and xsseg at once; each stores, all read.
 */
#include "tests/guest/test.h"

int main(void)
{
	static const u64 vas[] = { VA_USER, VA_XUSER, VA_CSSEG, VA_XSSEG };

	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++)
		tlb_map_at(TLB_FREE + i, vas[i], 0, LO_RW(page_pa(0)), LO_RW(page_pa(0)));
	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++) {
		check(!store(MODE_KERNEL, vas[i], 0xa000 + i)->taken, "store %u", i);
		for (unsigned j = 0; j < ARRAY_SIZE(vas); j++)
			check_load("alias", vas[j] + PAGE_SIZE, 0xa000 + i);
		check_eq("window", page_va(0)[0], 0xa000 + i);
	}
	page_va(0)[0] = 0xbeef;
	check_load("after a store by the window", VA_USER, 0xbeef);
	return verdict();
}
