/* SPDX-License-Identifier: MIT */
/*
 * Rule: when Count reaches Compare, Cause.TI and the line IntCtl.IPTI (IP7) go up and stay up until
 * Compare is written, which clears both. The interrupt comes only with IM7 and IE.
 * MD00090 9.14, 9.17.
 *
 * Method: Compare a little ahead; TI is polled while masked, then taken as an interrupt, then
 * dropped by writing Compare; three times.
 */
#include "tests/guest/test.h"

PROBE(p_enable, "mtc0 $4, $12\n\tehb\n\tnop\n\tdi\n\tehb");

#define AHEAD	20000u
#define TIMEOUT 2000000000u

static unsigned taken;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	taken++;
	check_eq("TI and IP7", f->cause & (CAUSE_TI | CAUSE_IP(7)), CAUSE_TI | CAUSE_IP(7));
	cp0_write_compare((s32)(cp0_read_count() - 1));
	return true;
}

static bool wait_ti(void)
{
	u32 start = cp0_read_count();

	while (!(cp0_read_cause() & CAUSE_TI))
		if (cp0_read_count() - start > TIMEOUT)
			return false;
	return true;
}

int main(void)
{
	trap_hook = handler;
	for (int round = 0; round < 3; round++) {
		u32 due = timer_set(AHEAD);
		bool down = !(cp0_read_cause() & (CAUSE_TI | CAUSE_IP(7)));

		check(down || (s32)(cp0_read_count() - due) >= 0, "TI after writing Compare");
		check(wait_ti(), "TI never came");
		check((s32)(cp0_read_count() - due) >= 0, "TI came early");
		check_eq("IP7 with TI", cp0_read_cause() & CAUSE_IP(7), CAUSE_IP(7));
		taken = 0;
		probe(p_enable, ST_BASE | ST_IE, 0, 0);
		check_eq("taken with IM7 = 0", taken, 0);
		probe(p_enable, ST_BASE | ST_IM(7), 0, 0);
		check_eq("taken with IE = 0", taken, 0);
		probe(p_enable, ST_BASE | ST_IM(7) | ST_IE | ST_EXL, 0, 0);
		cp0_write_status(ST_BASE);
		check_eq("taken with EXL = 1", taken, 0);
		probe(p_enable, ST_BASE | ST_IM(7) | ST_IE, 0, 0);
		check_eq("taken with all", taken, 1);
		check_eq("TI after the handler", cp0_read_cause() & (CAUSE_TI | CAUSE_IP(7)), 0);
		print("round %d\n", round);
	}
	return verdict();
}
