/* SPDX-License-Identifier: MIT */
/*
 * Rule: IPI raises Cause.IP0 or IP1 on the VCPUs of a mask, where it is an interrupt like any
 * other: it ends a WAIT, is masked by IM and IE, and stays up until its VCPU drops it by IPI_CLEAR.
 * kernel/abi/disco.h.
 *
 * Method: ping-pong of 200 IPIs between two VCPUs, the second waiting in WAIT; an IPI to oneself;
 * both lines.
 *
 * Needs: vcpus=2
 * Runs: rewritten
 */
#include "tests/guest/test.h"

#define ROUNDS 200

static volatile u64 pings, pongs, lines_seen;

static bool handler(struct frame *f)
{
	u64 id = guest_this_cpu()->id;

	if (frame_exc(f) != EXC_INT)
		return false;
	for (unsigned line = 0; line < 2; line++)
		if (f->cause & CAUSE_IP(line)) {
			lines_seen |= 1ul << (2 * id + line);
			hypercall(DISCO_HC_IPI_CLEAR, line, 0);
			check_eq("line after IPI_CLEAR", cp0_read_cause() & CAUSE_IP(line), 0);
			if (id)
				pings++;
			else
				pongs++;
		}
	return true;
}

static void second(u64 arg)
{
	(void)arg;
	cp0_write_status(ST_BASE | ST_IE | ST_IM(0) | ST_IM(1));
	for (u64 n = 0; n < ROUNDS;) {
		cp0_di();
		if (pings == n) {
			cp0_wait();
			cp0_ei();
			continue;
		}
		cp0_ei();
		n = pings;
		hypercall(DISCO_HC_IPI, 1, n & 1);
	}
}

int main(void)
{
	u32 start = cp0_read_count();

	need_monitor();
	trap_hook = handler;
	/* to ourselves, masked */
	check_eq("IPI", (u64)hypercall(DISCO_HC_IPI, 1, 0), 0);
	while (!(cp0_read_cause() & CAUSE_IP(0)) && cp0_read_count() - start < 1000000000u)
		;
	check_eq("own line", cp0_read_cause() & (CAUSE_IP(0) | CAUSE_IP(1)), CAUSE_IP(0));
	check_eq("IPI_CLEAR", (u64)hypercall(DISCO_HC_IPI_CLEAR, 0, 0), 0);
	check_eq("own line after IPI_CLEAR", cp0_read_cause() & CAUSE_IP(0), 0);
	cp0_write_status(ST_BASE | ST_IE | ST_IM(0) | ST_IM(1));
	hypercall(DISCO_HC_IPI, 1, 1);
	while (!pongs && cp0_read_count() - start < 1000000000u)
		;
	check_eq("IPI to oneself", pongs, 1);
	pongs = 0;
	check_eq("start", (u64)guest_start_vcpu(1, second, 0), 0);
	for (u64 n = 0; n < ROUNDS; n++) {
		start = cp0_read_count();
		hypercall(DISCO_HC_IPI, 2, n & 1);
		while (pongs <= n) {
			cp0_di();
			timer_set(100000000u);
			cp0_write_status(ST_BASE | ST_IM(0) | ST_IM(1) | ST_IM(7));
			if (pongs <= n)
				cp0_wait();
			cp0_write_status(ST_BASE | ST_IE | ST_IM(0) | ST_IM(1));
			if (cp0_read_count() - start > 1000000000u)
				break;
		}
		if (!check(pongs == n + 1, "round %lu: %lu pings, %lu pongs", (unsigned long)n,
			   (unsigned long)pings, (unsigned long)pongs))
			break;
	}
	cp0_write_status(ST_BASE);
	check_eq("lines seen", lines_seen, 15);
	check(hypercall(DISCO_HC_IPI, 4, 0) != 0 || !(cp0_read_cause() & CAUSE_IP(0)),
	      "an IPI to nobody came here");
	return verdict();
}
