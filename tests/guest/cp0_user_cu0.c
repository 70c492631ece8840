/* SPDX-License-Identifier: MIT */
/*
 * Rule: Status.CU0 does not open CP0 to user mode in Release 6: Linux sets it in its kernel as a
 * mark, and a program that runs with it gets CpU all the same. MD00090 9.21 (CU0 ignored); QEMU as
 * well.
 *
 * Method: a write to KScratch from user mode with CU0 = 1 and 0, and kernel mode with both.
 */
#include "tests/guest/test.h"

PROBE1(p_move, "dmtc0 $4, $31, 3");

int main(void)
{
	cp0_write_kscratch2(1);
	for (u32 cu0 = 0; cu0 <= ST_CU0; cu0 += ST_CU0) {
		probe_user_status = ST_BASE | cu0;
		EXPECT(cu0 ? "user, CU0 = 1" : "user, CU0 = 0", probe_user(p_move, 0x4444, 0, 0),
		       .exc = EXC_CPU, .at = p_move_at);
		check_eq("KScratch", cp0_read_kscratch2(), cu0 ? 2 : 1);
		cp0_write_status(ST_BASE | cu0);
		expect_none(cu0 ? "kernel, CU0 = 1" : "kernel, CU0 = 0",
			    probe(p_move, cu0 ? 3 : 2, 0, 0));
		check_eq("KScratch", cp0_read_kscratch2(), cu0 ? 3 : 2);
	}
	return verdict();
}
