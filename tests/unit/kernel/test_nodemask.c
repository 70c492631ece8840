/* SPDX-License-Identifier: MIT */
/* kernel/nodemask.h: the loop over a set of nodes visits its members, each once, in rising order. */
#include "tests/unit/unit.h"

#include "kernel/nodemask.h"

static void the_loop_visits_the_members(u32 bits)
{
	struct nodemask left = { bits };
	int last = -1;

	for_each_node(node, (struct nodemask){ bits }) {
		assert_true((int)node > last);
		assert_true(nodemask_has(left, node));
		left.bits &= ~nodemask_of(node).bits;
		last = (int)node;
	}
	assert_true(nodemask_empty(left));
}

static void any_set_is_visited_as_it_is(void **state)
{
	u64 seed = 1;

	(void)state;
	the_loop_visits_the_members(0);
	the_loop_visits_the_members(~0u);
	for (u32 node = 0; node < NODEMASK_BITS; node++)
		the_loop_visits_the_members(1u << node);
	for (u32 i = 0; i < 10000; i++) {
		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		the_loop_visits_the_members(seed >> 32);
	}
}

static void what_is_added_meanwhile_is_visited_if_it_comes_later(void **state)
{
	struct nodemask m = nodemask_of(3);
	u32 visits = 0;

	(void)state;
	for_each_node(node, m) {
		if (node == 3) {
			nodemask_add(&m, 1);
			nodemask_add(&m, 31);
		} else {
			assert_int_equal(node, 31);
		}
		visits++;
	}
	assert_int_equal(visits, 2);
}

static void sets_are_made_of_nodes(void **state)
{
	(void)state;
	assert_int_equal(nodemask_first(0).bits, 0);
	assert_int_equal(nodemask_first(3).bits, 7);
	assert_int_equal(nodemask_first(32).bits, ~0u);
	assert_true(nodemask_is(nodemask_of(31), 31));
	assert_false(nodemask_is(nodemask_first(2), 1));
	assert_int_equal(nodemask_next(nodemask_of(4), 5), NODEMASK_BITS);
	assert_int_equal(nodemask_next(NODEMASK_ALL, 32), NODEMASK_BITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_set_is_visited_as_it_is),
		cmocka_unit_test(what_is_added_meanwhile_is_visited_if_it_comes_later),
		cmocka_unit_test(sets_are_made_of_nodes),
	};

	return cmocka_run_group_tests_name("nodemask", tests, NULL, NULL);
}
