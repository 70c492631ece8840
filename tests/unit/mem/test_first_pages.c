/* SPDX-License-Identifier: MIT */
/* kernel/mem/pmap_place.c: the pages beside one that is used first, which come with it. */
#include "tests/unit/mem/share_pages.h"

#include "numa/placement.h"

#define SOME 8u /* come together */

static int first_touch(void **state)
{
	numa_vm_reset(state);
	neighbours = true;
	reserved = 2 * VM_PAGES; /* as if both had started */
	return 0;
}

/* The pages from first on are the node's, side by side and aligned, zero, and only that node sees them. */
static void assert_together(u64 first, u32 node)
{
	mpn_t mpn = master_of(&vm_a, first);

	assert_int_equal(mpn.v % SOME, 0);
	assert_int_equal(memmap_node(mpn), node);
	for (u64 i = 0; i < SOME; i++) {
		assert_int_equal(master_of(&vm_a, first + i).v, mpn.v + i);
		for (u32 of = 0; of < NODES; of++)
			assert_int_equal(lo_of(&vm_a, first + i, of),
					 of == node ? arch_page_entry((mpn_t){ mpn.v + i }) : 0);
	}
	assert_int_equal(large_of(&vm_a, first + 3, node), SOME);
	for (u64 i = 0; i < SOME; i++)
		assert_int_equal(read_as(&vm_a, first + i, node), 0);
	check_everything();
}

static void pages_come_with_the_one_that_is_used(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ 21 }, 2);
	assert_int_equal(vm_a.pmap.used, SOME);
	assert_together(16, 2);
	pmap_use_to_write(&vm_a, (gpn_t){ 31 }, 1); /* the next ones are whose who uses them is */
	pmap_use(&vm_a, (gpn_t){ 7 }, 2);
	assert_int_equal(vm_a.pmap.used, 3 * SOME);
	assert_together(24, 1);
	assert_together(0, 2);
	assert_int_equal(master_of(&vm_a, 16).v,
			 master_of(&vm_a, 0).v + 16); /* and those of a block are side by side */
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 17 }, 0), arch_page_entry(master_of(&vm_a, 17)));
	check_everything();
	release_all(&vm_a);
	for (u32 i = 0; i < NODES; i++)
		assert_int_equal(free_pages(i), NODE_PAGES);
}

/* Of 128 KB in which the node has pages already, and no other node has any, all that is left beside the one that is used. */
static void the_rest_comes_with_the_second(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ 45 }, 2);
	assert_int_equal(vm_a.pmap.used, SOME);
	pmap_use(&vm_a, (gpn_t){ 62 }, 2); /* nothing beside it is left */
	assert_int_equal(vm_a.pmap.used, 3 * SOME);
	pmap_use(&vm_a, (gpn_t){ 32 }, 2);
	assert_int_equal(vm_a.pmap.used, 4 * SOME);
	for (u64 i = 32; i < 64; i++)
		assert_int_equal(lo_of(&vm_a, i, 2),
				 arch_page_entry((mpn_t){ master_of(&vm_a, 32).v + i - 32 }));
	assert_int_equal(large_of(&vm_a, 40, 2), 4 * SOME);
	check_everything();
	pmap_use(&vm_a, (gpn_t){ 64 }, 1);
	pmap_use(&vm_a, (gpn_t){ 72 }, 2); /* others have some of these */
	pmap_use(&vm_a, (gpn_t){ 80 }, 1);
	assert_int_equal(vm_a.pmap.used, 7 * SOME);
	assert_together(64, 1);
	assert_together(72, 2);
	assert_together(80, 1);
}

static u32 yields;

static void count_yields(void) { yields++; }

/* A part that is being zeroed is nobody's yet; others that want a page of it wait. */
static void another_asks(void)
{
	during_zero = NULL;
	assert_int_equal(locks_held, 0);
	assert_int_equal(pmap_look(&vm_a, (gpn_t){ 17 }, 0), 0);
	assert_int_equal(vm_a.pmap.used, 0);
	assert_int_equal(pmap_balloon(&vm_a, &(gpn_t){ 17 }, 1), 0);
	during_yield = count_yields;
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 17 }, 0, true), PMAP_LATER);
	during_yield = NULL;
	check_everything();
}

static void others_wait_for_pages_that_come(void **state)
{
	(void)state;
	yields = 0;
	during_zero = another_asks;
	assert_true(arch_entry_writable(pmap_try_use(&vm_a, (gpn_t){ 21 }, 2, true)));
	assert_true(yields > 0);
	assert_int_equal(vm_a.pmap.used, SOME);
	assert_together(16, 2);
}

/* The VM ends while one is zeroed: it goes back afterwards. */
static void its_vm_ends(void)
{
	u32 next = 0;

	during_zero = NULL;
	assert_false(pmap_release_step(&vm_a, &next));
	assert_int_equal(next, 0);
}

static void pages_that_come_go_back_with_their_vm(void **state)
{
	(void)state;
	during_zero = its_vm_ends;
	pmap_try_use(&vm_a, (gpn_t){ 21 }, 2, true);
	release_all(&vm_a);
	for (u32 i = 0; i < NODES; i++)
		assert_int_equal(free_pages(i), NODE_PAGES);
	check_everything();
}

static void one_page_comes_where_another_is_used_already(void **state)
{
	(void)state;
	neighbours = false;
	pmap_use(&vm_a, (gpn_t){ 21 }, 2);
	neighbours = true;
	pmap_use(&vm_a, (gpn_t){ 22 }, 1);
	assert_int_equal(vm_a.pmap.used, 2);
	assert_int_equal(memmap_node(master_of(&vm_a, 22)), 1);
	share(&vm_a, 9, new_page(42));
	pmap_use(&vm_a, (gpn_t){ 8 }, 1);
	assert_int_equal(vm_a.pmap.used, 4);
	check_everything();
}

/* Its promise is not the VM's, and there may be none left to give it back. */
static void a_ballooned_page_does_not_come(void **state)
{
	(void)state;
	reserve_limit = reserved;
	assert_int_equal(pmap_balloon(&vm_a, &(gpn_t){ 20 }, 1), 1);
	assert_int_equal(nodemem_reserve(1), 0); /* another has it */
	write_as(&vm_a, 21, 2, 5);
	assert_int_equal(vm_a.pmap.used, 1);
	assert_int_equal(vm_a.pmap.ballooned, 1);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 20 }, 2), 0);
	check_everything();
	nodemem_unreserve(1);
	assert_int_equal(pmap_balloon(&vm_a, &(gpn_t){ 21 }, 1), 1);
	assert_int_equal(pmap_unballoon(&vm_a, (gpn_t){ 20 }), 0);
	pmap_use(&vm_a, (gpn_t){ 21 },
		 1); /* it has the promise again, and no neighbour lacks one */
	assert_int_equal(vm_a.pmap.ballooned, 0);
	assert_int_equal(vm_a.pmap.used, SOME);
	assert_int_equal(reserved, 2 * VM_PAGES);
	assert_together(16, 1);
}

static void pages_given_up_are_used_first_again(void **state)
{
	(void)state;
	for (u64 i = 16; i < 24; i++)
		write_as(&vm_a, i, 2, i);
	assert_int_equal(vm_a.pmap.used, SOME);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 18 }, 3), 3);
	pmap_use(&vm_a, (gpn_t){ 19 }, 1); /* alone: others are used still */
	assert_int_equal(vm_a.pmap.used, SOME - 2);
	assert_int_equal(memmap_node(master_of(&vm_a, 19)), 1);
	for (u64 i = 16; i < 24; i++)
		assert_int_equal(read_as(&vm_a, i, 0), i < 18 || i > 20 ? i : 0);
	check_everything();
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 16 }, SOME), SOME);
	assert_int_equal(vm_a.pmap.used, 0);
	pmap_use(&vm_a, (gpn_t){ 20 }, 1);
	assert_together(16, 1);
}

/* In the place beside those that are there is one page that somebody has: the others are free still afterwards. */
static void a_piece_that_is_not_free_is_left(void **state)
{
	mpn_t next;

	(void)state;
	pmap_use(&vm_a, (gpn_t){ 16 }, 2);
	next.v = master_of(&vm_a, 16).v + SOME;
	is_free[next.v + 5 - FIRST(0)] = false;
	pmap_use(&vm_a, (gpn_t){ 26 }, 2);
	assert_int_equal(vm_a.pmap.used, SOME + 1);
	assert_int_equal(master_of(&vm_a, 26).v, next.v + 2);
	assert_int_equal(free_pages(2), NODE_PAGES - SOME - 2);
	is_free[next.v + 5 - FIRST(0)] = true;
	check_everything();
}

static void a_full_node_gives_none_and_a_full_machine_says_so(void **state)
{
	(void)state;
	memset(is_free + NODE_PAGES, 0, NODE_PAGES);
	pmap_use(&vm_a, (gpn_t){ 16 }, 1);
	assert_int_equal(vm_a.pmap.used, 1);
	assert_int_equal(memmap_node(master_of(&vm_a, 16)), 2); /* the nearest one */
	memset(is_free, 0, sizeof(is_free));
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 8 }, 1), 0);
	assert_int_equal(vm_a.pmap.used, 1);
	assert_int_equal(pmap_state_of(pmap_page(&vm_a.pmap, (gpn_t){ 8 })), PMAP_UNUSED);
}

static void the_last_pages_come_alone(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ VM_PAGES - 1 }, 2);
	assert_int_equal(vm_a.pmap.used, 1);
	pmap_use(&vm_a, (gpn_t){ VM_PAGES - 5 }, 2);
	assert_int_equal(vm_a.pmap.used, 2);
	check_everything();
}

/* What others see as zero is taken from them before it comes. */
static void zeroes_are_hidden_first(void **state)
{
	(void)state;
	zero = true;
	for (u32 of = 0; of < NODES; of++)
		assert_int_equal(read_as(&vm_a, 16 + 2 * of, of), 0);
	assert_int_equal(vm_a.pmap.used, 0);
	assert_int_equal(vm_a.pmap.zero.pages, SOME);
	write_as(&vm_a, 17, 1, 7);
	assert_int_equal(vm_a.pmap.used, SOME);
	assert_int_equal(vm_a.pmap.zero.pages, 0);
	assert_int_equal(read_as(&vm_a, 17, 1), 7);
	write_as(&vm_a, 17, 1, 0);
	assert_together(16, 1);
	for (u64 i = 16; i < 24; i++) {
		write_as(&vm_a, i, 2, i);
		assert_int_equal(read_as(&vm_a, i, 0), i);
	}
	check_everything();
}

static void pages_in_turn_come_alone(void **state)
{
	(void)state;
	placement_set(PLACE_ROUND_ROBIN);
	pmap_use(&vm_a, (gpn_t){ 17 }, 0);
	assert_int_equal(vm_a.pmap.used, 1);
	assert_int_equal(memmap_node(master_of(&vm_a, 17)), 17 % NODES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pages_come_with_the_one_that_is_used, first_touch),
		cmocka_unit_test_setup(the_rest_comes_with_the_second, first_touch),
		cmocka_unit_test_setup(others_wait_for_pages_that_come, first_touch),
		cmocka_unit_test_setup(pages_that_come_go_back_with_their_vm, first_touch),
		cmocka_unit_test_setup(one_page_comes_where_another_is_used_already, first_touch),
		cmocka_unit_test_setup(a_ballooned_page_does_not_come, first_touch),
		cmocka_unit_test_setup(pages_given_up_are_used_first_again, first_touch),
		cmocka_unit_test_setup(a_piece_that_is_not_free_is_left, first_touch),
		cmocka_unit_test_setup(a_full_node_gives_none_and_a_full_machine_says_so,
				       first_touch),
		cmocka_unit_test_setup(the_last_pages_come_alone, first_touch),
		cmocka_unit_test_setup(zeroes_are_hidden_first, first_touch),
		cmocka_unit_test_setup(pages_in_turn_come_alone, first_touch),
	};

	return cmocka_run_group_tests_name("first_pages", tests, NULL, NULL);
}
