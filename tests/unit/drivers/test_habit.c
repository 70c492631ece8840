/* SPDX-License-Identifier: MIT */
/* drivers/subnet/habit.c: which pages are passed, row by row, and that random ones stay within the bounds. */
#include "tests/unit/unit.h"

#include "drivers/subnet/habit.h"

static struct habit h;

static int begin(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	return 0;
}

static u32 passed_of(u64 page, bool shared, u32 times)
{
	u32 passed = 0;

	while (times--)
		passed += habit_passes(&h, (gpn_t){ page }, shared);
	return passed;
}

static void what_nobody_writes_is_passed(void **state)
{
	(void)state;
	assert_int_equal(passed_of(7, false, 1), 1); /* a page of the sender's own at first */
	assert_int_equal(passed_of(7, true, 1000), 1000);
}

static void what_is_filled_anew_is_copied(void **state)
{
	(void)state;
	assert_int_equal(passed_of(7, false, 2), 2);
	for (u32 i = 0; i < 10; i++) { /* now and then it may be another page */
		assert_int_equal(passed_of(7, false, HABIT_COPIES), 0);
		assert_int_equal(passed_of(7, false, 1), 1);
	}
	assert_int_equal(passed_of(8, false, 1), 1);
}

static void a_page_that_stays_has_no_past(void **state)
{
	(void)state;
	passed_of(7, false, 10);
	assert_int_equal(passed_of(7, true, 1), 1);
	assert_int_equal(passed_of(7, false, 1), 1); /* written once since, and that is no habit */
	assert_int_equal(passed_of(7, true, 1), 1);
	assert_int_equal(passed_of(7, false, 1), 1);
	assert_int_equal(passed_of(7, false, 1), 0);
}

/* Pages in one place: never fewer passes than one of HABIT_COPIES + 1, and all of those that are shared. */
static void any_pages(void **state)
{
	u32 copied = 0;

	(void)state;
	srand(1);
	for (u32 i = 0; i < 100000; i++) {
		bool shared = rand() % 64 == 0;

		if (habit_passes(&h, (gpn_t){ (u64)(rand() % 3) * HABIT_PAGES + 5 }, shared)) {
			copied = 0;
			continue;
		}
		assert_false(shared);
		assert_in_range(++copied, 1, HABIT_COPIES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_nobody_writes_is_passed, begin),
		cmocka_unit_test_setup(what_is_filled_anew_is_copied, begin),
		cmocka_unit_test_setup(a_page_that_stays_has_no_past, begin),
		cmocka_unit_test_setup(any_pages, begin),
	};

	return cmocka_run_group_tests_name("habit", tests, NULL, NULL);
}
