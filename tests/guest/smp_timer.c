/* SPDX-License-Identifier: MIT */
/*
 * Rule: each VCPU has a timer of its own, wherever it lives: Compare is reached for that VCPU only,
 * never early, and ends its WAIT.
 *
 * Method: eight VCPUs set their timers to different times and sleep in WAIT, time and again; each
 * interrupt is counted where it comes, and must have been set there.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"

#define TIMERS 60
#define STEP   30000u /* ticks: 180 us */

static volatile u64 fired[SMP], early, strange, done;
static volatile u32 due[SMP];
static volatile bool is_set[SMP];

static bool handler(struct frame *f)
{
	u64 id = guest_this_cpu()->id;

	if (frame_exc(f) != EXC_INT)
		return false;
	if (!(f->cause & CAUSE_TI) || !is_set[id])
		smp_add(&strange, 1);
	else if ((s32)(cp0_read_count() - due[id]) < 0)
		smp_add(&early, 1);
	is_set[id] = false;
	cp0_write_compare((s32)(cp0_read_count() - 1)); /* a turn from now */
	fired[id]++;
	return true;
}

static void sleeps(u64 id)
{
	for (u64 n = 0; n < TIMERS; n++) {
		u32 start = cp0_read_count();

		cp0_write_status(ST_BASE | ST_IM(7));
		is_set[id] = true;
		due[id] = timer_set(STEP * (u32)(1 + (n + id) % SMP));
		while (fired[id] == n && cp0_read_count() - start < SMP_LIMIT) {
			cp0_wait();
			cp0_write_status(ST_BASE | ST_IE | ST_IM(7));
			cp0_write_status(ST_BASE | ST_IM(7));
		}
		cp0_write_status(ST_BASE);
	}
	smp_add(&done, 1);
}

int main(void)
{
	need_monitor();
	trap_hook = handler;
	smp_start_all(sleeps);
	sleeps(0);
	smp_wait(&done, SMP);
	for (unsigned id = 0; id < SMP; id++)
		check_eq(text("interrupts of VCPU %u", id), fired[id], TIMERS);
	check_eq("before their time", early, 0);
	check_eq("that nobody had set", strange, 0);
	return verdict();
}
