/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/pmap_give.c: memory that a guest has no use for goes back to its node, and so does the
 * promise of it where the guest gives that up, too.
 */
#include "tests/unit/mem/share_pages.h"

#include "kernel/errno.h"

static void a_page_given_up_is_as_if_never_used(void **state)
{
	mpn_t page = new_page(42);

	(void)state;
	for (u32 i = 0; i < 40; i++)
		write_as(&vm_a, i, i % NODES, i + 1);
	share(&vm_a, 30, page);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 0 }, 35), 35);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 0 }, 35), 0);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ VM_PAGES - 1 }, ~0u), 0);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ ~0ul }, 8), 0);
	check_everything();
	for (u32 i = 0; i < 40; i++)
		assert_int_equal(read_as(&vm_a, i, 0), i < 35 ? 0 : i + 1);
	check_everything();
}

static void a_ballooned_page_is_anybodys(void **state)
{
	gpn_t pages[] = { { 9 }, { 8 }, { 9 }, { 40 }, { 7 }, { VM_PAGES }, { ~0ul }, { 7 } };
	mpn_t shared = new_page(42);

	(void)state;
	reserved = 1 + 2 * VM_PAGES; /* as if both had started */
	reserve_limit = reserved;
	for (u32 i = 0; i < 10; i++)
		write_as(&vm_a, i, i % NODES, i + 1);
	share(&vm_a, 8, shared);
	assert_int_equal(pmap_balloon(&vm_a, pages, ARRAY_SIZE(pages)), 4);
	assert_int_equal(pmap_balloon(&vm_a, pages, ARRAY_SIZE(pages)), 0);
	assert_int_equal(vm_a.pmap.ballooned, 4);
	assert_int_equal(vm_a.pmap.used, 7);
	assert_int_equal(nodemem_reserve(3), 0); /* others have three of them */
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 40 }, shared), -EAGAIN);
	assert_int_equal(read_as(&vm_a, 9, 1), 0); /* used: it has one again */
	assert_int_equal(vm_a.pmap.ballooned, 3);
	assert_int_equal(pmap_use(&vm_a, (gpn_t){ 7 }, 1), 0);
	assert_int_equal(pmap_use_to_write(&vm_a, (gpn_t){ 8 }, 0), 0);
	assert_false(mpn_valid(pmap_pin(&vm_a, (gpn_t){ 8 })));
	assert_int_equal(pmap_unballoon(&vm_a, (gpn_t){ 40 }), -ENOMEM);
	assert_int_equal(pmap_unballoon(&vm_a, (gpn_t){ 9 }), 0);
	assert_int_equal(pmap_unballoon(&vm_a, (gpn_t){ VM_PAGES }), 0);
	check_everything();
	nodemem_unreserve(1);
	assert_int_equal(pmap_unballoon(&vm_a, (gpn_t){ 40 }), 0);
	assert_int_equal(read_as(&vm_a, 40, 0), 0);
	release_all(&vm_a);
	assert_int_equal(pmap_end_promise(&vm_a.pmap), VM_PAGES - 2);
	assert_int_equal(pmap_end_promise(&vm_a.pmap), VM_PAGES);
	assert_int_equal(pmap_state_of(pmap_page(&vm_a.pmap, (gpn_t){ 7 })), PMAP_UNUSED);
	check_everything();
}

/* Given up as a whole and used again, a block is large again. */
static void a_block_given_up_comes_back_as_a_block(void **state)
{
	(void)state;
	vm_a.node_mask = nodemask_of(0);
	reserved = VM_PAGES;
	pmap_use(&vm_a, (gpn_t){ 0 }, 0);
	assert_int_equal(large_of(&vm_a, 16, 0), LARGEST);
	assert_int_equal(pmap_give_up(&vm_a, (gpn_t){ 0 }, BLOCK_PAGES), BLOCK_PAGES);
	assert_int_equal(vm_a.pmap.reported, BLOCK_PAGES);
	assert_int_equal(vm_a.pmap.used, 0);
	check_everything();
	write_as(&vm_a, 3, 0, 7);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES);
	assert_int_equal(large_of(&vm_a, 16, 0), LARGEST);
	pmap_balloon(&vm_a, &(gpn_t){ 300 }, 1); /* nothing of that block was used yet */
	write_as(&vm_a, 301, 0, 7);
	assert_int_equal(vm_a.pmap.used, BLOCK_PAGES + 1);
	assert_int_equal(vm_a.pmap.ballooned, 1);
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_page_given_up_is_as_if_never_used, numa_vm_reset),
		cmocka_unit_test_setup(a_ballooned_page_is_anybodys, numa_vm_reset),
		cmocka_unit_test_setup(a_block_given_up_comes_back_as_a_block, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("give_up", tests, NULL, NULL);
}
