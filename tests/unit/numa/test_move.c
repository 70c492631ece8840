/* SPDX-License-Identifier: MIT */
/* numa/migrate.c and replicate.c: pages move and multiply, and nobody ever sees the wrong copy. */
#include "tests/unit/numa/move_pages.h"

#include "numa/placement.h"

static void a_migrated_page_is_found_by_all(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	assert_int_equal(read_as(&vm_a, 5, 1), 42);
	assert_int_equal(migrate(2, 5), 1);
	assert_int_equal(memmap_node(master(&vm_a, 5)), 2);
	assert_int_equal(memmap_page(master(&vm_a, 5))->moves, 1);
	check_everything();
	for (u32 node = 0; node < NODES; node++)
		assert_int_equal(read_as(&vm_a, 5, node), 42);
	write_as(&vm_a, 5, 1, 43);
	assert_int_equal(read_as(&vm_a, 5, 0), 43);
	assert_int_equal(free_pages(0), NODE_PAGES);
	assert_int_equal(reserved, 0);
	check_everything();
}

static void a_replicated_page_is_read_near_and_collapses_on_a_write(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	assert_int_equal(replicate(1, 5), 1);
	assert_int_equal(replicate(2, 5), 1);
	assert_int_equal(reserved, 2);
	check_everything();
	for (u32 node = 0; node < NODES; node++) {
		assert_int_equal(read_as(&vm_a, 5, node), 42);
		assert_int_equal(memmap_node(arch_entry_page(lo_of(&vm_a, 5, node))), node);
	}
	check_everything();
	write_as(&vm_a, 5, 1, 43);
	check_everything();
	assert_int_equal(vm_a.pmap.page[5].replicas, 0);
	assert_int_equal(memmap_node(master(&vm_a, 5)), 1); /* the writer's copy stays */
	for (u32 node = 0; node < NODES; node++)
		assert_int_equal(read_as(&vm_a, 5, node), 43);
	assert_int_equal(reserved, 0);
	assert_int_equal(memmap_page(master(&vm_a, 5))->moves, 1); /* replicas are no moves */
	check_everything();
}

static void a_writer_without_replica_leaves_the_master(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	assert_int_equal(replicate(1, 5), 1);
	write_as(&vm_a, 5, 2, 7);
	assert_int_equal(memmap_node(master(&vm_a, 5)), 0);
	assert_int_equal(read_as(&vm_a, 5, 1), 7);
	assert_int_equal(free_pages(1), NODE_PAGES);
	check_everything();
}

static void what_cannot_move_stays(void **state)
{
	mpn_t odd[4];

	(void)state;
	write_as(&vm_a, 5, 0, 42);
	assert_int_equal(migrate(0, 5), 0);   /* there already */
	assert_int_equal(replicate(0, 5), 0); /* the same */
	odd[0] = (mpn_t){ FIRST(1) };	      /* free */
	odd[1] = (mpn_t){ 0 };
	odd[2] = (mpn_t){ FIRST(NODES) };
	odd[3] = (mpn_t){ ~0ul };
	assert_int_equal(migrate_pages(1, odd, 4) + replicate_pages(1, odd, 4), 0);
	replicate(1, 5);
	odd[0] = arch_entry_page(lo_of(&vm_a, 5, 1)); /* a replica has no life of its own */
	assert_int_equal(migrate_pages(2, odd, 1) + replicate_pages(2, odd, 1), 0);
	assert_int_equal(replicate(1, 5), 0); /* once is enough */
	assert_int_equal(migrate(2, 5), 0);   /* replicated: somebody else reads it */
	vm_a.state = VM_STOPPING;
	assert_int_equal(replicate(2, 5), 0);
	check_everything();
}

/* As if it were given back and given to another between two looks at its entry. */
static void a_memmap_entry_that_changes_is_not_believed(void **state)
{
	mpn_t page = { FIRST(1) };

	(void)state;
	write_as(&vm_a, 5, 0, 42);
	is_free[FIRST(1) - FIRST(0)] = false;
	vm_b.pmap.used++; /* somebody's, with a promise */
	*memmap_page(page) = (struct page){ .state = PAGE_GUEST, .gpn = ~0u };
	assert_int_equal(migrate_pages(2, &page, 1) + replicate_pages(2, &page, 1), 0);
	memmap_page(page)->gpn = VM_PAGES;
	assert_int_equal(migrate_pages(2, &page, 1) + replicate_pages(2, &page, 1), 0);
	memmap_page(page)->gpn = 5;
	assert_int_equal(migrate_pages(2, &page, 1) + replicate_pages(2, &page, 1), 0);
}

static void a_page_named_twice_moves_once(void **state)
{
	mpn_t twice[2];

	(void)state;
	write_as(&vm_a, 5, 0, 42);
	twice[0] = twice[1] = master(&vm_a, 5);
	assert_int_equal(migrate_pages(1, twice, 2), 1);
	twice[0] = twice[1] = master(&vm_a, 5);
	assert_int_equal(replicate_pages(2, twice, 2), 1);
	check_everything();
}

static void a_vm_is_only_replicated_where_it_runs(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	vm_a.pmap.view[2].entry = NULL;
	vm_a.node_mask = nodemask_first(2);
	assert_int_equal(replicate(2, 5), 0);
	assert_int_equal(migrate(2, 5), 1); /* its memory may be anywhere */
	assert_int_equal(read_as(&vm_a, 5, 1), 42);
}

static void no_memory_leaves_the_page_as_it_was(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	reserve_limit = 0;
	assert_int_equal(migrate(1, 5) + replicate(1, 5), 0);
	reserve_limit = 10;
	for (u32 i = 0; i < NODE_PAGES; i++)
		is_free[NODE_PAGES + i] = false;
	assert_int_equal(migrate(1, 5) + replicate(1, 5), 0);
	assert_int_equal(reserved, 0);
	assert_int_equal(lo_of(&vm_a, 5, 0) & ENTRYLO_D, ENTRYLO_D);
	for (u32 i = 0; i < NODE_PAGES; i++)
		is_free[NODE_PAGES + i] = true;
	assert_int_equal(read_as(&vm_a, 5, 1), 42);
	check_everything();
}

static void a_moved_page_breaks_its_large_pages(void **state)
{
	(void)state;
	placement_set(PLACE_HOME);
	write_as(&vm_a, 5, 0, 42);
	assert_int_equal(large_of(&vm_a, 6, 1), LARGEST);
	assert_int_equal(large_of(&vm_a, 6, 0), LARGEST);
	check_everything();
	assert_int_equal(migrate(1, 5), 1);
	assert_int_equal(flushes, 2); /* of the nodes that had it */
	assert_int_equal(large_word(&vm_a, 6, 0) + large_word(&vm_a, 6, 1), 0);
	assert_int_equal(large_word(&vm_a, 127, 0), 32);
	assert_int_equal(large_word(&vm_a, 127, 1), 32);
	assert_int_equal(read_as(&vm_a, 5, 0), 42);
	check_everything();
	assert_int_equal(migrate(1, 6), 1);
	assert_int_equal(flushes, 2); /* once for all */
	assert_int_equal(large_of(&vm_a, 127, 1), 32);
	assert_int_equal(replicate(2, 126), 1);
	assert_int_equal(flushes, 4); /* of both, which may have what was left around it */
	check_everything();
	assert_int_equal(large_of(&vm_a, 40, 1), 32);
	write_as(&vm_a, 126, 2, 9);
	assert_int_equal(read_as(&vm_a, 126, 1), 9);
	check_everything();
}

/* Its large pages are whole again with it. */
static void a_page_comes_back_to_its_place(void **state)
{
	mpn_t place;

	(void)state;
	placement_set(PLACE_HOME);
	write_as(&vm_a, 5, 0, 42);
	place = master(&vm_a, 5);
	assert_int_equal(large_of(&vm_a, 6, 0), LARGEST);
	assert_int_equal(migrate(1, 5), 1);
	assert_int_equal(read_as(&vm_a, 5, 0), 42);
	assert_int_equal(large_of(&vm_a, 5, 0), 0);
	assert_int_equal(migrate(0, 5), 1);
	assert_int_equal(master(&vm_a, 5).v, place.v);
	assert_int_equal(read_as(&vm_a, 5, 0), 42);
	assert_int_equal(large_of(&vm_a, 5, 0), LARGEST);
	check_everything();
	/* what others took meanwhile is not waited for */
	assert_int_equal(migrate(1, 5), 1);
	is_free[place.v - FIRST(0)] = false;
	assert_int_equal(migrate(0, 5), 1);
	assert_int_not_equal(master(&vm_a, 5).v, place.v);
	is_free[place.v - FIRST(0)] = true;
	assert_int_equal(large_of(&vm_a, 5, 0), 0);
	assert_int_equal(large_of(&vm_a, 32, 0), 32);
	check_everything();
}

static void batches_of_one_vm_share_a_shootdown(void **state)
{
	mpn_t pages[40];

	(void)state;
	for (u64 i = 0; i < 40; i++) {
		struct vm *vm = i < 25 ? &vm_a : &vm_b;

		write_as(vm, i, 0, i);
		pages[i] = master(vm, i);
	}
	assert_int_equal(migrate_pages(1, pages, 40), 40);
	assert_int_equal(nodes[1]->stats.migrated.pages, 40);
	assert_int_equal(nodes[1]->stats.migrated.batches, 3); /* 16, 9; 15 */
	for (u64 i = 0; i < 40; i++)
		assert_int_equal(read_as(i < 25 ? &vm_a : &vm_b, i, 2), i);
	check_everything();
}

/* Node 1 answers for the writable page, and takes back its replica's translations along with it. */
static void a_replica_is_forgotten_in_a_batch_for_another_node(void **state)
{
	mpn_t pages[2];

	(void)state;
	write_as(&vm_a, 5, 0, 42);
	write_as(&vm_a, 6, 0, 43);
	write_as(&vm_a, 6, 1, 44);
	for (u64 i = 0; i < 9; i++)
		write_as(&vm_b, i, 1, i); /* so that copies differ modulo 64 */
	assert_int_equal(replicate(1, 5), 1);
	read_as(&vm_a, 5, 1);
	read_as(&vm_a, 5, 1); /* another address space */
	assert_true(pmap_is_many(pmap_entry(&vm_a.pmap, (gpn_t){ 5 }, 1)->back));
	pages[0] = master(&vm_a, 5);
	pages[1] = master(&vm_a, 6);
	assert_int_equal(replicate_pages(2, pages, 2), 2);
	check_everything();
	write_as(&vm_a, 5, 0, 45);
	check_everything();
	assert_int_equal(read_as(&vm_a, 5, 1), 45);
}

static void reclaiming_leaves_one_copy_of_each(void **state)
{
	(void)state;
	for (u64 i = 0; i < 10; i++) {
		write_as(&vm_a, i, 0, i);
		replicate(1, i);
		replicate(2, i);
	}
	numa_reclaim();
	assert_int_equal(reserved, 0);
	check_everything();
	assert_int_equal(replicate(1, 0) + migrate(1, 0), 0); /* who needs the memory gets it */
	numa_reclaim_end();
	for (u64 i = 0; i < 10; i++)
		assert_int_equal(read_as(&vm_a, i, 2), i);
	assert_int_equal(free_pages(1) + free_pages(2), 2 * NODE_PAGES);
	assert_int_equal(replicate(1, 0), 1);
}

static void reclaiming_goes_on_in_steps(void **state)
{
	struct numa_reclaim r;
	u32 steps = 0;
	bool done;

	(void)state;
	for (u64 i = 0; i < 100; i++) {
		write_as(&vm_b, i, 0, i);
		write_as(&vm_a, i, 0, i);
		if (i < 60)
			replicate(1, i);
	}
	vm_b.state = VM_STOPPED; /* has none */
	numa_reclaim_begin(&r);
	do {
		u64 before = reserved;

		done = numa_reclaim_step(&r);
		assert_in_range(before - reserved, 0, 16);
		check_everything();
		assert_int_equal(replicate(2, 0) + migrate(2, 0), 0);
		assert_true(++steps < 20);
	} while (!done);
	assert_true(numa_reclaim_step(&r)); /* nothing more */
	assert_int_equal(reserved, 0);
	assert_true(steps >= 60 / 16);
	numa_reclaim_end();
	for (u64 i = 0; i < 100; i++)
		assert_int_equal(read_as(&vm_a, i, 1), i);
}

static void the_end_of_a_vm_frees_replicas(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	replicate(1, 5);
	replicate(2, 5);
	migrate(1, 6);
	release_all(&vm_a);
	assert_int_equal(reserved, 0);
	for (u32 i = 0; i < ARRAY_SIZE(is_free); i++)
		assert_true(is_free[i]);
}

static void random_moves(void **state)
{
	static u64 want[2][64];
	u64 seed = 1;
	u32 pairs = 0;

	(void)state;
	memset(want, 0, sizeof(want));
	for (u32 step = 0; step < 60000; step++) {
		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		u32 r = seed >> 33, of = r % NODES, which = r >> 4 & 1, gpn = r >> 8 & 63;
		struct vm *vm = which ? &vm_b : &vm_a;
		mpn_t pages[2] = { master(vm, gpn), master(vm, r >> 20 & 63) };

		switch (r >> 16 & 7) {
		case 0: migrate_pages(of, pages, 2); break;
		case 1: replicate_pages(of, pages, 2); break;
		case 2:
			want[which][gpn] = step;
			write_as(vm, gpn, of, step);
			break;
		case 3: pairs += large_of(vm, gpn, of) != 0; break;
		default: assert_int_equal(read_as(vm, gpn, of), want[which][gpn]);
		}
		if (step % 1000 == 0)
			placement_set(step / 1000 % 3);
		largest = step < 30000 ? LARGEST : PIECE_PAGES;
		if (step % 50 == 0)
			check_everything();
	}
	assert_true(pairs > 0);
	release_all(&vm_a);
	release_all(&vm_b);
	assert_int_equal(reserved, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_migrated_page_is_found_by_all, numa_vm_reset),
		cmocka_unit_test_setup(a_replicated_page_is_read_near_and_collapses_on_a_write,
				       numa_vm_reset),
		cmocka_unit_test_setup(a_writer_without_replica_leaves_the_master, numa_vm_reset),
		cmocka_unit_test_setup(what_cannot_move_stays, numa_vm_reset),
		cmocka_unit_test_setup(a_memmap_entry_that_changes_is_not_believed, numa_vm_reset),
		cmocka_unit_test_setup(a_page_named_twice_moves_once, numa_vm_reset),
		cmocka_unit_test_setup(a_vm_is_only_replicated_where_it_runs, numa_vm_reset),
		cmocka_unit_test_setup(no_memory_leaves_the_page_as_it_was, numa_vm_reset),
		cmocka_unit_test_setup(a_moved_page_breaks_its_large_pages, numa_vm_reset),
		cmocka_unit_test_setup(a_page_comes_back_to_its_place, numa_vm_reset),
		cmocka_unit_test_setup(batches_of_one_vm_share_a_shootdown, numa_vm_reset),
		cmocka_unit_test_setup(a_replica_is_forgotten_in_a_batch_for_another_node,
				       numa_vm_reset),
		cmocka_unit_test_setup(reclaiming_leaves_one_copy_of_each, numa_vm_reset),
		cmocka_unit_test_setup(reclaiming_goes_on_in_steps, numa_vm_reset),
		cmocka_unit_test_setup(the_end_of_a_vm_frees_replicas, numa_vm_reset),
		cmocka_unit_test_setup(random_moves, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("move", tests, NULL, NULL);
}
