/* SPDX-License-Identifier: MIT */
/*
 * Rule: two entries that match one address are a mistake of the guest's kernel: hardware may raise
 * a machine check or use either, but nothing else may come of it. MD00090 4.6.3. (QEMU: the lowest
 * index wins.)
 *
 * Method: two entries for one page, then a load: it ends with one of the two values or MCheck;
 * after TLBINVF all is as usual.
 */
#include "tests/guest/test.h"

int main(void)
{
	const struct trap *t;

	tag_page(0, 0xb000);
	tag_page(1, 0xb100);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	tlb_map_at(TLB_FREE + 1, VA_USER, 0, LO_RW(page_pa(1)), 0);
	t = load(MODE_KERNEL, VA_USER);
	check(t->taken ? t->exc == EXC_MCHECK : t->v0 == 0xb000 || t->v0 == 0xb100, "%s, value %lx",
	      trap_name(t->exc), (unsigned long)t->v0);
	tlb_clear();
	check_miss("after tlbinvf", VA_USER);
	tlb_map_at(TLB_FREE + 1, VA_USER, 0, LO_RW(page_pa(1)), 0);
	check_load("one entry", VA_USER, 0xb100);
	return verdict();
}
