/* SPDX-License-Identifier: MIT */
/*
 * Rule: TLBINV invalidates the entries of EntryHi.ASID that are not global; TLBINVF invalidates
 * every entry. MD00087.
 *
 * Method: entries of two ASIDs and a global one, looked for after each instruction.
 */
#include "tests/guest/test.h"

#define VA_A VA_USER
#define VA_B (VA_USER + 0x10000)
#define VA_G VA_CSSEG

static void map(void)
{
	tlb_map_at(TLB_FREE, VA_A, 1, LO_RW(page_pa(0)), 0);
	tlb_map_at(TLB_FREE + 1, VA_B, 2, LO_RW(page_pa(1)), 0);
	tlb_map_at(TLB_FREE + 2, VA_G, 1, LO_RW(page_pa(2)) | LO_G, LO_G);
	cp0_write_entryhi(2);
	check_load("B before", VA_B, 0x8001);
	cp0_write_entryhi(1);
	check_load("A before", VA_A, 0x8000);
	check_load("global before", VA_G, 0x8002);
}

int main(void)
{
	for (unsigned i = 0; i < 3; i++)
		tag_page(i, 0x8000 + i);
	map();
	cp0_write_index(0);
	asm volatile(".word 0x42000003\n\tehb" : : : "memory"); /* tlbinv */
	check_miss("A after tlbinv", VA_A);
	check_load("global after tlbinv", VA_G, 0x8002);
	cp0_write_entryhi(2);
	check_load("B after tlbinv", VA_B, 0x8001);
	map();
	tlb_clear();
	check_miss("A after tlbinvf", VA_A);
	check_miss("global after tlbinvf", VA_G);
	cp0_write_entryhi(2);
	check_miss("B after tlbinvf", VA_B);
	check_eq("tlbp after tlbinvf", (u64)tlb_probe(VA_G, 1), -1ul);
	return verdict();
}
