/* SPDX-License-Identifier: MIT */
/* kernel/mem/pmap_zero.c: memory that a guest reads before it writes it does not exist until then. */
#include "tests/unit/mem/share_pages.h"

#include "kernel/mem/pass.h"
#include "numa/move.h"
#include "numa/placement.h"

static int zeroes(void **state)
{
	numa_vm_reset(state);
	zero = true;
	blocks = false;
	return 0;
}

/* A VM whose pages all have one place, in blocks. */
static int zeroes_in_blocks(void **state)
{
	zeroes(state);
	placement_set(PLACE_HOME);
	blocks = true;
	return 0;
}

static bool is_zero(const struct vm *vm, u64 gpn, u32 node)
{
	return lo_of(vm, gpn, node) && arch_entry_page(lo_of(vm, gpn, node)).v == ZERO_PAGE(node).v;
}

static void what_is_read_first_does_not_exist(void **state)
{
	(void)state;
	assert_int_equal(read_as(&vm_a, 9, 1), 0);
	assert_int_equal(read_as(&vm_a, 9, 2), 0);
	assert_true(is_zero(&vm_a, 9, 1) && is_zero(&vm_a, 9, 2) && !lo_of(&vm_a, 9, 0));
	assert_false(arch_entry_writable(lo_of(&vm_a, 9, 1)));
	for (u64 i = 0; i < 24; i++) /* and its neighbours, for one entry */
		assert_int_equal(is_zero(&vm_a, i, 1), i >= 8 && i < 16);
	assert_int_equal(vm_a.pmap.used, 0);
	assert_int_equal(vm_a.pmap.zero.pages, 8);
	assert_int_equal(vm_a.pmap.zero.given, 8);
	assert_int_equal(free_pages(0) + free_pages(1) + free_pages(2), NODES * NODE_PAGES);
	assert_int_equal(pmap_look(&vm_a, (gpn_t){ 9 }, 1), lo_of(&vm_a, 9, 1));
	assert_int_equal(pmap_look(&vm_a, (gpn_t){ 9 }, 0), 0);
	check_everything();
}

static void a_write_makes_it_the_writers(void **state)
{
	(void)state;
	for (u32 i = 0; i < NODES; i++)
		read_as(&vm_a, 9, i);
	write_as(&vm_a, 9, 2, 42);
	assert_int_equal(memmap_node(master_of(&vm_a, 9)), 2); /* where it is written first */
	assert_int_equal(lo_of(&vm_a, 9, 0) | lo_of(&vm_a, 9, 1), 0);
	for (u32 i = 0; i < NODES; i++)
		assert_int_equal(read_as(&vm_a, 9, i), 42);
	assert_true(is_zero(&vm_a, 10, 0));
	assert_int_equal(read_as(&vm_a, 10, 0), 0);
	assert_int_equal(vm_a.pmap.used, 1);
	assert_int_equal(vm_a.pmap.zero.pages, 7);
	assert_int_equal(vm_a.pmap.zero.written, 1);
	check_everything();
	write_as(&vm_a, 30, 0, 43); /* never read */
	assert_int_equal(vm_a.pmap.zero.given, 8);
	check_everything();
}

static void vms_see_zero_and_not_each_other(void **state)
{
	(void)state;
	read_as(&vm_a, 5, 0);
	read_as(&vm_b, 5, 0);
	assert_int_equal(lo_of(&vm_a, 5, 0), lo_of(&vm_b, 5, 0));
	write_as(&vm_a, 5, 0, 42);
	assert_int_equal(read_as(&vm_b, 5, 0), 0);
	assert_int_equal(read_as(&vm_b, 5, 1), 0);
	check_everything();
}

/* No page of the machine is wanted for it, nor a promise. */
static void a_full_machine_reads_zeroes(void **state)
{
	(void)state;
	memset(is_free, 0, sizeof(is_free));
	assert_int_equal(read_as(&vm_a, 5, 0), 0);
	assert_int_equal(pmap_use_to_write(&vm_a, (gpn_t){ 5 }, 0), 0);
	assert_int_equal(read_as(&vm_a, 5, 0), 0);
	assert_int_equal(vm_a.pmap.used, 0);
}

static void a_block_comes_with_the_first_write(void **state)
{
	u64 lo;
	u32 parts = 1;

	(void)state;
	for (u64 i = 0; i < BLOCK_PAGES; i++)
		assert_int_equal(read_as(&vm_a, i, i % NODES), 0);
	assert_int_equal(vm_a.pmap.used, 0);
	assert_int_equal(vm_a.pmap.zero.pages, BLOCK_PAGES);
	check_everything();
	while ((lo = pmap_try_use(&vm_a, (gpn_t){ 200 }, 1, true)) == PMAP_LATER) {
		assert_int_equal(vm_a.pmap.used, 0);
		assert_int_equal(vm_a.pmap.zero.pages,
				 BLOCK_PAGES - BLOCK_PAGES / 8 * parts++); /* part by part */
		check_everything();
	}
	assert_true(arch_entry_writable(lo));
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_int_equal(vm_a.pmap.zero.pages, 0);
	for (u64 i = 0; i < BLOCK_PAGES; i++)
		assert_int_equal(read_as(&vm_a, i, 0), 0);
	assert_int_equal(large_of(&vm_a, 16, 1), LARGEST); /* as if nobody had read it before */
	check_everything();
}

static void who_reads_while_the_block_comes_waits_for_it(void **state)
{
	(void)state;
	read_as(&vm_a, 3, 0);
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 3 }, 0, true), PMAP_LATER);
	assert_int_equal(pmap_try_use(&vm_a, (gpn_t){ 77 }, 0, false), PMAP_LATER);
	assert_int_equal(pmap_look(&vm_a, (gpn_t){ 3 }, 0), 0);
	release_all(&vm_a); /* in the middle */
	assert_int_equal(free_pages(0), NODE_PAGES);
	check_everything();
}

static void zeroes_in_a_used_block_are_pages(void **state)
{
	(void)state;
	write_as(&vm_a, 3, 0, 7);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 40 }, 8), 8);
	assert_int_equal(read_as(&vm_a, 40, 0), 0);
	assert_true(is_zero(&vm_a, 40, 0));
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES - 8);
	assert_int_equal(large_of(&vm_a, 40, 0), 0);
	for (u64 i = 40; i < 48; i++)
		write_as(&vm_a, i, 0, i);
	assert_int_equal(large_of(&vm_a, 40, 0), LARGEST); /* in their places again */
	check_everything();
}

static void everything_else_takes_it_out_of_views_first(void **state)
{
	mpn_t page = new_page(42);
	const mpn_t zero_page = ZERO_PAGE(1);

	(void)state;
	read_as(&vm_a, 5, 1);
	read_as(&vm_a, 5, 2);
	share(&vm_a, 5, page);
	assert_int_equal(read_as(&vm_a, 5, 1), 42);
	assert_int_equal(vm_a.pmap.used, 1);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 4 }, 4), 1); /* the others are not there */
	assert_int_equal(read_as(&vm_a, 4, 2), 0);
	reserved = 2 * VM_PAGES;
	reserve_limit = reserved + 1; /* the test's own page */
	assert_int_equal(pmap_balloon(&vm_a, &(gpn_t){ 4 }, 1), 1);
	assert_int_equal(lo_of(&vm_a, 4, 1) | lo_of(&vm_a, 4, 2), 0);
	assert_int_equal(read_as(&vm_a, 4, 1), 0); /* it is promised again, and still not there */
	assert_int_equal(vm_a.pmap.ballooned, 0);
	assert_int_equal(vm_a.pmap.used, 0);
	assert_true(
		mpn_valid(pmap_pin(&vm_a, (gpn_t){ 6 }))); /* the use of a device may be a write */
	assert_false(is_zero(&vm_a, 6, 0));
	pmap_unpin(&vm_a, (gpn_t){ 6 });
	read_as(&vm_a, 7, 1);
	assert_false(mpn_valid(lend(&vm_a, 7))); /* who wants it reads zeroes */
	assert_int_equal(pass_page(&vm_a, (gpn_t){ 6 }, &vm_b, (gpn_t){ 5 }), 0);
	assert_int_equal(migrate_pages(1, &zero_page, 1) + replicate_pages(2, &zero_page, 1), 0);
	share_drop(page);
	check_everything();
}

static void a_vm_that_ends_is_shown_nothing(void **state)
{
	(void)state;
	for (u64 i = 0; i < VM_PAGES; i += 5)
		read_as(&vm_a, i, i % NODES);
	release_all(&vm_a);
	assert_int_equal(vm_a.pmap.zero.pages, 0);
	for (u64 i = 0; i < VM_PAGES; i++)
		assert_int_equal(lo_of(&vm_a, i, 0) | lo_of(&vm_a, i, 1) | lo_of(&vm_a, i, 2), 0);
	pmap_end_promise(&vm_a.pmap);
	assert_int_equal(vm_a.pmap.zero.given, 0);
	check_everything();
}

static void a_view_that_goes_shows_nothing(void **state)
{
	(void)state;
	read_as(&vm_a, 5, 1);
	leave_node(&vm_a, 1);
	while (!pmap_lose_view_step(&vm_a, 1))
		;
	assert_int_equal(vm_a.pmap.zero.pages, 0);
	assert_int_equal(pmap_gain_view(&vm_a, 1), 0);
	assert_int_equal(lo_of(&vm_a, 5, 1), 0);
	assert_int_equal(read_as(&vm_a, 5, 1), 0);
	check_everything();
}

/* Who writes all that it has read has its pages at once after a while, but for some of 128. */
static void a_guest_that_writes_what_it_reads_pays_once(void **state)
{
	u32 twice = 0;

	(void)state;
	for (u64 i = 0; i < VM_PAGES; i++) {
		read_as(&vm_a, i, 0);
		twice += !arch_entry_writable(lo_of(&vm_a, i, 0));
		write_as(&vm_a, i, 0, i);
	}
	assert_in_range(twice, 32, 48 + (VM_PAGES - 32) / 128 * 8);
	read_as(&vm_b, 0, 0); /* another VM is asked for nothing */
	assert_true(is_zero(&vm_b, 0, 0));
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_read_first_does_not_exist, zeroes),
		cmocka_unit_test_setup(a_write_makes_it_the_writers, zeroes),
		cmocka_unit_test_setup(vms_see_zero_and_not_each_other, zeroes),
		cmocka_unit_test_setup(a_full_machine_reads_zeroes, zeroes),
		cmocka_unit_test_setup(a_block_comes_with_the_first_write, zeroes_in_blocks),
		cmocka_unit_test_setup(who_reads_while_the_block_comes_waits_for_it,
				       zeroes_in_blocks),
		cmocka_unit_test_setup(zeroes_in_a_used_block_are_pages, zeroes_in_blocks),
		cmocka_unit_test_setup(everything_else_takes_it_out_of_views_first, zeroes),
		cmocka_unit_test_setup(a_vm_that_ends_is_shown_nothing, zeroes),
		cmocka_unit_test_setup(a_view_that_goes_shows_nothing, zeroes),
		cmocka_unit_test_setup(a_guest_that_writes_what_it_reads_pays_once, zeroes),
	};

	return cmocka_run_group_tests_name("zero", tests, NULL, NULL);
}
