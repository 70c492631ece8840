/* SPDX-License-Identifier: MIT */
/*
 * Rule: a non-global TLB entry matches only when its ASID equals EntryHi.ASID; all ten bits count.
 * MD00090 4.6, 9.9.
 *
 * Method: three entries for one page under three ASIDs that differ in high and low bits, each to
 * another page of memory; EntryHi.ASID is switched back and forth; a fourth ASID misses.
 */
#include "tests/guest/test.h"

#define ASID_A 0x0a5
#define ASID_B 0x3a5
#define ASID_C 0x0a4

int main(void)
{
	for (unsigned i = 0; i < 3; i++)
		tag_page(i, 0x1000 + i);
	tlb_map_at(TLB_FREE, VA_USER, ASID_A, LO_RW(page_pa(0)), 0);
	tlb_map_at(TLB_FREE + 1, VA_USER, ASID_B, LO_RW(page_pa(1)), 0);
	tlb_map_at(TLB_FREE + 2, VA_USER, ASID_C, LO_RW(page_pa(2)), 0);
	for (int round = 0; round < 3; round++) {
		cp0_write_entryhi(ASID_A);
		check_load("ASID 0a5", VA_USER, 0x1000);
		cp0_write_entryhi(ASID_B);
		check_load("ASID 3a5", VA_USER, 0x1001);
		cp0_write_entryhi(ASID_C);
		check_load("ASID 0a4", VA_USER, 0x1002);
		cp0_write_entryhi(0);
		check_miss("ASID 0", VA_USER);
	}
	cp0_write_entryhi(ASID_B);
	check(!store(MODE_KERNEL, VA_USER, 0x77)->taken, "store under 3a5");
	check_eq("page of 0a5", page_va(0)[0], 0x1000);
	check_eq("page of 3a5", page_va(1)[0], 0x77);
	return verdict();
}
