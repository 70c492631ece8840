/* SPDX-License-Identifier: MIT */
/* kernel/mem/fresh.h: what was put is taken once, in order; of more than it holds, the last ones. */
#include "tests/unit/unit.h"

#include "kernel/mem/fresh.h"

static struct fresh f;

static int empty(void **state)
{
	(void)state;
	f = (struct fresh){ .put = -5u, .got = -5u }; /* the counts run over on the way */
	return 0;
}

static void put(u64 from, u64 n)
{
	for (u64 i = 0; i < n; i++)
		fresh_put(&f, from + i);
}

static void takes_each_once_in_order(void **state)
{
	(void)state;
	assert_int_equal(fresh_take(&f), 0);
	put(1, 10);
	for (u64 i = 1; i <= 10; i++)
		assert_int_equal(fresh_take(&f), i);
	assert_int_equal(fresh_take(&f), 0);
	put(11, 1);
	assert_int_equal(fresh_take(&f), 11);
	assert_int_equal(fresh_take(&f), 0);
}

static void keeps_the_last_ones(void **state)
{
	(void)state;
	put(1, FRESH_TAGS + 3);
	for (u64 i = 4; i <= FRESH_TAGS + 3; i++)
		assert_int_equal(fresh_take(&f), i);
	assert_int_equal(fresh_take(&f), 0);
}

/* A node that has reserved a place has not put its tag there yet. */
static void a_place_without_a_tag_is_passed_over(void **state)
{
	(void)state;
	put(1, 3);
	f.tag[(f.got + 1) % FRESH_TAGS] = 0;
	assert_int_equal(fresh_take(&f), 1);
	assert_int_equal(fresh_take(&f), 3);
	assert_int_equal(fresh_take(&f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(takes_each_once_in_order, empty),
		cmocka_unit_test_setup(keeps_the_last_ones, empty),
		cmocka_unit_test_setup(a_place_without_a_tag_is_passed_over, empty),
	};

	return cmocka_run_group_tests_name("fresh", tests, NULL, NULL);
}
