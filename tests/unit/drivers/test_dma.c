/* SPDX-License-Identifier: MIT */
/* drivers/dma.c: what devices read and write is the VM's memory, whatever numbers a guest names. */
#include "tests/unit/numa_vm.h"

#include "drivers/dma.h"
#include "kernel/errno.h"

#define END ((u64)VM_PAGES << PAGE_SHIFT)

static void numbers_that_wrap_are_refused(void **state)
{
	static const struct {
		u64 gpa, bytes;
		bool valid;
	} ranges[] = {
		{ 0, 0, true },	       { 0, END, true },      { END, 0, true },
		{ END - 1, 1, true },  { END, 1, false },     { END - 1, 2, false },
		{ 0, END + 1, false }, { 1, END, false },     { END + 1, 0, false },
		{ ~0ul, 1, false },    { ~0ul, 2, false },    { 1, ~0ul, false },
		{ 0, ~0ul, false },    { ~0ul, ~0ul, false }, { 1ul << 63, 1ul << 63, false },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++)
		assert_int_equal(dma_valid(&vm_a, ranges[i].gpa, ranges[i].bytes), ranges[i].valid);
}

static void what_is_not_all_the_vms_is_not_copied(void **state)
{
	u8 buffer[16] = "untouched";

	(void)state;
	write_as(&vm_a, VM_PAGES - 1, 0, 7);
	assert_int_equal(dma_write(&vm_a, END - 8, "0123456789abcdef", 16), -EFAULT);
	assert_int_equal(dma_zero(&vm_a, END - 8, 16), -EFAULT);
	assert_int_equal(read_as(&vm_a, VM_PAGES - 1, 0), 7);
	assert_int_equal(dma_read(&vm_a, buffer, END - 8, 16), -EFAULT);
	assert_string_equal(buffer, "untouched");
	assert_int_equal(dma_read(&vm_a, buffer, ~0ul - 3, 16), -EFAULT);
}

static void a_copy_may_cross_pages(void **state)
{
	u8 out[2 * PAGE_SIZE], in[2 * PAGE_SIZE];
	u64 gpa = 5 * PAGE_SIZE - 100;

	(void)state;
	for (u32 i = 0; i < sizeof(out); i++)
		out[i] = i % 251;
	assert_int_equal(dma_write(&vm_a, gpa, out, sizeof(out)), 0);
	assert_int_equal(dma_read(&vm_a, in, gpa, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(dma_zero(&vm_a, gpa + 50, PAGE_SIZE), 0);
	memset(out + 50, 0, PAGE_SIZE);
	assert_int_equal(dma_read(&vm_a, in, gpa, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
	check_everything();
}

/* What the guest gave to be written is not copied for that, unless somebody is to keep it. */
static void who_writes_over_a_page_copies_none(void **state)
{
	mpn_t page = share_new(0);
	u64 *words = fake_mpn_ptr(page), in[PAGE_SIZE / 8], out[2] = { 1, 2 };

	(void)state;
	memset(words, 0x42, PAGE_SIZE);
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 3 }, page), 0);
	assert_int_equal(pmap_share(&vm_b, (gpn_t){ 3 }, page), 0);
	assert_int_equal(dma_write_over(&vm_a, 3 * PAGE_SIZE, out, sizeof(out)), 0);
	assert_int_equal(dma_read(&vm_a, in, 3 * PAGE_SIZE, PAGE_SIZE), 0);
	assert_memory_equal(in, out, sizeof(out));
	for (u32 i = 2; i < PAGE_SIZE / 8; i++)
		assert_int_equal(in[i], 0);
	assert_int_equal(read_as(&vm_b, 3, 0), words[1]);
	out[0] = 3; /* its own: the rest stays */
	assert_int_equal(dma_write_over(&vm_a, 3 * PAGE_SIZE, out, sizeof(out[0])), 0);
	assert_int_equal(dma_read(&vm_a, in, 3 * PAGE_SIZE, 16), 0);
	assert_true(in[0] == 3 && in[1] == 2);
	assert_int_equal(dma_write_over(&vm_a, 4 * PAGE_SIZE, out, 8), 0); /* never used */
	assert_int_equal(read_as(&vm_a, 4, 0), 3);
	assert_int_equal(dma_write_over(&vm_a, END, out, 8), -EFAULT);
	share_drop(page);
	check_everything();
}

static void pages_never_used_are_zero_and_not_given_for_that(void **state)
{
	u8 in[3 * PAGE_SIZE] = { 1 };

	(void)state;
	assert_int_equal(dma_zero(&vm_a, 0, END), 0);
	assert_int_equal(dma_read(&vm_a, in, 123, sizeof(in)), 0);
	for (u32 i = 0; i < sizeof(in); i++)
		assert_int_equal(in[i], 0);
	assert_int_equal(vm_a.pmap.used, 0);
}

static void a_page_that_is_to_be_zero_goes(void **state)
{
	u64 word = 1;

	(void)state;
	zero = true;
	for (u64 i = 0; i < 4; i++)
		write_as(&vm_a, i, 0, 7);
	assert_true(mpn_valid(pmap_pin(&vm_a, (gpn_t){ 2 })));
	assert_int_equal(dma_zero(&vm_a, PAGE_SIZE - 8, 2 * PAGE_SIZE + 16), 0);
	assert_int_equal(vm_a.pmap.used,
			 3); /* 1 is gone; of 0 and 3 it was a part, 2 has to stay */
	assert_int_equal(vm_a.pmap.reported, 0);
	for (u64 i = 0; i < 4; i++)
		assert_int_equal(read_as(&vm_a, i, 0), i ? 0 : 7);
	assert_int_equal(dma_read(&vm_a, &word, PAGE_SIZE - 8, 8), 0);
	assert_int_equal(word, 0);
	assert_int_equal(dma_read(&vm_a, &word, 4 * PAGE_SIZE - 8, 8), 0);
	assert_int_equal(word, 7);
	pmap_unpin(&vm_a, (gpn_t){ 2 });
	check_everything();
}

/* Where a page was found is believed as long as the view shows the same. */
static void a_spot_follows_its_page(void **state)
{
	struct dma_spot spot = { 0 };
	u64 gpa = 7 * PAGE_SIZE + 40, value = 1;
	mpn_t before, shared = share_new(0);

	(void)state;
	dma_read_at(&vm_a, &spot, &value, gpa, 8);
	assert_int_equal(value, 0); /* never used */
	for (value = 5; value < 7; value++)
		dma_write_at(&vm_a, &spot, gpa, &value, 8);
	before = pmap_copies(&vm_a.pmap, (gpn_t){ 7 }).master;
	assert_ptr_equal(spot.at, fake_mpn_ptr(before)); /* found by the first of the two */
	assert_int_equal(*(const u64 *)(spot.at + 40), 6);

	memset(fake_mpn_ptr(shared), 9, PAGE_SIZE);
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 7 }, shared), 0);
	dma_read_at(&vm_a, &spot, &value, gpa, 8);
	assert_int_equal(value, 0x0909090909090909);
	value = 10;
	dma_write_at(&vm_a, &spot, gpa, &value, 8); /* a copy of the guest's own */
	dma_write_at(&vm_a, &spot, gpa + 8, &value, 2);
	assert_int_equal(*(const u8 *)((u8 *)fake_mpn_ptr(shared) + 40), 9);
	dma_read_at(&vm_a, &spot, &value, gpa + 4, 8); /* not aligned */
	assert_int_equal(value, 0x0909000a00000000);
	dma_write_at(&vm_a, &spot, 8 * PAGE_SIZE - 4, &value, 8); /* over the page's end */
	value = 0;
	assert_int_equal(dma_read(&vm_a, &value, 8 * PAGE_SIZE - 4, 8), 0);
	assert_int_equal(value, 0x0909000a00000000);
	share_drop(shared);
}

/* vm_a has no view on this node, node 0. */
static void move_out(void)
{
	vm_a.node_mask = nodemask_of(1);
	vm_a.pmap.view[0].entry = NULL;
	vm_a.home = nodes[1];
}

static bool zeroes; /* memory that is nobody's yet, which needs no lock */

static void is_zeroed(void) { zeroes = true; }

static void may_be_looked_at(void)
{
	assert_int_equal(locks_held, !zeroes);
	zeroes = false;
}

/* Who takes a page away does not ask this node: it touches none but under the lock of its range. */
static void from_outside_pages_are_locked(void **state)
{
	const u64 gpa = 5 * PAGE_SIZE - 4, out = 0x0102030405060708;
	mpn_t shared = share_new(0);
	u64 in = 1;

	(void)state;
	memset(fake_mpn_ptr(shared), 9, PAGE_SIZE);
	move_out();
	assert_int_equal(dma_read(&vm_a, &in, gpa, sizeof(in)), 0);
	assert_int_equal(in, 0); /* never used, and not given for that */
	assert_int_equal(vm_a.pmap.used, 0);
	during_look = may_be_looked_at;
	during_zero = is_zeroed;
	assert_int_equal(dma_write(&vm_a, gpa, &out, sizeof(out)), 0);
	assert_int_equal(dma_read(&vm_a, &in, gpa, sizeof(in)), 0);
	assert_int_equal(in, out);
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 4 }, shared), 0);
	assert_int_equal(dma_write(&vm_a, gpa, &out, sizeof(out)), 0);
	assert_int_equal(dma_read(&vm_a, &in, gpa, sizeof(in)), 0);
	assert_int_equal(in, out);
	during_look = during_zero = NULL;
	assert_int_equal(*(const u32 *)((u8 *)fake_mpn_ptr(shared) + PAGE_SIZE - 4), 0x09090909);
	share_drop(shared);
}

/* Both pages are as this node and home see them now, under the lock of the target's range; nothing is made so. */
static void across_pages_are_as_they_are_shown(void **state)
{
	const u64 from = 3 * PAGE_SIZE, to = 5 * PAGE_SIZE - 16, word = 0x0102030405060708;
	mpn_t shared = share_new(0);
	u64 in = 0;

	(void)state;
	move_out();
	assert_int_equal(dma_write(&vm_b, from, &word, sizeof(word)), 0);
	assert_int_equal(dma_copy_data(&vm_b, from, &vm_a, to, 8),
			 0); /* the target was never used */
	assert_int_equal(vm_a.pmap.used, 0);
	assert_int_equal(dma_write(&vm_a, to, &in, sizeof(in)), 0);
	assert_int_equal(dma_copy_data(&vm_b, END - 8, &vm_a, to, 8), 0); /* nor was the source */
	during_look = may_be_looked_at;
	assert_int_equal(dma_copy_data(&vm_b, from, &vm_a, to, 100), 16); /* to the page's end */
	during_look = NULL;
	assert_int_equal(dma_read(&vm_a, &in, to, sizeof(in)), 0);
	assert_int_equal(in, word);
	assert_int_equal(dma_copy_data(&vm_b, END, &vm_a, to, 8), 0);
	assert_int_equal(dma_copy_data(&vm_b, from, &vm_a, END, 8), 0);
	assert_int_equal(dma_copy_data(&vm_a, to, &vm_b, from, 8),
			 0); /* from a VM that is not here */
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 4 }, shared), 0);
	assert_int_equal(dma_copy_data(&vm_b, from, &vm_a, to, 8), 0); /* not to be written */
	share_drop(shared);
}

static mpn_t other;
static u32 times;

/* Once the lock is given up another VCPU of the VM has the page shared again. */
static void share_again(void)
{
	during_unlock = NULL;
	times++;
	assert_int_equal(pmap_share(&vm_a, (gpn_t){ 4 }, other), 0);
	during_unlock = share_again;
}

/* A guest that does nothing but to remap the page keeps nobody. */
static void from_outside_nobody_waits_for_ever(void **state)
{
	const u64 out = 5;

	(void)state;
	other = share_new(0);
	memset(fake_mpn_ptr(other), 9, PAGE_SIZE);
	move_out();
	times = 0;
	during_unlock = share_again;
	assert_int_equal(dma_write(&vm_a, 4 * PAGE_SIZE, &out, sizeof(out)), -EFAULT);
	during_unlock = NULL;
	assert_in_range(times, 8, 100);
	assert_int_equal(*(const u64 *)fake_mpn_ptr(other), 0x0909090909090909);
	share_drop(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(numbers_that_wrap_are_refused, numa_vm_reset),
		cmocka_unit_test_setup(what_is_not_all_the_vms_is_not_copied, numa_vm_reset),
		cmocka_unit_test_setup(a_copy_may_cross_pages, numa_vm_reset),
		cmocka_unit_test_setup(who_writes_over_a_page_copies_none, numa_vm_reset),
		cmocka_unit_test_setup(pages_never_used_are_zero_and_not_given_for_that,
				       numa_vm_reset),
		cmocka_unit_test_setup(a_page_that_is_to_be_zero_goes, numa_vm_reset),
		cmocka_unit_test_setup(a_spot_follows_its_page, numa_vm_reset),
		cmocka_unit_test_setup(from_outside_pages_are_locked, numa_vm_reset),
		cmocka_unit_test_setup(across_pages_are_as_they_are_shown, numa_vm_reset),
		cmocka_unit_test_setup(from_outside_nobody_waits_for_ever, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
