/* SPDX-License-Identifier: MIT */
/* kernel/mem/pmap.c: a block on its way to a VM, which all nodes zero that want a page of it. */
#include "tests/unit/numa_vm.h"

#include "numa/placement.h"

static void a_block_comes_in_parts(void **state)
{
	gpn_t gpn = { 7 };
	u32 parts = 1;
	u64 lo;

	(void)state;
	placement_set(PLACE_HOME);
	while ((lo = pmap_try_use(&vm_a, gpn, 1, parts % 2)) == PMAP_LATER) {
		assert_int_equal(lo_of(&vm_a, gpn.v, 1), 0); /* nobody sees what may not be zero */
		assert_int_equal(vm_a.pmap.used, 0);
		assert_int_equal(pmap_look(&vm_a, gpn, 1), 0);
		check_everything();
		parts++;
	}
	assert_in_range(parts, 4, 16);
	assert_true(arch_entry_writable(lo));
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		assert_int_equal(read_as(&vm_a, i, 1), 0);
	check_everything();
}

/* Who wants a page of the block helps; other ranges have pages, and blocks on their way, of their own. */
static void all_ask_for_the_block_that_is_coming(void **state)
{
	u32 asked = 0;

	(void)state;
	placement_set(PLACE_HOME);
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 0 }, 0, false), PMAP_LATER);
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 3 * BLOCK_PAGES }, 0, false), PMAP_LATER);
	assert_int_equal(free_pages(0), NODE_PAGES - 2 * BLOCK_PAGES);
	check_everything();
	placement_set(PLACE_ROUND_ROBIN); /* for the next */
	assert_int_not_equal(pmap_try_use(&vm_a, (gpn_t){ 4 * BLOCK_PAGES }, 2, true), PMAP_LATER);
	while (pmap_try_use(&vm_a, (gpn_t){ 7 }, 2, true) == PMAP_LATER)
		assert_true(++asked < 16);
	assert_true(mpn_valid(pmap_copies(&vm_a.pmap, (gpn_t){ 0 }).master));
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES + 1);
	assert_int_equal(read_as(&vm_a, 5, 0), 0);
	check_everything();
}

/* ---- others, while a node zeroes its part ---- */
static u32 at_work, most_at_work, refused, yields;

static void count_yields(void) { yields++; }

static void another_asks(void)
{
	u64 lo;

	assert_int_equal(locks_held, 0);
	at_work++;
	most_at_work = at_work > most_at_work ? at_work : most_at_work;
	assert_int_equal(pmap_look(&vm_a, (gpn_t){ 9 }, 0), 0);
	assert_int_equal(vm_a.pmap.used, 0);
	if (at_work <= 8) {
		lo = pmap_try_use(&vm_a, (gpn_t){ at_work * 20 }, at_work % 3, at_work % 2);
		refused += lo == PMAP_LATER && at_work == 8;
	}
	check_everything();
	at_work--;
}

static void all_zero_parts_of_the_block_at_once(void **state)
{
	(void)state;
	placement_set(PLACE_HOME);
	at_work = most_at_work = refused = 0;
	during_zero = another_asks;
	during_yield = count_yields;
	yields = answers = 0;
	assert_int_equal(lo_of(&vm_a, 7, 1), 0);
	/* The first part's zeroer comes back last: the others have done theirs. */
	assert_true(arch_entry_writable(pmap_try_use(&vm_a, (gpn_t){ 7 }, 1, true)));
	during_zero = NULL;
	assert_int_equal(most_at_work, 8);
	assert_int_equal(refused, 1);
	/* The one that had nothing left to zero gave way to the others, answered them, and came back to look at its mail. */
	assert_in_range(yields, 2, 1000);
	assert_int_equal(answers, yields);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		assert_int_equal(read_as(&vm_a, i, 1), 0);
	check_everything();
}

/* The part that is in work is done while the node gives way. */
static void it_is_done(void)
{
	yields++;
	vm_a.pmap.range[0].coming.zeroed += BLOCK_PAGES / 8;
}

static void asks_for_what_is_begun(void)
{
	struct pmap_range *range = &vm_a.pmap.range[0];
	u32 zeroed = range->coming.zeroed;

	if (range->coming.begun < BLOCK_PAGES)
		return;
	during_zero = NULL;
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 9 }, 0, false), PMAP_LATER);
	range->coming.zeroed = zeroed; /* since who zeroes it says so still */
}

static void who_waits_for_a_block_goes_on_when_it_is_there(void **state)
{
	(void)state;
	placement_set(PLACE_HOME);
	during_zero = asks_for_what_is_begun;
	during_yield = it_is_done;
	yields = answers = 0;
	while (pmap_try_use(&vm_a, (gpn_t){ 7 }, 1, true) == PMAP_LATER)
		assert_int_equal(yields, 0);
	assert_int_equal(yields, 1);
	assert_int_equal(answers, 1);
	check_everything();
}

static void its_vm_ends(void)
{
	u32 next = 0;

	at_work++;
	assert_false(pmap_release_step(&vm_a, &next));
	assert_int_equal(next, 0);
	check_everything();
}

static void a_part_in_work_keeps_the_block(void **state)
{
	(void)state;
	placement_set(PLACE_HOME);
	at_work = 0;
	during_zero = its_vm_ends;
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 7 }, 1, true), PMAP_LATER);
	during_zero = NULL;
	assert_int_equal(at_work, 1);
	assert_int_equal(free_pages(0), NODE_PAGES - BLOCK_PAGES);
	release_all(&vm_a);
	assert_int_equal(free_pages(0), NODE_PAGES);
	check_everything();
}

static void a_block_on_its_way_goes_back_with_its_vm(void **state)
{
	(void)state;
	placement_set(PLACE_HOME);
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 0 }, 0, false), PMAP_LATER);
	assert_int_equal(free_pages(0), NODE_PAGES - BLOCK_PAGES);
	release_all(&vm_a);
	assert_int_equal(free_pages(0), NODE_PAGES);
	check_everything();
	assert_int_equal(read_as(&vm_a, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_block_comes_in_parts, numa_vm_reset),
		cmocka_unit_test_setup(all_ask_for_the_block_that_is_coming, numa_vm_reset),
		cmocka_unit_test_setup(all_zero_parts_of_the_block_at_once, numa_vm_reset),
		cmocka_unit_test_setup(who_waits_for_a_block_goes_on_when_it_is_there,
				       numa_vm_reset),
		cmocka_unit_test_setup(a_part_in_work_keeps_the_block, numa_vm_reset),
		cmocka_unit_test_setup(a_block_on_its_way_goes_back_with_its_vm, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
