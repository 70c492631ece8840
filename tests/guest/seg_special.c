/* SPDX-License-Identifier: MIT */
/*
 * Rule: the last page of csseg is the monitor's: whatever a guest's TLB says, its kernel cannot put
 * a page of its own there, and an access does no harm. kernel/abi/disco.h.
 *
 * Method: the pair that holds the page is mapped; the even page works, the odd one shows anything
 * but our page.
 */
#include "tests/guest/test.h"

int main(void)
{
	const struct trap *t;

	need_monitor();
	tag_page(0, 0x1111);
	tag_page(1, 0x2222);
	t = load(MODE_KERNEL, DISCO_SPECIAL_PAGE);
	check(!t->taken || t->exc == EXC_TLBL || t->exc == EXC_ADEL || t->exc == EXC_DBE,
	      "unmapped: %s", trap_name(t->exc));
	tlb_map_at(TLB_FREE, DISCO_SPECIAL_PAGE - PAGE_SIZE, 0, LO_RW(page_pa(0)),
		   LO_RW(page_pa(1)));
	check_load("the page before", DISCO_SPECIAL_PAGE - PAGE_SIZE, 0x1111);
	t = load(MODE_KERNEL, DISCO_SPECIAL_PAGE);
	check(t->taken || t->v0 != 0x2222, "the guest's page is there");
	store(MODE_KERNEL, DISCO_SPECIAL_PAGE, 0x3333);
	check_eq("our page", page_va(1)[0], 0x2222);
	EXPECT("user mode", load(MODE_USER, DISCO_SPECIAL_PAGE), .exc = EXC_ADEL, .at = test_ld,
	       .has_va = true, .va = DISCO_SPECIAL_PAGE);
	return verdict();
}
