/* SPDX-License-Identifier: MIT */
/* kernel/vm/cpio.c: archives written here entry by entry, whole, cut short and damaged. */
#include "tests/unit/unit.h"

#include "kernel/vm/cpio.h"
#include "kernel/errno.h"

static char ar[4096];
static size_t used;
static char why[160];

static void pad(void)
{
	while (used % 4)
		ar[used++] = 0;
}

static void add(const char *name, const char *data, size_t len)
{
	used += sprintf(ar + used, "070701%08x%08x%08x%08x%08x%08x%08zX%08x%08x%08x%08x%08zx%08x",
			1u, 0100644u, 0u, 0u, 1u, 0u, len, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);
	memcpy(ar + used, name, strlen(name) + 1);
	used += strlen(name) + 1;
	pad();
	memcpy(ar + used, data, len);
	used += len;
	pad();
}

static int fill(void **state)
{
	(void)state;
	used = 0;
	add("disco.dtb", "tree", 4);
	add("./vmlinux", "0123456789", 10);
	add("empty", "", 0);
	add("TRAILER!!!", "", 0);
	return 0;
}

static int check(size_t n)
{
	char *copy = exact_copy(ar, n);
	int count = cpio_check(copy, n, why, sizeof(why));

	free(copy);
	return count;
}

static void walks_all_entries(void **state)
{
	struct cpio_iter it;
	struct cpio_entry e;

	(void)state;
	cpio_start(&it, ar, used);
	assert_int_equal(cpio_next(&it, &e, why, sizeof(why)), 1);
	assert_string_equal(e.name, "disco.dtb");
	assert_int_equal(e.size, 4);
	assert_memory_equal(e.data, "tree", 4);
	assert_int_equal(e.mode, 0100644);
	assert_int_equal(cpio_next(&it, &e, why, sizeof(why)), 1);
	assert_int_equal(cpio_next(&it, &e, why, sizeof(why)), 1);
	assert_string_equal(e.name, "empty");
	assert_int_equal(cpio_next(&it, &e, why, sizeof(why)), 0);
	assert_int_equal(check(used), 3);
}

static void finds_by_name(void **state)
{
	const void *data = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(cpio_find(ar, used, "vmlinux", &data, &len), 0);
	assert_int_equal(len, 10);
	assert_memory_equal(data, "0123456789", 10);
	assert_int_equal(cpio_find(ar, used, "empty", &data, &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(cpio_find(ar, used, "vmlinu", &data, &len), -ENOENT);
	assert_int_equal(cpio_find(ar, used, "TRAILER!!!", &data, &len), -ENOENT);
	assert_int_equal(cpio_find(ar, used - 130, "nothing", &data, &len), -EINVAL);
}

static void rejects_every_truncation(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < used - 1; n++) /* the trailer's own padding is not needed */
		assert_int_equal(check(n), -EINVAL);
	check(0);
	assert_string_equal(why, "archive offset 0x0: found 0 bytes left, allowed a header of 110 "
				 "(the archive has no trailer)");
}

static void survives_every_single_bit_change(void **state)
{
	size_t n;
	int bit;

	(void)state;
	for (n = 0; n < used; n++) {
		for (bit = 0; bit < 8; bit++) {
			ar[n] ^= 1u << bit;
			check(used);
			ar[n] ^= 1u << bit;
		}
	}
}

static void names_offset_and_fault(void **state)
{
	(void)state;
	ar[5] = '2';
	assert_int_equal(check(used), -EINVAL);
	assert_string_equal(why,
			    "archive offset 0x0: found no \"070701\", allowed cpio format newc only");
	ar[5] = '1';
	memcpy(ar + 6 + 8 * 6, "ffffffff", 8);
	assert_int_equal(check(used), -EINVAL);
	assert_non_null(
		strstr(why, "archive offset 0x0: file size: found 4294967295, archive ends at"));
	memcpy(ar + 6 + 8 * 6, "0000000g", 8);
	assert_int_equal(check(used), -EINVAL);
	assert_string_equal(why,
			    "archive offset 0x0: found a header field that is not hexadecimal");
	memcpy(ar + 6 + 8 * 6, "00000004", 8);
	memcpy(ar + 6 + 8 * 11, "ffffffff", 8);
	assert_int_equal(check(used), -EINVAL);
	assert_string_equal(why, "archive offset 0x0: name size: found 4294967295, allowed 2..256");
	memcpy(ar + 6 + 8 * 11, "00000009", 8);
	assert_int_equal(check(used), -EINVAL);
	assert_string_equal(why, "archive offset 0x0: name: found no NUL at its end or one inside");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(walks_all_entries, fill),
		cmocka_unit_test_setup(finds_by_name, fill),
		cmocka_unit_test_setup(rejects_every_truncation, fill),
		cmocka_unit_test_setup(survives_every_single_bit_change, fill),
		cmocka_unit_test_setup(names_offset_and_fault, fill),
	};

	return cmocka_run_group_tests_name("cpio", tests, NULL, NULL);
}
