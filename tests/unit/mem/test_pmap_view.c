/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/pmap_view.c: a node gains and loses its view of a VM while pages of it are used, written, moved and
 * replicated. What is in the pages stays; what the node had of its own goes back; no other node sees a page that
 * is not there any more, and none is asked.
 */
#include "tests/unit/numa_vm.h"
#include "kernel/errno.h"
#include "kernel/mem/pmap_state.h"
#include "numa/move.h"

#define GONE 2 /* the node that loses its view; node 0 is home */

static u64 seed;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static mpn_t master(u64 gpn) { return pmap_copies(&vm_a.pmap, (gpn_t){ gpn }).master; }

static unsigned replicate(u32 node, u64 gpn)
{
	mpn_t page = master(gpn);

	return replicate_pages(node, &page, 1);
}

static void lose(void)
{
	leave_node(&vm_a, GONE);
	while (!pmap_lose_view_step(&vm_a, GONE))
		continue;
	assert_false(pmap_has_view(&vm_a.pmap, GONE));
	assert_false(nodemask_has(vm_a.node_mask, GONE));
}

static void its_replicas_go_back(void **state)
{
	u32 before = free_pages(GONE);

	(void)state;
	write_as(&vm_a, 5, 0, 42);
	write_as(&vm_a, 6, 0, 43);
	assert_int_equal(replicate(GONE, 5) + replicate(1, 5) + replicate(GONE, 6), 3);
	assert_int_equal(vm_a.pmap.replicas, 3);
	flushes = 0;
	lose();
	assert_int_equal(flushes, 0); /* nobody was asked */
	assert_int_equal(free_pages(GONE), before);
	assert_int_equal(vm_a.pmap.replicas, 1);
	assert_int_equal(read_as(&vm_a, 5, 1), 42);
	assert_true(lo_of(&vm_a, 6, 0) & ENTRYLO_D); /* with the last one it is writable again */
	write_as(&vm_a, 5, 1, 44);
	assert_int_equal(read_as(&vm_a, 5, 0), 44);
	assert_int_equal(reserved, 0);
}

/* No page is brought to a node whose view goes, or shown there; one that is wanted again is as it was. */
static void a_view_that_goes_gains_nothing(void **state)
{
	(void)state;
	write_as(&vm_a, 5, 0, 42);
	write_as(&vm_a, VM_PAGES - 1, GONE, 43);
	assert_int_equal(lo_of(&vm_a, 5, GONE), 0);
	leave_node(&vm_a, GONE);
	vm_a.pmap.view[GONE].going = true; /* as after a first step of many */
	vm_a.pmap.view[GONE].lost = 0;
	assert_false(pmap_has_view(&vm_a.pmap, GONE));
	assert_int_equal(replicate(GONE, 5), 0);
	assert_int_equal(pmap_gain_view(&vm_a, GONE), 0);
	assert_true(pmap_has_view(&vm_a.pmap, GONE));
	assert_int_equal(replicate(GONE, 5), 1);
	assert_int_equal(read_as(&vm_a, VM_PAGES - 1, GONE), 43);
	lose();
}

/* The storage that the VM was made with stays, other storage goes with the view: what points into a view must know. */
static void its_storage_stays_or_goes(void **state)
{
	const void *storage = vm_a.pmap.view[GONE].storage;

	(void)state;
	assert_true(pmap_view_stays(&vm_a.pmap, GONE));
	lose();
	assert_false(pmap_view_stays(&vm_a.pmap, GONE));
	assert_int_equal(pmap_gain_view(&vm_a, GONE), 0);
	assert_ptr_equal(vm_a.pmap.view[GONE].fresh, storage); /* the first in it */
	lose();
	vm_a.pmap.view[GONE] =
		(struct pmap_view){ .kept = MPN_NONE }; /* it had none from the beginning */
	assert_int_equal(pmap_gain_view(&vm_a, GONE), 0);
	assert_true(pmap_has_view(&vm_a.pmap, GONE));
	assert_false(pmap_view_stays(&vm_a.pmap, GONE));
	write_as(&vm_a, 7, GONE, 1);
	lose();
	assert_null(vm_a.pmap.view[GONE].storage);
}

static void it_comes_and_goes_among_everything_else(void **state)
{
	static u64 want[VM_PAGES];
	bool there = true;

	(void)state;
	memset(want, 0, sizeof(want));
	for (u32 i = 0; i < 4000; i++) {
		u64 gpn = chance(40) * 33;
		u32 on = there ? chance(NODES) : chance(GONE);
		mpn_t page = master(gpn);

		switch (chance(8)) {
		case 0:
			leave_node(&vm_a, GONE);
			if (there)
				there = !pmap_lose_view_step(&vm_a, GONE);
			else
				there = !pmap_gain_view(&vm_a, GONE);
			break;
		case 1:
			if (there)
				assert_int_equal(pmap_gain_view(&vm_a, GONE), 0);
			break;
		case 2: migrate_pages(chance(NODES), &page, mpn_valid(page)); break;
		case 3: replicate_pages(chance(NODES), &page, mpn_valid(page)); break;
		case 4:
			if (on != GONE || pmap_has_view(&vm_a.pmap, GONE))
				write_as(&vm_a, gpn, on, want[gpn] = i + 1);
			break;
		default:
			if (on != GONE || pmap_has_view(&vm_a.pmap, GONE))
				assert_int_equal(read_as(&vm_a, gpn, on), want[gpn]);
			break;
		}
		check_everything();
	}
	release_all(&vm_a);
	check_everything();
}

/* Who takes a page out of all views has all of its entries in the cache at once: those of pages beside each other, too. */
static void entries_of_a_page_are_apart(void **state)
{
	(void)state;
	for (u32 node = 0; node < NODES; node++) {
		const struct pmap_view *view = &vm_a.pmap.view[node];
		u64 at = (u64)view->entry - (u64)view->storage;
		u64 end =
			(u64)&view->windows[VM_PAGES / PMAP_WINDOWS_WORD + 1] - (u64)view->storage;

		assert_int_equal(at % (PMAP_NEAR * sizeof(struct pmap_entry)), 0);
		assert_int_equal(at - sizeof(struct fresh),
				 node * PMAP_SHOWN * sizeof(struct pmap_entry));
		assert_in_range(end, at, pmap_view_bytes(VM_PAGES));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(entries_of_a_page_are_apart, numa_vm_reset),
		cmocka_unit_test_setup(its_replicas_go_back, numa_vm_reset),
		cmocka_unit_test_setup(a_view_that_goes_gains_nothing, numa_vm_reset),
		cmocka_unit_test_setup(its_storage_stays_or_goes, numa_vm_reset),
		cmocka_unit_test_setup(it_comes_and_goes_among_everything_else, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("pmap_view", tests, NULL, NULL);
}
