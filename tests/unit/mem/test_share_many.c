/* SPDX-License-Identifier: MIT */
/* kernel/mem/pmap_share.c: several pages are shared, or lent, with one shootdown for those of a range. */
#include "tests/unit/mem/share_pages.h"

static u32 shootdowns;
static void count_shootdown(void)
{
	shootdowns++;
	during_shootdown = count_shootdown;
}

/* SHARE_PAGES pages of vm_a from gpn on, which node 1 has in its TLB, step pages apart. */
static void begin_many(struct share_at *at, u64 gpn, u64 step)
{
	for (u32 i = 0; i < SHARE_PAGES; i++) {
		at[i] = (struct share_at){ .gpn = { gpn + i * step }, .shown = true };
		write_as(&vm_a, at[i].gpn.v, 1, 100 + i);
	}
	shootdowns = 0;
	during_shootdown = count_shootdown;
}

static void many_pages_have_one_shootdown(void **state)
{
	struct share_at at[SHARE_PAGES];
	u32 shared;

	(void)state;
	begin_many(at, 40, 2);
	for (u32 i = 0; i < SHARE_PAGES; i++)
		at[i].page = new_page(i);
	at[7].gpn = at[3].gpn; /* the last one counts */
	at[9].gpn.v = VM_PAGES;
	assert_true(mpn_valid(pmap_pin(&vm_a, at[11].gpn)));
	shared = pmap_share_pages(&vm_a, at, SHARE_PAGES);
	assert_int_equal(shared, 0xffff & ~BIT(9) & ~BIT(11));
	assert_int_equal(shootdowns, 1);
	assert_int_equal(arch_entry_page(pmap_shown(&vm_a.pmap, at[5].gpn, 1)).v, at[5].page.v);
	assert_false(arch_entry_writable(pmap_shown(&vm_a.pmap, at[5].gpn, 1)));
	assert_int_equal(pmap_shown(&vm_a.pmap, at[5].gpn, 2), 0); /* had not seen it before */
	for (u32 i = 0; i < SHARE_PAGES; i++)
		if (i != 9)
			assert_int_equal(read_as(&vm_a, at[i].gpn.v, 1), i == 3	   ? 7
									 : i == 11 ? 111
										   : i);
	assert_int_equal(share_users(at[3].page), 0);
	pmap_unpin(&vm_a, at[11].gpn);
	for (u32 i = 0; i < SHARE_PAGES; i++)
		share_drop(at[i].page);
	check_everything();

	during_shootdown = NULL;
	begin_many(at, PMAP_RANGE_PAGES - 8, 1); /* in two ranges */
	for (u32 i = 0; i < SHARE_PAGES; i++)
		at[i].page = new_page(i);
	assert_int_equal(pmap_share_pages(&vm_a, at, SHARE_PAGES), 0xffff);
	assert_int_equal(shootdowns, 2);
	during_shootdown = NULL;
	for (u32 i = 0; i < SHARE_PAGES; i++)
		share_drop(at[i].page);
	check_everything();
}

/* A hold that is given with a page is gone if the page is shared, and is the caller's if it is not. */
static void a_given_page_is_not_held(void **state)
{
	struct share_at at[2] = { { .gpn = { 40 }, .page = new_page(1), .given = true },
				  { .gpn = { 41 }, .page = new_page(2), .given = true } };

	(void)state;
	write_as(&vm_a, 41, 0, 100);
	assert_true(mpn_valid(pmap_pin(&vm_a, at[1].gpn)));
	assert_int_equal(pmap_share_pages(&vm_a, at, 2), BIT(0));
	assert_int_equal(read_as(&vm_a, 40, 0), 1);
	check_everything();
	assert_true(share_is_sole(at[1].page));
	share_drop(at[1].page);
	pmap_unpin(&vm_a, at[1].gpn);
	write_as(&vm_a, 40, 0, 3); /* nobody else has it */
	assert_int_equal(master_of(&vm_a, 40).v, at[0].page.v);
	check_everything();
}

static void many_pages_are_lent_with_one_shootdown(void **state)
{
	struct share_at at[SHARE_PAGES];

	(void)state;
	begin_many(at, 40, 2);
	at[7].gpn = at[3].gpn; /* held twice */
	at[9].gpn.v = VM_PAGES;
	at[10].gpn.v = 41; /* never used */
	assert_true(mpn_valid(pmap_pin(&vm_a, at[11].gpn)));
	assert_int_equal(nodemem_reserve(SHARE_PAGES), 0);
	pmap_lend_pages(&vm_a, at, SHARE_PAGES);
	assert_int_equal(shootdowns, 1);
	during_shootdown = NULL;
	for (u32 i = 0; i < SHARE_PAGES; i++)
		assert_int_equal(mpn_valid(at[i].page), i != 9 && i != 10 && i != 11);
	assert_int_equal(at[7].page.v, at[3].page.v);
	assert_int_equal(arch_entry_page(pmap_shown(&vm_a.pmap, at[5].gpn, 1)).v, at[5].page.v);
	assert_false(arch_entry_writable(pmap_shown(&vm_a.pmap, at[5].gpn, 1)));
	write_as(&vm_a, at[3].gpn.v, 0, 1);
	assert_int_equal(word_of(at[3].page), 103);
	assert_int_equal(read_as(&vm_a, at[5].gpn.v, 2), 105);
	pmap_unpin(&vm_a, at[11].gpn);
	assert_int_equal(reserved, SHARE_PAGES - 1); /* what is held twice has one promise */
	nodemem_unreserve(3);
	for (u32 i = 0; i < SHARE_PAGES; i++)
		if (mpn_valid(at[i].page))
			share_drop(at[i].page);
	assert_int_equal(reserved, 0);
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(many_pages_have_one_shootdown, numa_vm_reset),
		cmocka_unit_test_setup(many_pages_are_lent_with_one_shootdown, numa_vm_reset),
		cmocka_unit_test_setup(a_given_page_is_not_held, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("share_many", tests, NULL, NULL);
}
