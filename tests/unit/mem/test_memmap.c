/* SPDX-License-Identifier: MIT */
/* kernel/mem/memmap.c: a machine page has one owner at a time. */
#include "tests/unit/unit.h"

#include "kernel/mem/memmap.h"
#include "kernel/panic.h"

#define NODES	    3
#define NODE_PAGES  64u
#define FIRST(node) (0x80000 + (u64)(node)*NODE_PAGES)

static struct page pages[NODES][NODE_PAGES];

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static int fill(void **state)
{
	u32 i, k;

	(void)state;
	for (i = 0; i < NODES; i++) {
		memmap_init_node(i, (mpn_t){ FIRST(i) }, NODE_PAGES, pages[i]);
		for (k = 0; k < NODE_PAGES; k++)
			pages[i][k].state = PAGE_FREE;
	}
	return 0;
}

static void every_page_has_a_home(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < NODES; i++) {
		assert_int_equal(memmap_node((mpn_t){ FIRST(i) }), i);
		assert_int_equal(memmap_node((mpn_t){ FIRST(i) + NODE_PAGES - 1 }), i);
		assert_ptr_equal(memmap_page((mpn_t){ FIRST(i) + 3 }), &pages[i][3]);
	}
	assert_int_equal(memmap_node((mpn_t){ FIRST(0) - 1 }), -1);
	assert_int_equal(memmap_node((mpn_t){ FIRST(NODES) }), -1);
	assert_null(memmap_page((mpn_t){ 0 }));
	assert_null(memmap_page((mpn_t){ ~0ull }));
}

static void pages_of_the_monitor_are_never_given(void **state)
{
	(void)state;
	memmap_init_node(0, (mpn_t){ FIRST(0) }, NODE_PAGES, pages[0]);
	expect_assert_failure(memmap_give((mpn_t){ FIRST(0) }, 1, (gpn_t){ 0 }));
	expect_assert_failure(memmap_take_back((mpn_t){ FIRST(0) }, 1));
}

static void a_page_has_one_owner(void **state)
{
	mpn_t mpn = { FIRST(1) + 5 };

	(void)state;
	memmap_give(mpn, 1, (gpn_t){ 7 });
	assert_int_equal(memmap_page(mpn)->state, PAGE_GUEST);
	assert_int_equal(memmap_page(mpn)->owner, 1);
	assert_int_equal(memmap_page(mpn)->gpn, 7);
	expect_assert_failure(memmap_give(mpn, 2, (gpn_t){ 7 }));
	expect_assert_failure(memmap_take_back(mpn, 2));
	memmap_take_back(mpn, 1);
	assert_int_equal(memmap_page(mpn)->state, PAGE_FREE);
	expect_assert_failure(memmap_take_back(mpn, 1));
	expect_assert_failure(memmap_give((mpn_t){ FIRST(NODES) }, 1, (gpn_t){ 0 }));
}

static void a_replica_is_promoted_once(void **state)
{
	mpn_t mpn = { FIRST(2) };

	(void)state;
	expect_assert_failure(memmap_promote(mpn));
	memmap_give_replica(mpn, 1, (gpn_t){ 7 });
	assert_int_equal(memmap_page(mpn)->state, PAGE_REPLICA);
	expect_assert_failure(memmap_give(mpn, 1, (gpn_t){ 7 }));
	expect_assert_failure(memmap_moved(mpn)); /* the master's history */
	memmap_promote(mpn);
	assert_int_equal(memmap_page(mpn)->state, PAGE_GUEST);
	expect_assert_failure(memmap_promote(mpn));
	memmap_take_back(mpn, 1);
	memmap_give_replica(mpn, 2, (gpn_t){ 0 });
	expect_assert_failure(memmap_take_back(mpn, 1));
	memmap_take_back(mpn, 2);
	assert_int_equal(memmap_page(mpn)->state, PAGE_FREE);
}

static void moves_are_counted_to_255(void **state)
{
	mpn_t mpn = { FIRST(0) };

	(void)state;
	memmap_give(mpn, 1, (gpn_t){ 7 });
	for (int i = 0; i < 300; i++)
		memmap_moved(mpn);
	assert_int_equal(memmap_page(mpn)->moves, 255);
	memmap_take_back(mpn, 1);
	assert_int_equal(memmap_page(mpn)->moves, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_page_has_a_home, fill),
		cmocka_unit_test_setup(pages_of_the_monitor_are_never_given, fill),
		cmocka_unit_test_setup(a_page_has_one_owner, fill),
		cmocka_unit_test_setup(a_replica_is_promoted_once, fill),
		cmocka_unit_test_setup(moves_are_counted_to_255, fill),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
