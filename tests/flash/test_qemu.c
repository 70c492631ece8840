/* SPDX-License-Identifier: MIT */
/* qemu/flash/qemu.c: another QEMU than the one known is refused, and why is told. */
#include "tests/flash/flash_test.h"

#include "qemu/flash/qemu.h"
#include "qemu/plugin/qemu-api.h"

static const struct qemu_info good = {
	.target_name = "mips64el",
	.version = { .min = 0, .cur = 1 },
	.system_emulation = true,
	.system = { .smp_vcpus = 8, .max_vcpus = 8 },
};
static char why[300];
static const char *missing;
static int icount;
static char symbol; /* what every name stands for, but use_icount */

static bool check(struct qemu_info info) { return qemu_check(&info, why, sizeof(why)); }

static void *find(const char *name)
{
	if (missing && !strcmp(name, missing))
		return NULL;
	return strcmp(name, "use_icount") ? (void *)&symbol : (void *)&icount;
}

static void the_known_one_is_taken(void **state)
{
	(void)state;
	missing = NULL;
	assert_true(check(good));
	assert_true(qemu_find(find, why, sizeof(why)));
}

static void others_are_named_with_what_is_needed(void **state)
{
	struct qemu_info info = good;

	(void)state;
	info.target_name = "x86_64";
	assert_false(check(info));
	assert_non_null(strstr(why, "found an emulator of x86_64"));
	assert_non_null(strstr(why, "needed: QEMU 7.2"));
	info = good;
	info.version.min = 2; /* QEMU 9.1 and later */
	info.version.cur = 4;
	assert_false(check(info));
	assert_non_null(strstr(why, "found plugin interface 2 to 4, without 1"));
	info = good;
	info.system.smp_vcpus = 17;
	assert_false(check(info));
	assert_non_null(strstr(why, "found 17 processors, allowed 1 to 16"));
	info = good;
	info.system_emulation = false;
	assert_false(check(info));
}

static void a_symbol_that_is_gone_is_named(void **state)
{
	(void)state;
	missing = "qemu_mutex_unlock_iothread"; /* renamed in QEMU 9 */
	assert_false(qemu_find(find, why, sizeof(why)));
	assert_non_null(strstr(why, "has no qemu_mutex_unlock_iothread"));
}

static void the_clock_is_found_or_not_touched(void **state)
{
	static char irq, one, many, other;
	void *class[40] = { 0 };

	(void)state;
	missing = NULL;
	assert_true(qemu_find(find, why, sizeof(why)));
	qemu.handle_interrupt = &irq;
	qemu.start_one_thread = &one;
	qemu.start_many_threads = &many;
	class[15] = &one;
	class[22] = &irq;
	assert_ptr_equal(qemu_clock_slot(class, why, sizeof(why)), &class[23]);
	class[23] = &other; /* somebody's clock already */
	assert_null(qemu_clock_slot(class, why, sizeof(why)));
	class[23] = NULL;
	class[15] = &many;
	assert_null(qemu_clock_slot(class, why, sizeof(why)));
	assert_non_null(strstr(why, "thread=multi"));
	class[15] = &one;
	class[22] = NULL;
	assert_null(qemu_clock_slot(class, why, sizeof(why)));
	class[22] = &irq;
	icount = 1;
	assert_null(qemu_clock_slot(class, why, sizeof(why)));
	assert_non_null(strstr(why, "-icount"));
	icount = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_one_is_taken),
		cmocka_unit_test(others_are_named_with_what_is_needed),
		cmocka_unit_test(a_symbol_that_is_gone_is_named),
		cmocka_unit_test(the_clock_is_found_or_not_touched),
	};

	return cmocka_run_group_tests_name("qemu", tests, NULL, NULL);
}
