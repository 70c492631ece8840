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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(numbers_that_wrap_are_refused, numa_vm_reset),
		cmocka_unit_test_setup(what_is_not_all_the_vms_is_not_copied, numa_vm_reset),
		cmocka_unit_test_setup(a_copy_may_cross_pages, numa_vm_reset),
		cmocka_unit_test_setup(pages_never_used_are_zero_and_not_given_for_that,
				       numa_vm_reset),
	};

	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
