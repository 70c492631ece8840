/* SPDX-License-Identifier: MIT */
/* kernel/mem/l2tlb.c: what was put in is found under its whole tag only; and the hash is the one that
 * vectors.S computes. */
#include "tests/unit/unit.h"

#include "arch/mips/arch.h"
#include "arch/mips/regs.h"
#include "kernel/mem/l2tlb.h"

static struct l2tlb l;

static int fill(void **state)
{
	(void)state;
	l2tlb_flush(&l);
	return 0;
}

static void finds_only_the_whole_tag(void **state)
{
	const u64 tag = 0x0000123456788000 | 0x155;
	const struct l2tlb_entry *e;

	(void)state;
	assert_int_equal(l2tlb_used(&l), 0);
	assert_null(l2tlb_find(&l, tag));
	l2tlb_insert(&l, tag, 0x10, 0x20);
	e = l2tlb_find(&l, tag);
	assert_non_null(e);
	assert_int_equal(l2tlb_lo(e, 0), 0x10);
	assert_int_equal(l2tlb_lo(e, 1), 0x20);
	assert_null(l2tlb_find(&l, tag ^ 1));	       /* another ASID */
	assert_null(l2tlb_find(&l, tag ^ 0x2000));     /* another page */
	assert_null(l2tlb_find(&l, tag ^ 1ull << 62)); /* another segment */
	assert_int_equal(l2tlb_used(&l), 1);
}

static void a_new_pair_replaces_the_old(void **state)
{
	(void)state;
	l2tlb_insert(&l, 0x2001, 1, 2);
	l2tlb_insert(&l, 0x2001, 3, 4);
	assert_int_equal(l2tlb_lo(l2tlb_find(&l, 0x2001), 0), 3);
	assert_int_equal(l2tlb_used(&l), 1);
}

/* Any page of a machine, with any rights. */
static void a_word_holds_an_entry(void **state)
{
	(void)state;
	for (u64 page = 1; page < L2TLB_NAMES; page = page * 2 + 1)
		for (u64 bits = 0; bits < 1 << 8; bits++) {
			u64 lo = bits >> 6 << 62 | page << 6 | (bits & 63);

			l2tlb_insert(&l, 0x2001, lo, ~lo & ((1ul << L2TLB_RIGHTS_SHIFT) - 1));
			assert_int_equal(l2tlb_lo(l2tlb_find(&l, 0x2001), 0), lo);
			assert_int_equal(l2tlb_lo(l2tlb_find(&l, 0x2001), 1),
					 ~lo & ((1ul << L2TLB_RIGHTS_SHIFT) - 1));
		}
}

static void drop_takes_only_its_own(void **state)
{
	const u64 other = 0x2001 | 1ull << 40; /* same index, another page */

	(void)state;
	assert_int_equal(l2tlb_index(0x2001), l2tlb_index(other));
	l2tlb_insert(&l, other, 1, 2);
	l2tlb_drop(&l, 0x2001);
	assert_non_null(l2tlb_find(&l, other));
	l2tlb_drop(&l, other);
	assert_null(l2tlb_find(&l, other));
}

static void pages_are_dropped_in_the_parts_that_are_named(void **state)
{
	const u64 tag = 0x2001, far = tag + (5ull << (L2TLB_PART_SHIFT + L2TLB_VPN2_SHIFT));
	const u64 last = 63ull << (L2TLB_PART_SHIFT + L2TLB_VPN2_SHIFT);
	struct page_filter pages = { { 0 } };

	(void)state;
	page_filter_add(&pages, (mpn_t){ 77 });
	l2tlb_insert(&l, tag, 77 << ENTRYLO_PFN_SHIFT, 0);
	l2tlb_insert(&l, tag + 0x2000, 78 << ENTRYLO_PFN_SHIFT, 0);
	l2tlb_insert(&l, far, 0, 77 << ENTRYLO_PFN_SHIFT);
	l2tlb_insert(&l, last, 77 << ENTRYLO_PFN_SHIFT, 78 << ENTRYLO_PFN_SHIFT);
	assert_int_equal(l2tlb_part(far), 5);
	assert_int_equal(l2tlb_part(last), 63);
	l2tlb_drop_machine(&l, &pages, ~(BIT(0) | BIT(5) | BIT(63)));
	assert_int_equal(l2tlb_used(&l), 4);
	l2tlb_drop_machine(&l, &pages, BIT(5));
	assert_null(l2tlb_find(&l, far));
	l2tlb_drop_machine(&l, &pages, BIT(63) | BIT(0));
	assert_null(l2tlb_find(&l, last));
	assert_null(l2tlb_find(&l, tag));
	assert_non_null(l2tlb_find(&l, tag + 0x2000));
	assert_int_equal(l2tlb_used(&l), 1);
}

/*
 * No EntryHi of the machine equals the empty tag: bits 12 and 11 of EntryHi read as zero on a miss.
 */
static void an_empty_entry_matches_no_miss(void **state)
{
	const u64 entryhi_possible = 0xc000ffffffffe3ff;

	(void)state;
	assert_int_not_equal(L2TLB_NOTHING & entryhi_possible, L2TLB_NOTHING);
}

/* The steps of vector_xtlb in arch/mips/vectors.S, word for word. */
static u64 index_of_the_refill_handler(u64 entryhi)
{
	u64 k0 = entryhi, k1, at;

	at = k0 >> 62;
	k1 = k0 >> L2TLB_VPN2_SHIFT;
	if (at)
		k0 = k0 >> 13 << 13;
	else
		k1 ^= k0;
	k1 &= L2TLB_ENTRIES - 1;
	return k1;
}

static void the_hash_is_the_refill_handlers(void **state)
{
	u64 random = 99;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		u64 hi, tag;

		random = random * 6364136223846793005 + 1442695040888963407;
		hi = random & 0xc000ffffffffe3ff;
		tag = hi >> 62 ? hi & ~0x1fffull : hi;
		assert_int_equal(l2tlb_index(tag), index_of_the_refill_handler(hi));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_only_the_whole_tag, fill),
		cmocka_unit_test_setup(a_new_pair_replaces_the_old, fill),
		cmocka_unit_test_setup(a_word_holds_an_entry, fill),
		cmocka_unit_test_setup(drop_takes_only_its_own, fill),
		cmocka_unit_test_setup(pages_are_dropped_in_the_parts_that_are_named, fill),
		cmocka_unit_test_setup(an_empty_entry_matches_no_miss, fill),
		cmocka_unit_test_setup(the_hash_is_the_refill_handlers, fill),
	};

	return cmocka_run_group_tests_name("l2tlb", tests, NULL, NULL);
}
