/* SPDX-License-Identifier: MIT */
/*
 * Rule: ADD, SUB, DADD, DSUB that overflow raise Ov (ExcCode 12) and leave their destination alone.
 * MD00087.
 *
 * Method: each in three positions; v0 holds a mark before and must hold it after.
 */
#include "tests/guest/test.h"

PROBE3(p_add, "add $2, $4, $5");
PROBE3(p_sub, "sub $2, $4, $5");
PROBE3(p_dadd, "dadd $2, $4, $5");
PROBE3(p_dsub, "dsub $2, $4, $5");
PROBE(p_mark, "li $2, 0x55\n\tadd $2, $4, $5");

int main(void)
{
	EXPECT3(MODE_KERNEL, "add", p_add, 0x7fffffff, 1, .exc = EXC_OV);
	EXPECT3(MODE_KERNEL, "sub", p_sub, -0x80000000l, 1, .exc = EXC_OV);
	EXPECT3(MODE_USER, "dadd", p_dadd, 0x7fffffffffffffff, 1, .exc = EXC_OV);
	EXPECT3(MODE_USER, "dsub", p_dsub, 1ul << 63, 1, .exc = EXC_OV);
	check_eq("destination after Ov", probe(p_mark, 0x7fffffff, 1, 0)->v0, 0x55);
	expect_none("add without overflow", probe(p_add, 3, 4, 0));
	check_eq("sum", probe(p_add, 3, 4, 0)->v0, 7);
	return verdict();
}
