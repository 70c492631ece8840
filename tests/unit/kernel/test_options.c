/* SPDX-License-Identifier: MIT */
/* kernel/options.c: what off=... and check=1 on the command line switch; and what they do not. */
#include "tests/unit/unit.h"

#include "kernel/options.c"

static char logged[400];

void log_line(const char *module, const char *fmt, ...)
{
	va_list ap;

	assert_string_equal(module, "main");
	va_start(ap, fmt);
	vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
}

/* The options that words leave off, a bit each. */
static u32 off_after(const char *words)
{
	u32 bits = 0;

	memset(off, 0, sizeof(off));
	logged[0] = 0;
	options_configure(words);
	for (unsigned i = 0; i < OPTIONS; i++)
		bits |= (u32)!option_on(i) << i;
	return bits;
}

static void all_are_on(void **state)
{
	(void)state;
	assert_int_equal(off_after(""), 0);
	assert_int_equal(off_after("exit=1 attach=alpha cmd=vms"), 0);
	assert_false(option_check());
	assert_string_equal(logged, "");
}

static void each_has_its_name(void **state)
{
	(void)state;
	assert_int_equal(off_after("off=fast"), BIT(OPTION_FAST));
	assert_int_equal(off_after("off=walkfast"), BIT(OPTION_WALK_FAST));
	assert_int_equal(off_after("off=walker"), BIT(OPTION_WALKER));
	assert_int_equal(off_after("off=large"), BIT(OPTION_LARGE));
	assert_int_equal(off_after("off=asid"), BIT(OPTION_ASID));
	assert_int_equal(off_after("off=text"), BIT(OPTION_TEXT));
	assert_int_equal(off_after("off=renew"), BIT(OPTION_RENEW));
	assert_int_equal(off_after("off=share"), BIT(OPTION_SHARE));
	assert_int_equal(off_after("off=zero"), BIT(OPTION_ZERO));
	assert_int_equal(off_after("off=report"), BIT(OPTION_REPORT));
	assert_int_equal(off_after("off=turns"), BIT(OPTION_TURNS));
	/* walk_fast.S fills the L2TLB */
	assert_int_equal(off_after("off=l2tlb"), BIT(OPTION_L2TLB) | BIT(OPTION_WALK_FAST));
	assert_string_equal(logged, "");
}

static void lists_end_at_a_blank(void **state)
{
	(void)state;
	assert_int_equal(off_after("exit=1 off=fast,asid cmd=large"),
			 BIT(OPTION_FAST) | BIT(OPTION_ASID));
	assert_int_equal(off_after("off=asid,fast,"), BIT(OPTION_FAST) | BIT(OPTION_ASID));
	assert_int_equal(off_after("off=,,large"), BIT(OPTION_LARGE));
	assert_int_equal(off_after("off="), 0);
	assert_int_equal(off_after("off= cmd=fast"), 0);
	assert_string_equal(logged, "");
}

static void words_begin_at_a_blank(void **state)
{
	(void)state;
	assert_int_equal(off_after("cmd=off=fast switchoff=large"), 0);
	assert_int_equal(off_after("xoff=fast off=large"), BIT(OPTION_LARGE));
	off_after("recheck=1");
	assert_false(option_check());
	off_after("off=fast check=1");
	assert_true(option_check());
}

static void a_wrong_name_is_told(void **state)
{
	(void)state;
	assert_int_equal(off_after("off=fas,large"), BIT(OPTION_LARGE));
	assert_non_null(strstr(logged, "found fas, allowed"));
	assert_int_equal(off_after("off=fastest"), 0);
	assert_non_null(strstr(logged, "found fastest, allowed"));
	assert_int_equal(off_after("off=a-name-much-longer-than-any-of-them"), 0);
	assert_non_null(strstr(logged, "found a-name-much-lon, allowed"));
	for (unsigned i = 0; i < OPTIONS; i++)
		assert_non_null(strstr(logged, names[i]));
}

static void a_word_that_nobody_knows_is_told(void **state)
{
	(void)state;
	off_after(
		"rd_start=0x8000 rd_size=12 words=1 tty=24x80 numa-log=100 policy=none,risk=3 latency=2 spread=1");
	assert_string_equal(logged, "");
	off_after("spread=yes");
	assert_non_null(strstr(logged, "found spread=yes, allowed attach=, check=1, "));
	assert_int_equal(off_after("shufle=1 off=large"), BIT(OPTION_LARGE));
	assert_non_null(strstr(logged, "found shufle=1, allowed "));
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		assert_non_null(strstr(logged, known[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_on),
		cmocka_unit_test(each_has_its_name),
		cmocka_unit_test(lists_end_at_a_blank),
		cmocka_unit_test(words_begin_at_a_blank),
		cmocka_unit_test(a_wrong_name_is_told),
		cmocka_unit_test(a_word_that_nobody_knows_is_told),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
