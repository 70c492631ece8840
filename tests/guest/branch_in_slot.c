/* SPDX-License-Identifier: MIT */
/*
 * Rule: a branch or jump in a delay slot or in a forbidden slot raises RI with EPC at the first
 * branch and BD set. MD00087 4.1.3.
 *
 * Method: each kind of branch in both slots, from kernel and user mode. (ERET there is undefined
 * and not tried.)
 */
#include "tests/guest/test.h"

PROBE3(p_beq, ".word 0x10000001");   /* beq $0, $0 */
PROBE3(p_jr, ".word 0x01000009");    /* jr t0 */
PROBE3(p_bc, ".word 0xc8000001");    /* bc */
PROBE3(p_bnezc, ".word 0xf8400001"); /* bnezc v0 */
PROBE3(p_j, ".word 0x08000000");     /* j */

#define BOTH(what, p)                                                                     \
	do {                                                                              \
		EXPECT(what " in a delay slot", probe(p##_d, 0, 0, 0), .exc = EXC_RI,     \
		       .at = p##_d_at, .bd = true);                                       \
		EXPECT(what " in a forbidden slot", probe(p##_f, 0, 0, 0), .exc = EXC_RI, \
		       .at = p##_f_at, .bd = true);                                       \
		EXPECT("user: " what " in a delay slot", probe_user(p##_d, 0, 0, 0),      \
		       .exc = EXC_RI, .at = p##_d_at, .bd = true);                        \
		EXPECT("user: " what " in a forbidden slot", probe_user(p##_f, 0, 0, 0),  \
		       .exc = EXC_RI, .at = p##_f_at, .bd = true);                        \
	} while (0)

int main(void)
{
	BOTH("beq", p_beq);
	BOTH("jr", p_jr);
	BOTH("bc", p_bc);
	BOTH("bnezc", p_bnezc);
	BOTH("j", p_j);
	return verdict();
}
