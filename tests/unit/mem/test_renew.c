/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/pmap_share.c: shared pages that their guest gives to a device to be written. No copy is made, nobody else who has the page
 * notices, and what is in the page afterwards is nobody else's. test_share_random.c does it at random.
 */
#include "tests/unit/mem/share_pages.h"

static bool renew(struct vm *vm, u64 gpn)
{
	u64 lo;

	pmap_lock(&vm->pmap, (gpn_t){ gpn });
	lo = pmap_renew_locked(vm, (gpn_t){ gpn }, 0);
	pmap_unlock(&vm->pmap, (gpn_t){ gpn });
	return lo;
}

/* For a device that writes it: what is in it comes from nobody but the guest itself, and costs no copy if that left a page. */
static void who_gives_a_page_to_be_written_has_one_of_his(void **state)
{
	mpn_t page = new_page(42), left;

	(void)state;
	write_as(&vm_a, 7, 0, 5);
	left = master_of(&vm_a, 7);
	share(&vm_a, 7, page); /* the page with 5 goes back */
	share(&vm_b, 9, page);
	read_as(&vm_a, 7, 1);
	assert_true(renew(&vm_a, 7));
	assert_int_equal(master_of(&vm_a, 7).v, left.v);
	assert_int_equal(read_as(&vm_a, 7, 1), 5);
	assert_int_equal(read_as(&vm_b, 9, 1), 42);
	assert_false(renew(&vm_a, 7)); /* it is its own */
	check_everything();
	assert_true(renew(&vm_b, 9)); /* that has left none */
	assert_int_equal(read_as(&vm_b, 9, 1), 0);
	share_drop(page);
	check_everything();
}

/* The VM has another guest, for whom what the one before wrote is somebody else's. */
static void another_guest_finds_nothing_of_the_last_one(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	write_as(&vm_a, 7, 0, 5);
	share(&vm_a, 7, page);
	release_all(&vm_a);
	pmap_end_promise(&vm_a.pmap);
	share(&vm_a, 7, page);
	assert_true(renew(&vm_a, 7));
	assert_int_equal(read_as(&vm_a, 7, 1), 0);
	share_drop(page);
	check_everything();
}

/* Nobody else has the page: it stays where it is, with what is in it. */
static void the_only_user_that_gives_it_to_be_written_keeps_it(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 7, page);
	share_drop(page);
	assert_true(renew(&vm_a, 7));
	assert_int_equal(master_of(&vm_a, 7).v, page.v);
	assert_int_equal(read_as(&vm_a, 7, 1), 42);
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_gives_a_page_to_be_written_has_one_of_his,
				       numa_vm_reset),
		cmocka_unit_test_setup(another_guest_finds_nothing_of_the_last_one, numa_vm_reset),
		cmocka_unit_test_setup(the_only_user_that_gives_it_to_be_written_keeps_it,
				       numa_vm_reset),
	};

	return cmocka_run_group_tests_name("renew", tests, NULL, NULL);
}
