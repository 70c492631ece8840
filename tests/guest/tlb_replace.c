/* SPDX-License-Identifier: MIT */
/*
 * Rule: TLBWI over an entry takes effect at once for everything the entry said: page, D, V, RI; and
 * for the address it mapped before. A translation that was used must not survive. MD00090 4.6,
 * hazards 8.1.
 *
 * Method: one entry rewritten in every way, with an access through it before and after.
 */
#include "tests/guest/test.h"

static void put(u64 va, u64 lo0, u64 lo1) { tlb_map_at(TLB_FREE, va, 0, lo0, lo1); }

int main(void)
{
	const struct trap *t;

	tag_page(0, 0x9000);
	tag_page(1, 0x9100);
	put(VA_USER, LO_RW(page_pa(0)), 0);
	check_load("first page", VA_USER, 0x9000);
	put(VA_USER, LO_RW(page_pa(1)), 0);
	check_load("other page", VA_USER, 0x9100);
	check(!store(MODE_USER, VA_USER, 0x9101)->taken, "store with D");
	put(VA_USER, LO_RW(page_pa(1)) & ~LO_D, 0);
	t = store(MODE_USER, VA_USER, 0x9102);
	check(t->taken && t->exc == EXC_MOD, "store without D: %s", trap_name(t->exc));
	check_eq("memory", page_va(1)[0], 0x9101);
	put(VA_USER, LO_RW(page_pa(1)), 0);
	check(!store(MODE_USER, VA_USER, 0x9103)->taken, "store with D again");
	put(VA_USER, LO_RW(page_pa(1)) & ~LO_V, 0);
	t = load(MODE_USER, VA_USER);
	check(t->taken && t->exc == EXC_TLBL && t->f.vector == 0x180, "load without V: %s",
	      trap_name(t->exc));
	put(VA_USER, LO_RW(page_pa(1)), LO_RW(page_pa(0)));
	check_load("odd page appears", VA_USER + PAGE_SIZE, 0x9000);
	put(VA_USER + 0x4000, LO_RW(page_pa(0)), 0);
	check_miss("old address", VA_USER);
	check_miss("old odd address", VA_USER + PAGE_SIZE);
	check_load("new address", VA_USER + 0x4000, 0x9000);
	return verdict();
}
