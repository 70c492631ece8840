/* SPDX-License-Identifier: MIT */
/*
 * Time. Each processor has a clock, in cycles. They run in turn, in the order of their numbers,
 * each until its clock is at the end of the quantum; then time is published: QEMU's virtual clock
 * moves to the end of that quantum, and its timers due by then run. So whose turn it is depends on
 * clocks and interrupts alone, not on the order in which QEMU offers the processors, nor on
 * anything in the host.
 *
 * A processor that is not in turn leaves its block before the first instruction.
 */
#include <pthread.h>
#include <stdio.h>

#include "qemu/flash/flash.h"
#include "qemu/flash/qemu.h"

/*
 * A timer that expires exactly on time and looks at the clock arms itself for the same instant
 * again (CP0's and the GIC's do): whoever asks while timers run is told a later time.
 */
#define TIMER_STEP 10 /* ns */
#define TIMER_RUNS 64 /* at most, for one instant */
/* QEMU gives its processors slices by a timer of the virtual clock, which would be one event more
 * in it, and at times that depend on the host. It is the only one who asks while no block runs. */
#define NEVER (1ll << 50) /* ns: 13 days */

static uint64_t limit;	  /* cycles: the end of the quantum */
static int64_t published; /* ns; written under QEMU's lock or with no timer due */
static unsigned sleeping; /* processors idle; written by QEMU's thread of the processors */
static pthread_t main_thread;

/* how the clock reads for this thread */
static __thread enum { CLOCK_FREE, CLOCK_STILL, CLOCK_STEPS } reading;
static __thread int64_t still;
static __thread unsigned reads;
static __thread bool helper;

struct cpu *running;

static int64_t ns_of(uint64_t cycles) { return cycles * 1000 / options.mhz; }
static uint64_t cycles_of(int64_t ns) { return (uint64_t)ns * options.mhz / 1000; }

int64_t clock_published(void) { return __atomic_load_n(&published, __ATOMIC_RELAXED); }

/* In place of QEMU's. */
static int64_t virtual_clock(void)
{
	const struct cpu *c = running;
	int64_t now = clock_published();

	if (reading == CLOCK_STILL)
		return still;
	if (reading == CLOCK_STEPS)
		return reads++ ? still + TIMER_STEP : still;
	if (helper || pthread_equal(pthread_self(), main_thread))
		return now;
	if (!c)
		return now + NEVER;
	return ns_of(c->n.cycles) > now ? ns_of(c->n.cycles) : now;
}

/* Of the timers, at that time; -1: none. */
static int64_t deadline_at(int64_t ns)
{
	int64_t deadline;

	reading = CLOCK_STILL;
	still = ns;
	deadline = qemu.clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, QEMU_ALL_TIMERS);
	reading = CLOCK_FREE;
	return deadline > NEVER / 2 ? -1 : deadline;
}

int64_t clock_next_timer(void) { return deadline_at(clock_published()); }

/* Timers first, then the time: nobody ever finds one that should have run. Under QEMU's lock. */
void clock_jump(int64_t ns)
{
	for (unsigned i = 0; i < TIMER_RUNS && deadline_at(ns) == 0; i++) {
		reading = CLOCK_STEPS;
		still = ns;
		reads = 0;
		qemu.clock_run_timers(QEMU_CLOCK_VIRTUAL);
		reading = CLOCK_FREE;
		ns += TIMER_STEP;
	}
	__atomic_store_n(&published, ns, __ATOMIC_RELAXED);
}

static void publish(int64_t ns)
{
	if (ns <= published)
		return;
	if (deadline_at(ns)) {
		__atomic_store_n(&published, ns, __ATOMIC_RELAXED);
		return;
	}
	qemu.lock(__FILE__, __LINE__);
	clock_jump(ns);
	qemu.unlock();
}

static void wake(struct cpu *c)
{
	uint64_t now = cycles_of(published);

	if (c->n.cycles < now) {
		c->n.idle += now - c->n.cycles;
		c->n.cycles = now;
	}
	c->idle = false;
	__atomic_fetch_sub(&sleeping, 1, __ATOMIC_RELAXED);
}

/* Before the region of interest: processors get out of step. */
void clock_skew(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i].n.cycles += options.skew * (i + 1);
		cpus[i].n.idle += options.skew * (i + 1);
	}
}

void clock_sleep(struct cpu *c)
{
	c->bound = 0;
	if (running == c)
		running = NULL;
	if (c->idle)
		return;
	c->idle = true;
	if (__atomic_add_fetch(&sleeping, 1, __ATOMIC_RELAXED) == cpu_count)
		idle_nudge();
}

bool clock_may_sleep(void) { return __atomic_load_n(&sleeping, __ATOMIC_RELAXED) == cpu_count; }

bool clock_all_sleep(void) { return clock_may_sleep() && qemu.all_cpu_threads_idle(); }

void clock_helper(void) { helper = true; }

/* The next quantum: behind the processor that is furthest behind. False: all are idle. */
static bool advance(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < cpu_count; i++)
		if (!cpus[i].idle && cpus[i].n.cycles < least)
			least = cpus[i].n.cycles;
	if (least == UINT64_MAX)
		return false;
	limit = least - least % options.quantum + options.quantum;
	publish(ns_of(limit - options.quantum));
	magic_time(limit - options.quantum);
	return true;
}

static struct cpu *in_turn(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].idle && !qemu.cpu_thread_is_idle(cpus[i].qemu))
			wake(&cpus[i]);
	for (unsigned i = 0; i < cpu_count; i++) {
		struct cpu *c = &cpus[i];

		if (c->idle || c->n.cycles >= limit)
			continue;
		if (!qemu.cpu_thread_is_idle(c->qemu))
			return c;
		clock_sleep(c); /* stopped from outside, without a WAIT */
	}
	return NULL;
}

void clock_turn(struct cpu *visitor, void *from)
{
	struct cpu *c;

	visitor->bound = 0;
	while (!(c = in_turn()) && advance())
		;
	if (c)
		c->bound = limit;
	if (c == visitor)
		return;
	running = NULL;
	qemu.cpu_exit(visitor->qemu);
	qemu.cpu_loop_exit_restore(visitor->qemu, (uintptr_t)from);
}

uint64_t clock_of(const struct cpu *c)
{
	uint64_t now = cycles_of(published);

	return c->idle && c->n.cycles < now ? now : c->n.cycles;
}

bool clock_init(char *why, unsigned long bytes)
{
	void **slot = qemu_clock_slot(qemu.class_by_name("tcg-accel-ops"), why, bytes);

	if (!slot)
		return false;
	main_thread = pthread_self();
	sleeping = cpu_count;
	limit = options.quantum;
	published = 0;
	*slot = (void *)virtual_clock;
	idle_start();
	return true;
}
