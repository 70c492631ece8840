/* SPDX-License-Identifier: MIT */
/*
 * Rule (Release 6): WAIT also ends when an interrupt that IM lets through becomes pending while IE
 * = 0; none is taken, execution goes on behind the WAIT. With one already pending WAIT is over at
 * once. MD00087 WAIT.
 *
 * Method: sleeps on the timer with IE = 0; then WAIT with TI still up; then with a software line.
 */
#include "tests/guest/test.h"

PROBE(p_wait, "li $2, 1\n\twait\n\tdaddiu $2, $2, 1");

#define SLEEP 166667u

static void sleep(const void *p, const char *what)
{
	u32 start = cp0_read_count();
	const struct trap *t;

	timer_set(SLEEP);
	t = probe(p, 0, 0, 0);
	expect_none(what, t);
	check_eq(what, t->v0, 2);
	check(cp0_read_count() - start >= SLEEP, "%s: woke early", what);
	check_eq("TI", cp0_read_cause() & CAUSE_TI, CAUSE_TI);
}

int main(void)
{
	cp0_write_status(ST_BASE | ST_IM(7));
	sleep(p_wait, "wait with IE = 0");
	expect_none("wait with TI up", probe(p_wait, 0, 0, 0));
	sleep(p_wait, "wait again");
	cp0_write_compare((s32)(cp0_read_count() - 1));
	cp0_write_status(ST_BASE | ST_IM(1));
	cp0_write_cause(CAUSE_IP(1));
	expect_none("wait with IP1 up", probe(p_wait, 0, 0, 0));
	return verdict();
}
