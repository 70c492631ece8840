/* SPDX-License-Identifier: MIT */
/*
 * Rule: no interrupt is taken while EXL is set: an interrupt that becomes pending in a handler
 * waits and is taken right after the handler's ERET, at the same EPC. MD00090 6.1.
 *
 * Method: the handler of IP0 raises IP1, spins, and returns; the handler of IP1 must come second
 * and see the same EPC.
 */
#include "tests/guest/test.h"

extern char p_int_at[];
PROBE(p_int, "mtc0 $4, $12" AT(p_int) "ehb\n\tnop\n\tdi\n\tehb");

static unsigned order, depth;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	check_eq("depth", depth++, 0);
	check_eq("EPC", f->epc - (u64)p_int_at, 0);
	order = order * 16 + ((f->cause >> 8) & 3);
	if (f->cause & CAUSE_IP(0)) {
		cp0_write_cause(CAUSE_IP(1));
		for (volatile int i = 0; i < 1000; i++)
			;
	} else {
		cp0_write_cause(0);
	}
	depth--;
	return true;
}

int main(void)
{
	trap_hook = handler;
	cp0_write_cause(CAUSE_IP(0));
	expect_none("two interrupts", probe(p_int, ST_BASE | ST_IM(0) | ST_IM(1) | ST_IE, 0, 0));
	check_eq("order", order, 0x12);
	return verdict();
}
