/* SPDX-License-Identifier: MIT */
/*
 * Rule: the line of a device with registers is wired to all VCPUs, on any node: the one whose IM lets it
 * through takes the interrupt, also if it is started, or sets IM, when the line is up already.
 * docs/guest-abi.md.
 *
 * Method: one VCPU after the other lets the line of the identity device through, and drops it in its handler;
 * VCPU 0 raises it, before the VCPU starts, before it sets IM, or when it waits.
 *
 * Needs: identity vcpus=8 nodes=8
 */
#include "tests/guest/test.h"

#define RAISE	 ((volatile u32 *)(DISCO_XSSEG_BASE + DISCO_DEVICE_BASE + DISCO_IDENTITY_INTERRUPT))
#define LINE	 DISCO_IRQ_DEVICE
#define PATIENCE 20000 /* waits of a tenth of a millisecond, and more */

enum when { BEFORE_START, BEFORE_IM, WHILE_WAITING, WHENS };

static volatile u64 taken[8], begun, may_go_on, ended;

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT || !(f->cause & CAUSE_IP(LINE)))
		return false;
	taken[guest_this_cpu()->id]++;
	*RAISE = 0;
	return true;
}

/* Others run; a VCPU that only looked would have the host's processor. */
static void nap(void)
{
	timer_set(10000);
	cp0_write_status(ST_BASE | ST_IM(7));
	cp0_wait();
	cp0_write_status(ST_BASE);
}

static bool comes(const volatile u64 *what, u64 wanted)
{
	for (u32 i = 0; i < PATIENCE && *what != wanted; i++)
		nap();
	return *what == wanted;
}

static void second(u64 id)
{
	begun = id;
	while (may_go_on != id)
		nap();
	cp0_write_status(ST_BASE | ST_IM(LINE));
	if (!taken[id])
		cp0_wait();
	cp0_ei();
	while (!taken[id])
		;
	cp0_di();
	ended = id;
	cp0_write_status(ST_BASE);
	for (;;)
		cp0_wait();
}

static void turn_of(u64 id, enum when when)
{
	if (when == BEFORE_START)
		*RAISE = 1;
	check_eq("start", (u64)guest_start_vcpu((unsigned)id, second, id), 0);
	check(comes(&begun, id), "VCPU %lu does not run", (unsigned long)id);
	if (when == BEFORE_IM)
		*RAISE = 1;
	may_go_on = id;
	if (when == WHILE_WAITING) {
		for (unsigned i = 0; i < 20; i++)
			nap();
		*RAISE = 1;
	}
	check(comes(&ended, id), "VCPU %lu has not taken the interrupt, case %u", (unsigned long)id,
	      when);
	check_eq("interrupts", taken[id], 1);
	check_eq("line", cp0_read_cause() & CAUSE_IP(LINE), 0);
}

int main(void)
{
	need_monitor();
	trap_hook = handler;
	for (u64 id = 1; id < 8; id++)
		turn_of(id, (enum when)(id % WHENS));
	*RAISE = 1;
	check_eq("line here", cp0_read_cause() & CAUSE_IP(LINE), CAUSE_IP(LINE));
	cp0_write_status(ST_BASE | ST_IE | ST_IM(LINE));
	check_eq("interrupts here", taken[0], 1);
	return verdict();
}
