/* SPDX-License-Identifier: MIT */
/*
 * Rule: TIME gives the nanoseconds since 1970 of the machine's clock and goes as fast as Count.
 * kernel/abi/disco.h.
 *
 * Method: later than 2020-01-01, where runs that repeat begin; between two calls as much time
 * passes as Count says, for a fifth of a second.
 */
#include "tests/guest/test.h"

#define YEAR_2020    1577836800000000000
#define NS_PER_COUNT 6
#define TICKS	     33333333u

int main(void)
{
	s64 first, now;
	u32 earliest, start, called, passed;

	need_monitor();
	earliest = cp0_read_count();
	first = hypercall(DISCO_HC_TIME, 0, 0);
	start = cp0_read_count();
	check(first >= YEAR_2020, "TIME is %ld", (long)first);
	do {
		called = cp0_read_count();
		now = hypercall(DISCO_HC_TIME, 0, 0);
		passed = cp0_read_count();
		check(now >= first + (s64)(called - start) * NS_PER_COUNT &&
			      now <= first + (s64)(passed - earliest) * NS_PER_COUNT,
		      "%ld ns after %u to %u ticks", (long)(now - first), called - start,
		      passed - earliest);
	} while (passed - start < TICKS);
	return verdict();
}
