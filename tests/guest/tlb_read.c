/* SPDX-License-Identifier: MIT */
/*
 * Rule: TLBR gives back what TLBWI put in: VPN2, ASID, PFN, C, D, V, RI, XI; G as the AND. MD00090
 * TLBR, TLBWI.
 *
 * Method: entries with every flag alone.
 */
#include "tests/guest/test.h"

int main(void)
{
	static const u64 flags[] = { 0,	   LO_V,       LO_D, LO_C, LO_RI, LO_XI, LO_V | LO_D | LO_C,
				     LO_G, LO_V | LO_G };

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		u64 lo0 = LO_PA(page_pa(i)) | flags[i],
		    lo1 = LO_PA(page_pa(i + 1)) | flags[ARRAY_SIZE(flags) - 1 - i];
		u64 g = lo0 & lo1 & LO_G;
		struct tlb_entry e;

		tlb_map_at(TLB_FREE + i % 4, VA_XUSER + i * 2 * PAGE_SIZE, 0x11 * i, lo0, lo1);
		e = tlb_read_at(TLB_FREE + i % 4);
		check_eq("EntryHi", e.hi, HI_VPN(VA_XUSER + i * 2 * PAGE_SIZE) | 0x11 * i);
		check_eq("EntryLo0", e.lo0, (lo0 & ~LO_G) | g);
		check_eq("EntryLo1", e.lo1, (lo1 & ~LO_G) | g);
		check_eq("PageMask", e.mask, 0);
	}
	print("%u entries\n", (unsigned)ARRAY_SIZE(flags));
	return verdict();
}
