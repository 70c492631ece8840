/* SPDX-License-Identifier: MIT */
/*
 * The console: what is written goes out at once, a call of the monitor for each 256 bytes; what is typed is a line, edited here, for
 * the terminal is raw. Ctrl-D at a line's beginning is the end of the file, Ctrl-C the end of the program.
 */
#include <string.h>

#include "guests/thin/thin.h"

#define WRITE_MOST 256u
#define TYPED	   4096u /* more than waits there is lost */
#define LINE	   1024u

/* Typed characters: VCPU 0's interrupt puts them in, one reader at a time takes them out. */
static struct {
	char ring[TYPED];
	volatile u32 in, out; /* count up */
} typed;

static pthread_mutex_t reader = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char text[LINE];
	u32 n, given;
	bool ended;
} line;

void console_write(const char *bytes, size_t n)
{
	while (n) {
		s64 done = hypercall(DISCO_HC_CONSOLE_WRITE, pa_of(bytes), MIN(n, WRITE_MOST));

		if (done == -DISCO_EAGAIN) {
			hypercall(DISCO_HC_YIELD, 0, 0);
			continue;
		}
		if (done <= 0)
			return;
		bytes += done;
		n -= (size_t)done;
	}
}

void console_interrupt(void)
{
	s64 c;

	while ((c = hypercall(DISCO_HC_CONSOLE_GETC, 0, 0)) >= 0) {
		if (c == 3) {
			say("Ctrl-C");
			hang_say_all();
			end(130);
		}
		if (typed.in - typed.out < TYPED) {
			typed.ring[typed.in % TYPED] = (char)c;
			__atomic_store_n(&typed.in, typed.in + 1, __ATOMIC_RELEASE);
		}
	}
	futex_wake(&typed.in, 1);
}

static char next_typed(void)
{
	char c;

	while (__atomic_load_n(&typed.in, __ATOMIC_ACQUIRE) == typed.out)
		futex_wait_outside(&typed.in, typed.out, THIN_FOREVER);
	c = typed.ring[typed.out % TYPED];
	__atomic_store_n(&typed.out, typed.out + 1, __ATOMIC_RELEASE);
	return c;
}

static void rub_out(void)
{
	if (!line.n)
		return;
	while (line.n && (line.text[--line.n] & 0xc0) == 0x80)
		; /* the rest of a letter of UTF-8 */
	console_write("\b \b", 3);
}

static void read_line(void)
{
	line.n = line.given = 0;
	for (;;) {
		char c = next_typed();

		if (c == 4 && !line.n) {
			line.ended = true;
			return;
		}
		if (c == '\r' || c == '\n') {
			line.text[line.n++] = '\n';
			console_write("\n", 1);
			return;
		}
		if (c == 8 || c == 127) {
			rub_out();
		} else if (line.n < LINE - 1 && ((u8)c >= ' ' || c == '\t')) {
			line.text[line.n++] = c;
			console_write(&c, 1);
		}
	}
}

size_t console_read(char *bytes, size_t n)
{
	pthread_mutex_lock(&reader);
	if (line.given == line.n && !line.ended)
		read_line();
	n = MIN(n, line.n - line.given);
	memcpy(bytes, line.text + line.given, n);
	line.given += (u32)n;
	line.ended = false;
	pthread_mutex_unlock(&reader);
	return n;
}
