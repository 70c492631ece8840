/* SPDX-License-Identifier: MIT */
/*
 * What the walker has read does not outlive a wait. While it waits for a page another VCPU changes
 * the tables and flushes, which this processor answers; then nothing of the old tables may be
 * written, used or told to the guest. Each wait that a walk can make is tried. And what a flush
 * takes of pairs whose halves differ.
 */
#include "tests/unit/unit.h"

#include "kernel/mem/l2tlb.h"
#include "tests/unit/walk_tables.h"

#define WAITS 16			/* more than a walk has */
#define NEW   (OTHER + 0x3000)		/* the table that takes LAST's place */
#define DATA  PTE(200, PRESENT | WRITE) /* what LAST's page holds afterwards: not the walker's */

static struct vcpu *const v = &fake_vcpu;

static int fill(void **state)
{
	(void)state;
	fake_reset();
	link_tables(USER, ROOT, MIDDLE, LAST);
	link_tables(KERNEL, KROOT, KMIDDLE, KLAST);
	describe();
	assert_int_equal(mmu_call_setup(v, BLOCK), 0);
	assert_int_equal(mmu_call_switch(v, 1, WINDOW + ROOT), 0);
	return 0;
}

static long reach(u64 va, bool write)
{
	enum verdict verdict;
	u64 lo = fake_access(va, write, &verdict);

	return verdict == RESUME ? (long)fake_gpn(lo) : -(long)v->arch.inject.code;
}

/* The other VCPU's doing: the page is mapped by another table, this one is free and used again. */
static void table_is_replaced(void)
{
	*pte(USER, NEW) = PTE(100, PRESENT | WRITE);
	link_tables(USER, ROOT, MIDDLE, NEW);
	*pte(USER, LAST) = DATA;
}

static void table_is_cleared(void)
{
	table_is_replaced();
	*pte(USER, LAST) = 0;
}

static void middle_is_replaced(void)
{
	*pte(USER, NEW) = PTE(100, PRESENT | WRITE);
	link_tables(USER, ROOT, OTHER + 0x2000, NEW);
	memset(fake_word(MIDDLE), 0, PAGE_SIZE);
	*pte(USER, LAST) = DATA;
}

static void page_is_replaced(void) { *pte(USER, LAST) = PTE(100, PRESENT | WRITE); }

/* One miss, which waits for the n-th page that it asks for; false: it did not ask for so many. */
static bool miss(u32 n, bool write, u64 before, void (*meanwhile)(void))
{
	fill(NULL);
	*pte(USER, LAST) = before;
	fake_wait_at = n;
	fake_meanwhile = meanwhile;
	v->arch.badvaddr = USER;
	assert_int_equal(mmu_fault(v, write ? EXC_TLBS : EXC_TLBL), RESUME);
	return fake_wait_at == 0;
}

static void each_wait(void (*meanwhile)(void), u64 before, u64 after)
{
	for (u32 write = 0; write < 2; write++) {
		u32 n = 1;

		for (; n <= WAITS && miss(n, write, before, meanwhile); n++) {
			assert_int_equal(fake_translate(USER), 0);
			assert_int_equal(*pte(USER, LAST), after);
			assert_int_equal(reach(USER, write), 100);
		}
		assert_in_range(n, 4, WAITS); /* three tables at least */
	}
}

static void a_table_used_again_is_not_written(void **state)
{
	(void)state;
	each_wait(table_is_replaced, PTE(99, PRESENT | WRITE), DATA);
	each_wait(middle_is_replaced, PTE(99, PRESENT | WRITE), DATA);
}

static void a_page_that_is_always_mapped_does_not_fault(void **state)
{
	(void)state;
	each_wait(table_is_cleared, PTE(100, PRESENT | WRITE), 0);
}

static void an_entry_that_was_empty_is_looked_at_again(void **state)
{
	u32 n = 1;

	(void)state;
	/* found empty after a wait: no fault before another look. Without a wait: the guest's */
	for (; n <= 3; n++) {
		fill(NULL);
		*pte(USER, LAST) = 0;
		fake_wait_at = n;
		fake_meanwhile = page_is_replaced;
		v->arch.badvaddr = USER;
		assert_int_equal(mmu_fault(v, EXC_TLBL), RESUME);
		assert_int_equal(reach(USER, false), 100);
	}
	*pte(USER, LAST) = 0;
	mmu_call_flush(v, USER, PAGE_SIZE, ~0ull, 1);
	assert_int_equal(reach(USER, false), -EXC_TLBL);
}

static void flush(u64 va, u64 bytes, u64 asid)
{
	assert_int_equal(mmu_call_flush(v, va, bytes, ~0ull, asid), 0);
}

/* Whichever half is used first, and whichever of the two has G. */
static void a_pair_that_is_half_global_goes_by_its_asid(void **state)
{
	(void)state;
	for (u32 i = 0; i < 4; i++) {
		u64 plain = i & 1 ? KERNEL : KERNEL ^ PAGE_SIZE, global = plain ^ PAGE_SIZE;
		u64 first = i & 2 ? plain : global;

		fill(NULL);
		*pte(plain, KLAST) = PTE(100, PRESENT | READ_BITS);
		*pte(global, KLAST) = PTE(101, PRESENT | READ_BITS | GLOBAL);
		reach(first, false);
		assert_int_equal(reach(plain, false), 100);
		assert_int_equal(reach(global, false), 101);
		*pte(plain, KLAST) = PTE(102, PRESENT | READ_BITS);
		flush(plain, PAGE_SIZE, 1);
		assert_int_equal(reach(plain, false), 102);
		*pte(plain, KLAST) = PTE(103, PRESENT | READ_BITS);
		flush(0, 0, 1);
		assert_int_equal(reach(plain, false), 103);
		*pte(global, KLAST) = PTE(104, PRESENT | READ_BITS | GLOBAL);
		flush(global, PAGE_SIZE, DISCO_ALL_ASIDS);
		assert_int_equal(reach(global, false), 104);
	}
}

static void a_half_that_is_not_there_makes_no_difference(void **state)
{
	(void)state;
	*pte(KERNEL, KLAST) = PTE(100, PRESENT | READ_BITS | GLOBAL);
	*pte(KERNEL ^ PAGE_SIZE, KLAST) = 0;
	assert_int_equal(reach(KERNEL, false), 100);
	assert_non_null(l2tlb_find(v->arch.l2tlb, KERNEL & ENTRYHI_VPN2));
	*pte(KERNEL ^ PAGE_SIZE, KLAST) = PTE(101, PRESENT | READ_BITS);
	assert_int_equal(reach(KERNEL ^ PAGE_SIZE, false), 101);
	assert_null(l2tlb_find(v->arch.l2tlb, KERNEL & ENTRYHI_VPN2));
}

static void an_asid_flush_takes_the_supervisors_pages_of_it(void **state)
{
	(void)state;
	*pte(KERNEL, KLAST) = PTE(100, PRESENT | READ_BITS);
	assert_int_equal(reach(KERNEL, false), 100);
	*pte(KERNEL, KLAST) = PTE(101, PRESENT | READ_BITS);
	flush(0, 0, 1);
	assert_int_equal(reach(KERNEL, false), 101);
}

/* A range that goes round the end of the address space is more than its first half. */
static void a_range_that_wraps_takes_all(void **state)
{
	(void)state;
	*pte(USER, LAST) = PTE(100, PRESENT | READ_BITS);
	assert_int_equal(reach(USER, false), 100);
	*pte(USER, LAST) = PTE(101, PRESENT | READ_BITS);
	flush(-(u64)PAGE_SIZE, 2 * PAGE_SIZE, DISCO_ALL_ASIDS);
	assert_int_equal(reach(USER, false), 101);
}

static void a_flush_ends_a_reservation(void **state)
{
	(void)state;
	fake_other.arch.clear_ll = v->arch.clear_ll = 0;
	assert_int_equal(mmu_call_flush(v, USER, PAGE_SIZE, BIT(fake_other.id), 1), 0);
	assert_true(fake_other.arch.clear_ll);
	assert_false(v->arch.clear_ll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_used_again_is_not_written),
		cmocka_unit_test(a_page_that_is_always_mapped_does_not_fault),
		cmocka_unit_test(an_entry_that_was_empty_is_looked_at_again),
		cmocka_unit_test(a_pair_that_is_half_global_goes_by_its_asid),
		cmocka_unit_test_setup(a_half_that_is_not_there_makes_no_difference, fill),
		cmocka_unit_test_setup(an_asid_flush_takes_the_supervisors_pages_of_it, fill),
		cmocka_unit_test_setup(a_range_that_wraps_takes_all, fill),
		cmocka_unit_test_setup(a_flush_ends_a_reservation, fill),
	};

	return cmocka_run_group_tests_name("stale", tests, NULL, NULL);
}
