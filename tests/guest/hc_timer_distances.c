/* SPDX-License-Identifier: MIT */
/*
 * Rule: SET_TIMER raises IP7 when Count reaches the value, for every 32-bit distance: at once if it
 * is zero or negative, never early, and never lost however near it is. kernel/abi/disco.h.
 *
 * Method: from the first instruction on, distances that have passed are up when the call returns,
 * far ones are not; near ones are waited for; then a near one is set again and again, which puts it
 * off, and the last one still comes.
 */
#include "tests/guest/test.h"

#define LATE 1666666667u /* ten seconds: a host that was busy. What is lost comes after 25 */

static bool is_up(void) { return cp0_read_cause() & CAUSE_TI; }

static void passed(u32 behind)
{
	check_eq("SET_TIMER", (u64)hypercall(DISCO_HC_SET_TIMER, cp0_read_count() - behind, 0), 0);
	check(is_up(), "%u behind: TI is not up", behind);
}

static void far_ahead(u32 ahead)
{
	check_eq("SET_TIMER", (u64)hypercall(DISCO_HC_SET_TIMER, cp0_read_count() + ahead, 0), 0);
	check(!is_up(), "%u ahead: TI is up", ahead);
}

static void near(u32 ahead)
{
	u32 due = cp0_read_count() + ahead;

	hypercall(DISCO_HC_SET_TIMER, due, 0);
	while (!is_up() && (s32)(cp0_read_count() - due) < (s32)LATE)
		;
	check((s32)(cp0_read_count() - due) >= 0, "%u ahead: early", ahead);
	check(is_up(), "%u ahead: lost", ahead);
}

int main(void)
{
	/* Half of Count's turn is 2147483648; four seconds less, which a busy host may let pass on the way to the monitor. */
	static const u32 behind[] = { 0, 1, 2, 1000, 2000, 1000000000, 1480000000 };
	static const u32 ahead[] = { 0x7fffffff, 2000000000, 1000000000 };
	u32 start;

	need_monitor();
	for (unsigned i = 0; i < ARRAY_SIZE(behind); i++)
		passed(behind[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(ahead); i++)
		far_ahead(ahead[i]);
	for (u32 n = 1; n < 6000; n += n / 4 + 1)
		near(n);
	start = cp0_read_count();
	while (cp0_read_count() - start < 30 * 166667u) /* three ticks */
		hypercall(DISCO_HC_SET_TIMER, cp0_read_count() + 1500, 0);
	start = cp0_read_count();
	while (!is_up() && cp0_read_count() - start < LATE)
		;
	check(is_up(), "set again and again: lost");
	return verdict();
}
