/* SPDX-License-Identifier: MIT */
/*
 * Rule: BREAK raises Bp (ExcCode 9) at the general vector; EPC, BD, BadInstr and BadInstrP as for
 * every exception. MD00090 6.2.26.
 *
 * Method: the instruction in all three positions, from kernel and from user mode.
 */
#include "tests/guest/test.h"

PROBE3(p_bp, "break 5");

int main(void)
{
	EXPECT3(MODE_KERNEL, "kernel: break", p_bp, 0, 0, .exc = EXC_BP);
	EXPECT3(MODE_USER, "user: break", p_bp, 0, 0, .exc = EXC_BP);
	return verdict();
}
