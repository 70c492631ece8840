/* SPDX-License-Identifier: MIT */
/*
 * Rule: SET_TIMER does what MTC0 Compare does: sets the time of the next timer interrupt and drops
 * one that is up; a time that has passed is due at once; CONSOLE_GETC without input says EAGAIN.
 * kernel/abi/disco.h.
 *
 * Method: a time ahead by the call, TI polled; dropped by the next call; Compare reads back.
 */
#include "tests/guest/test.h"

#define AHEAD 20000u

int main(void)
{
	need_monitor();
	for (int i = 0; i < 3; i++) {
		u32 start, due;
		bool dropped;

		do { /* again, if the host had other things to do for so long */
			start = cp0_read_count();
			due = start + AHEAD;
			check_eq("SET_TIMER", (u64)hypercall(DISCO_HC_SET_TIMER, due, 0), 0);
		} while ((s32)(due - cp0_read_count()) <= 0);
		check_eq("Compare", cp0_read_compare(), due);
		dropped = !(cp0_read_cause() & CAUSE_TI);
		check(dropped || (s32)(cp0_read_count() - due) >= 0, "TI not dropped");
		while (!(cp0_read_cause() & CAUSE_TI) && cp0_read_count() - start < 1000000000u)
			;
		check_eq("TI", cp0_read_cause() & (CAUSE_TI | CAUSE_IP(7)), CAUSE_TI | CAUSE_IP(7));
		check((s32)(cp0_read_count() - due) >= 0, "TI came early");
	}
	for (int i = 0; i < 20; i++) {
		u32 start = cp0_read_count();

		check_eq("SET_TIMER", (u64)hypercall(DISCO_HC_SET_TIMER, start - 1000, 0), 0);
		while (!(cp0_read_cause() & CAUSE_TI) && cp0_read_count() - start < 500000000u)
			;
		check(cp0_read_cause() & CAUSE_TI, "a time that has passed is not due");
	}
	check_eq("GETC", (u64)hypercall(DISCO_HC_CONSOLE_GETC, 0, 0), (u64)-DISCO_EAGAIN);
	return verdict();
}
