/* SPDX-License-Identifier: MIT */
/* kernel/wallclock.c: the time of day, with a clock chip and a Count of the test's own. */
#include "tests/unit/unit.h"

#include "kernel/wallclock.c"

static u64 real_ns;  /* the host's time; the chip shows CHIP_BEHIND less, whole seconds */
static u64 lost_ns;  /* what Count did not see of it */
static u64 stall_ns; /* how long the host has no time in the middle of the next look at the chip */
static u32 reads;    /* of the chip */

#define CHIP_BEHIND (SECOND * 7 / 10)
#define START	    (1790000000 * SECOND + 123456789)

u64 rtc_seconds(void)
{
	reads++;
	real_ns += stall_ns;
	stall_ns = 0;
	return (real_ns - CHIP_BEHIND) / SECOND;
}

u64 count64(void) { return (real_ns - lost_ns - START) / COUNT_NS + 1000; }

void lock_take(struct lock *l) { assert_int_equal(l->next++, l->serving); }

void lock_release(struct lock *l) { l->serving++; }

static int start(void **state)
{
	(void)state;
	real_ns = START;
	lost_ns = stall_ns = guess = reads = 0;
	return 0;
}

static double seconds_wrong(void)
{
	u64 now = wallclock_ns();
	s64 wrong = (s64)(now - real_ns);

	return (wrong < 0 ? -wrong : wrong) / 1e9;
}

/* A day, in steps of 0.333 s from another part of a second each: never wrong by a second, never back, and without jumps. */
static void is_right_and_steady(void **state)
{
	(void)state;
	for (u64 phase = 0; phase < SECOND; phase += SECOND / 20) {
		u64 first;

		start(state);
		real_ns += phase;
		first = wallclock_ns();
		for (u64 passed = 0; passed < 3600 * SECOND; passed += SECOND / 3) {
			assert_true(seconds_wrong() < 1.0);
			assert_true(wallclock_ns() - first - passed < 2 * COUNT_NS ||
				    first + passed - wallclock_ns() < 2 * COUNT_NS);
			real_ns += SECOND / 3;
		}
	}
}

static void does_not_read_the_chip_each_time(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++, real_ns += SECOND / 100)
		wallclock_ns();
	assert_in_range(reads, 9, 11);
}

/* The machine stood still for a minute: Count knows nothing, or part of it. */
static void lost_time_is_found(void **state)
{
	(void)state;
	wallclock_ns();
	real_ns += 3 * SECOND;
	assert_true(seconds_wrong() < 1.0);
	real_ns += 60 * SECOND;
	lost_ns += 60 * SECOND - SECOND / 2;
	real_ns += SECOND;
	assert_true(seconds_wrong() < 1.0);
}

static void a_chip_that_was_set_back_is_followed(void **state)
{
	(void)state;
	wallclock_ns();
	real_ns += 5 * SECOND;
	wallclock_ns();
	real_ns -= 3600 * SECOND;
	lost_ns -= 3600 * SECOND;
	real_ns += 2 * SECOND;
	assert_true(seconds_wrong() < 1.0);
}

/* The first look, and a later one, in the middle of which the host did something else for a while, beginning in any part of a second. */
static void a_look_that_takes_long_is_none(void **state)
{
	(void)state;
	for (u64 phase = 0; phase < SECOND; phase += SECOND / 50) {
		u64 before;

		start(state);
		real_ns += phase;
		stall_ns = SECOND * 9 / 10;
		assert_true(seconds_wrong() < 1.0);
		real_ns += 2 * SECOND;
		before = wallclock_ns();
		real_ns += 2 * SECOND;
		stall_ns = 2 * SECOND;
		assert_true(seconds_wrong() < 1.0);
		assert_in_range(wallclock_ns() - before, 4 * SECOND - 2 * COUNT_NS,
				4 * SECOND + 2 * COUNT_NS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_right_and_steady, start),
		cmocka_unit_test_setup(does_not_read_the_chip_each_time, start),
		cmocka_unit_test_setup(lost_time_is_found, start),
		cmocka_unit_test_setup(a_chip_that_was_set_back_is_followed, start),
		cmocka_unit_test_setup(a_look_that_takes_long_is_none, start),
	};

	return cmocka_run_group_tests_name("wallclock", tests, NULL, NULL);
}
