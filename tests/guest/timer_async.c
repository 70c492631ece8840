/* SPDX-License-Identifier: MIT */
/*
 * Rule: the timer interrupts a running loop that does nothing privileged, in kernel mode, soon
 * after Compare; not before; and once for each Compare. MD00090 9.17.
 *
 * Method: ten periods; the loop reads Count by RDHWR, which does not trap. A tick is late if the loop itself has seen many turns
 * go by behind Compare: Count alone goes on while the host, or another guest, has the processor.
 */
#include "tests/guest/test.h"

#define PERIOD 50000u
#define LATE   100000000u /* 0.6 s */
#define TURNS  1000000u	  /* and so many turns, which take a tenth of that */

static volatile unsigned ticks, behind;
static unsigned late;
static volatile u32 due;

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
	late += now - due > LATE && behind > TURNS;
	behind = 0;
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
	while (ticks < 10 && count_now() - start < 4000000000u)
		behind += (s32)(count_now() - due) > 0;
	cp0_write_status(ST_BASE);
	check_eq("ticks", ticks, 10);
	check_eq("late ticks", late, 0);
	print("ten ticks\n");
	return verdict();
}
