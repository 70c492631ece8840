/* SPDX-License-Identifier: MIT */
/*
 * Rule: CONSOLE_WRITE takes at most 256 bytes a call and says how many; text of any length, by
 * writes or characters, across page ends, with any bytes in it, comes out in order; a guest that
 * writes without end slows nobody but itself. kernel/abi/disco.h.
 *
 * Method: long lines, many lines, odd bytes; the test runner compares with the lines it knows.
 */
#include "tests/guest/test.h"

#define WRITE_MAX 256

static char line[6000];

int main(void)
{
	s64 n;

	need_monitor();
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	n = hypercall(DISCO_HC_CONSOLE_WRITE, guest_pa(line), sizeof(line));
	check(n > 0 && n <= WRITE_MAX, "one call took %ld", (long)n);
	check(hypercall(DISCO_HC_CONSOLE_WRITE, guest_pa(line), 1ul << 63) <= WRITE_MAX,
	      "2^63 bytes");
	platform_write("\n", 1);
	platform_write(line + n, sizeof(line) - (size_t)n);
	for (const char *s = "by characters\n"; *s; s++)
		check_eq("PUTC", (u64)hypercall(DISCO_HC_CONSOLE_PUTC, (u8)*s, 0), 0);
	for (int i = 0; i < 500; i++)
		print("flood %d\n", i);
	print("odd \x01\x02\x1b[0m\x7f\xff bytes\r\n");
	return verdict();
}
