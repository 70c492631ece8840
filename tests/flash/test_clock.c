/* SPDX-License-Identifier: MIT */
/*
 * qemu/flash/clock.c, with a QEMU of a few lines: it offers processors in any order, has some
 * timers, and nothing else.
 */
#include <pthread.h>
#include <stdbool.h>

#include "tests/flash/flash_test.h"

#include "qemu/flash/flash.h"
#include "qemu/flash/qemu.h"

#define CPUS   4
#define TIMERS CPUS
#define NONE   INT64_MAX
#define BLOCKS 4000 /* in a run */

struct options options;
struct cpu cpus[MAX_CPUS];
unsigned cpu_count = CPUS;
struct qemu qemu;

static jmp_buf unexecuted;
static bool halted[CPUS];
static int64_t timer[TIMERS]; /* wakes the processor of its number; NONE: not set */
static void (*when_timers_run)(void);
static unsigned timer_runs;
static void *slot; /* of the clock */
static unsigned locked;

static int64_t read_clock(void) { return ((int64_t(*)(void))slot)(); }

/* ---- QEMU ---- */

static bool is_idle(void *cpu) { return halted[(struct cpu *)cpu - cpus]; }

static bool all_idle(void)
{
	bool all = true;

	for (unsigned i = 0; i < CPUS; i++)
		all = all && halted[i];
	return all;
}

static int64_t deadline(int clock, int attributes)
{
	int64_t next = NONE, now = read_clock();

	(void)clock;
	(void)attributes;
	for (unsigned i = 0; i < TIMERS; i++)
		if (timer[i] < next)
			next = timer[i];
	return next == NONE ? -1 : next > now ? next - now : 0;
}

static bool run_timers(int clock)
{
	int64_t now = read_clock();

	(void)clock;
	assert_int_equal(locked, 1);
	timer_runs++;
	for (unsigned i = 0; i < TIMERS; i++) {
		if (timer[i] > now)
			continue;
		assert_true(clock_published() < now); /* nobody knows yet that it is so late */
		timer[i] = NONE;
		halted[i] = false;
	}
	if (when_timers_run)
		when_timers_run();
	return true;
}

static void lock(const char *file, int line)
{
	(void)file;
	(void)line;
	locked++;
}

static void unlock(void) { locked--; }
static void leave(void *cpu) { (void)cpu; }

static void leave_block(void *cpu, uintptr_t from)
{
	(void)cpu;
	(void)from;
	longjmp(unexecuted, 1);
}

static void *find_class(const char *name) { return (void *)name; }

/* ---- the rest of the model ---- */

void **qemu_clock_slot(void **class, char *why, size_t bytes)
{
	(void)class;
	(void)why;
	(void)bytes;
	return &slot;
}

void idle_start(void) {}
void idle_nudge(void) {}
void magic_time(uint64_t cycles) { (void)cycles; }

/* ---- a run ---- */

static int setup(void **state)
{
	(void)state;
	qemu = (struct qemu){
		.cpu_exit = leave,
		.cpu_loop_exit_restore = leave_block,
		.cpu_thread_is_idle = is_idle,
		.all_cpu_threads_idle = all_idle,
		.clock_run_timers = run_timers,
		.clock_deadline_ns_all = deadline,
		.lock = lock,
		.unlock = unlock,
		.class_by_name = find_class,
	};
	options = (struct options){ .mhz = 400, .quantum = 1000 };
	memset(cpus, 0, sizeof(cpus));
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].id = i;
		cpus[i].idle = true;
		cpus[i].qemu = &cpus[i];
		halted[i] = false;
		timer[i] = NONE;
	}
	timer_runs = 0;
	when_timers_run = NULL;
	running = NULL;
	return clock_init(NULL, 0) ? 0 : -1;
}

/* True: the processor executed a block of so many cycles. */
static bool offer(unsigned i, uint64_t cycles)
{
	struct cpu *c = &cpus[i];

	if (halted[i] || setjmp(unexecuted))
		return false;
	if (c->n.cycles >= c->bound)
		clock_turn(c, NULL);
	running = c;
	c->n.cycles += cycles;
	return true;
}

static void wait_for_timer(unsigned i, int64_t at)
{
	timer[i] = at;
	clock_sleep(&cpus[i]);
	halted[i] = true;
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Blocks and waits as good as random, the same in each run; offered in an order of its own. The
 * result is a hash of who executed what, when. */
static uint64_t run(uint64_t order)
{
	uint64_t work[CPUS] = { 1, 2, 3, 4 }, hash = 0;

	setup(NULL);
	for (unsigned done = 0; done < BLOCKS;) {
		unsigned i = next_random(&order) % CPUS;
		uint64_t saved = work[i], cycles = next_random(&work[i]) % 700;

		if (clock_all_sleep()) {
			locked++;
			clock_jump(clock_published() + clock_next_timer());
			locked--;
		}
		if (!offer(i, cycles)) {
			work[i] = saved;
			continue;
		}
		done++;
		hash = (hash ^ cpus[i].n.cycles ^ (uint64_t)i << 60) * 0x9e3779b97f4a7c15;
		if (cycles % 16 == 0)
			wait_for_timer(i, clock_published() + 1 + 100 * cycles);
	}
	return hash;
}

static void the_order_of_offers_does_not_matter(void **state)
{
	uint64_t hash = run(1);

	(void)state;
	for (uint64_t order = 2; order < 12; order++)
		assert_int_equal(run(order), hash);
	assert_true(timer_runs > 100);
}

static void nobody_is_ahead_by_more_than_a_quantum(void **state)
{
	uint64_t order = 7, work = 5;

	(void)state;
	for (unsigned done = 0; done < BLOCKS;) {
		unsigned i = next_random(&order) % CPUS;
		uint64_t least = UINT64_MAX, before = cpus[i].n.cycles;

		/* processor 3 takes ten quanta for a block */
		if (!offer(i, i == 3 ? 10000 : next_random(&work) % 300))
			continue;
		done++;
		for (unsigned j = 0; j < CPUS; j++)
			if (j != i && cpus[j].n.cycles < least)
				least = cpus[j].n.cycles;
		assert_true(before < least + options.quantum);
	}
}

static void a_woken_processor_runs_from_now_on(void **state)
{
	(void)state;
	while (!offer(0, 10))
		;
	for (unsigned i = 1; i < CPUS; i++)
		wait_for_timer(i, i == 2 ? 5001 : NONE);
	while (halted[2])
		offer(0, 100);
	while (!offer(2, 10))
		offer(0, 100);
	/* the timer runs at the quantum's end, time is published a step later */
	assert_in_range(cpus[2].n.cycles, 5001 * 4 / 10, 5001 * 4 / 10 + 1000 + 4 + 10);
	assert_int_equal(cpus[2].n.cycles, cpus[2].n.idle + 10);
	assert_int_equal(clock_of(&cpus[1]), (uint64_t)clock_published() * 4 / 10);
}

static void one_stopped_without_a_wait_holds_nobody_up(void **state)
{
	(void)state;
	while (!offer(0, 10))
		;
	halted[1] = halted[2] = halted[3] = true;
	for (unsigned i = 0; i < 100; i++)
		assert_true(offer(0, 500));
	halted[1] = false;
	for (unsigned i = 0; i < 3 && !offer(1, 10); i++)
		offer(0, 500);
	assert_true(cpus[1].n.cycles > 100 * 500 - 1000);
}

static void arm_again(void)
{
	/* what CP0's and the GIC's timers do: at once, for the time they are told */
	if (timer_runs == 1)
		timer[0] = read_clock();
}

static void a_timer_may_arm_itself_for_now(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CPUS; i++)
		while (!offer(i, 10))
			for (unsigned j = 0; j < CPUS; j++)
				if (j < i)
					offer(j, 1000);
	for (unsigned i = 0; i < CPUS; i++)
		wait_for_timer(i, i ? NONE : 100000);
	when_timers_run = arm_again;
	locked++;
	clock_jump(100000);
	locked--;
	assert_int_equal(timer_runs, 2);
	assert_int_equal(timer[0], NONE);
	assert_int_equal(clock_published(), 100020);
}

static void *read_elsewhere(void *now)
{
	*(int64_t *)now = read_clock();
	return NULL;
}

static void the_clock_depends_on_who_asks(void **state)
{
	int64_t now;
	pthread_t thread;

	(void)state;
	while (!offer(0, 400))
		;
	assert_int_equal(read_clock(), clock_published());   /* the main loop */
	pthread_create(&thread, NULL, read_elsewhere, &now); /* the processors' */
	pthread_join(thread, NULL);
	assert_int_equal(now, cpus[0].n.cycles * 10 / 4);
	running = NULL; /* QEMU arms its timer for slices of time: it never fires */
	pthread_create(&thread, NULL, read_elsewhere, &now);
	pthread_join(thread, NULL);
	assert_true(now > clock_published() + 86400000000000);
	timer[3] = now;
	assert_int_equal(clock_next_timer(), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(the_order_of_offers_does_not_matter),
		TEST(nobody_is_ahead_by_more_than_a_quantum),
		TEST(a_woken_processor_runs_from_now_on),
		TEST(one_stopped_without_a_wait_holds_nobody_up),
		TEST(a_timer_may_arm_itself_for_now),
		TEST(the_clock_depends_on_who_asks),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
