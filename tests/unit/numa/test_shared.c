/* SPDX-License-Identifier: MIT */
/* numa/shared.c: a shared page goes to the node of those who use it, with one copy for all of them. */
#include "tests/unit/mem/share_pages.h"

#include "kernel/mem/pass.h"
#include "numa/move.h"

#define FAR PMAP_SHOWN /* pages: none of them comes into a view with another */

/* Both VMs have the page in two places each, and have read it on these nodes. */
static mpn_t shared_by_both(u32 a, u32 b)
{
	mpn_t page = new_page(42);

	for (u32 i = 0; i < 2; i++) {
		share(&vm_a, 5 + FAR * i, page);
		share(&vm_b, 300 + FAR * i, page);
		read_as(&vm_a, 5 + FAR * i, a);
		read_as(&vm_b, 300 + FAR * i, b);
	}
	return page;
}

static void a_page_that_nobody_holds_moves(void **state)
{
	mpn_t page = shared_by_both(2, 2), to;
	u64 before = reserved;

	(void)state;
	share_drop(page);
	assert_true(migrate_shared(2, page));
	to = master_of(&vm_a, 5);
	assert_int_equal(memmap_node(to), 2);
	assert_int_equal(share_users(to), 4);
	assert_int_equal(memmap_page(page)->state, PAGE_FREE); /* in memory once, as before */
	assert_int_equal(reserved, before - 1);		       /* of the hold that was dropped */
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(master_of(&vm_a, 5 + FAR * i).v, to.v);
		assert_int_equal(master_of(&vm_b, 300 + FAR * i).v, to.v);
		assert_int_equal(read_as(&vm_a, 5 + FAR * i, i), 42);
		assert_int_equal(read_as(&vm_b, 300 + FAR * i, 2), 42);
	}
	assert_int_equal(nodes[2]->stats.migrated.pages, 1);
	assert_false(migrate_shared(2, to)); /* it is there */
	check_everything();
}

static void who_holds_the_page_keeps_it(void **state)
{
	mpn_t page = shared_by_both(1, 1);
	u64 before = reserved;

	(void)state;
	assert_true(migrate_shared(1, page));
	assert_int_equal(share_users(page), 0);
	assert_true(share_is_sole(page)); /* a disk may write it: nobody else has it */
	assert_int_equal(word_of(page), 42);
	assert_int_equal(read_as(&vm_a, 5, 1), 42);
	assert_int_equal(reserved, before);
	write_as(&vm_a, 5, 1, 43);
	assert_int_equal(read_as(&vm_b, 300, 1), 42);
	share_drop(page);
	check_everything();
}

static void users_of_other_nodes_stay(void **state)
{
	mpn_t page = shared_by_both(1, 2);

	(void)state;
	read_as(&vm_a, 5 + FAR, 0); /* seen by two */
	assert_true(migrate_shared(1, page));
	assert_int_equal(memmap_node(master_of(&vm_a, 5)), 1);
	assert_int_equal(master_of(&vm_a, 5 + FAR).v, page.v);
	assert_int_equal(master_of(&vm_b, 300).v, page.v);
	assert_false(migrate_shared(1, page)); /* nobody is left for whom it would */
	assert_true(migrate_shared(2, page));
	assert_int_equal(share_users(page), 1);
	share_drop(page);
	check_everything();
}

static void what_is_not_seen_goes_by_where_vcpus_are(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 5, page);
	share(&vm_b, 5, page);
	assert_false(migrate_shared(1, page)); /* VCPUs on all nodes, and nobody has read it */
	vm_b.node_mask = nodemask_of(1);
	assert_true(migrate_shared(1, page));
	assert_int_equal(memmap_node(master_of(&vm_b, 5)), 1);
	assert_int_equal(master_of(&vm_a, 5).v, page.v);
	share_drop(page);
	vm_b.node_mask = nodemask_first(3);
	check_everything();
}

static void a_replica_stays_what_it_is(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 5, page);
	read_as(&vm_a, 5, 1);
	assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_false(migrate_shared(1, page));
	assert_int_equal(pmap_page(&vm_a.pmap, (gpn_t){ 5 }).replicas, BIT(1));
	share_drop(page);
	check_everything();
}

static void pages_of_one_vm_and_no_memory(void **state)
{
	mpn_t page = shared_by_both(1, 1), own;
	u64 before;

	(void)state;
	write_as(&vm_a, 9, 0, 7);
	own = master_of(&vm_a, 9);
	assert_false(migrate_shared(1, own)); /* it is not shared */
	before = reserved;
	reserve_limit = reserved; /* no promise */
	assert_false(migrate_shared(1, page));
	reserve_limit = ~0ul;
	for (u32 i = 0; i < NODE_PAGES; i++) /* none of that node's */
		if (is_free[NODE_PAGES + i])
			is_free[NODE_PAGES + i] = false;
	assert_false(migrate_shared(1, page));
	assert_int_equal(reserved, before);
	assert_int_equal(share_users(page), 4);
}

static void more_users_than_are_looked_at(void **state)
{
	mpn_t page = new_page(42);
	u32 moved = 0;

	(void)state;
	for (u32 i = 0; i < PASS_USERS + 5; i++) {
		share(&vm_a, i, page);
		read_as(&vm_a, i, 1);
	}
	share_drop(page);
	assert_true(migrate_shared(1, page));
	for (u32 i = 0; i < PASS_USERS + 5; i++)
		moved += master_of(&vm_a, i).v != page.v;
	assert_int_equal(moved, PASS_USERS);
	assert_true(migrate_shared(1, page)); /* the rest, the next time */
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_page_that_nobody_holds_moves, numa_vm_reset),
		cmocka_unit_test_setup(who_holds_the_page_keeps_it, numa_vm_reset),
		cmocka_unit_test_setup(users_of_other_nodes_stay, numa_vm_reset),
		cmocka_unit_test_setup(what_is_not_seen_goes_by_where_vcpus_are, numa_vm_reset),
		cmocka_unit_test_setup(a_replica_stays_what_it_is, numa_vm_reset),
		cmocka_unit_test_setup(pages_of_one_vm_and_no_memory, numa_vm_reset),
		cmocka_unit_test_setup(more_users_than_are_looked_at, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
