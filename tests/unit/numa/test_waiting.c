/* SPDX-License-Identifier: MIT */
/*
 * numa/batch.c: what others see and do while pages are on their way, before the shootdown is over and before
 * the copies are made.
 */
#include "tests/unit/numa/move_pages.h"

static void replicate_again(void)
{
	assert_int_equal(vm_a.pmap.page[5].busy, 1);
	assert_int_equal(replicate(2, 5), 1);
	assert_int_equal(migrate(2, 5), 0);
	assert_int_equal(vm_a.pmap.page[5].busy, 1);
}

static void two_nodes_may_copy_a_page_at_once(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	during_copy = replicate_again;
	assert_int_equal(replicate(1, 5), 1);
	assert_int_equal(vm_a.pmap.page[5].replicas, BIT(1) | BIT(2));
	assert_int_equal(vm_a.pmap.page[5].busy, 0);
	check_everything();
	for (u32 node = 0; node < NODES; node++)
		assert_int_equal(read_as(&vm_a, 5, node), 42);
	write_as(&vm_a, 5, 0, 43);
	check_everything();
}

static void use_what_is_copied(void)
{
	assert_int_equal(replicate(2, 5), 0);
	assert_int_equal(migrate(2, 5), 0);
	expect_assert_failure(read_as(&vm_a, 5, 2));
	expect_assert_failure(write_as(&vm_a, 5, 0, 1));
	assert_int_equal(locks_held, 0);
	write_as(&vm_a, 6, 0, 66); /* others don't wait */
	assert_int_equal(migrate(2, 6), 1);
}

static void write_what_is_copied(void)
{
	assert_int_equal(read_as(&vm_a, 5, 0), 42);
	expect_assert_failure(write_as(&vm_a, 5, 0, 1));
}

static void nobody_uses_a_page_on_its_way(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	during_copy = use_what_is_copied;
	assert_int_equal(migrate(1, 5), 1);
	check_everything();
	assert_int_equal(read_as(&vm_a, 5, 2), 42);
	assert_int_equal(read_as(&vm_a, 6, 0), 66);
}

static void nobody_writes_a_page_that_is_copied(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	during_copy = write_what_is_copied;
	assert_int_equal(replicate(1, 5), 1);
	write_as(&vm_a, 5, 0, 43);
	assert_int_equal(read_as(&vm_a, 5, 1), 43);
	check_everything();
}

/* While pages are taken from all, another node finds none: it must wait, not get a new one. */
static void nobody_sees_a_page_on_the_move(void)
{
	assert_int_equal(locks_held, 0);
	for (u32 node = 0; node < NODES; node++)
		assert_int_equal(lo_of(&vm_a, 5, node), 0);
	assert_int_equal(vm_a.pmap.page[5].master != 0, 1);
}

static void nobody_may_write_a_page_being_replicated(void)
{
	for (u32 node = 0; node < NODES; node++)
		assert_false(arch_entry_writable(lo_of(&vm_a, 5, node)));
}

/* Node 0 may write until it is told; no copy is made before, by nobody. */
static void replicate_before_the_other_is_told(void)
{
	assert_int_equal(replicate(2, 5), 1);
	expect_assert_failure(write_as(&vm_a, 5, 0, 43));
	assert_int_equal(vm_a.pmap.unsettled, 1); /* the other one */
}

static void two_replicas_with_a_writer(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	during_shootdown = replicate_before_the_other_is_told;
	assert_int_equal(replicate(1, 5), 1);
	assert_null(during_shootdown);
	assert_int_equal(vm_a.pmap.unsettled, 0);
	for (u32 node = 0; node < NODES; node++)
		assert_int_equal(read_as(&vm_a, 5, node), 42);
	check_everything();
}

static void use_everything_else(void)
{
	assert_int_equal(locks_held, 0);
	for (u64 gpn = 6; gpn < VM_PAGES; gpn += 300)
		write_as(&vm_a, gpn, 1, gpn); /* the same range, and others */
	assert_int_equal(migrate(2, 6) + replicate(2, 306), 2);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 600 }, 10), 1);
}

/* Neither a shootdown nor a copy is waited for by who has no use for the pages, whichever they are. */
static void a_batch_holds_no_lock_while_it_waits(void **state)
{
	mpn_t pages[3];

	(void)state;
	for (u32 turn = 0; turn < 4; turn++) {
		for (u64 i = 0; i < 3; i++) {
			write_as(&vm_a, 1 + 500 * i, 0, turn);
			pages[i] = master(&vm_a, 1 + 500 * i);
		}
		*(turn % 2 ? &during_shootdown : &during_copy) = use_everything_else;
		assert_int_equal((turn < 2 ? migrate_pages : replicate_pages)(1, pages, 3), 3);
		assert_true(!during_shootdown && !during_copy);
		for (u64 i = 0; i < 3; i++)
			assert_int_equal(read_as(&vm_a, 1 + 500 * i, 1), turn);
		check_everything();
		release_all(&vm_a);
	}
}

static void moves_as_others_see_them(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	read_as(&vm_a, 5, 1);
	during_shootdown = nobody_sees_a_page_on_the_move;
	assert_int_equal(migrate(1, 5), 1);
	assert_null(during_shootdown);
	read_as(&vm_a, 5, 0);
	during_shootdown = nobody_may_write_a_page_being_replicated;
	assert_int_equal(replicate(0, 5), 1);
	assert_null(during_shootdown);
}

/* Any order of anything: contents are what was written last, and nothing is lost or doubled. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(two_nodes_may_copy_a_page_at_once, numa_vm_reset),
		cmocka_unit_test_setup(nobody_uses_a_page_on_its_way, numa_vm_reset),
		cmocka_unit_test_setup(nobody_writes_a_page_that_is_copied, numa_vm_reset),
		cmocka_unit_test_setup(two_replicas_with_a_writer, numa_vm_reset),
		cmocka_unit_test_setup(a_batch_holds_no_lock_while_it_waits, numa_vm_reset),
		cmocka_unit_test_setup(moves_as_others_see_them, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
