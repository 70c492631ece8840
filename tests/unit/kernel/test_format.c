/* SPDX-License-Identifier: MIT */
/* kernel/format.c: the same text as the C library's for what it knows, and never a byte beyond the
 * buffer. */
#include "tests/unit/unit.h"

#include "kernel/log.h"

#define SAME(...)                                                            \
	do {                                                                 \
		char ours[128], libc[128];                                   \
		assert_int_equal(ksnprintf(ours, sizeof(ours), __VA_ARGS__), \
				 snprintf(libc, sizeof(libc), __VA_ARGS__)); \
		assert_string_equal(ours, libc);                             \
	} while (0)

static void writes_what_the_c_library_writes(void **state)
{
	(void)state;
	SAME("plain");
	SAME("%%");
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%ld", INT64_MIN);
	SAME("%u %lu", 4294967295u, ~0ul);
	SAME("%x %08x %lx", 0xbeefu, 0xbeefu, ~0ul);
	SAME("%llx %zu", ~0ull, (size_t)12);
	SAME("%016lx", 0xffffffffc0100000ul);
	SAME("[%s] [%5s] [%-5s] [%s]", "a", "ab", "abc", "");
	SAME("[%5d] [%-5d] [%05d]", 42, 42, 42);
	SAME("%c%c", 'o', 'k');
}

static void cuts_and_terminates(void **state)
{
	size_t n;

	(void)state;
	for (n = 1; n < 12; n++) {
		char *buf = malloc(n);

		assert_int_equal(ksnprintf(buf, n, "%s-%d", "12345", 678), 9);
		assert_int_equal(strlen(buf), n - 1 < 9 ? n - 1 : 9);
		assert_memory_equal(buf, "12345-678", strlen(buf));
		free(buf);
	}
	assert_int_equal(ksnprintf(NULL, 0, "%s", "nothing is written"), 18);
}

static void a_bad_format_reads_no_further(void **state)
{
	char buf[16];
	char broken[] = "ab%";

	(void)state;
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	ksnprintf(buf, sizeof(buf), broken);
	assert_string_equal(buf, "ab");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_the_c_library_writes),
		cmocka_unit_test(cuts_and_terminates),
		cmocka_unit_test(a_bad_format_reads_no_further),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
