/* SPDX-License-Identifier: MIT */
/*
 * Virtual Compare of every VCPU, the node's tick and the time slice, all on the one CP0 timer of
 * the processor. Time is Count widened to 64 bits; guests read Count unvirtualized.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/vcpu.h"

#define SLACK \
	2000 /* ticks: closer than this a deadline is put off, so that Compare is not passed while \
		being set */

u64 count64(void)
{
	struct node *n = node_self();
	u32 now = cp0_read32(CP0_COUNT);

	/* called at least once a tick, so at most one wrap has passed */
	n->cpu.count_last += (u32)(now - (u32)n->cpu.count_last);
	return n->cpu.count_last;
}

/* The tick waits up to half of itself for a guest's timer, to come along with its interrupt
 * (node.c). */
static u64 next_deadline(const struct node *n)
{
	u64 latest = n->tick_next + TICK_MS * COUNT_MS / 2, next = latest;

	for (unsigned i = 0; i < n->nvcpus; i++) {
		const struct vcpu *v = n->vcpus[i];

		if (v->arch.timer_armed && v->arch.timer < next)
			next = v->arch.timer;
	}
	return next < latest ? next : n->tick_next;
}

/*
 * Compare only matches a Count still to come: passed while it is being set, it would be silent for
 * a whole turn, 25 s. The processor may stand still between two instructions for as long as the
 * host likes, so look again.
 */
static void vtimer_program(struct node *n)
{
	do {
		n->cpu.compare = MAX(next_deadline(n), count64() + SLACK);
		cp0_write32(CP0_COMPARE, n->cpu.compare);
	} while (count64() >= n->cpu.compare);
}

void vtimer_lose(void) { cp0_write32(CP0_COMPARE, cp0_read32(CP0_COUNT) - 1); }

/* due: count64 */
static void arm(struct vcpu *v, u64 due)
{
	__atomic_fetch_and(&v->arch.irq_lines, ~(u32)BIT(IRQ_TIMER), __ATOMIC_RELAXED);
	v->arch.timer = due;
	v->arch.timer_armed = true;
	vtimer_program(v->node); /* even for a later time: the tick may come along with it */
}

/*
 * Compare in the past means a whole turn of Count from now, as on the machine (MD00091, Compare).
 */
void vtimer_set(struct vcpu *v, u32 compare)
{
	u64 now = count64();

	arm(v, now + (u32)(compare - (u32)now));
}

void vtimer_expire(struct node *n)
{
	u64 now = count64();

	for (unsigned i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (!v->arch.timer_armed || v->arch.timer > now)
			continue;
		v->arch.timer += 1ul << 32;
		vcpu_post_irq(v, IRQ_TIMER);
	}
	vtimer_program(n);
}

/* A signed distance: what has passed is due at once. */
void arch_vcpu_set_timer(struct vcpu *v, u32 compare)
{
	u64 now = count64();

	vcp0(v, Compare) = (u64)(s64)(s32)compare;
	arm(v, now + (u64)(s64)(s32)(compare - (u32)now));
}
