/* SPDX-License-Identifier: MIT */
/*
 * Rule: LL and LLD at an address that is not theirs to align raise AdEL (ExcCode 4) with BadVAddr;
 * ordinary loads of Release 6 may be misaligned and then work. MD00087, MD00090 6.2.16.
 *
 * Method: ll and lld at +2 and +4 in three positions in both modes; lw and ld at an odd address for
 * the value.
 */
#include "tests/guest/test.h"

PROBE3(p_ll, "ll $2, 2($4)");
PROBE3(p_lld, "lld $2, 4($4)");
PROBE(p_lw, "lw $2, 1($4)");
PROBE(p_ld, "ld $2, 3($4)");
PROBE(p_sw, "sw $5, 1($4)\n\tlw $2, 1($4)");

int main(void)
{
	static u64 data[4] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	u64 a = (u64)data;

	EXPECT3(MODE_USER, "user: ll", p_ll, USER_DATA, 0, .exc = EXC_ADEL, .has_va = true,
		.va = USER_DATA + 2);
	EXPECT3(MODE_USER, "user: lld", p_lld, USER_DATA, 0, .exc = EXC_ADEL, .has_va = true,
		.va = USER_DATA + 4);
	for (int i = 0; i < 2; i++) {
		const struct trap *t = probe(i ? p_lld : p_ll, a, 0, 0);

		check(t->taken && t->exc == EXC_ADEL, "kernel: %s", trap_name(t->exc));
		check_eq("kernel: BadVAddr", t->f.badvaddr, a + (i ? 4 : 2));
	}
	check_eq("lw at +1", probe(p_lw, a, 0, 0)->v0, 0x44556677);
	check_eq("ld at +3", probe(p_ld, a, 0, 0)->v0, 0xeeff001122334455);
	check_eq("sw at +1", probe(p_sw, a, 0x12345678, 0)->v0, 0x12345678);
	return verdict();
}
