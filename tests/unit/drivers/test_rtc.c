/* SPDX-License-Identifier: MIT */
/* drivers/host/rtc.c: dates in the clock chip's registers, against the C library's calendar. */
#include "tests/unit/unit.h"

#include <time.h>

#include "drivers/dev.h"

static u8 bcd(int n) { return (u8)(n / 10 * 16 + n % 10); }

/* The registers at a time, as QEMU keeps them: decimal digits, 24 hours. */
static struct rtc_regs at(time_t t)
{
	struct tm tm;

	gmtime_r(&t, &tm);
	return (struct rtc_regs){ .seconds = bcd(tm.tm_sec),
				  .minutes = bcd(tm.tm_min),
				  .hours = bcd(tm.tm_hour),
				  .day = bcd(tm.tm_mday),
				  .month = bcd(tm.tm_mon + 1),
				  .year = bcd(tm.tm_year % 100),
				  .century = bcd(tm.tm_year / 100 + 19),
				  .b = 2 };
}

/* Each day from 2000 on to 2400, at another time of day each. */
static void knows_the_calendar(void **state)
{
	(void)state;
	for (time_t t = 946684800; t < 946684800 + 400l * 366 * 86400; t += 86400 + 3607) {
		struct rtc_regs r = at(t);

		assert_int_equal(rtc_decode(&r), t);
	}
}

static void a_century_that_nobody_set_is_the_20th(void **state)
{
	struct rtc_regs r = at(1790000000);

	(void)state;
	r.century = 0;
	assert_int_equal(rtc_decode(&r), 1790000000);
	r.century = 0x19;
	assert_int_equal(rtc_decode(&r), 1790000000);
	r.century = 0xff;
	assert_int_equal(rtc_decode(&r), 1790000000);
}

static void reads_binary_and_twelve_hours(void **state)
{
	/* 2024-02-29 23:59:58 */
	struct rtc_regs binary = { 58, 59, 23, 29, 2, 24, 20, 6 };
	struct rtc_regs evening = { 0x58, 0x59, 0x91, 0x29, 0x02, 0x24, 0x20, 0 };
	struct rtc_regs noon = { 0, 0, 0x92, 0x29, 0x02, 0x24, 0x20, 0 };
	struct rtc_regs midnight = { 0, 0, 0x12, 0x29, 0x02, 0x24, 0x20, 0 };

	(void)state;
	assert_int_equal(rtc_decode(&binary), 1709251198);
	assert_int_equal(rtc_decode(&evening), 1709251198);
	assert_int_equal(rtc_decode(&noon), 1709208000);
	assert_int_equal(rtc_decode(&midnight), 1709164800);
}

static void no_date_is_0(void **state)
{
	struct rtc_regs nobody, r;

	(void)state;
	memset(&nobody, 0xff, sizeof(nobody)); /* no chip there */
	assert_int_equal(rtc_decode(&nobody), 0);
	r = at(1790000000);
	r.month = 0x13;
	assert_int_equal(rtc_decode(&r), 0);
	r = at(1790000000);
	r.day = 0;
	assert_int_equal(rtc_decode(&r), 0);
	r = at(1790000000);
	r.hours = 0x24;
	assert_int_equal(rtc_decode(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_calendar),
		cmocka_unit_test(a_century_that_nobody_set_is_the_20th),
		cmocka_unit_test(reads_binary_and_twelve_hours),
		cmocka_unit_test(no_date_is_0),
	};

	return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
