/* SPDX-License-Identifier: MIT */
/*
 * Rule: an entry is global when G is set in both EntryLo; then the ASID is not compared. G in one
 * of them only does not make it global, and TLBR returns the AND in both. MD00090 4.6.2, TLBR.
 *
 * Method: a page mapped three ways, read under the ASID it was written with and under another.
 */
#include "tests/guest/test.h"

static void map(u64 g0, u64 g1)
{
	tlb_map_at(TLB_FREE, VA_CSSEG, 5, LO_RW(page_pa(0)) | g0, LO_RW(page_pa(1)) | g1);
}

static void both(bool global)
{
	struct tlb_entry e = tlb_read_at(TLB_FREE);

	check_eq("G of EntryLo0", e.lo0 & LO_G, global);
	check_eq("G of EntryLo1", e.lo1 & LO_G, global);
	cp0_write_entryhi(5);
	check_load("own ASID, even page", VA_CSSEG, 0x2000);
	check_load("own ASID, odd page", VA_CSSEG + PAGE_SIZE, 0x2100);
	cp0_write_entryhi(6);
	if (global) {
		check_load("other ASID, even page", VA_CSSEG, 0x2000);
		check_load("other ASID, odd page", VA_CSSEG + PAGE_SIZE, 0x2100);
	} else {
		check_miss("other ASID, even page", VA_CSSEG);
		check_miss("other ASID, odd page", VA_CSSEG + PAGE_SIZE);
	}
	check((tlb_probe(VA_CSSEG, 6) >= 0) == global, "tlbp under the other ASID");
	cp0_write_entryhi(0);
}

int main(void)
{
	tag_page(0, 0x2000);
	tag_page(1, 0x2100);
	map(LO_G, LO_G);
	both(true);
	map(LO_G, 0);
	both(false);
	map(0, LO_G);
	both(false);
	map(0, 0);
	both(false);
	map(LO_G, LO_G);
	both(true);
	return verdict();
}
