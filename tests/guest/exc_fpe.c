/* SPDX-License-Identifier: MIT */
/*
 * Rule: an IEEE exception whose Enable bit is set in FCSR raises FPE (ExcCode 15), the Cause bit in
 * FCSR says which, and the destination is unchanged; with Enable clear only the Flag is set.
 * MD00083 5.8.
 *
 * Method: 1/0 with Enable.Z, three positions, kernel and user mode; then the same with Enable
 * clear.
 */
#include "tests/guest/test.h"

/* f2 = 1.0, f4 = 0, FCSR = a0, all Cause and Flag bits clear */
#define SETUP                                                                                                     \
	".set push\n\t.set hardfloat\n\tlui $8, 0x3ff0\n\tdsll32 $8, $8, 0\n\tdmtc1 $8, $f2\n\tdmtc1 $0, $f4\n\t" \
	"ctc1 $4, $31\n\t.set pop\n\t"
#define DIV  ".word 0x46241003" /* div.d f0, f2, f4 */
#define CFC1 ".word 0x4442f800" /* cfc1 v0, fcsr */
#define CTC1 ".word 0x44c4f800" /* ctc1 a0, fcsr */

extern char p_div_at[], p_div_d_at[], p_div_f_at[], p_write_at[];
PROBE(p_div, SETUP AT(p_div) DIV "\n\t" CFC1);
PROBE(p_div_d, SETUP AT(p_div_d) "beq $0, $0, 1f\n\t" DIV "\n\tnop\n1:");
PROBE(p_div_f, SETUP "move $1, $0" AT(p_div_f) "bnezc $1, 1f\n\t" DIV "\n\tnop\n1:");
PROBE(p_fcsr, CFC1);
PROBE(p_write, AT(p_write) CTC1);

#define ENABLE_Z (1u << 10)
#define CAUSE_Z	 (1u << 15)
#define FLAG_Z	 (1u << 5)

int main(void)
{
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		print("mode %d\n", mode);
		EXPECT3(mode, "div by zero", p_div, ENABLE_Z, 0, .exc = EXC_FPE);
		check_eq("FCSR.Cause", probe_in(mode, p_fcsr, 0, 0, 0)->v0 & 0x1ffff,
			 CAUSE_Z | ENABLE_Z);
		expect_none("with Enable clear", probe_in(mode, p_div, 0, 0, 0));
		check_eq("FCSR.Flags", probe_in(mode, p_fcsr, 0, 0, 0)->v0 & 0x1ffff,
			 CAUSE_Z | FLAG_Z);
		EXPECT("ctc1 of Cause and Enable",
		       probe_in(mode, p_write, CAUSE_Z | ENABLE_Z, 0, 0), .exc = EXC_FPE,
		       .at = p_write_at);
		probe_in(mode, p_div, 0, 0, 0);
	}
	return verdict();
}
