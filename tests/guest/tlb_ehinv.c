/* SPDX-License-Identifier: MIT */
/*
 * Rule: with Config4.IE >= 2 a TLBWI with EntryHi.EHINV = 1 makes the entry invalid: it matches
 * nothing, TLBP misses, TLBR returns EHINV = 1. MD00090 9.9.
 *
 * Method: map, read, invalidate by EHINV, miss; map again over it.
 */
#include "tests/guest/test.h"

int main(void)
{
	check(((cp0_read_config4() >> 29) & 3) >= 2, "Config4.IE");
	tag_page(0, 0x3000);
	for (int round = 0; round < 2; round++) {
		tlb_map_at(TLB_FREE, VA_XUSER, 0, LO_RW(page_pa(0)), 0);
		check_load("mapped", VA_XUSER, 0x3000);
		check_eq("EHINV of a valid entry", tlb_read_at(TLB_FREE).hi & HI_EHINV, 0);
		tlb_write_at(TLB_FREE, (struct tlb_entry){ .hi = HI_VPN(VA_XUSER) | HI_EHINV });
		check_miss("invalidated", VA_XUSER);
		check_eq("tlbp", (u64)tlb_probe(VA_XUSER, 0), -1ul);
		check_eq("EHINV of an invalid entry", tlb_read_at(TLB_FREE).hi & HI_EHINV,
			 HI_EHINV);
	}
	return verdict();
}
