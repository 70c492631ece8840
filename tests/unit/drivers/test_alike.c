/* SPDX-License-Identifier: MIT */
/*
 * drivers/disk/alike.c: pages that are put, found, forgotten and dropped at random, by a model of who holds what; contents
 * that differ where the hash looks, and where it does not; more pages than a bucket has room for.
 */
#include "tests/unit/fake/host.h"
#include "tests/unit/unit.h"

#include "drivers/disk/alike.h"
#include "kernel/lock.h"
#include "kernel/mem/share.h"
#include "numa/numa.h"

#define FIRST 0x80000u
#define PAGES 64
#define CONTENTS \
	12 /* every second one is like the one before, but for a byte that no hash looks at */
#define STEPS 200000

static struct {
	u8 data[PAGE_SIZE] __attribute__((aligned(8)));
	u32 content;
	u32 held; /* by blocks, and by who has found it */
	u32 puts; /* by blocks that have not forgotten it */
} page[PAGES];
static u32 locked;

static u32 index_of(mpn_t mpn)
{
	assert_in_range(mpn.v, FIRST, FIRST + PAGES - 1);
	return mpn.v - FIRST;
}

static mpn_t number(u32 i) { return (mpn_t){ FIRST + i }; }

void *fake_mpn_ptr(mpn_t mpn) { return page[index_of(mpn)].data; }

void share_hold(mpn_t mpn)
{
	assert_true(page[index_of(mpn)].held++); /* what nobody holds may be anything by now */
}

void share_drop(mpn_t mpn) { assert_true(page[index_of(mpn)].held--); }

void lock_take(struct lock *l)
{
	assert_int_equal(l->rank, RANK_ALIKE);
	assert_int_equal(locked++, 0);
}

void lock_release(struct lock *l)
{
	(void)l;
	assert_int_equal(locked--, 1);
}

void *nodemem_boot_alloc(u32 node, size_t bytes, size_t align)
{
	(void)node, (void)align;
	return calloc(1, bytes);
}

/* A page that nobody has gets these contents, and a block has it. */
static mpn_t new_page(u32 i, u32 content)
{
	assert_int_equal(page[i].held, 0);
	for (u32 at = 0; at < PAGE_SIZE; at++)
		page[i].data[at] = (u8)(at * (content / 2 + 3));
	page[i].data[PAGE_SIZE - 65] += content % 2;
	page[i].content = content;
	page[i].held = 1;
	return number(i);
}

static void put(mpn_t mpn)
{
	alike_put(mpn, alike_hash(mpn));
	page[index_of(mpn)].puts++;
}

static void end(mpn_t mpn)
{
	alike_forget(mpn);
	page[index_of(mpn)].puts = 0;
	share_drop(mpn);
}

/* What is found for the page, and not held any more on return; -1: nothing. */
static int find(mpn_t mpn)
{
	mpn_t found = alike_find(mpn, alike_hash(mpn));
	u32 i;

	if (!mpn_valid(found))
		return -1;
	i = index_of(found);
	assert_int_not_equal(found.v, mpn.v);
	assert_true(page[i].held > 1);
	assert_true(page[i].puts);
	assert_int_equal(page[i].content, page[index_of(mpn)].content);
	share_drop(found);
	return i;
}

static void all_end(void)
{
	for (u32 i = 0; i < PAGES; i++)
		while (page[i].held)
			end(number(i));
}

/* First, before there is a table. */
static void without_a_table_nothing_is_alike(void **state)
{
	(void)state;
	put(new_page(0, 0));
	new_page(1, 0);
	assert_int_equal(find(number(1)), -1);
	all_end();
	alike_init();
}

static void equal_pages_are_found_until_they_are_forgotten(void **state)
{
	(void)state;
	put(new_page(0, 0));
	assert_int_equal(find(number(0)), -1); /* itself is no other one */
	new_page(1, 0);
	assert_int_equal(find(number(1)), 0);
	new_page(2, 2);
	assert_int_equal(find(number(2)), -1);
	end(number(0));
	assert_int_equal(find(number(1)), -1);
	put(number(1));
	new_page(0, 0);
	assert_int_equal(find(number(0)), 1);
	all_end();
}

/* One hash, other contents: never taken for the same, and the one that was put last is what the others are compared with. */
static void what_only_the_hash_takes_for_equal_is_not(void **state)
{
	(void)state;
	put(new_page(0, 0));
	new_page(1, 1);
	assert_int_equal(alike_hash(number(0)), alike_hash(number(1)));
	assert_int_equal(find(number(1)), -1);
	put(number(1));
	new_page(2, 1);
	assert_int_equal(find(number(2)), 1);
	new_page(3, 0);
	assert_int_equal(find(number(3)), -1);
	end(number(1));
	assert_int_equal(find(number(3)), 0);
	all_end();
}

/* A flood of one bucket, by pages with one hash: all it costs are the places of that bucket. */
static void a_flood_has_one_bucket(void **state)
{
	u32 first = 16, ways = 0;

	(void)state;
	put(new_page(0, 4));
	for (u32 i = first; i < PAGES; i++)
		put(new_page(i, 6));
	new_page(1, 4);
	assert_int_equal(find(number(1)), 0);
	new_page(2, 6);
	for (int found; (found = find(number(2))) >= 0; ways++) {
		assert_in_range(found, first, PAGES - 1);
		end(number(found));
	}
	assert_in_range(ways, 1, 8);
	all_end();
}

static void random_step(void)
{
	u32 i = rand() % PAGES;

	if (!page[i].held) {
		new_page(i, rand() % CONTENTS);
		return;
	}
	switch (rand() % 4) {
	case 0: put(number(i)); break;
	case 1: find(number(i)); break;
	case 2: end(number(i)); break;
	default: /* another block, which has the same page */ share_hold(number(i)); put(number(i));
	}
}

static void random_pages(void **state)
{
	u32 found = 0;

	(void)state;
	srand(1);
	for (u32 i = 0; i < STEPS; i++)
		random_step();
	for (u32 i = 0; i < PAGES; i++)
		found += page[i].held && find(number(i)) >= 0;
	assert_true(found > 5);
	all_end();
	for (u32 content = 0; content < CONTENTS; content++) {
		new_page(0, content);
		assert_int_equal(find(number(0)), -1);
		end(number(0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_table_nothing_is_alike),
		cmocka_unit_test(equal_pages_are_found_until_they_are_forgotten),
		cmocka_unit_test(what_only_the_hash_takes_for_equal_is_not),
		cmocka_unit_test(a_flood_has_one_bucket),
		cmocka_unit_test(random_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
