/* SPDX-License-Identifier: MIT */
/*
 * numa/nodemem.c: the stock of clean pages. What is given as clean is zero, what was zeroed is not zeroed
 * again, and there is no more of it than is wanted.
 */
#include "tests/unit/numa/nodemem_machine.h"

static u32 clean(u32 node)
{
	u32 n = 0;

	while (nodemem_clean_one(node))
		n++;
	return n;
}

/* A page that was cleaned is not written again, the others are; take looks at what is in them. */
static void what_is_clean_is_not_zeroed_again(void **state)
{
	u32 blocks = take_blocks(1), singles;
	mpn_t mpn;

	(void)state;
	all_back();
	singles = nodemem_free_pages(1) - blocks * BLOCK_PAGES;
	assert_int_equal(clean(1), nodemem_free_pages(1));
	assert_false(nodemem_clean_one(1));
	for (u32 i = 0; i < singles; i++) {
		mpn = nodemem_alloc_unzeroed(1);
		assert_int_equal(nodemem_zero(mpn, 1), 0);
		take(mpn, 1);
	}
	mpn = nodemem_alloc_within(1, 9); /* the rest of that block is clean as single pages */
	assert_int_equal(nodemem_zero(mpn, 1), 0);
	take(mpn, 1);
	mpn = nodemem_alloc_unzeroed(1);
	assert_int_equal(nodemem_zero(mpn, 1), 0);
	take(mpn, 1);
	mpn = nodemem_alloc_block(1);
	assert_int_equal(nodemem_zero(mpn, BLOCK_PAGES), 0);
	take(mpn, BLOCK_PAGES);
	mpn = nodemem_alloc_block(2); /* another node, where nobody was */
	assert_int_equal(nodemem_zero(mpn, BLOCK_PAGES), BLOCK_PAGES);
	take(mpn, BLOCK_PAGES);
	all_back();
}

/* What comes back was written, by its owner or by one who never said so in memmap. */
static void what_comes_back_is_not_clean(void **state)
{
	mpn_t mpn;

	(void)state;
	clean(1);
	mpn = nodemem_alloc_block(1);
	assert_int_equal(nodemem_zero(mpn, BLOCK_PAGES), 0);
	take(mpn, BLOCK_PAGES);
	all_back();
	assert_int_equal(clean(1), BLOCK_PAGES);
	mpn = nodemem_alloc_here(1);
	memset(fake_mpn_ptr(mpn), 0x77, PAGE_SIZE);
	nodemem_free(mpn);
	mpn = nodemem_alloc_exact(mpn);
	assert_int_equal(nodemem_zero(mpn, 1), 1);
	take(mpn, 1);
	all_back();
}

/* A block is taken while it is cleaned: what is clean of it stays so, and the next one is begun anew. */
static void a_block_is_taken_while_it_is_cleaned(void **state)
{
	u32 singles;
	mpn_t mpn;

	(void)state;
	singles = nodemem_free_pages(2) - take_blocks(2) * BLOCK_PAGES;
	all_back();
	for (u32 i = 0; i < singles + BLOCK_PAGES - 1; i++)
		assert_true(nodemem_clean_one(2));
	mpn = nodemem_alloc_block(2); /* all but its first page */
	assert_int_equal(nodemem_zero(mpn, BLOCK_PAGES), 1);
	take(mpn, BLOCK_PAGES);
	for (u32 i = BLOCK_PAGES / 2; i < BLOCK_PAGES; i++)
		give_back(index_of(mpn) + i);
	for (u32 i = 0; i < 10; i++) /* single pages first */
		assert_true(nodemem_clean_one(2));
	all_back();
	assert_int_equal(clean(2), nodemem_free_pages(2) - singles - 10);
	while (mpn_valid(mpn = nodemem_alloc_block(2))) {
		assert_int_equal(nodemem_zero(mpn, BLOCK_PAGES), 0);
		take(mpn, BLOCK_PAGES);
	}
	all_back();
}

/* Who copies into a page takes a single one that is not clean, as long as there is one. */
static void clean_pages_are_kept_for_who_wants_them(void **state)
{
	u32 n = 0, blocks = take_blocks(1);

	(void)state;
	all_back();
	while (n < 5 && nodemem_clean_one(1))
		n++;
	for (u32 left = nodemem_free_pages(1) - blocks * BLOCK_PAGES; left-- > n;) {
		mpn_t mpn = nodemem_alloc_here(1);

		assert_int_equal(nodemem_zero(mpn, 1), 1);
		take(mpn, 1);
	}
	for (; n; n--) {
		mpn_t mpn = nodemem_alloc_here(1);

		assert_int_equal(nodemem_zero(mpn, 1), 0);
		take(mpn, 1);
	}
	all_back();
}

/* Node 1 has nearly all of its pages, one of each block is in use. */
static void the_stock_is_bounded(void **state)
{
	u32 n;

	(void)state;
	for (u32 i = nodemem_free_pages(1); i > 0; i--)
		take(nodemem_alloc(1), 1);
	for (u32 i = NODE_PAGES; i < 2 * NODE_PAGES; i++)
		if (given[i] && i % BLOCK_PAGES)
			give_back(i);
	assert_true(nodemem_free_pages(1) > NODEMEM_CLEAN_PAGES);
	n = clean(1);
	assert_int_equal(n, NODEMEM_CLEAN_PAGES);
	take(nodemem_alloc(1), 1);
	assert_int_equal(clean(1), 1);
	all_back();
	cleans = false;
	assert_int_equal(clean(0), 0);
	cleans = true;
}

static void check_finds_a_clean_page_that_was_written(void **state)
{
	mpn_t mpn;

	(void)state;
	clean(1);
	checks = true;
	mpn = nodemem_alloc_unzeroed(1);
	nodemem_zero(mpn, 1);
	((u8 *)fake_mpn_ptr(mpn))[PAGE_SIZE - 1] = 1;
	expect_assert_failure(nodemem_zero(mpn, 1));
	checks = false;
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_clean_is_not_zeroed_again, fill),
		cmocka_unit_test_setup(what_comes_back_is_not_clean, fill),
		cmocka_unit_test_setup(a_block_is_taken_while_it_is_cleaned, fill),
		cmocka_unit_test_setup(clean_pages_are_kept_for_who_wants_them, fill),
		cmocka_unit_test_setup(the_stock_is_bounded, fill),
		cmocka_unit_test_setup(check_finds_a_clean_page_that_was_written, fill),
	};

	return cmocka_run_group_tests_name("clean", tests, NULL, end);
}
