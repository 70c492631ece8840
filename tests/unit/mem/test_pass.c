/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/pass.c: each row of pass.h's tables, and what it costs in promises and shootdowns.
 * test_share_random.c passes pages at random.
 */
#include "tests/unit/mem/share_pages.h"

#include "kernel/errno.h"
#include "kernel/mem/pass.h"
#include "numa/move.h"

static int pass(struct vm *from, u64 source, struct vm *to, u64 target)
{
	return pass_page(from, (gpn_t){ source }, to, (gpn_t){ target });
}

static enum pmap_state state_of(const struct vm *vm, u64 gpn)
{
	return pmap_state_of(pmap_page(&vm->pmap, (gpn_t){ gpn }));
}

/* Both see the page that vm_a's 7 was, once in memory; afterwards each its own. */
static void check_passed(const struct vm *from, u64 source, struct vm *to, u64 target, u64 value)
{
	mpn_t page = master_of(from, source);

	assert_int_equal(reserved, 0);
	assert_int_equal(master_of(to, target).v, page.v);
	assert_int_equal(memmap_page(page)->state, PAGE_SHARED);
	for (u32 node = 0; node < NODES; node++)
		assert_int_equal(read_as(to, target, node), value);
	check_everything();
}

static void both_have_it_until_one_writes(void **state)
{
	mpn_t page;

	(void)state;
	write_as(&vm_a, 7, 1, 42);
	page = master_of(&vm_a, 7);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	assert_int_equal(master_of(&vm_a, 7).v, page.v); /* where it was */
	check_passed(&vm_a, 7, &vm_b, 9, 42);
	assert_int_equal(share_users(page), 2);
	write_as(&vm_a, 7, 1, 43); /* the sender: a copy */
	assert_int_equal(read_as(&vm_b, 9, 2), 42);
	assert_int_equal(read_as(&vm_a, 7, 0), 43);
	flushes = 0;
	write_as(&vm_b, 9, 2, 44); /* the last one: where it is */
	assert_int_equal(flushes, 0);
	assert_int_equal(master_of(&vm_b, 9).v, page.v);
	assert_int_equal(vm_a.pmap.shared + vm_b.pmap.shared, 0);
	check_everything();
}

static void a_vm_passes_to_itself(void **state)
{
	(void)state;
	write_as(&vm_a, 7, 1, 42);
	write_as(&vm_a, 700, 0, 1); /* in another range */
	assert_int_equal(pass(&vm_a, 7, &vm_a, 700), 0);
	check_passed(&vm_a, 7, &vm_a, 700, 42);
	assert_int_equal(pass(&vm_a, 700, &vm_a, 8), 0); /* in the same one */
	check_passed(&vm_a, 700, &vm_a, 8, 42);
	assert_int_equal(share_users(master_of(&vm_a, 7)), 3);
	write_as(&vm_a, 9, 0, 5);
	assert_int_equal(pass(&vm_a, 9, &vm_a, 9), 0);
	assert_int_equal(state_of(&vm_a, 9), PMAP_SINGLE); /* nothing has happened */
	assert_int_equal(read_as(&vm_a, 9, 1), 5);
	check_everything();
}

/* Where the receiver's guest had a translation of what was there, its node is told of the new page. */
static void who_had_a_translation_gets_another(void **state)
{
	struct pmap_view *view = vm_b.pmap.view;
	u64 tag;

	(void)state;
	write_as(&vm_a, 7, 1, 42);
	write_as(&vm_b, 9, 1, 5);
	write_as(&vm_b, 10, 1, 6);
	tag = pmap_noted(pmap_entry(&vm_b.pmap, (gpn_t){ 9 }, 1));
	pmap_note(pmap_entry(&vm_b.pmap, (gpn_t){ 10 }, 1), tag); /* and which other? */
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 10), 0);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 11), 0);
	assert_true(pmap_shown(&vm_b.pmap, (gpn_t){ 9 }, 1));
	assert_true(pmap_shown(&vm_b.pmap, (gpn_t){ 10 }, 1));
	assert_int_equal(fresh_take(view[1].fresh), tag);
	assert_int_equal(fresh_take(view[1].fresh), 0);
	assert_int_equal(fresh_take(view[2].fresh), 0);
	/* a window's is told, whoever else uses the page */
	write_as(&vm_b, 12, 1, 6);
	pmap_note_window(&view[1], (gpn_t){ 12 }, 0);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 12), 0);
	assert_int_equal(fresh_take(view[1].fresh), arch_window_tag(0, (gpn_t){ 12 }));
	check_everything();
}

/* The receiver uses the page, for the policy as well: where it keeps missing on it, it gets a replica. */
static void misses_of_the_receiver_count(void **state)
{
	mpn_t page;

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	page = master_of(&vm_b, 9);
	assert_int_equal(memmap_node(page), 0);
	for (u32 i = 0; i < 2; i++) /* one for each of the two VMs, which both have VCPUs there */
		assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_int_equal(memmap_node(arch_entry_page(lo_of(&vm_b, 9, 1))), 1);
	write_as(&vm_a, 7, 0, 43);
	assert_int_equal(read_as(&vm_b, 9, 1), 42);
	check_everything();
}

static void what_the_target_was_goes_back(void **state)
{
	mpn_t held = new_page(50), was;
	u32 used;

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	write_as(&vm_b, 9, 1, 1); /* SINGLE */
	was = master_of(&vm_b, 9);
	used = vm_b.pmap.used;
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	assert_int_equal(memmap_page(was)->state, PAGE_FREE);
	assert_int_equal(vm_b.pmap.used, used);
	share(&vm_b, 10, held); /* SHARED */
	assert_int_equal(pass(&vm_a, 7, &vm_b, 10), 0);
	assert_int_equal(share_users(held), 0);
	share(&vm_b, 11, held); /* the same, and REPLICATED */
	assert_int_equal(read_as(&vm_b, 11, 1), 50);
	assert_int_equal(replicate_pages(1, &held, 1), 1);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 11), 0);
	assert_int_equal(vm_b.pmap.replicas, 0);
	share_drop(held);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 700), 0); /* UNUSED */
	assert_int_equal(share_users(master_of(&vm_a, 7)), 5);
	check_passed(&vm_a, 7, &vm_b, 9, 42);
	check_passed(&vm_a, 7, &vm_b, 11, 42);
	check_passed(&vm_a, 7, &vm_b, 700, 42);
}

static void sources_of_all_kinds(void **state)
{
	mpn_t page = new_page(50);

	(void)state;
	share(&vm_a, 7, page); /* SHARED, and held by somebody else */
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	assert_int_equal(reserved, 1);
	assert_int_equal(master_of(&vm_b, 9).v, page.v);
	share_drop(page);
	assert_int_equal(pass(&vm_b, 9, &vm_b, 10), 0); /* held by nobody */
	check_passed(&vm_b, 9, &vm_b, 10, 50);
	/* REPLICATED of a shared one: the replica stays */
	assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 11), 0);
	assert_int_equal(vm_a.pmap.replicas + vm_b.pmap.replicas, 1);
	assert_int_equal(share_users(page), 4);
	check_everything();

	write_as(&vm_a, 8, 0, 60); /* REPLICATED of its own: it goes */
	page = master_of(&vm_a, 8);
	assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_int_equal(pass(&vm_a, 8, &vm_b, 12), 0);
	assert_int_equal(memmap_page(page)->state, PAGE_SHARED);
	assert_int_equal(read_as(&vm_a, 8, 1), 60);
	assert_int_equal(read_as(&vm_b, 12, 1), 60);
	check_everything();
}

static void refused(u64 source, u64 target, int err)
{
	enum pmap_state from = state_of(&vm_a, 7), to = state_of(&vm_b, 9);
	u64 before = reserved;

	assert_int_equal(pass(&vm_a, source, &vm_b, target), err);
	assert_int_equal(reserved, before);
	assert_int_equal(state_of(&vm_a, 7), from);
	assert_int_equal(state_of(&vm_b, 9), to);
	check_everything();
}

static void what_cannot_be_passed_is_copied(void **state)
{
	const gpn_t given[] = { { 9 } };

	(void)state;
	refused(7, 9, -EAGAIN); /* never used */
	write_as(&vm_a, 7, 0, 42);
	refused(7, VM_PAGES, -EFAULT);
	refused(VM_PAGES, 9, -EFAULT);
	refused(~0ul, 9, -EFAULT);
	refused(7, ~0ul, -EFAULT);
	pmap_pin(&vm_a, (gpn_t){ 7 });
	refused(7, 9, -EAGAIN);
	pmap_unpin(&vm_a, (gpn_t){ 7 });
	pmap_pin(&vm_b, (gpn_t){ 9 });
	refused(7, 9, -EAGAIN);
	pmap_unpin(&vm_b, (gpn_t){ 9 });
	reserved = 2 * VM_PAGES; /* as if both had started */
	assert_int_equal(pmap_balloon(&vm_b, given, 1), 1);
	refused(7, 9, -EAGAIN);
	assert_int_equal(pmap_unballoon(&vm_b, given[0]), 0);
	reserve_limit = reserved;
	refused(7, 9, -EAGAIN); /* no promise is left for as long as it is held */
	reserve_limit++;
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	check_everything();
}

/* While a node copies either of them: tried in the middle of the copy. */
static int tried;

static void try(void) { tried = pass(&vm_a, 7, &vm_b, 9); }

static void what_moves_is_copied(void **state)
{
	mpn_t page;

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	write_as(&vm_b, 9, 0, 43);
	for (u32 i = 0; i < 4; i++) {
		page = i % 2 ? master_of(&vm_b, 9) : master_of(&vm_a, 7);
		tried = 0;
		*(i < 2 ? &during_shootdown : &during_copy) = try;
		assert_int_equal(migrate_pages(1 + i / 2, &page, 1), 1);
		assert_int_equal(tried, -EAGAIN);
		assert_int_equal(read_as(&vm_b, 9, 0), 43);
		check_everything();
	}
	page = master_of(&vm_a, 7);
	during_copy = try;
	assert_int_equal(replicate_pages(0, &page, 1), 1);
	assert_int_equal(tried, -EAGAIN);
	assert_int_equal(pass(&vm_a, 7, &vm_b, 9), 0);
	check_passed(&vm_a, 7, &vm_b, 9, 42);
}

static void pages_of_large_pairs(void **state)
{
	(void)state;
	vm_a.node_mask = vm_b.node_mask = nodemask_of(0); /* whole blocks */
	for (u64 gpn = 0; gpn < 32; gpn++) {
		write_as(&vm_a, gpn, 0, 100 + gpn);
		write_as(&vm_b, gpn, 0, 200 + gpn);
	}
	assert_true(large_of(&vm_a, 16, 0) >= 8);
	assert_true(large_of(&vm_b, 16, 0) >= 8);
	check_everything();
	assert_int_equal(pass(&vm_a, 16, &vm_b, 17), 0);
	assert_int_equal(large_word(&vm_a, 16, 0) | large_word(&vm_b, 17, 0), 0);
	for (u64 gpn = 0; gpn < 32; gpn++) {
		assert_int_equal(read_as(&vm_a, gpn, 0), 100 + gpn);
		assert_int_equal(read_as(&vm_b, gpn, 0), gpn == 17 ? 116 : 200 + gpn);
	}
	check_everything();
}

/* One is there twice, one target is, and some cannot be passed: the bits say which, and the others are. */
static void many_at_once(void **state)
{
	const struct pass list[] = { { { 7 }, { 20 } },	       { { 8 }, { 21 } },
				     { { 7 }, { 22 } },	       { { 9 }, { 23 } },
				     { { 8 }, { 20 } },	       { { 600 }, { 24 } },
				     { { VM_PAGES }, { 25 } }, { { 7 }, { 900 } } };

	(void)state;
	write_as(&vm_a, 7, 0, 70);
	write_as(&vm_a, 8, 1, 80);
	write_as(&vm_a, 9, 2, 90);
	for (u64 gpn = 20; gpn < 26; gpn++)
		write_as(&vm_b, gpn, 0, gpn);
	pmap_pin(&vm_b, (gpn_t){ 23 });
	assert_int_equal(pass_pages(&vm_a, &vm_b, list, ARRAY_SIZE(list), NULL), 0x97);
	assert_int_equal(reserved, 0);
	assert_int_equal(read_as(&vm_b, 20, 1), 80); /* the later one */
	assert_int_equal(read_as(&vm_b, 21, 1), 80);
	assert_int_equal(read_as(&vm_b, 22, 1), 70);
	assert_int_equal(read_as(&vm_b, 23, 1), 23); /* pinned */
	assert_int_equal(read_as(&vm_b, 24, 1), 24); /* the source was never used */
	assert_int_equal(read_as(&vm_b, 25, 1), 25); /* it is no memory */
	assert_int_equal(read_as(&vm_b, 900, 1), 70);
	assert_int_equal(share_users(master_of(&vm_a, 7)), 3);
	assert_int_equal(share_users(master_of(&vm_a, 8)), 3);
	check_everything();
	pmap_unpin(&vm_b, (gpn_t){ 23 });
}

static u32 shootdowns;
static void count_shootdown(void)
{
	shootdowns++;
	during_shootdown = count_shootdown;
}

/* The receiver's page for the rest of the frame, in which a page was passed before, by the same shootdown. */
static void another_is_renewed_with_them(void **state)
{
	const struct pass list[] = { { { 7 }, { 20 } }, { { 8 }, { 21 } } };
	const gpn_t also = { 22 };

	(void)state;
	write_as(&vm_a, 7, 0, 70);
	write_as(&vm_a, 8, 0, 80);
	write_as(&vm_b, 22, 0, 22);
	assert_int_equal(pass(&vm_a, 8, &vm_b, 22), 0);
	for (u64 gpn = 20; gpn < 23; gpn++)
		read_as(&vm_b, gpn, 1);
	shootdowns = 0;
	during_shootdown = count_shootdown;
	assert_int_equal(pass_pages(&vm_a, &vm_b, list, ARRAY_SIZE(list), &also), 3);
	during_shootdown = NULL;
	assert_int_equal(shootdowns, 2); /* the sender's, and the receiver's */
	assert_int_equal(state_of(&vm_b, 22), PMAP_SINGLE);
	assert_true(arch_entry_writable(lo_of(&vm_b, 22, 0)));
	assert_int_equal(read_as(&vm_b, 22, 1), 22); /* what it had there before */
	assert_int_equal(read_as(&vm_b, 21, 1), 80);
	assert_int_equal(read_as(&vm_a, 8, 1), 80);
	assert_int_equal(reserved, 0);
	assert_int_equal(pass_pages(&vm_a, &vm_b, list, 1, &also), 1); /* it is its own */
	assert_int_equal(read_as(&vm_b, 22, 1), 22);
	check_everything();
}

static void nothing_is_left_when_both_have_ended(void **state)
{
	u64 before, pages, for_ever;

	(void)state;
	share_count(&before, &for_ever);
	for (u32 i = 0; i < 20; i++) {
		write_as(&vm_a, i, i % NODES, i);
		assert_int_equal(pass(&vm_a, i, &vm_b, 19 - i), 0);
	}
	release_all(&vm_a); /* the sender first: the receiver has it alone */
	for (u32 i = 0; i < 20; i++)
		assert_int_equal(read_as(&vm_b, 19 - i, 1), i);
	check_everything();
	release_all(&vm_b);
	share_count(&pages, &for_ever);
	assert_int_equal(pages, before);
	assert_int_equal(reserved, 0);
	for (u32 i = 0; i < NODES * NODE_PAGES; i++)
		assert_true(is_free[i]);
}

/* Of a page that was found to be equal to another one: all who have it, as many as the limit, not who has written since. */
static void users_have_an_equal_page(void **state)
{
	mpn_t lent, equal = new_page(42);

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	for (u32 i = 0; i < PASS_USERS; i++)
		assert_int_equal(pass(&vm_a, 7, &vm_b, i), 0);
	write_as(&vm_b, 0, 1, 43);
	lent = lend(&vm_a, 7);
	assert_int_equal(share_users(lent), PASS_USERS);
	pass_users(lent, equal);
	assert_int_equal(share_users(lent), 0);
	assert_int_equal(share_users(equal), PASS_USERS);
	assert_int_equal(read_as(&vm_b, 0, 1), 43);
	assert_int_equal(read_as(&vm_b, 1, 1), 42);
	share_drop(lent);
	write_as(&vm_b, 1, 1, 44);
	assert_int_equal(read_as(&vm_a, 7, 0), 42);
	check_everything();

	lent = equal;
	equal = new_page(42);
	for (u32 i = 20; i < 24; i++)
		assert_int_equal(pass(&vm_a, 7, &vm_b, i), 0);
	pass_users(lent, equal);
	assert_int_equal(share_users(lent), 3);
	assert_int_equal(share_users(equal), PASS_USERS);
	share_drop(lent);
	share_drop(equal);
	check_everything();
	release_all(&vm_a);
	release_all(&vm_b);
	assert_int_equal(reserved, 0);
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_have_it_until_one_writes, numa_vm_reset),
		cmocka_unit_test_setup(a_vm_passes_to_itself, numa_vm_reset),
		cmocka_unit_test_setup(who_had_a_translation_gets_another, numa_vm_reset),
		cmocka_unit_test_setup(what_the_target_was_goes_back, numa_vm_reset),
		cmocka_unit_test_setup(sources_of_all_kinds, numa_vm_reset),
		cmocka_unit_test_setup(what_cannot_be_passed_is_copied, numa_vm_reset),
		cmocka_unit_test_setup(misses_of_the_receiver_count, numa_vm_reset),
		cmocka_unit_test_setup(what_moves_is_copied, numa_vm_reset),
		cmocka_unit_test_setup(pages_of_large_pairs, numa_vm_reset),
		cmocka_unit_test_setup(many_at_once, numa_vm_reset),
		cmocka_unit_test_setup(users_have_an_equal_page, numa_vm_reset),
		cmocka_unit_test_setup(another_is_renewed_with_them, numa_vm_reset),
		cmocka_unit_test_setup(nothing_is_left_when_both_have_ended, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
