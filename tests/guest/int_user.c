/* SPDX-License-Identifier: MIT */
/*
 * Rule: an interrupt that is pending when ERET enters user mode is taken before its first
 * instruction; Status shows KSU = user and EXL; all registers of the program survive. MD00090 6.1.
 *
 * Method: a software line raised before a user-mode probe; then the timer interrupting a user-mode
 * loop that keeps marks in all its registers.
 */
#include "tests/guest/test.h"

PROBE(p_none, "li $2, 7");
PROBE(p_loop,
      "li $3, 0x33\n\tli $5, 0x55\n\tli $6, 0x66\n\tli $7, 0x77\n\tli $8, 0x88\n\tli $9, 0x99\n\tli $24, 0x24\n\tli $25, 0x25\n"
      "1:\tdaddiu $4, $4, -1\n\tbnez $4, 1b\n\tdaddiu $3, $3, 1\n\t"
      "dsubu $2, $3, $5\n\txor $2, $2, $6\n\txor $2, $2, $7\n\txor $2, $2, $8\n\txor $2, $2, $9\n\txor $2, $2, $24\n\txor $2, $2, $25");

#define LOOPS  5000000ul
#define PERIOD 20000u

static unsigned soft, ticks;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	check_eq("KSU", f->status & (ST_KSU | ST_EXL), ST_KSU_USER | ST_EXL);
	check(f->epc - USER_CODE < 2 * PAGE_SIZE, "EPC in user code");
	if (f->cause & CAUSE_IP(0)) {
		soft++;
		cp0_write_cause(0);
	}
	if (f->cause & CAUSE_TI) {
		ticks++;
		timer_set(PERIOD);
	}
	return true;
}

int main(void)
{
	const struct trap *t;

	trap_hook = handler;
	cp0_write_cause(CAUSE_IP(0));
	probe_user_status = ST_BASE | ST_IE | ST_IM(0);
	t = probe_user(p_none, 0, 0, 0);
	expect_none("a line pending", t);
	check_eq("v0", t->v0, 7);
	check_eq("taken", soft, 1);
	probe_user_status = ST_BASE | ST_IE | ST_IM(7);
	timer_set(PERIOD);
	t = probe_user(p_loop, LOOPS, 0, 0);
	expect_none("a loop with a timer", t);
	check_eq("registers", t->v0,
		 (0x33 + LOOPS - 0x55) ^ 0x66 ^ 0x77 ^ 0x88 ^ 0x99 ^ 0x24 ^ 0x25);
	check(ticks > 0, "no tick");
	return verdict();
}
