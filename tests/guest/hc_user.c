/* SPDX-License-Identifier: MIT */
/*
 * Rule: HYPCALL from guest user mode is an ordinary CpU exception with CE = 0; nothing is done.
 * kernel/abi/disco.h.
 *
 * Method: POWEROFF, RESET, PUTC from user mode in three positions. That this line is reached says
 * the rest.
 */
#include "tests/guest/test.h"

#define CALL(n, name)            \
	extern char name##_at[]; \
	PROBE(name, "li $2, " #n AT(name) ".word 0x42000028")
CALL(10, p_off);
CALL(11, p_reset);
CALL(2, p_putc);
PROBE3(p_any, ".word 0x42000028");

int main(void)
{
	need_monitor();
	EXPECT("user: POWEROFF", probe_user(p_off, 0, 0, 0), .exc = EXC_CPU, .at = p_off_at);
	EXPECT("user: RESET", probe_user(p_reset, 0, 0, 0), .exc = EXC_CPU, .at = p_reset_at);
	EXPECT("user: PUTC", probe_user(p_putc, 'x', 0, 0), .exc = EXC_CPU, .at = p_putc_at);
	EXPECT3(MODE_USER, "user: hypcall", p_any, 0, 0, .exc = EXC_CPU);
	return verdict();
}
