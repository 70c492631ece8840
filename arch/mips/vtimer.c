/* SPDX-License-Identifier: MIT */
/*
 * Virtual Compare of every VCPU, the node's tick, the time slice and the ends of transfers of modelled disks, all
 * on the one CP0 timer of the processor. Time is Count widened to 64 bits; guests read Count unvirtualized, unless their clock has stood still.
 */
#include "arch/mips/cp0.h"
#include "arch/mips/mips.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/vm.h"

/* Count ticks, 1.2 us: the machine's interrupt is set no nearer than this, or it would be passed while
 * it is being set. */
#define SLACK	   200
#define COUNT_TURN (1ul << 32)

u64 count64(void)
{
	struct node *n = node_self();
	u32 now = cp0_read32(CP0_COUNT);

	/* called at least once a tick, so at most one wrap has passed */
	n->cpu.count_last += (u32)(now - (u32)n->cpu.count_last);
	return n->cpu.count_last;
}

/* Whether VCPUs of one VM only are on: then nobody is there whom a tick out of its time could harm. */
static u64 tick_play(const struct node *n) { return n->contended ? 0 : TICK_MS * COUNT_MS / 2; }

/* Not while its clock stands still, nor before it has caught up with that (vcpu_catch_up). */
static bool timer_runs(const struct vcpu *v)
{
	return v->arch.timer_armed && v->arch.lag == __atomic_load_n(&v->vm->lag, __ATOMIC_RELAXED);
}

/*
 * The tick is due at its own time, whatever guests do. A lone guest's timer takes the tick along if
 * it is near, before it or behind: one interrupt, not two.
 */
static u64 next_deadline(const struct node *n)
{
	u64 latest = n->tick_next + tick_play(n), next = latest;

	for (unsigned i = 0; i < n->nvcpus; i++) {
		const struct vcpu *v = n->vcpus[i];

		if (v->arch.timer < next && timer_runs(v))
			next = v->arch.timer;
	}
	if (n->event && n->event < next)
		next = n->event;
	if (n->turn_end && n->turn_end < next)
		next = n->turn_end;
	if (n->cap_end && n->cap_end < next)
		next = n->cap_end;
	if (n->back && n->back < next)
		next = n->back;
	return next < latest ? next : n->tick_next;
}

/*
 * Compare only matches a Count still to come: passed while it is being set, it would be silent for
 * a whole turn, 25 s. The processor may stand still between two instructions for as long as the
 * host likes, so look again. A Compare that is nearer than what could be set now stays: somebody
 * who sets his timer again and again would put off the interrupt for ever.
 */
static void vtimer_program(struct node *n)
{
	u64 due = next_deadline(n), now = count64(), slack = SLACK;

	if (n->cpu.compare > now && n->cpu.compare >= due &&
	    n->cpu.compare <= MAX(due, now + SLACK))
		return;
	do {
		n->cpu.compare = MAX(due, now + slack);
		cp0_write32(CP0_COMPARE, n->cpu.compare);
		slack *= 2;
		now = count64();
	} while (now >= n->cpu.compare);
}

void vtimer_ask_event(u64 when)
{
	struct node *n = node_self();

	if (n->event && n->event <= when)
		return;
	n->event = when;
	vtimer_program(n);
}

/* Those who asked ask again, if there is more to come. */
static void serve_event(struct node *n, u64 now)
{
	if (!n->event || n->event > now)
		return;
	n->event = 0;
	tick_event();
}

u64 arch_node_due(const struct node *n)
{
	return __atomic_load_n(&n->cpu.compare, __ATOMIC_RELAXED);
}

void vtimer_lose(void) { cp0_write32(CP0_COMPARE, cp0_read32(CP0_COUNT) - 1); }

/*
 * IP7 of v rises when Count comes to compare, up to a turn from now, and each turn after that. An
 * interrupt of the machine that is due already is not put off by the new time: it is served now.
 */
static void arm(struct vcpu *v, u32 compare, u64 now)
{
	struct node *n = v->node;
	u32 ahead = compare - (u32)(now - v->arch.lag);

	__atomic_fetch_and(&v->arch.irq_lines, ~(u32)BIT(IRQ_TIMER), __ATOMIC_RELAXED);
	v->arch.timer = now + (ahead ? ahead : COUNT_TURN);
	v->arch.timer_armed = true;
	if (now >= n->cpu.compare)
		irq_handle(n, CAUSE_TI);
	else
		vtimer_program(n);
}

/*
 * Compare in the past means a whole turn of Count from now, as on the machine (MD00091, Compare).
 */
void vtimer_set(struct vcpu *v, u32 compare)
{
	u64 now = count64();

	arm(v, compare, now);
	if (compare == (u32)(now - v->arch.lag))
		vcpu_post_irq(v, IRQ_TIMER);
}

/* A signed distance: what has passed is due at once. */
void arch_vcpu_set_timer(struct vcpu *v, u32 compare)
{
	u64 now = count64();

	vcp0(v, Compare) = (u64)(s64)(s32)compare;
	arm(v, compare, now);
	if ((s32)(compare - (u32)(now - v->arch.lag)) <= 0)
		vcpu_post_irq(v, IRQ_TIMER);
}

void arch_vcpu_set_lag(struct vcpu *v, u64 lag)
{
	v->arch.timer += lag - v->arch.lag;
	v->arch.lag = lag;
	if (v->node->current == v)
		cp0_write32(CP0_HWRENA, vcpu_hwrena(v));
	vtimer_program(v->node);
}

bool vtimer_tick_due(const struct node *n) { return count64() + tick_play(n) >= n->tick_next; }

void vtimer_expire(struct node *n)
{
	u64 now = count64();

	for (unsigned i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (v->arch.timer > now || !timer_runs(v))
			continue;
		v->arch.timer += COUNT_TURN;
		vcpu_post_irq(v, IRQ_TIMER);
	}
	if (n->cap_end <= now)
		n->cap_end = 0; /* the node looks at it on its way */
	if (n->back && n->back <= now) {
		n->back = NODE_BACK_DUE;
		n->need_resched = true;
	}
	serve_event(n, now);
	vtimer_program(n);
}
