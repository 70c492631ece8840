/* SPDX-License-Identifier: MIT */
/*
 * Rule: TLBWR never replaces an entry below Wired. MD00090 9.7, TLBWR.
 *
 * Method: Wired = 3, three entries by TLBWI, then four times the size of the TLB by TLBWR; the
 * three must be what they were.
 */
#include "tests/guest/test.h"

int main(void)
{
	unsigned n = tlb_entries(), hits = 0;

	check(n >= 16, "a TLB of %u entries", n);
	cp0_write_wired(3);
	check_eq("Wired", cp0_read_wired(), 3);
	for (unsigned i = 0; i < 3; i++) {
		tag_page(i, 0x6000 + i);
		tlb_map_at(i, VA_CSSEG + i * 2 * PAGE_SIZE, 0, LO_RW(page_pa(i)) | LO_G, LO_G);
	}
	tag_page(3, 0x6003);
	for (unsigned i = 0; i < 4 * n; i++)
		tlb_write_random((struct tlb_entry){ .hi = VA_USER + i * 2 * PAGE_SIZE,
						     .lo0 = LO_RW(page_pa(3)) });
	for (unsigned i = 0; i < 3; i++) {
		check_load("wired", VA_CSSEG + i * 2 * PAGE_SIZE, 0x6000 + i);
		check_eq("index of a wired entry", (u64)tlb_probe(VA_CSSEG + i * 2 * PAGE_SIZE, 0),
			 i);
	}
	check_load("the last one written", VA_USER + (4 * n - 1) * 2 * PAGE_SIZE, 0x6003);
	for (unsigned i = 3; i < n; i++)
		hits += tlb_read_at(i).lo0 == (LO_RW(page_pa(3)));
	check(hits > 0, "no random entry is left");
	cp0_write_wired(0);
	return verdict();
}
