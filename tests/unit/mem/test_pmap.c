/* SPDX-License-Identifier: MIT */
/* kernel/mem/pmap.c: a VM gets pages for its own memory only, where the placement says, in whole blocks
 * while it can. */
#include "tests/unit/mem/share_pages.h"

#include "numa/placement.h"

/* A VM whose pages all have one place. */
static int home_only(void **state)
{
	numa_vm_reset(state);
	placement_set(PLACE_HOME);
	return 0;
}

static void a_page_is_given_on_first_use_near_its_user(void **state)
{
	gpn_t gpn = { 9 };
	u64 lo;

	(void)state;
	assert_int_equal(pmap_look(&vm_a, gpn, 2), 0);
	lo = pmap_use(&vm_a, gpn, 2);
	assert_int_equal(memmap_node(arch_entry_page(lo)), 2);
	assert_int_equal(lo_of(&vm_a, 9, 0), 0); /* the others have not asked yet */
	assert_int_equal(pmap_use(&vm_a, gpn, 0), lo);
	assert_int_equal(pmap_look(&vm_a, gpn, 1), lo);
	assert_int_equal(vm_a.pmap.used, 1);
	/* what the TLB gets: valid, writable, cacheable, and never global */
	assert_int_equal(lo & ~(u64)ENTRYLO_PFN, ENTRYLO_V | ENTRYLO_D | ENTRYLO_C_WB);
	check_everything();
}

static void a_view_gets_the_neighbours_that_others_use(void **state)
{
	u64 lo[2 * PMAP_SHOWN];

	(void)state;
	for (u64 i = 0; i < 2 * PMAP_SHOWN; i++)
		lo[i] = i % 8 == 3 ? 0 : pmap_use(&vm_a, (gpn_t){ i }, 2);
	for (u64 i = 1; i < 16; i += 10) {
		share(&vm_a, i, new_page(42));
		lo[i] = i > 8 ? 0 : arch_readonly_entry(arch_page_entry(master_of(&vm_a, i)));
	}
	pmap_lock(&vm_a.pmap, (gpn_t){ 5 });
	pmap_leave_locked(&vm_a.pmap, (gpn_t){ 5 }); /* on its way elsewhere */
	pmap_unlock(&vm_a.pmap, (gpn_t){ 5 });
	pmap_use(&vm_a, (gpn_t){ 6 }, 0);
	for (u64 i = 0; i < 2 * PMAP_SHOWN; i++)
		assert_int_equal(lo_of(&vm_a, i, 0), i >= PMAP_SHOWN || i == 5 ? 0 : lo[i]);
	pmap_use(&vm_a, (gpn_t){ 3 }, 1); /* its first use of all: nobody's neighbour yet */
	assert_int_equal(lo_of(&vm_a, 2, 1), 0);
	pmap_use(&vm_a, (gpn_t){ VM_PAGES - 1 }, 2); /* the end of memory */
	pmap_use(&vm_a, (gpn_t){ VM_PAGES - 1 }, 0);
}

static void placements(void **state)
{
	(void)state;
	for (u64 i = 0; i < 30; i++)
		assert_int_equal(memmap_node(arch_entry_page(pmap_use(&vm_a, (gpn_t){ i }, i % 2))),
				 i % 2);
	placement_set(PLACE_ROUND_ROBIN);
	for (u64 i = 30; i < 60; i++)
		assert_int_equal(memmap_node(arch_entry_page(pmap_use(&vm_a, (gpn_t){ i }, 1))),
				 i % NODES);
	placement_set(PLACE_HOME);
	for (u64 i = 60; i < 90; i++)
		assert_int_equal(memmap_node(arch_entry_page(pmap_use(&vm_a, (gpn_t){ i }, 2))), 0);
	check_everything();
}

static void a_page_is_where_the_guest_was_told(void **state)
{
	(void)state;
	vm_a.shown = (struct shown_nodes){ 2, { 2, 1 }, 2 * BLOCK_PAGES };
	for (u32 i = 0; i < 3; i++) {
		placement_set((enum placement)i);
		for (u64 gpn = i; gpn < VM_PAGES; gpn += BLOCK_PAGES / 2)
			assert_int_equal(memmap_node(arch_entry_page(
						 pmap_use(&vm_a, (gpn_t){ gpn }, i))),
					 gpn < 2 * BLOCK_PAGES ? 2 : 1);
	}
	vm_a.shown.n = 0;
}

static void memory_beyond_the_vms_is_refused(void **state)
{
	(void)state;
	assert_int_not_equal(pmap_use(&vm_a, (gpn_t){ VM_PAGES - 1 }, 0), 0);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ VM_PAGES }, 0), 0);
	assert_int_equal(pmap_use_to_write(&vm_a, (gpn_t){ ~0ull >> 12 }, 0), 0);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 1ull << 32 }, 0), 0);
	assert_int_equal(pmap_look(&vm_a, (gpn_t){ VM_PAGES }, 0), 0);
}

static void vms_never_share_a_page(void **state)
{
	(void)state;
	for (u64 i = 0; i < VM_PAGES; i++) {
		blocks = i % 3;
		placement_set(i % 2 ? PLACE_HOME : PLACE_FIRST_TOUCH);
		pmap_use(&vm_a, (gpn_t){ i }, i % NODES);
		pmap_use(&vm_b, (gpn_t){ i }, i % NODES);
	}
	check_everything();
}

static void a_full_machine_says_so(void **state)
{
	(void)state;
	memset(is_free, 0, sizeof(is_free));
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 0 }, 0), 0);
	assert_int_equal(vm_a.pmap.used, 0);
	is_free[17] = true;
	assert_int_equal(arch_entry_page(pmap_use(&vm_a, (gpn_t){ 0 }, 0)).v, FIRST(0) + 17);
}

static void the_end_of_a_vm_gives_every_page_back(void **state)
{
	(void)state;
	for (u64 i = 0; i < VM_PAGES; i += 3)
		pmap_use(&vm_a, (gpn_t){ i }, 1);
	pmap_use(&vm_b, (gpn_t){ 0 }, 1);
	release_all(&vm_a);
	assert_int_equal(vm_a.pmap.used, 0);
	for (u64 i = 0; i < VM_PAGES; i++)
		assert_int_equal(lo_of(&vm_a, i, 1), 0);
	assert_int_not_equal(lo_of(&vm_b, 0, 1), 0);
	check_everything();
	release_all(&vm_b);
	for (u32 i = 0; i < ARRAY_SIZE(is_free); i++)
		assert_true(is_free[i]);
	release_all(&vm_a); /* nothing is given back twice */
}

/* ---- large pages ---- */

static void whole_blocks_are_large_pages(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ BLOCK_PAGES + 3 }, 0);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_int_equal(large_word(&vm_a, BLOCK_PAGES, 0), 0); /* by a miss */
	assert_int_equal(large_of(&vm_a, BLOCK_PAGES + 3, 0), LARGEST);
	assert_int_equal(large_word(&vm_a, BLOCK_PAGES + LARGEST, 0), 0);
	assert_int_equal(large_of(&vm_a, 2 * BLOCK_PAGES - 1, 0), LARGEST);
	assert_int_equal(large_word(&vm_a, BLOCK_PAGES - 1, 0), 0); /* not used yet */
	assert_int_equal(arch_entry_page(lo_of(&vm_a, BLOCK_PAGES, 0)).v % BLOCK_PAGES, 0);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	/* another node's view shows a page only when asked for, or for a large one */
	assert_int_equal(lo_of(&vm_a, BLOCK_PAGES, 1), 0);
	assert_int_equal(large_of(&vm_a, BLOCK_PAGES + 77, 1), LARGEST);
	assert_int_equal(lo_of(&vm_a, BLOCK_PAGES, 1), lo_of(&vm_a, BLOCK_PAGES, 0));
	assert_int_equal(flushes, 0);
	check_everything();
}

/* The second is put beside the first, whichever that is, if it is free; and all goes with one page of theirs. */
static void two_blocks_are_one_large_pair(void **state)
{
	(void)state;
	largest = PIECE_PAGES;
	pmap_use(&vm_a, (gpn_t){ 2 * BLOCK_PAGES }, 0);
	assert_int_equal(large_of(&vm_a, 2 * BLOCK_PAGES, 0),
			 LARGEST); /* the other half is not used */
	pmap_use(&vm_a, (gpn_t){ 3 * BLOCK_PAGES }, 0);
	assert_int_equal(large_word(&vm_a, 2 * BLOCK_PAGES, 0), LARGEST);
	assert_int_equal(large_of(&vm_a, 4 * BLOCK_PAGES - 1, 0), PIECE_PAGES);
	assert_int_equal(large_word(&vm_a, 2 * BLOCK_PAGES, 0), PIECE_PAGES);
	assert_int_equal(large_of(&vm_a, 2 * BLOCK_PAGES, 1), PIECE_PAGES);
	check_everything();
	pmap_use(&vm_b, (gpn_t){ 0 }, 0);
	write_as(&vm_a, 0, 0, 1); /* between two blocks of others */
	pmap_use(&vm_b, (gpn_t){ BLOCK_PAGES }, 0);
	pmap_use(&vm_a, (gpn_t){ BLOCK_PAGES }, 0);
	assert_int_equal(large_of(&vm_a, 0, 0), LARGEST);
	assert_int_equal(large_of(&vm_b, 0, 0), LARGEST);
	pmap_lock(&vm_a.pmap, (gpn_t){ 4 * BLOCK_PAGES - 1 });
	pmap_leave_locked(&vm_a.pmap, (gpn_t){ 4 * BLOCK_PAGES - 1 });
	pmap_hide_locked(&vm_a.pmap, (gpn_t){ 4 * BLOCK_PAGES - 1 }, 0);
	pmap_unlock(&vm_a.pmap, (gpn_t){ 4 * BLOCK_PAGES - 1 });
	assert_int_equal(large_word(&vm_a, 4 * BLOCK_PAGES - 1, 0), 0);
	for (u32 pages = 8, behind = 9; pages <= LARGEST; behind += 3 * pages, pages *= 4) {
		assert_int_equal(large_word(&vm_a, 4 * BLOCK_PAGES - behind, 0), pages);
		assert_int_equal(large_word(&vm_a, 4 * BLOCK_PAGES - behind + 1 - 3 * pages, 0),
				 pages);
	}
	assert_int_equal(large_word(&vm_a, 2 * BLOCK_PAGES, 0), LARGEST);
}

static void an_odd_block_has_its_neighbour_below(void **state)
{
	(void)state;
	largest = PIECE_PAGES;
	pmap_use(&vm_b, (gpn_t){ 0 }, 0);
	pmap_use(&vm_a, (gpn_t){ BLOCK_PAGES }, 0);
	release_all(&vm_b);
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(large_of(&vm_a, 7, 0), PIECE_PAGES);
	check_everything();
}

static void first_touch_over_nodes_brings_no_block(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(vm_a.pmap.used, 1);
	vm_b.node_mask = nodemask_of(0); /* but not where one node touches all */
	pmap_use(&vm_b, (gpn_t){ 0 }, 0);
	assert_int_equal(vm_b.pmap.used, BLOCK_PAGES);
}

/* Behind the last page xsseg is the guest's own. */
static void the_end_of_memory_has_pairs_that_end_there(void **state)
{
	(void)state;
	blocks = false;
	for (u64 i = VM_PAGES - 12; i < VM_PAGES; i++)
		pmap_use(&vm_a, (gpn_t){ i }, 0);
	assert_int_equal(large_of(&vm_a, VM_PAGES - 12, 0), 8);
	assert_int_equal(large_of(&vm_a, VM_PAGES - 1, 0), 0);
	check_everything();
}

/* Each in the smallest part that the TLB knows; the rest of the block stays large, and nobody has to miss there for it. */
static void a_page_out_of_place_breaks_what_is_around_it(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(large_of(&vm_a, 0, 0), LARGEST);
	assert_int_equal(large_of(&vm_a, LARGEST, 0), LARGEST);
	pmap_lock(&vm_a.pmap, (gpn_t){ 3 });
	pmap_leave_locked(&vm_a.pmap, (gpn_t){ 3 });
	pmap_hide_locked(&vm_a.pmap, (gpn_t){ 3 }, 0);
	pmap_unlock(&vm_a.pmap, (gpn_t){ 3 });
	assert_int_equal(large_of(&vm_a, 0, 0), 0);
	assert_int_equal(large_word(&vm_a, 8, 0), 8);
	assert_int_equal(large_word(&vm_a, 31, 0), 8);
	assert_int_equal(large_word(&vm_a, 32, 0), 32);
	assert_int_equal(large_word(&vm_a, 127, 0), 32);
	assert_int_equal(large_word(&vm_a, LARGEST, 0), LARGEST);
	/* in its place again: all is whole with the first miss there */
	pmap_lock(&vm_a.pmap, (gpn_t){ 3 });
	pmap_arrive_locked(&vm_a.pmap, (gpn_t){ 3 }, pmap_copies(&vm_a.pmap, (gpn_t){ 3 }).master);
	pmap_unlock(&vm_a.pmap, (gpn_t){ 3 });
	assert_int_equal(large_of(&vm_a, 3, 0), LARGEST);
	assert_int_equal(large_word(&vm_a, LARGEST - 1, 0), LARGEST);
	check_everything();
}

static void large_pages_have_one_right(void **state)
{
	(void)state;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(large_of(&vm_a, 0, 0), LARGEST);
	pmap_lock(&vm_a.pmap, (gpn_t){ 3 });
	for (u64 i = 0; i < 8; i++)
		assert_true(pmap_downgrade_locked(&vm_a.pmap, (gpn_t){ i }, 0));
	pmap_unlock(&vm_a.pmap, (gpn_t){ 3 });
	assert_int_equal(large_of(&vm_a, 4, 0), 8);
	assert_false(arch_entry_writable(vm_a.pmap.view[0].large[0]));
	assert_int_equal(large_of(&vm_a, 8, 0), 8);
	assert_true(arch_entry_writable(vm_a.pmap.view[0].large[1]));
	/* written: the page has the right again, its pair not */
	assert_true(arch_entry_writable(pmap_use_to_write(&vm_a, (gpn_t){ 5 }, 0)));
	assert_int_equal(large_word(&vm_a, 0, 0), 0);
	assert_int_equal(large_of(&vm_a, 5, 0), 0);
}

static void large_pages_can_be_off(void **state)
{
	(void)state;
	large = false;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_int_equal(large_of(&vm_a, 0, 0), 0);
}

static void a_vm_that_has_its_node_alone_has_global_ones(void **state)
{
	(void)state;
	pmap_set_alone(&vm_a.pmap, 0, true);
	assert_int_equal(large_of(&vm_a, 0, 0), LARGEST);
	assert_int_equal(large_of(&vm_a, 0, 1), LARGEST);
	assert_true(vm_a.pmap.view[0].large[0] & ENTRYLO_G);
	assert_false(vm_a.pmap.view[1].large[0] & ENTRYLO_G);
	assert_false(lo_of(&vm_a, 0, 0) & ENTRYLO_G);
}

static void released_memory_has_no_large_pages(void **state)
{
	(void)state;
	assert_int_equal(large_of(&vm_a, 0, 0), LARGEST);
	assert_int_equal(large_of(&vm_a, BLOCK_PAGES, 1), LARGEST);
	blocks = false;
	release_all(&vm_a);
	for (u64 i = 0; i < VM_PAGES; i++)
		assert_int_equal(large_word(&vm_a, i, 0) + large_word(&vm_a, i, 1), 0);
	assert_false(vm_a.pmap.view[0].held[0]);
	assert_int_equal(large_of(&vm_a, 0, 0), 0); /* one page of the block */
	blocks = true;
	pmap_use(&vm_a, (gpn_t){ 1 }, 0); /* too late for this one */
	assert_int_equal(vm_a.pmap.used, 2);
	assert_int_equal(large_of(&vm_a, 2 * BLOCK_PAGES, 0), LARGEST);
}

static void the_reverse_map_names_one_or_many(void **state)
{
	struct pmap_entry e = { .back = 0 };

	(void)state;
	pmap_note(&e, 0x2001);
	pmap_note(&e, 0x2001);
	assert_int_equal(e.back, 0x2001);
	pmap_note(&e, 0x2002);
	assert_true(pmap_is_many(e.back));
	assert_int_equal(e.back, L2TLB_NO_TAG | BIT(l2tlb_part(0x2001)) | BIT(l2tlb_part(0x2002)));
	pmap_note(&e, 0x2001);
	assert_int_equal(e.back, L2TLB_NO_TAG | BIT(l2tlb_part(0x2001)) | BIT(l2tlb_part(0x2002)));
	pmap_note(&e, 0x2001 | 0x155 << L2TLB_VPN2_SHIFT);
	assert_int_equal(e.back,
			 L2TLB_NO_TAG | BIT(l2tlb_part(0x2001)) | BIT(0x155 >> L2TLB_PART_SHIFT));
}

/* Pages of a step: what is used counts 17, as in pmap.c. */
#define STEP_PAGES 128

static void memory_goes_back_in_steps(void **state)
{
	u32 next = 0, steps = 0, was = 0;
	bool done;

	(void)state;
	for (u32 i = 0; i < VM_PAGES; i++)
		pmap_use(&vm_a, (gpn_t){ i }, i % NODES);
	do {
		u32 used = vm_a.pmap.used;

		done = pmap_release_step(&vm_a, &next);
		assert_in_range(used - vm_a.pmap.used, 1, STEP_PAGES);
		assert_int_equal(used - vm_a.pmap.used, next - was);
		assert_int_equal(done, next == VM_PAGES);
		was = next;
		steps++;
		check_everything();
	} while (!done);
	assert_in_range(steps, VM_PAGES / STEP_PAGES, VM_PAGES / STEP_PAGES * 2);
	assert_int_equal(vm_a.pmap.used, 0);
	next = 0; /* of memory that was never used, many */
	assert_true(pmap_release_step(&vm_a, &next));
	assert_int_equal(next, VM_PAGES);
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(large_word(&vm_a, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_page_is_given_on_first_use_near_its_user, numa_vm_reset),
		cmocka_unit_test_setup(a_view_gets_the_neighbours_that_others_use, numa_vm_reset),
		cmocka_unit_test_setup(placements, numa_vm_reset),
		cmocka_unit_test_setup(a_page_is_where_the_guest_was_told, numa_vm_reset),
		cmocka_unit_test_setup(memory_beyond_the_vms_is_refused, numa_vm_reset),
		cmocka_unit_test_setup(vms_never_share_a_page, numa_vm_reset),
		cmocka_unit_test_setup(a_full_machine_says_so, numa_vm_reset),
		cmocka_unit_test_setup(the_end_of_a_vm_gives_every_page_back, home_only),
		cmocka_unit_test_setup(whole_blocks_are_large_pages, home_only),
		cmocka_unit_test_setup(two_blocks_are_one_large_pair, home_only),
		cmocka_unit_test_setup(an_odd_block_has_its_neighbour_below, home_only),
		cmocka_unit_test_setup(first_touch_over_nodes_brings_no_block, numa_vm_reset),
		cmocka_unit_test_setup(the_end_of_memory_has_pairs_that_end_there, home_only),
		cmocka_unit_test_setup(a_page_out_of_place_breaks_what_is_around_it, home_only),
		cmocka_unit_test_setup(large_pages_can_be_off, home_only),
		cmocka_unit_test_setup(large_pages_have_one_right, home_only),
		cmocka_unit_test_setup(a_vm_that_has_its_node_alone_has_global_ones, home_only),
		cmocka_unit_test_setup(released_memory_has_no_large_pages, home_only),
		cmocka_unit_test_setup(the_reverse_map_names_one_or_many, numa_vm_reset),
		cmocka_unit_test_setup(memory_goes_back_in_steps, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("pmap", tests, NULL, NULL);
}
