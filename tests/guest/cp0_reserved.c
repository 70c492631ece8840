/* SPDX-License-Identifier: MIT */
/*
 * Rule: in kernel mode a CP0 register that is not implemented reads 0 and ignores writes (Release
 * 6), and a reserved CO function raises RI; with BD and EPC as always. MD00090 9.1, MD00087.
 *
 * Method: registers that no option of this processor has; reserved functions in three positions.
 */
#include "tests/guest/test.h"

PROBE3(p_co10, ".word 0x42000010");
PROBE3(p_co3f, ".word 0x4200003f");
PROBE3(p_co05, ".word 0x42000005");
PROBE(p_r22, "li $2, 0x55\n\tmtc0 $2, $22\n\tehb\n\tmfc0 $2, $22");
PROBE(p_r7_3, "li $2, 0x55\n\tmtc0 $2, $7, 3\n\tehb\n\tmfc0 $2, $7, 3");
PROBE(p_r21, "li $2, 0x55\n\tdmtc0 $2, $21\n\tehb\n\tdmfc0 $2, $21");
PROBE(p_watch, "li $2, 7\n\tdmtc0 $2, $18\n\tehb\n\tdmfc0 $2, $18\n\tandi $2, $2, 7");

int main(void)
{
	EXPECT3(MODE_KERNEL, "CO function 10", p_co10, 0, 0, .exc = EXC_RI);
	EXPECT3(MODE_KERNEL, "CO function 3f", p_co3f, 0, 0, .exc = EXC_RI);
	EXPECT3(MODE_KERNEL, "CO function 05", p_co05, 0, 0, .exc = EXC_RI);
	expect_none("register 22", probe(p_r22, 0, 0, 0));
	check_eq("register 22", probe(p_r22, 0, 0, 0)->v0, 0);
	expect_none("register 21", probe(p_r21, 0, 0, 0));
	check_eq("register 21", probe(p_r21, 0, 0, 0)->v0, 0);
	expect_none("register 7 select 3", probe(p_r7_3, 0, 0, 0));
	check_eq("register 7 select 3", probe(p_r7_3, 0, 0, 0)->v0, 0);
	expect_none("WatchLo", probe(p_watch, 0, 0, 0));
	check_eq("WatchLo", probe(p_watch, 0, 0, 0)->v0, 0);
	return verdict();
}
