/* SPDX-License-Identifier: MIT */
/* numa/filter.c: exactly the 256 pages used last, compared with a plain list of uses. */
#include "tests/unit/unit.h"

#include "numa/filter.h"

static struct filter f;

static bool use(u64 mpn)
{
	bool in;
	const struct filter_page *p = filter_use(&f, (mpn_t){ mpn }, &in);

	assert_int_equal(p->mpn, mpn);
	return in;
}

static int fill(void **state)
{
	(void)state;
	filter_clear(&f);
	return 0;
}

static void holds_the_last_256(void **state)
{
	(void)state;
	for (u64 i = 0; i < FILTER_PAGES; i++)
		assert_false(use(1000 + i));
	for (u64 i = 0; i < FILTER_PAGES; i++)
		assert_true(use(1000 + i));
	assert_false(use(7)); /* 1000 was the oldest */
	assert_null(filter_find(&f, (mpn_t){ 1000 }));
	assert_true(use(1001));
	assert_false(use(1000)); /* for 1002 */
	assert_null(filter_find(&f, (mpn_t){ 1002 }));
	assert_non_null(filter_find(&f, (mpn_t){ 1001 }));
}

/* A walk over one page more than there is room for never finds what it wants. */
static void a_walk_over_257_pages_always_misses(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 5; round++)
		for (u64 i = 0; i <= FILTER_PAGES; i++)
			assert_false(use(i));
}

static void looking_is_no_use(void **state)
{
	(void)state;
	for (u64 i = 0; i < FILTER_PAGES; i++)
		use(i);
	for (unsigned i = 0; i < 10; i++)
		assert_non_null(filter_find(&f, (mpn_t){ 0 }));
	use(5000);
	assert_null(filter_find(&f, (mpn_t){ 0 }));
}

static void what_comes_back_begins_anew(void **state)
{
	bool in;
	struct filter_page *p = filter_use(&f, (mpn_t){ 42 }, &in);

	(void)state;
	p->written = true;
	p->seen = 17;
	for (u64 i = 0; i < FILTER_PAGES; i++)
		use(1000 + i);
	p = filter_use(&f, (mpn_t){ 42 }, &in);
	assert_false(in);
	assert_false(p->written);
	assert_int_equal(p->seen, 0);
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
		assert_int_equal(use((u64)page * 256 + 3), last[page] && newer < FILTER_PAGES);
		last[page] = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(holds_the_last_256, fill),
		cmocka_unit_test_setup(a_walk_over_257_pages_always_misses, fill),
		cmocka_unit_test_setup(looking_is_no_use, fill),
		cmocka_unit_test_setup(what_comes_back_begins_anew, fill),
		cmocka_unit_test_setup(at_random, fill),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
