/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VM with more memory than the csseg window shows all of it in xsseg and the first 256 MB
 * in csseg; its TLB maps the rest anywhere. kernel/abi/disco.h.
 *
 * Method: words at both ends of the window and of memory, written and read in every way that there
 * is.
 *
 * Needs: memory=320
 */
#include "tests/guest/test.h"

#define MEMORY	  (320ull << 20)
#define XSSEG(pa) (DISCO_XSSEG_BASE + (pa))

int main(void)
{
	static const u64 places[] = { 16ull << 20, DISCO_CSSEG_WINDOW - PAGE_SIZE,
				      DISCO_CSSEG_WINDOW, MEMORY - PAGE_SIZE };

	need_monitor();
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		u64 pa = places[i];

		check_load("zero at the start", XSSEG(pa), 0);
		store(MODE_KERNEL, XSSEG(pa), 0xabc00 + i);
		check_load("xsseg", XSSEG(pa), 0xabc00 + i);
		if (pa < DISCO_CSSEG_WINDOW)
			check_load("csseg", DISCO_CSSEG_BASE + pa, 0xabc00 + i);
		tlb_map_at(TLB_FREE, VA_XUSER, 0, LO_RW(pa), LO_RW(pa));
		check_load("mapped", VA_XUSER, 0xabc00 + i);
		tlb_map_at(TLB_FREE, VA_CSSEG, 0, LO_RW(pa), LO_RW(pa));
		check_load("mapped in csseg", VA_CSSEG + PAGE_SIZE, 0xabc00 + i);
	}
	check_miss("xsseg beyond memory", XSSEG(MEMORY));
	tlb_map_at(TLB_FREE, VA_XUSER, 0, LO_RW(MEMORY), 0);
	EXPECT("mapped beyond memory", load(MODE_KERNEL, VA_XUSER), .exc = EXC_DBE, .at = test_ld,
	       .no_insn = true);
	return verdict();
}
