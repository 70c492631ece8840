/* SPDX-License-Identifier: MIT */
/*
 * Rule: SC succeeds after an LL of the same address with nothing in between, fails without an LL or
 * after a successful SC; LLD and SCD likewise. MD00087 LL, SC.
 *
 * Method: as said, kernel and user mode.
 */
#include "tests/guest/test.h"

PROBE(p_llsc, "ll $2, 0($4)\n\tmove $3, $5\n\tsc $3, 0($4)\n\tmove $2, $3");
PROBE(p_lldscd, "lld $2, 0($4)\n\tmove $3, $5\n\tscd $3, 0($4)\n\tmove $2, $3");
PROBE(p_twice, "ll $2, 0($4)\n\tmove $3, $5\n\tsc $3, 0($4)\n\tmove $2, $5\n\tsc $2, 0($4)");

/* The end of a time slice between LL and SC makes SC fail, rightly: ten tries. */
static u64 tries(int mode, const void *p, u64 va, u64 value)
{
	for (int i = 0; i < 10; i++)
		if (probe_in(mode, p, va, value, 0)->v0 == 1)
			return 1;
	return 0;
}

int main(void)
{
	u64 vas[2] = { (u64)page_va(0), VA_USER };

	page_va(0)[0] = 0;
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		page_va(0)[0] = 0;
		check_eq("ll, sc", tries(mode, p_llsc, vas[mode], 5 + (u64)mode), 1);
		check_eq("memory", page_va(0)[0], 5 + mode);
		check_eq("lld, scd", tries(mode, p_lldscd, vas[mode], 0x100000005 + (u64)mode), 1);
		check_eq("memory", page_va(0)[0], 0x100000005 + mode);
		check_eq("second sc", probe_in(mode, p_twice, vas[mode], 9, 0)->v0, 0);
		print("mode %d\n", mode);
	}
	return verdict();
}
