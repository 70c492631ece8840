/* SPDX-License-Identifier: MIT */
/*
 * The neighbour that wants more of its node than its share. Bootargs: habit=N, the number of what it
 * does all the time:
 *
 *   0 spin       computes: the measure of the others
 *   1 wake       one VCPU computes, the other wakes up every 48 us
 *   2 set_timer  SET_TIMER again and again, far ahead and near
 *   3 compare    the same by MTC0 to Compare
 *   4 yield      gives its slice back shortly before the tick would end it
 *   5 flood      writes newlines to its console, 4096 a call
 *   6 reset      touches its memory, then RESETs
 *   7 ipi        one VCPU interrupts another without pause, which clears and waits
 *   8 flush      MMU_FLUSH of everything
 *   9 all        all of them, a VCPU each; reset after half a second
 *
 * VCPUs: 2 for wake and ipi, 9 for all, else 1.
 */
#include "guests/rivals/rivals.h"

#define MB (1ul << 20)

const char guest_name[] = "neighbour";

static void spin(u64 arg)
{
	(void)arg;
	for (;;)
		asm volatile("");
}

static void wake(u64 arg)
{
	(void)arg;
	cp0_write_status(ST_BASE | ST_IM(7)); /* IE = 0: WAIT ends, nothing is taken */
	for (;;) {
		hypercall(DISCO_HC_SET_TIMER, cp0_read_count() + 48 * TICKS_US, 0);
		cp0_wait();
	}
}

/* Far ahead, a little ahead, and just now: each might put off what is due. */
static u32 ahead(u64 i)
{
	static const u32 distance[] = { 0x7fffffff, 1000, 1, 100 * TICKS_US };

	return distance[i / 1000 % 4];
}

static void set_timer(u64 arg)
{
	(void)arg;
	for (u64 i = 0;; i++)
		hypercall(DISCO_HC_SET_TIMER, cp0_read_count() + ahead(i), 0);
}

static void compare(u64 arg)
{
	(void)arg;
	for (u64 i = 0;; i++)
		cp0_write_compare((s32)(cp0_read_count() + ahead(i)));
}

/* A slice ends at a multiple of the tick: where, shows in when this one was stopped. */
static void yield(u64 arg)
{
	u32 start = cp0_read_count(), last = start, now;

	(void)arg;
	for (;; last = now) {
		now = cp0_read_count();
		if (now - last > TICKS_MS)
			start = now;
		if (now - start > 9700 * TICKS_US) {
			hypercall(DISCO_HC_YIELD, 0, 0);
			start = now = cp0_read_count();
		}
	}
}

static void flood(u64 arg)
{
	static char newlines[4096];

	(void)arg;
	memset(newlines, '\n', sizeof(newlines));
	for (;;)
		hypercall(DISCO_HC_CONSOLE_WRITE, guest_pa(newlines), sizeof(newlines));
}

/* arg: the memory's MB */
static void reset(u64 arg)
{
	for (u64 pa = 2 * MB; pa < arg * MB; pa += MB)
		*(volatile u64 *)(DISCO_XSSEG_BASE + pa) = 1;
	hypercall(DISCO_HC_RESET, 0, 0);
}

static void reset_later(u64 arg)
{
	u32 start = cp0_read_count();

	while (cp0_read_count() - start < 500 * TICKS_MS)
		;
	reset(arg);
}

/* arg: the VCPU that is interrupted */
static void ipi(u64 arg)
{
	for (;;)
		hypercall(DISCO_HC_IPI, 1ul << arg, 0);
}

static void ipi_taken(u64 arg)
{
	(void)arg;
	cp0_write_status(ST_BASE | ST_IM(0));
	for (;;) {
		cp0_wait();
		hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
	}
}

static void flush(u64 arg)
{
	(void)arg;
	for (;;)
		rivals_flush(1);
}

static void all(u64 megabytes)
{
	guest_start_vcpu(1, wake, 0);
	guest_start_vcpu(2, set_timer, 0);
	guest_start_vcpu(3, compare, 0);
	guest_start_vcpu(4, yield, 0);
	guest_start_vcpu(5, flood, 0);
	guest_start_vcpu(6, ipi_taken, 0);
	guest_start_vcpu(7, flush, 0);
	guest_start_vcpu(8, reset_later, megabytes);
	ipi(6);
}

int main(void)
{
	static void (*const habits[])(u64) = { spin,  spin,  set_timer, compare, yield,
					       flood, reset, ipi,	flush,	 all };
	u64 habit = rivals_option("habit", 0), megabytes = rivals_option("megabytes", 8);

	if (habit == 1)
		guest_start_vcpu(1, wake, 0);
	if (habit == 7)
		guest_start_vcpu(1, ipi_taken, 0);
	habits[habit](habit == 7 ? 1 : megabytes);
	return 0;
}
