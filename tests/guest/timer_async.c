/* SPDX-License-Identifier: MIT */
/*
 * Rule: the timer interrupts a running loop that does nothing privileged, in kernel mode, soon
 * after Compare; not before; and once for each Compare. MD00090 9.17.
 *
 * Method: ten periods; the loop reads Count by RDHWR, which does not trap.
 */
#include "tests/guest/test.h"

#define PERIOD 50000u
#define LATE   100000000u /* 0.6 s: another guest may have its slice first */

static volatile unsigned ticks;
static unsigned late;
static u32 due;

static u32 count_now(void)
{
	u64 v;

	asm volatile("rdhwr %0, $2" : "=r"(v));
	return (u32)v;
}

static bool handler(struct frame *f)
{
	u32 now = cp0_read_count();

	if (frame_exc(f) != EXC_INT)
		return false;
	ticks++;
	check((s32)(now - due) >= 0, "tick %u early by %d", ticks, (s32)(due - now));
	late += now - due > LATE;
	due = timer_set(PERIOD);
	return true;
}

int main(void)
{
	u32 start;

	trap_hook = handler;
	due = timer_set(PERIOD);
	cp0_write_status(ST_BASE | ST_IE | ST_IM(7));
	start = count_now();
	while (ticks < 10 && count_now() - start < 2000000000u)
		;
	cp0_write_status(ST_BASE);
	check_eq("ticks", ticks, 10);
	check_eq("late ticks", late, 0);
	print("ten ticks\n");
	return verdict();
}
