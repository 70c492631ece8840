/* SPDX-License-Identifier: MIT */
/*
 * Rule: a software interrupt (Cause.IP0, IP1) is taken exactly when its IM bit, IE = 1, EXL = 0 and
 * ERL = 0 hold together; it is taken before the instruction after the MTC0 that completes the
 * condition (EPC there). MD00090 6.1.
 *
 * Method: all combinations of the five bits for both lines, in kernel mode.
 */
#include "tests/guest/test.h"

/* Cause = a1, Status = a0, then a few instructions, then all quiet again */
extern char p_int_at[];
PROBE(p_int, "mtc0 $5, $13\n\tehb\n\tmtc0 $4, $12" AT(
		     p_int) "ehb\n\tnop\n\tnop\n\tmtc0 $6, $12\n\tmtc0 $0, $13\n\tehb");

int main(void)
{
	for (unsigned line = 0; line < 2; line++)
		for (unsigned bits = 0; bits < 32; bits++) {
			bool ie = bits & 1, exl = bits & 2, erl = bits & 4, im = bits & 8,
			     ip = bits & 16;
			bool wanted = ie && !exl && !erl && im && ip;
			u32 status = ST_BASE | (ie ? ST_IE : 0) | (exl ? ST_EXL : 0) |
				     (erl ? ST_ERL : 0) | (im ? ST_IM(line) : 0);
			const struct trap *t =
				probe(p_int, status, ip ? CAUSE_IP(line) : 0, ST_BASE);
			const char *what = text("IP%u=%d IM=%d IE=%d EXL=%d ERL=%d", line, ip, im,
						ie, exl, erl);

			print("%s: %s\n", what, trap_name(t->exc));
			check(t->taken == wanted, "%s: %s", what, trap_name(t->exc));
			if (t->taken) {
				check_eq("ExcCode", t->exc, EXC_INT);
				check_eq("vector", t->f.vector, 0x180);
				check_eq("EPC", t->f.epc - (u64)p_int_at, 0);
				check_eq("BD", t->f.cause & CAUSE_BD, 0);
				check_eq("Cause.IP", t->f.cause & (CAUSE_IP(0) | CAUSE_IP(1)),
					 CAUSE_IP(line));
			}
			cp0_write_cause(0);
		}
	return verdict();
}
