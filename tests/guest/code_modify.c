/* SPDX-License-Identifier: MIT */
/*
 * Rule: code that was written becomes executable after SYNCI (or CACHE) and a hazard barrier; also
 * through another mapping, and in user mode. MD00087 SYNCI.
 *
 * Method: a two-instruction function is patched and run, many times, through the window, through
 * csseg and from user mode.
 */
#include "tests/guest/test.h"

PROBE(p_call, "move $9, $31\n\tjalr $4\n\tnop\n\tmove $31, $9");

#define JR_RA	 0x03e00009u /* jr ra */
#define LI_V0(n) (0x24020000u | (n))

static void patch(volatile u32 *code, u32 n)
{
	code[0] = JR_RA;
	code[1] = LI_V0(n);
	asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(code) : "memory");
}

int main(void)
{
	volatile u32 *code = (volatile u32 *)page_va(0);

	tlb_map_at(TLB_FREE, VA_CSSEG, 0, LO_RW(page_pa(0)), 0);
	tlb_map_at(TLB_FREE + 1, VA_USER, 0, LO_RW(page_pa(0)), 0);
	for (u32 i = 1; i <= 20; i++) {
		patch(code, i);
		check_eq("window", probe(p_call, (u64)code, 0, 0)->v0, i);
		check_eq("csseg", probe(p_call, VA_CSSEG, 0, 0)->v0, i);
		check_eq("user", probe_user(p_call, VA_USER, 0, 0)->v0, i);
	}
	patch((volatile u32 *)VA_CSSEG, 99);
	check_eq("patched through csseg", probe(p_call, (u64)code, 0, 0)->v0, 99);
	print("20 patches\n");
	return verdict();
}
