/* SPDX-License-Identifier: MIT */
/* numa/filter.c: exactly the keys used last, compared with a plain list of uses. */
#include "tests/unit/unit.h"

#include "numa/filter.h"

#define SIZE 256

static struct filter f;
static u64 storage[4096];

static bool use(u32 key)
{
	bool in;
	const struct filter_entry *p = filter_use(&f, key, &in);

	assert_int_equal(p->key, key);
	return in;
}

static int fill(void **state)
{
	(void)state;
	assert_true(filter_bytes(2 * SIZE) <= sizeof(storage));
	filter_init(&f, 2 * SIZE, storage);
	filter_clear(&f, SIZE);
	return 0;
}

static void holds_the_last_256(void **state)
{
	(void)state;
	for (u32 i = 0; i < SIZE; i++)
		assert_false(use(1000 + i));
	for (u32 i = 0; i < SIZE; i++)
		assert_true(use(1000 + i));
	assert_false(use(7)); /* 1000 was the oldest */
	assert_null(filter_find(&f, 1000));
	assert_true(use(1001));
	assert_false(use(1000)); /* for 1002 */
	assert_null(filter_find(&f, 1002));
	assert_non_null(filter_find(&f, 1001));
}

/* A walk over one key more than there is room for never finds what it wants. */
static void a_walk_over_one_more_always_misses(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 5; round++)
		for (u32 i = 0; i <= SIZE; i++)
			assert_false(use(i));
}

static void looking_is_no_use(void **state)
{
	(void)state;
	for (u32 i = 0; i < SIZE; i++)
		use(i);
	for (unsigned i = 0; i < 10; i++)
		assert_non_null(filter_find(&f, 0));
	use(5000);
	assert_null(filter_find(&f, 0));
}

static void what_comes_back_begins_anew(void **state)
{
	bool in;
	struct filter_entry *p = filter_use(&f, 42, &in);

	(void)state;
	p->written = true;
	p->mark = 17;
	for (u32 i = 0; i < SIZE; i++)
		use(1000 + i);
	p = filter_use(&f, 42, &in);
	assert_false(in);
	assert_false(p->written);
	assert_int_equal(p->mark, 0);
}

/* Against a list: uses[i] is when page i was used last. */
static void at_random(void **state)
{
	enum { PAGES = 700 };
	static u32 last[PAGES];
	u32 seed = 1;

	(void)state;
	memset(last, 0, sizeof(last));
	for (u32 now = 1; now < 100000; now++) {
		u32 page, newer = 0;

		seed = seed * 1664525 + 1013904223;
		page = seed >> 8 & 1 ? (seed >> 16) % 128 : (seed >> 16) % PAGES;
		for (u32 i = 0; i < PAGES; i++)
			newer += last[i] > last[page];
		assert_int_equal(use(page * 256 + 3), last[page] && newer < SIZE);
		last[page] = now;
	}
}

static void another_size_starts_empty(void **state)
{
	(void)state;
	for (u32 i = 0; i < SIZE; i++)
		use(i);
	filter_clear(&f, 2 * SIZE);
	for (u32 i = 0; i < 2 * SIZE; i++)
		assert_false(use(i));
	for (u32 i = 0; i < 2 * SIZE; i++)
		assert_true(use(i));
	assert_false(use(2 * SIZE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(holds_the_last_256, fill),
		cmocka_unit_test_setup(a_walk_over_one_more_always_misses, fill),
		cmocka_unit_test_setup(looking_is_no_use, fill),
		cmocka_unit_test_setup(what_comes_back_begins_anew, fill),
		cmocka_unit_test_setup(another_size_starts_empty, fill),
		cmocka_unit_test_setup(at_random, fill),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
