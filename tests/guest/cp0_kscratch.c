/* SPDX-License-Identifier: MIT */
/*
 * Rule: KScratch1..6 ($31, select 2..7) hold 64 bits each, apart from each other, across exceptions
 * and user mode. MD00090 9.62.
 *
 * Method: five different values, exceptions in between (KScratch1 is the library's own).
 */
#include "tests/guest/test.h"

PROBE(p_sys, "syscall");

static void look(const char *when)
{
	check_eq(when, cp0_read_kscratch2(), 0x1111111122222222);
	check_eq(when, cp0_read_kscratch3(), 0x8888888877777777);
	check_eq(when, cp0_read_kscratch4(), 0x00000000ffffffff);
	check_eq(when, cp0_read_kscratch5(), 0xffffffff00000000);
	check_eq(when, cp0_read_kscratch6(), 0x5a5a5a5aa5a5a5a5);
	print("%s\n", when);
}

int main(void)
{
	cp0_write_kscratch2(0x1111111122222222);
	cp0_write_kscratch3(0x8888888877777777);
	cp0_write_kscratch4(0x00000000ffffffff);
	cp0_write_kscratch5(0xffffffff00000000);
	cp0_write_kscratch6(0x5a5a5a5aa5a5a5a5);
	look("written");
	probe(p_sys, 0, 0, 0);
	look("after an exception");
	probe_user(p_sys, 0, 0, 0);
	look("after user mode");
	return verdict();
}
