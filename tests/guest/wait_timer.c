/* SPDX-License-Identifier: MIT */
/*
 * Rule: WAIT ends with an interrupt; with IE = 1 the interrupt is taken with EPC after the WAIT.
 * MD00087 WAIT.
 *
 * Method: five sleeps of 1 ms on the timer; Count has advanced that far and the handler ran once
 * each.
 */
#include "tests/guest/test.h"

extern char p_sleep_at[];
PROBE(p_sleep, "mtc0 $4, $12\n\tehb\n\twait" AT(p_sleep) "di\n\tehb");

#define SLEEP 166667u

static unsigned taken, early;
static u64 where;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	/* another guest had the processor meanwhile: once more, or the WAIT ends in 25 s */
	if (f->epc != (u64)p_sleep_at && early++ < 20) {
		timer_set(SLEEP);
		return true;
	}
	taken++;
	where = f->epc;
	cp0_write_compare((s32)(cp0_read_count() - 1));
	return true;
}

int main(void)
{
	trap_hook = handler;
	for (int i = 0; i < 5; i++) {
		u32 start = cp0_read_count();

		taken = 0;
		timer_set(SLEEP);
		expect_none("wait", probe(p_sleep, ST_BASE | ST_IE | ST_IM(7), 0, 0));
		check_eq("interrupts", taken, 1);
		check_eq("EPC", where - (u64)p_sleep_at, 0);
		check(cp0_read_count() - start >= SLEEP, "woke early");
	}
	return verdict();
}
