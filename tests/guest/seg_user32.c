/* SPDX-License-Identifier: MIT */
/*
 * Rule: with Status.UX = 0 user mode has useg only: an address above 2 GB is an address error, and
 * a miss in useg goes to the TLB refill vector (offset 0) instead of the XTLB one.
 * MD00090 4.4, 6.2.18.
 *
 * Method: loads from user mode with UX = 0.
 */
#include "tests/guest/test.h"

PROBE1(p_lw, "lw $2, 0($4)");

int main(void)
{
	const struct trap *t;

	tag_page(0, 0xe000);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	probe_user_status = ST_KX | ST_SX;
	t = probe_user(p_lw, VA_USER, 0, 0);
	check(!t->taken && t->v0 == 0xe000, "useg: %s", trap_name(t->exc));
	t = probe_user(p_lw, VA_USER + 0x100000, 0, 0);
	print("miss: %s\n", trap_name(t->exc));
	check(t->taken && t->exc == EXC_TLBL, "miss: %s", trap_name(t->exc));
	check_eq("vector", t->f.vector, 0x000);
	check_eq("BadVAddr", t->f.badvaddr, VA_USER + 0x100000);
	return verdict();
}
