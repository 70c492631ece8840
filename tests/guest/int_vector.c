/* SPDX-License-Identifier: MIT */
/*
 * Rule: with Cause.IV = 1 interrupts go to offset 0x200, everything else stays where it was; with
 * IV = 0 they go to 0x180. MD00090 6.1.1.
 *
 * Method: a software interrupt, a syscall and a TLB miss with both settings.
 */
#include "tests/guest/test.h"

extern char p_int_at[];
PROBE(p_int, "mtc0 $4, $13\n\tehb\n\tmtc0 $5, $12" AT(p_int) "ehb\n\tnop");
PROBE1(p_sys, "syscall");

int main(void)
{
	for (int iv = 0; iv < 2; iv++) {
		u32 cause = iv ? CAUSE_IV : 0;

		EXPECT(iv ? "IV = 1: interrupt" : "IV = 0: interrupt",
		       probe(p_int, cause | CAUSE_IP(1), ST_BASE | ST_IE | ST_IM(1), 0),
		       .exc = EXC_INT, .at = p_int_at, .no_insn = true,
		       .vector = iv ? 0x200 : 0x180);
		cp0_write_cause(cause);
		EXPECT("syscall", probe(p_sys, 0, 0, 0), .exc = EXC_SYS, .at = p_sys_at);
		check_miss("TLB miss", VA_USER);
		check_eq("IV", cp0_read_cause() & CAUSE_IV, cause);
	}
	return verdict();
}
