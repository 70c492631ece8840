/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/share.c, pmap_share.c: pages that several VMs see. Each is read by all and changed by none;
 * who writes has a copy of its own; what nobody wants goes back. test_share_random.c does all of it
 * at random.
 */
#include "tests/unit/mem/share_pages.h"

#include "drivers/dma.h"
#include "kernel/errno.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"
#include "numa/move.h"
#include "numa/placement.h"

static void all_see_one_page(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	write_as(&vm_a, 7, 0, 1);
	write_as(&vm_b, 9, 2, 2);
	read_as(&vm_b, 9, 1);
	share(&vm_a, 7, page);
	share(&vm_b, 9, page);
	share(&vm_b, 700, page); /* twice, and where nothing was */
	assert_int_equal(share_users(page), 3);
	for (u32 node = 0; node < NODES; node++) {
		assert_int_equal(read_as(&vm_a, 7, node), 42);
		assert_int_equal(read_as(&vm_b, 9, node), 42);
		assert_int_equal(read_as(&vm_b, 700, node), 42);
	}
	assert_int_equal(arch_entry_page(lo_of(&vm_a, 7, 0)).v, page.v);
	check_everything();
}

static void who_writes_has_its_own(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 7, page);
	share(&vm_b, 9, page);
	read_as(&vm_a, 7, 1); /* a translation that must go */
	write_as(&vm_a, 7, 0, 43);
	assert_int_equal(read_as(&vm_a, 7, 1), 43);
	assert_int_equal(read_as(&vm_b, 9, 1), 42);
	assert_int_not_equal(master_of(&vm_a, 7).v, page.v);
	assert_int_equal(share_users(page), 1);
	check_everything();
	share(&vm_a, 7, page); /* and once more: its own goes back */
	assert_int_equal(read_as(&vm_a, 7, 1), 42);
	check_everything();
}

static void the_last_user_keeps_it(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 7, page);
	share(&vm_b, 9, page);
	share_drop(page);
	assert_int_equal(read_as(&vm_b, 9, 1), 42);
	write_as(&vm_a, 7, 0, 43); /* b uses it, so a copy */
	assert_int_not_equal(master_of(&vm_a, 7).v, page.v);
	flushes = 0;
	write_as(&vm_b, 9, 1, 44);
	assert_int_equal(flushes, 0);
	assert_int_equal(master_of(&vm_b, 9).v, page.v);
	assert_int_equal(memmap_page(page)->state, PAGE_GUEST);
	check_everything();
}

static void what_nobody_wants_goes_back(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	assert_int_equal(reserved, 1);
	share_hold(page);
	share_drop(page);
	assert_true(share_is(page));
	share(&vm_a, 7, page);
	release_all(&vm_a);
	assert_true(share_is(page));
	check_everything();
	share_drop(page);
	assert_int_equal(memmap_page(page)->state, PAGE_FREE);
	assert_int_equal(reserved, 0);
	check_everything();

	page = new_page(42);
	share(&vm_b, 7, page);
	share_drop(page);
	assert_true(share_is(page));
	release_all(&vm_b);
	assert_int_equal(memmap_page(page)->state, PAGE_FREE);
	check_everything();
}

#define AMONG 400 /* guest page of vm_b that joins the page next before vm_a does */

/* What vm_a's end takes, in locks, with so many pages of vm_b that use the same page before it, and after it. */
static u32 cost_of_an_end(u32 others)
{
	static struct pmap_link kept[VM_PAGES];
	struct pmap_link *links = vm_b.pmap.link;
	mpn_t page = new_page(42);
	u32 before;

	for (u32 i = 0; i < others; i++)
		share(&vm_b, AMONG - i, page);
	share(&vm_a, 7, page);
	for (u32 i = 1; i <= others; i++)
		share(&vm_b, AMONG + i, page);
	/* whoever followed a link but those of the neighbours would end nowhere */
	memcpy(kept, links, sizeof(kept));
	for (u32 i = 0; i < VM_PAGES; i++)
		if (i != AMONG - others + 1 && i != AMONG + 1)
			links[i] = (struct pmap_link){ ~1u, ~1u };
	before = locks_taken;
	release_all(&vm_a);
	before = locks_taken - before;
	for (u32 i = 0; i < VM_PAGES; i++)
		if (i != AMONG - others + 1 && i != AMONG + 1)
			links[i] = kept[i];
	assert_int_equal(share_users(page), 2 * others);
	release_all(&vm_b);
	share_drop(page);
	assert_int_equal(memmap_page(page)->state, PAGE_FREE);
	check_everything();
	return before;
}

static void the_end_of_a_vm_costs_the_same_however_many_share_with_it(void **state)
{
	u32 cost = cost_of_an_end(1);

	(void)state;
	assert_in_range(cost, 1, 100);
	assert_int_equal(cost_of_an_end(20), cost);
	assert_int_equal(cost_of_an_end(350), cost);
}

static void replicas_of_a_shared_page_are_the_vms_own(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 7, page);
	share(&vm_b, 9, page);
	assert_int_equal(read_as(&vm_a, 7, 1), 42);
	assert_int_equal(migrate_pages(1, &page, 1), 0); /* others use it where it is */
	assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_int_equal(replicate_pages(1, &page, 1), 1); /* the other VM's */
	assert_int_equal(memmap_node(arch_entry_page(lo_of(&vm_a, 7, 1))), 1);
	assert_int_equal(read_as(&vm_a, 7, 1), 42);
	check_everything();
	write_as(&vm_a, 7, 2, 43);
	assert_int_equal(read_as(&vm_a, 7, 1), 43);
	assert_int_equal(read_as(&vm_b, 9, 1), 42);
	check_everything();
	share(&vm_a, 7, page);
	assert_int_equal(replicate_pages(1, &page, 1), 1);
	share(&vm_a, 7, new_page(50)); /* another takes its place, replicas and all */
	assert_int_equal(read_as(&vm_a, 7, 1), 50);
	check_everything();
}

/* A VM that has its replica does not keep the page from others, nor its one page the VM's others. */
static void each_vm_on_a_node_has_its_replica(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_b, 9, page);
	share(&vm_a, 8, page);
	share(&vm_a, 7, page);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_int_equal(replicate_pages(1, &page, 1), 0);
	assert_int_equal(memmap_node(arch_entry_page(lo_of(&vm_a, 7, 1))), 1);
	assert_int_equal(memmap_node(arch_entry_page(lo_of(&vm_a, 8, 1))), 1);
	assert_int_equal(memmap_node(arch_entry_page(lo_of(&vm_b, 9, 1))), 1);
	assert_int_equal(read_as(&vm_b, 9, 1), 42);
	check_everything();
}

static void a_page_that_is_lent_is_in_memory_once(void **state)
{
	mpn_t own, page;

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	write_as(&vm_a, 7, 1, 43); /* another node's right to write must go, too */
	own = master_of(&vm_a, 7);
	page = lend(&vm_a, 7);
	assert_int_equal(page.v, own.v);
	assert_int_equal(memmap_page(page)->state, PAGE_SHARED);
	assert_int_equal(vm_a.pmap.shared, 1);
	assert_int_equal(reserved, 1); /* for the copy */
	check_everything();
	assert_int_equal(read_as(&vm_a, 7, 2), 43);
	assert_int_equal(lend(&vm_a, 7).v, page.v); /* once more: it has its promise */
	assert_int_equal(reserved, 1);
	write_as(&vm_a, 7, 1, 44);
	write_as(&vm_a, 7, 0, 45);
	assert_int_equal(word_of(page), 43);
	assert_int_equal(read_as(&vm_a, 7, 2), 45);
	assert_int_equal(share_users(page), 0);
	check_everything();
	share(&vm_b, 9, page); /* it is as any shared page */
	share_drop(page);
	assert_false(share_is_sole(page));
	release_all(&vm_b);
	assert_true(share_is_sole(page));
	share_drop(page);
	assert_int_equal(memmap_page(page)->state, PAGE_FREE);
	assert_int_equal(reserved, 0);
	check_everything();
}

static void a_page_that_only_users_had_can_be_lent_again(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	share(&vm_a, 7, page);
	share(&vm_b, 9, page);
	share_drop(page);
	assert_int_equal(reserved, 0);
	assert_int_equal(lend(&vm_b, 9).v, page.v);
	assert_int_equal(reserved, 1);
	release_all(&vm_a);
	release_all(&vm_b);
	assert_int_equal(word_of(page), 42);
	share_drop(page);
	assert_int_equal(memmap_page(page)->state, PAGE_FREE);
	assert_int_equal(reserved, 0);
	check_everything();
}

static void replicas_go_when_their_page_is_lent(void **state)
{
	mpn_t page;

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	page = master_of(&vm_a, 7);
	assert_int_equal(replicate_pages(1, &page, 1), 1);
	assert_int_equal(lend(&vm_a, 7).v, page.v);
	assert_int_equal(vm_a.pmap.replicas, 0);
	check_everything();
	assert_int_equal(replicate_pages(1, &page, 1), 1); /* and stay, of a shared one */
	assert_int_equal(lend(&vm_a, 7).v, page.v);
	assert_int_equal(vm_a.pmap.replicas, 1);
	assert_int_equal(read_as(&vm_a, 7, 1), 42);
	check_everything();
}

/* An equal page takes the place of one that is still there, with replicas or without; not of what was written since. */
static void an_equal_page_takes_its_place(void **state)
{
	mpn_t lent, equal = new_page(42);

	(void)state;
	write_as(&vm_a, 7, 0, 42);
	assert_false(pmap_replace(&vm_a, (gpn_t){ 7 }, master_of(&vm_a, 7), equal)); /* its own */
	lent = lend(&vm_a, 7);
	assert_int_equal(replicate_pages(1, &lent, 1), 1);
	assert_true(pmap_replace(&vm_a, (gpn_t){ 7 }, lent, equal));
	assert_int_equal(master_of(&vm_a, 7).v, equal.v);
	assert_int_equal(share_users(lent), 0);
	assert_int_equal(vm_a.pmap.replicas, 0);
	assert_int_equal(vm_a.pmap.shared, 1);
	assert_int_equal(read_as(&vm_a, 7, 1), 42);
	check_everything();
	assert_false(pmap_replace(&vm_a, (gpn_t){ 7 }, lent, equal)); /* it is not there any more */
	write_as(&vm_a, 7, 0, 43);
	assert_false(pmap_replace(&vm_a, (gpn_t){ 7 }, equal, lent));
	assert_int_equal(read_as(&vm_a, 7, 0), 43);
	assert_false(pmap_replace(&vm_a, (gpn_t){ vm_a.pmap.npages }, equal, lent));
	share_drop(lent);
	share_drop(equal);
	release_all(&vm_a);
	assert_int_equal(reserved, 0);
	check_everything();
}

static void what_cannot_be_lent_is_refused(void **state)
{
	(void)state;
	assert_false(mpn_valid(lend(&vm_a, 7))); /* it was never used */
	assert_false(mpn_valid(lend(&vm_a, VM_PAGES)));
	assert_false(mpn_valid(lend(&vm_a, ~0ul)));
	pmap_pin(&vm_a, (gpn_t){ 7 });
	assert_false(mpn_valid(lend(&vm_a, 7)));
	pmap_unpin(&vm_a, (gpn_t){ 7 });
	assert_true(mpn_valid(lend(&vm_a, 7)));
	check_everything();
}

static void memory_that_a_vm_collects_is_not_shared(void **state)
{
	struct numa_reclaim r;

	(void)state;
	numa_reclaim_begin(&r);
	assert_false(mpn_valid(share_new(0)));
	assert_int_equal(reserved, 0);
	assert_int_equal(nodemem_reserve(1), 0); /* the caller's before */
	share_drop(share_new_promised(0));
	assert_int_equal(reserved, 0);
	numa_reclaim_end();
	share_drop(new_page(1));
	assert_int_equal(reserved, 0);
	check_everything();
}

static void a_pinned_page_stays(void **state)
{
	mpn_t page = new_page(42), own;

	(void)state;
	share(&vm_a, 7, page);
	own = pmap_pin(&vm_a, (gpn_t){ 7 });
	assert_int_not_equal(own.v, page.v);
	assert_int_equal(read_as(&vm_a, 7, 2), 42);
	write_as(&vm_a, 7, 1, 43); /* the guest goes on */
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 7 }, page), -EAGAIN);
	assert_int_equal(migrate_pages(1, &own, 1), 0);
	assert_int_equal(replicate_pages(1, &own, 1), 0);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 7 }, 1), 0);
	assert_int_equal(pmap_pin(&vm_a, (gpn_t){ 7 }).v, own.v);
	pmap_unpin(&vm_a, (gpn_t){ 7 });
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 7 }, page), -EAGAIN);
	pmap_unpin(&vm_a, (gpn_t){ 7 });
	share(&vm_a, 7, page);
	assert_false(mpn_valid(pmap_pin(&vm_a, (gpn_t){ VM_PAGES })));
	check_everything();
}

static void the_end_of_a_vm_waits_for_the_last_unpin(void **state)
{
	mpn_t own = pmap_pin(&vm_a, (gpn_t){ 7 });
	u32 next = 0;

	(void)state;
	pmap_use(&vm_a, (gpn_t){ 900 }, 0);
	for (u32 i = 0; i < 100; i++)
		assert_false(pmap_release_step(&vm_a, &next));
	assert_int_equal(next, 7);
	assert_int_equal(master_of(&vm_a, 7).v, own.v);
	assert_int_equal(memmap_page(own)->state, PAGE_GUEST);
	pmap_unpin(&vm_a, (gpn_t){ 7 });
	while (!pmap_release_step(&vm_a, &next))
		continue;
	assert_int_equal(vm_a.pmap.used, 0);
	check_everything();
}

static void a_page_that_is_pinned_too_often_is_refused(void **state)
{
	mpn_t own = MPN_NONE;
	u32 pins = 0;

	(void)state;
	for (mpn_t page; mpn_valid(page = pmap_pin(&vm_a, (gpn_t){ 7 })); pins++)
		own = page;
	assert_int_equal(pins, PMAP_PINS);
	assert_int_equal(pmap_pin(&vm_a, (gpn_t){ 7 }).v, MPN_NONE.v);
	while (pins--)
		pmap_unpin(&vm_a, (gpn_t){ 7 });
	assert_int_equal(migrate_pages(1, &own, 1), 1); /* as any page */
	check_everything();
}

static void what_is_not_the_vms_is_refused(void **state)
{
	mpn_t page = new_page(1);

	(void)state;
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ VM_PAGES }, page), -EFAULT);
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ ~0ul }, page), -EFAULT);
	assert_int_equal(share_users(page), 0);
	reserve_limit = reserved;
	assert_false(mpn_valid(share_new(0)));
	check_everything();
}

/* Where the VM's pages around it would have it: shared read-only, written afterwards, large each time. */
static void large_pages_live_through_sharing(void **state)
{
	mpn_t shared[8];

	(void)state;
	vm_a.node_mask = nodemask_of(0);
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(large_of(&vm_a, 16, 0), LARGEST);
	for (u32 i = 0; i < 8; i++) {
		shared[i] = new_page(i);
		assert_int_equal(shared[i].v, shared[0].v + i);
	}
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(pmap_share(&vm_a, (gpn_t){ 16 + i }, shared[i]), 0);
	check_everything();
	assert_int_equal(large_of(&vm_a, 15, 0), 8);
	assert_int_equal(shared[0].v % 4, 0);
	assert_int_equal(large_of(&vm_a, 16, 0), 8);
	assert_false(arch_entry_writable(vm_a.pmap.view[0].large[2]));
	check_everything();
	for (u32 i = 0; i < 8; i++)
		write_as(&vm_a, 16 + i, 0, 100 + i);
	assert_int_equal(large_of(&vm_a, 16, 0), LARGEST);
	check_everything();
	for (u32 i = 0; i < 8; i++)
		share_drop(shared[i]);
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_see_one_page, numa_vm_reset),
		cmocka_unit_test_setup(who_writes_has_its_own, numa_vm_reset),
		cmocka_unit_test_setup(the_last_user_keeps_it, numa_vm_reset),
		cmocka_unit_test_setup(what_nobody_wants_goes_back, numa_vm_reset),
		cmocka_unit_test_setup(the_end_of_a_vm_costs_the_same_however_many_share_with_it,
				       numa_vm_reset),
		cmocka_unit_test_setup(replicas_of_a_shared_page_are_the_vms_own, numa_vm_reset),
		cmocka_unit_test_setup(each_vm_on_a_node_has_its_replica, numa_vm_reset),
		cmocka_unit_test_setup(a_page_that_is_lent_is_in_memory_once, numa_vm_reset),
		cmocka_unit_test_setup(a_page_that_only_users_had_can_be_lent_again, numa_vm_reset),
		cmocka_unit_test_setup(replicas_go_when_their_page_is_lent, numa_vm_reset),
		cmocka_unit_test_setup(an_equal_page_takes_its_place, numa_vm_reset),
		cmocka_unit_test_setup(what_cannot_be_lent_is_refused, numa_vm_reset),
		cmocka_unit_test_setup(memory_that_a_vm_collects_is_not_shared, numa_vm_reset),
		cmocka_unit_test_setup(a_pinned_page_stays, numa_vm_reset),
		cmocka_unit_test_setup(the_end_of_a_vm_waits_for_the_last_unpin, numa_vm_reset),
		cmocka_unit_test_setup(a_page_that_is_pinned_too_often_is_refused, numa_vm_reset),
		cmocka_unit_test_setup(what_is_not_the_vms_is_refused, numa_vm_reset),
		cmocka_unit_test_setup(large_pages_live_through_sharing, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
