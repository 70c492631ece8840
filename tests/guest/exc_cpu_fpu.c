/* SPDX-License-Identifier: MIT */
/*
 * Rule: with Status.CU1 = 0 every floating-point instruction raises CpU with CE = 1, in kernel and
 * in user mode, loads and branches included. MD00090 6.2.29.
 *
 * Method: one of each class in three positions (bc1eqz, itself a branch, plain only).
 */
#include "tests/guest/test.h"

PROBE3(p_add_d, ".word 0x46200000");  /* add.d f0, f0, f0 */
PROBE3(p_lwc1, ".word 0xc4800000");   /* lwc1 f0, 0(a0) */
PROBE3(p_sdc1, ".word 0xf4800000");   /* sdc1 f0, 0(a0) */
PROBE3(p_mfc1, ".word 0x44020000");   /* mfc1 v0, f0 */
PROBE3(p_cfc1, ".word 0x4442f800");   /* cfc1 v0, fcsr */
PROBE1(p_bc1eqz, ".word 0x45200001"); /* bc1eqz f0, .+8 */

#define BOTH(what, p)                                                                        \
	do {                                                                                 \
		EXPECT3(MODE_KERNEL, "kernel: " what, p, 0, 0, .exc = EXC_CPU, .ce = 1);     \
		EXPECT3(MODE_USER, "user: " what, p, USER_DATA, 0, .exc = EXC_CPU, .ce = 1); \
	} while (0)

int main(void)
{
	BOTH("add.d", p_add_d);
	BOTH("lwc1", p_lwc1);
	BOTH("sdc1", p_sdc1);
	BOTH("mfc1", p_mfc1);
	BOTH("cfc1", p_cfc1);
	EXPECT("kernel: bc1eqz", probe(p_bc1eqz, 0, 0, 0), .exc = EXC_CPU, .ce = 1,
	       .at = p_bc1eqz_at);
	EXPECT("user: bc1eqz", probe_user(p_bc1eqz, 0, 0, 0), .exc = EXC_CPU, .ce = 1,
	       .at = p_bc1eqz_at);
	return verdict();
}
