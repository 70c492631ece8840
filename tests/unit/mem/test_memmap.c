/* SPDX-License-Identifier: MIT */
/* kernel/mem/memmap.c: a machine page has one owner at a time, and changes state as its table says. */
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
			memmap_free_at_boot((mpn_t){ FIRST(i) + k });
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

static void a_replica_takes_the_place_of_its_master(void **state)
{
	mpn_t master = { FIRST(1) }, replica = { FIRST(2) };

	(void)state;
	memmap_give(master, 1, (gpn_t){ 7 });
	memmap_moved(master);
	memmap_give_replica(replica, 1, (gpn_t){ 7 });
	expect_assert_failure(memmap_moved(replica)); /* the master's history */
	memmap_promote(master, replica);
	assert_int_equal(memmap_page(master)->state, PAGE_FREE);
	assert_int_equal(memmap_page(replica)->state, PAGE_GUEST);
	assert_int_equal(memmap_page(replica)->owner, 1);
	assert_int_equal(memmap_page(replica)->gpn, 7);
	assert_int_equal(memmap_page(replica)->moves, 2);
}

static void a_page_moves_with_its_history(void **state)
{
	mpn_t from = { FIRST(1) }, to = { FIRST(2) };

	(void)state;
	memmap_give(from, 3, (gpn_t){ 9 });
	memmap_moved(from);
	memmap_move(from, to);
	assert_int_equal(memmap_page(from)->state, PAGE_FREE);
	assert_int_equal(memmap_page(from)->moves, 0);
	assert_int_equal(memmap_page(to)->owner, 3);
	assert_int_equal(memmap_page(to)->gpn, 9);
	assert_int_equal(memmap_page(to)->moves, 2);
}

/* ---- every change of state, allowed or not ---- */

#define PAGE ((mpn_t){ FIRST(0) + 1 })
/* A page of the same guest page in the state that the other side of a change of two has. */
#define OTHER ((mpn_t){ FIRST(0) + 2 })
#define GPN   ((gpn_t){ 7 })

static void do_free_at_boot(void) { memmap_free_at_boot(PAGE); }
static void do_give(void) { memmap_give(PAGE, 1, GPN); }
static void do_give_replica(void) { memmap_give_replica(PAGE, 1, GPN); }
static void do_take_back(void) { memmap_take_back(PAGE, 1); }
static void do_leave(void) { memmap_leave(PAGE, 1, 5); }
static void do_move_to(void) { memmap_move(OTHER, PAGE); }    /* OTHER: GUEST */
static void do_move_from(void) { memmap_move(PAGE, OTHER); }  /* OTHER: FREE */
static void do_promote(void) { memmap_promote(OTHER, PAGE); } /* OTHER: GUEST */
static void do_demote(void) { memmap_promote(PAGE, OTHER); }  /* OTHER: REPLICA */
static void do_count_move(void) { memmap_moved(PAGE); }
static void do_share(void) { memmap_share(PAGE); }
static void do_share_at_boot(void) { memmap_share_at_boot(PAGE); }
static void do_lend(void) { memmap_lend(PAGE, 1); }
static void do_lend_by_another(void) { memmap_lend(PAGE, 2); }
static void do_unshare(void) { memmap_unshare(PAGE); }
static void do_take_over(void) { memmap_take_over(PAGE, 1, GPN); }

enum { STATES = PAGE_SHARED + 1, NO = STATES };

static const struct {
	void (*change)(void);
	u8 other, becomes[STATES]; /* from MONITOR, FREE, GUEST, REPLICA, SHARED */
} changes[] = {
	{ do_free_at_boot, PAGE_FREE, { PAGE_FREE, NO, NO, NO, NO } },
	{ do_give, PAGE_FREE, { NO, PAGE_GUEST, NO, NO, NO } },
	{ do_give_replica, PAGE_FREE, { NO, PAGE_REPLICA, NO, NO, NO } },
	{ do_take_back, PAGE_FREE, { NO, NO, PAGE_FREE, PAGE_FREE, NO } },
	{ do_leave, PAGE_FREE, { NO, NO, PAGE_FREE, NO, NO } },
	{ do_move_to, PAGE_GUEST, { NO, PAGE_GUEST, NO, NO, NO } },
	{ do_move_from, PAGE_FREE, { NO, NO, PAGE_FREE, NO, NO } },
	{ do_promote, PAGE_GUEST, { NO, NO, NO, PAGE_GUEST, NO } },
	{ do_demote, PAGE_REPLICA, { NO, NO, PAGE_FREE, NO, NO } },
	{ do_count_move, PAGE_FREE, { NO, NO, PAGE_GUEST, NO, NO } },
	{ do_share, PAGE_FREE, { NO, PAGE_SHARED, NO, NO, NO } },
	{ do_share_at_boot, PAGE_FREE, { PAGE_SHARED, NO, NO, NO, NO } },
	{ do_lend, PAGE_FREE, { NO, NO, PAGE_SHARED, NO, NO } },
	{ do_lend_by_another, PAGE_FREE, { NO, NO, NO, NO, NO } },
	{ do_unshare, PAGE_FREE, { NO, NO, NO, NO, PAGE_FREE } },
	{ do_take_over, PAGE_FREE, { NO, NO, NO, NO, PAGE_GUEST } },
};

static void put(mpn_t mpn, u8 state)
{
	*memmap_page(mpn) = (struct page){ .state = state, .owner = 1, .gpn = GPN.v };
}

static void refused(void (*change)(void)) { expect_assert_failure(change()); }

static void each_change_is_for_some_states_only(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(changes); i++)
		for (u8 from = 0; from < STATES; from++) {
			put(PAGE, from);
			put(OTHER, changes[i].other);
			if (changes[i].becomes[from] == NO) {
				refused(changes[i].change);
				assert_int_equal(memmap_page(PAGE)->state, from);
				continue;
			}
			changes[i].change();
			assert_int_equal(memmap_page(PAGE)->state, changes[i].becomes[from]);
		}
}

static void what_is_left_in_a_page_is_its_last_owners(void **state)
{
	mpn_t mpn = { FIRST(0) };

	(void)state;
	memmap_give(mpn, 1, (gpn_t){ 7 });
	memmap_leave(mpn, 1, 5);
	assert_int_equal(memmap_page(mpn)->left_by, 5);
	memmap_give(mpn, 2, (gpn_t){ 5 }); /* and is written */
	memmap_take_back(mpn, 2);
	assert_int_equal(memmap_page(mpn)->left_by, 0);
	memmap_share(mpn)->first_user = 5;
	memmap_unshare(mpn);
	assert_int_equal(memmap_page(mpn)->left_by, 0);
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
		cmocka_unit_test_setup(a_replica_takes_the_place_of_its_master, fill),
		cmocka_unit_test_setup(a_page_moves_with_its_history, fill),
		cmocka_unit_test_setup(each_change_is_for_some_states_only, fill),
		cmocka_unit_test_setup(what_is_left_in_a_page_is_its_last_owners, fill),
		cmocka_unit_test_setup(moves_are_counted_to_255, fill),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
