/* SPDX-License-Identifier: MIT */
/*
 * Rule: TLBP sets Index to the matching entry, or Index.P when there is none; it looks at the VPN2,
 * the page mask, the ASID and G. EntryHi is not changed. MD00090 TLBP.
 *
 * Method: hits and misses around one entry in each segment, and after it was replaced.
 */
#include "tests/guest/test.h"

static const u64 vas[] = { VA_USER, VA_XUSER, VA_CSSEG, VA_XSSEG };

int main(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(vas); i++) {
		u64 va = vas[i];

		check_eq("before", (u64)tlb_probe(va, 7), -1ul);
		tlb_map_at(TLB_FREE + i % 2, va, 7, LO_RW(page_pa(0)), 0);
		check_eq("even page", (u64)tlb_probe(va, 7), TLB_FREE + i % 2);
		check_eq("odd page", (u64)tlb_probe(va + PAGE_SIZE, 7), TLB_FREE + i % 2);
		check_eq("next pair", (u64)tlb_probe(va + 2 * PAGE_SIZE, 7), -1ul);
		check_eq("other ASID", (u64)tlb_probe(va, 8), -1ul);
		cp0_write_entryhi(HI_VPN(va) | 7);
		asm volatile("tlbp\n\tehb");
		check_eq("EntryHi after tlbp", cp0_read_entryhi(), HI_VPN(va) | 7);
		cp0_write_entryhi(0);
		tlb_map_at(TLB_FREE + i % 2, va + 2 * PAGE_SIZE, 7, LO_RW(page_pa(0)), 0);
		check_eq("after replacing", (u64)tlb_probe(va, 7), -1ul);
		print("segment %u done\n", i);
	}
	return verdict();
}
