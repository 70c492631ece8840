/* SPDX-License-Identifier: MIT */
/*
 * The Malta's real-time clock: an MC146818 at ISA ports 0x70 (index) and 0x71 (data), behind the
 * I/O window of the GT64120. Only read, never set: QEMU keeps it at the host's time in UTC (-rtc
 * says otherwise for runs that repeat). No lock: one processor at a time may use the index register
 * (kernel/wallclock.c has the lock).
 */
#include "drivers/dev.h"

#define RTC_INDEX ((volatile u8 *)0xffffffffb8000070ul) /* KSEG1 */
#define RTC_DATA  ((volatile u8 *)0xffffffffb8000071ul)

#define REG_SECONDS 0x00
#define REG_MINUTES 0x02
#define REG_HOURS   0x04
#define REG_DAY	    0x07
#define REG_MONTH   0x08
#define REG_YEAR    0x09
#define REG_B	    0x0b
#define REG_CENTURY 0x32

#define B_BINARY   0x04 /* numbers are binary, not two decimal digits */
#define B_24_HOURS 0x02
#define HOURS_PM   0x80 /* without B_24_HOURS */

#define TRIES 4 /* a second may end between two reads; hardly twice */

static u32 number(u8 reg, bool binary) { return binary ? reg : (reg >> 4) * 10u + (reg & 15); }

/* Days from 1970-01-01 to the given day, in the Gregorian calendar: years begin in March here, so
 * that a leap day is a year's last. */
static u64 days_to(u32 year, u32 month, u32 day)
{
	u32 y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

	return y * 365ul + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

u64 rtc_decode(const struct rtc_regs *r)
{
	bool binary = r->b & B_BINARY;
	u32 second = number(r->seconds, binary), minute = number(r->minutes, binary);
	u32 hour = number(r->hours & (r->b & B_24_HOURS ? 0xff : 0x7f), binary);
	u32 day = number(r->day, binary), month = number(r->month, binary);
	u32 year = number(r->year, binary), century = number(r->century, binary);

	if (!(r->b & B_24_HOURS))
		hour = hour % 12 + (r->hours & HOURS_PM ? 12 : 0);
	if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 ||
	    month > 12 || year > 99)
		return 0;
	if (century < 20 || century > 99) /* nobody keeps it up to date */
		century = 20;
	return days_to(100 * century + year, month, day) * 86400 + hour * 3600 + minute * 60 +
	       second;
}

static u8 reg(u8 index)
{
	*RTC_INDEX = index;
	return *RTC_DATA;
}

u64 rtc_seconds(void)
{
	struct rtc_regs r;
	unsigned tries = 0;

	do {
		r = (struct rtc_regs){ .seconds = reg(REG_SECONDS),
				       .minutes = reg(REG_MINUTES),
				       .hours = reg(REG_HOURS),
				       .day = reg(REG_DAY),
				       .month = reg(REG_MONTH),
				       .year = reg(REG_YEAR),
				       .century = reg(REG_CENTURY),
				       .b = reg(REG_B) };
	} while (reg(REG_SECONDS) != r.seconds && ++tries < TRIES);
	return rtc_decode(&r);
}
