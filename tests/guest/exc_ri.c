/* SPDX-License-Identifier: MIT */
/*
 * Rule: an encoding that MIPS64 Release 6 reserves or removed raises RI (ExcCode 10), in kernel and
 * in user mode alike; never CpU, never silence. MD00087 A.
 *
 * Method: one word of each kind in three positions.
 */
#include "tests/guest/test.h"

PROBE3(p_special2, ".word 0x70000000"); /* SPECIAL2, gone in R6 */
PROBE3(p_mult, ".word 0x00850018");	/* mult of R1..R5 */
PROBE3(p_cop2, ".word 0x48020000");	/* mfc2 */
PROBE3(p_sigrie, ".word 0x04170003");	/* sigrie 3 */
PROBE3(p_lwe, ".word 0x7c82002f");	/* lwe: Config5.EVA = 0 */
PROBE3(p_ginvt, ".word 0x7c8000bd");	/* ginvt: Config5.GI = 0 */
PROBE3(p_lwl, ".word 0x88820000");	/* lwl of R1..R5 */

#define BOTH(what, p)                                                          \
	do {                                                                   \
		EXPECT3(MODE_KERNEL, "kernel: " what, p, 0, 0, .exc = EXC_RI); \
		EXPECT3(MODE_USER, "user: " what, p, 0, 0, .exc = EXC_RI);     \
	} while (0)

int main(void)
{
	BOTH("SPECIAL2", p_special2);
	BOTH("mult", p_mult);
	BOTH("mfc2", p_cop2);
	BOTH("sigrie", p_sigrie);
	BOTH("lwe", p_lwe);
	BOTH("ginvt", p_ginvt);
	BOTH("lwl", p_lwl);
	return verdict();
}
