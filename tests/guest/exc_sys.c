/* SPDX-License-Identifier: MIT */
/*
 * Rule: SYSCALL raises Sys (ExcCode 8) at the general vector with EPC at the instruction, in a
 * delay slot or in a forbidden slot EPC at the branch and Cause.BD set; BadInstr and BadInstrP hold
 * the two words. MD00090 6.2.25, MD00087.
 *
 * Method: the instruction in all three positions, from kernel and from user mode.
 */
#include "tests/guest/test.h"

PROBE3(p_sys, "syscall 0x123");

int main(void)
{
	EXPECT3(MODE_KERNEL, "kernel: syscall", p_sys, 0, 0, .exc = EXC_SYS);
	EXPECT3(MODE_USER, "user: syscall", p_sys, 0, 0, .exc = EXC_SYS);
	return verdict();
}
