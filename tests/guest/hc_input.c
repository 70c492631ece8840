/* SPDX-License-Identifier: MIT */
/*
 * Rule: console input raises IP2 while there is any, ends a WAIT, and is read by CONSOLE_GETC in
 * order, none lost; then GETC says EAGAIN and IP2 is down. kernel/abi/disco.h.
 *
 * Method: the runner attaches the console and types lines when asked; they are read by WAIT and
 * interrupt.
 *
 * Ends: typed
 */
#include "tests/guest/test.h"

static char got[200];
static volatile unsigned n, interrupts;

static bool handler(struct frame *f)
{
	s64 c;

	if (frame_exc(f) != EXC_INT)
		return false;
	check_eq("lines", f->cause & (CAUSE_IP(0) | CAUSE_IP(1) | CAUSE_IP(2)), CAUSE_IP(2));
	interrupts++;
	while ((c = hypercall(DISCO_HC_CONSOLE_GETC, 0, 0)) >= 0)
		if (n < sizeof(got) - 1)
			got[n++] = (char)c;
	check_eq("GETC when empty", (u64)c, (u64)-DISCO_EAGAIN);
	return true;
}

static void read_line(void)
{
	n = interrupts = 0;
	memset(got, 0, sizeof(got));
	print("type\n");
	while (!n || (got[n - 1] != '\r' && got[n - 1] != '\n')) {
		cp0_write_status(ST_BASE | ST_IM(2));
		cp0_wait();
		cp0_write_status(ST_BASE | ST_IM(2) | ST_IE);
	}
	cp0_write_status(ST_BASE);
	got[n - 1] = '\0';
	check(interrupts > 0, "no interrupt");
	check_eq("IP2 when all is read", cp0_read_cause() & CAUSE_IP(2), 0);
}

int main(void)
{
	need_monitor();
	trap_hook = handler;
	read_line();
	check(!strcmp(got, "first line"), "found %s", got);
	read_line();
	check(!strcmp(got, "a longer line, 0123456789, with \x03 and \x01 in it"), "found %s", got);
	return verdict();
}
