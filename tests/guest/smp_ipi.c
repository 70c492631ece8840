/* SPDX-License-Identifier: MIT */
/*
 * Rule: IPI reaches VCPUs on any node: it ends their WAIT, and each VCPU of the mask gets it once.
 * kernel/abi/disco.h.
 *
 * Method: a token goes round a ring of eight VCPUs that wait in WAIT, by either line; then VCPU 0
 * interrupts all others at once, time and again, and each answers.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/smp.h"

#define TURNS	   400
#define BROADCASTS 200

static volatile u64 got[SMP], lines[2], ring_over, answers;

static bool handler(struct frame *f)
{
	u64 id = guest_this_cpu()->id;

	if (frame_exc(f) != EXC_INT)
		return false;
	for (unsigned line = 0; line < 2; line++)
		if (f->cause & CAUSE_IP(line)) {
			hypercall(DISCO_HC_IPI_CLEAR, line, 0);
			smp_add(&lines[line], 1);
			smp_add(&got[id], 1);
		}
	return true;
}

/* Until this VCPU has had n interrupts, in WAIT; or the timer says that it takes too long. */
static bool wait_for_ipi(u64 id, u64 n)
{
	u32 start = cp0_read_count();

	while (got[id] < n) {
		cp0_write_status(ST_BASE | ST_IM(0) | ST_IM(1) | ST_IM(7));
		timer_set(100000000u);
		if (got[id] < n)
			cp0_wait();
		cp0_write_status(ST_BASE | ST_IE | ST_IM(0) | ST_IM(1));
		if (smp_late || cp0_read_count() - start > SMP_LIMIT) {
			smp_late = 1;
			return false;
		}
	}
	return true;
}

static void ring(u64 id)
{
	for (u64 n = 1; n <= TURNS; n++) {
		if (!wait_for_ipi(id, n))
			return;
		if (id || n < TURNS)
			hypercall(DISCO_HC_IPI, 1ul << (id + 1) % SMP, n & 1);
	}
}

static void others(u64 id)
{
	cp0_write_status(ST_BASE | ST_IE | ST_IM(0) | ST_IM(1));
	ring(id);
	smp_add(&ring_over, 1);
	for (u64 n = 1; n <= BROADCASTS && wait_for_ipi(id, TURNS + n); n++)
		smp_add(&answers, 1);
}

int main(void)
{
	need_monitor();
	trap_hook = handler;
	check_eq("IPI to a VCPU that is not", (u64)hypercall(DISCO_HC_IPI, 1ul << SMP, 0),
		 (u64)-DISCO_EINVAL);
	cp0_write_status(ST_BASE | ST_IE | ST_IM(0) | ST_IM(1));
	smp_start_all(others);
	hypercall(DISCO_HC_IPI, 2, 0);
	ring(0);
	check(smp_wait(&ring_over, SMP - 1), "the ring: %lu came through",
	      (unsigned long)ring_over);
	check_eq("interrupts of the ring", lines[0] + lines[1], SMP * TURNS);
	check(lines[0] > TURNS && lines[1] > TURNS, "lines %lu and %lu", (unsigned long)lines[0],
	      (unsigned long)lines[1]);
	for (u64 n = 1; n <= BROADCASTS; n++) {
		hypercall(DISCO_HC_IPI, (1ul << SMP) - 2, n & 1);
		if (!check(smp_wait(&answers, n * (SMP - 1)), "broadcast %lu: %lu answers",
			   (unsigned long)n, (unsigned long)answers))
			break;
	}
	check_eq("all interrupts", lines[0] + lines[1], SMP * TURNS + BROADCASTS * (SMP - 1));
	return verdict();
}
