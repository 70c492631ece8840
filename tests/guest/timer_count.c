/* SPDX-License-Identifier: MIT */
/*
 * Rule: Count always advances, is the same by MFC0 and by RDHWR $2, and its resolution (RDHWR $3)
 * is small. It does not stand still during exceptions. MD00090 9.14, MD00087 RDHWR.
 *
 * Method: readings in turn must not go back.
 */
#include "tests/guest/test.h"

PROBE(p_sys, "syscall");

int main(void)
{
	u32 last = cp0_read_count(), start = last, back = 0, now;
	u64 v;

	for (int i = 0; i < 1000; i++) {
		if (i % 2) {
			now = cp0_read_count();
		} else {
			asm volatile("rdhwr %0, $2" : "=r"(v));
			check(v == (u64)(s64)(s32)v, "rdhwr is sign-extended");
			now = (u32)v;
		}
		back += (s32)(now - last) < 0;
		last = now;
		if (i % 100 == 0)
			probe(p_sys, 0, 0, 0);
	}
	check_eq("readings that went back", back, 0);
	check(last != start, "Count stands still");
	asm volatile("rdhwr %0, $3" : "=r"(v));
	check(v >= 1 && v <= 4, "CCRes %lu", (unsigned long)v);
	print("Count goes forward\n");
	return verdict();
}
