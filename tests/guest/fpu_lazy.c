/* SPDX-License-Identifier: MIT */
/*
 * Rule: with CU1 = 1 floating-point instructions work in kernel and user mode; clearing CU1 does
 * not lose the registers; setting it again finds them. FCSR too. MD00090 3.2, 9.21.
 *
 * Method: all 32 registers are written with marks, CU1 is cleared, exceptions and a refused FP
 * instruction follow, CU1 is set, the registers are read.
 */
#include "tests/guest/test.h"

#define FP32(op)                                                                                \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) \
		op(14) op(15) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24)    \
			op(25) op(26) op(27) op(28) op(29) op(30) op(31)
#define PUT(n) "dmtc1 $4, $f" #n "\n\tdaddu $4, $4, $5\n\t"
#define GET(n) "dmfc1 $8, $f" #n "\n\tdsubu $8, $8, $4\n\tor $2, $2, $8\n\tdaddu $4, $4, $5\n\t"
#define HARD   ".set push\n\t.set hardfloat\n\t"

PROBE(p_put, HARD FP32(PUT) "ctc1 $6, $31\n\t.set pop");
PROBE(p_get,
      HARD "li $2, 0\n\t" FP32(
	      GET) "cfc1 $8, $31\n\txor $8, $8, $6\n\tandi $8, $8, 3\n\tor $2, $2, $8\n\t.set pop");
PROBE1(p_add, ".word 0x46200000");
PROBE1(p_sys, "syscall");

#define FIRST 0x4000123456789abcul
#define STEP  0x0000100000000101ul
#define FCSR  3ul /* a rounding mode */

static void on(void)
{
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	probe_user_status = ST_BASE | ST_CU1 | ST_FR;
}

static void off(void)
{
	cp0_write_status(ST_BASE);
	probe_user_status = ST_BASE;
}

int main(void)
{
	u64 fcsr = FCSR;

	for (int writer = MODE_KERNEL; writer <= MODE_USER; writer++)
		for (int reader = MODE_KERNEL; reader <= MODE_USER; reader++) {
			on();
			expect_none("put",
				    probe_in(writer, p_put, FIRST + (u64)writer, STEP, fcsr));
			check_eq("at once",
				 probe_in(reader, p_get, FIRST + (u64)writer, STEP, fcsr)->v0, 0);
			off();
			EXPECT("CU1 = 0", probe_in(reader, p_add, 0, 0, 0), .exc = EXC_CPU, .ce = 1,
			       .at = p_add_at);
			EXPECT("CU1 = 0", probe_in(writer, p_add, 0, 0, 0), .exc = EXC_CPU, .ce = 1,
			       .at = p_add_at);
			probe_user(p_sys, 0, 0, 0);
			on();
			EXPECT("an exception between", probe_in(writer, p_sys, 0, 0, 0),
			       .exc = EXC_SYS, .at = p_sys_at);
			check_eq("after",
				 probe_in(reader, p_get, FIRST + (u64)writer, STEP, fcsr)->v0, 0);
			off();
		}
	return verdict();
}
