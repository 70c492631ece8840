/* SPDX-License-Identifier: MIT */
/* drivers/subnet/fair.c: who sends more than others leaves some receive buffers for them, and nobody else does. */
#include "tests/unit/unit.h"

#include "arch/mips/arch.h"
#include "drivers/subnet/fair.h"

#define SIZE   128
#define LEAVES (SIZE / 8)
#define PERIOD (FAIR_HALF * COUNT_MS)

static struct fair f;

static int begin(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	fair_age(&f, 7 * PERIOD);
	return 0;
}

static void who_is_alone_takes_all(void **state)
{
	(void)state;
	assert_int_equal(fair_leaves(&f, 3, SIZE), 0);
	fair_took(&f, 3, 1000000);
	assert_int_equal(fair_leaves(&f, 3, SIZE), 0);
	assert_int_equal(fair_leaves(&f, 4, SIZE), 0);
}

static void who_takes_more_than_others_leaves_some(void **state)
{
	(void)state;
	fair_took(&f, 3, 1000);
	fair_took(&f, 4, 10);
	assert_int_equal(fair_leaves(&f, 3, SIZE), LEAVES);
	assert_int_equal(fair_leaves(&f, 4, SIZE), 0);
	assert_int_equal(fair_leaves(&f, 5, SIZE), 0);
	fair_took(&f, 4, 990); /* the same as the other */
	assert_int_equal(fair_leaves(&f, 3, SIZE), 0);
	assert_int_equal(fair_leaves(&f, 4, SIZE), 0);
}

static void who_found_none_is_left_some(void **state)
{
	(void)state;
	fair_took(&f, 3, 1000);
	fair_refused(&f, 4);
	assert_int_equal(fair_leaves(&f, 3, SIZE), LEAVES);
	assert_int_equal(fair_leaves(&f, 4, SIZE), 0);
	for (u32 i = 0; i < 10000; i++)
		fair_refused(&f, 4); /* to be refused is no way to have more */
	assert_int_equal(f.took[4], FAIR_REFUSED);
}

static void it_is_forgotten(void **state)
{
	(void)state;
	fair_took(&f, 3, 1000);
	fair_took(&f, 4, 10);
	fair_age(&f, 8 * PERIOD - 1);
	assert_int_equal(f.took[3], 1000);
	fair_age(&f, 8 * PERIOD);
	assert_int_equal(f.took[3], 500);
	fair_age(&f, 11 * PERIOD + 5);
	assert_int_equal(f.took[4], 0); /* who has not sent for so long is none of them */
	assert_int_equal(f.active, 1);
	assert_int_equal(f.sum, f.took[3]);
	assert_int_equal(fair_leaves(&f, 3, SIZE), 0);
	fair_age(&f, 1ul << 50);
	assert_int_equal(f.sum | f.active | f.took[3], 0);
}

static void no_sum_runs_over(void **state)
{
	u64 sum = 0;

	(void)state;
	for (u32 i = 0; i < 100000; i++)
		for (u32 k = 0; k < PORTS_MAX; k++)
			fair_took(&f, k, 65536);
	for (u32 k = 0; k < PORTS_MAX; k++)
		sum += f.took[k];
	assert_int_equal(f.sum, sum);
	assert_int_equal(f.active, PORTS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_is_alone_takes_all, begin),
		cmocka_unit_test_setup(who_takes_more_than_others_leaves_some, begin),
		cmocka_unit_test_setup(who_found_none_is_left_some, begin),
		cmocka_unit_test_setup(it_is_forgotten, begin),
		cmocka_unit_test_setup(no_sum_runs_over, begin),
	};

	return cmocka_run_group_tests_name("fair", tests, NULL, NULL);
}
