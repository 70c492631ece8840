/* SPDX-License-Identifier: MIT */
/*
 * Rule: the special page's pending word is not zero while an interrupt that IM lets through waits
 * for IE, whether it was there before or comes while the guest runs; after a store that sets IE the
 * guest executes EI, which takes it; ERETNC to user mode takes it too. kernel/abi/disco.h.
 *
 * Method: software interrupts and the timer, with IE = 0 by DI and by a store.
 */
#include "tests/guest/test.h"

static volatile u32 *const pending = (volatile u32 *)(DISCO_SPECIAL_PAGE + DISCO_SP_PENDING);
static volatile u32 *const status = (volatile u32 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(12, 0));
static volatile unsigned taken;

PROBE(p_return, "syscall 1\n\tli $2, 7");

static bool handler(struct frame *f)
{
	if (frame_exc(f) == EXC_SYS && (f->badinstr >> 6 & 0xfffff) == 1) {
		frame_skip(f);
		f->keep_ll = 1;
		cp0_write_cause(CAUSE_IP(1)); /* waits for the return */
		return true;
	}
	if (frame_exc(f) != EXC_INT)
		return false;
	taken++;
	check(f->cause & (CAUSE_IP(0) | CAUSE_IP(1) | CAUSE_IP(7)), "no line");
	if (f->cause & CAUSE_IP(7))
		cp0_write_compare((s32)(cp0_read_count() - 1));
	cp0_write_cause(0);
	return true;
}

static void software(unsigned line)
{
	taken = 0;
	cp0_write_status(ST_BASE | ST_IM(line));
	check_eq("nothing", *pending, 0);
	cp0_write_cause(CAUSE_IP(line));
	check(*pending, "IP%u waits, pending is zero", line);
	check_eq("taken with IE = 0", taken, 0);
	*status = *status | ST_IE;
	if (*pending)
		cp0_ei();
	check_eq("taken by EI", taken, 1);
	check_eq("pending after", *pending, 0);
	/* IE = 0 by a store counts at once */
	*status = *status & ~ST_IE;
	cp0_write_cause(CAUSE_IP(line));
	check_eq("taken after a store of IE = 0", taken, 1);
	cp0_write_cause(0);
	check_eq("dropped", *pending, 0);
	/* masked */
	cp0_write_status(ST_BASE);
	cp0_write_cause(CAUSE_IP(line));
	check_eq("masked", *pending, 0);
	cp0_write_status(ST_BASE | ST_IM(line));
	check(*pending, "unmasked");
	cp0_write_cause(0);
}

/* Comes while the guest computes: no trap of its own between. */
static void asynchronous(void)
{
	u32 due;

	taken = 0;
	cp0_write_status(ST_BASE | ST_IM(7));
	due = timer_set(1000000);
	while (!*pending && (s32)(cp0_read_count() - due) < 1000000000)
		;
	check(*pending, "the timer has come, pending is zero");
	check_eq("taken", taken, 0);
	*status = *status | ST_IE;
	cp0_ei();
	check_eq("timer taken", taken, 1);
}

int main(void)
{
	need_monitor();
	trap_hook = handler;
	software(0);
	software(1);
	asynchronous();
	cp0_write_status(ST_BASE);
	taken = 0;
	probe_user_status = ST_BASE | ST_IE | ST_IM(1);
	check_eq("back in user mode", probe_user(p_return, 0, 0, 0)->v0, 7);
	check_eq("taken by ERETNC", taken, 1);
	return verdict();
}
