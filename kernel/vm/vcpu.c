/* SPDX-License-Identifier: MIT */
/* Virtual processors: starting them, their interrupt lines, their counters. */
#include "kernel/errno.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"

/* For each state the states that may follow it, a bit each; OFFLINE to CLAIMED is vcpu_start's. */
static const u16 may_follow[VCPU_STATES] = {
	[VCPU_OFFLINE] = BIT(VCPU_BUSY),
	[VCPU_CLAIMED] = BIT(VCPU_STARTING),
	[VCPU_STARTING] = BIT(VCPU_READY),
	[VCPU_MOVING] = BIT(VCPU_READY) | BIT(VCPU_WAITING),
	[VCPU_BUSY] = BIT(VCPU_OFFLINE),
	[VCPU_READY] = BIT(VCPU_RUNNING) | BIT(VCPU_OFFLINE) | BIT(VCPU_MOVING),
	[VCPU_RUNNING] = BIT(VCPU_READY) | BIT(VCPU_WAITING) | BIT(VCPU_OFFLINE),
	[VCPU_WAITING] = BIT(VCPU_READY) | BIT(VCPU_OFFLINE) | BIT(VCPU_MOVING),
};

void vcpu_change(struct vcpu *v, enum vcpu_state to)
{
	enum vcpu_state from = vcpu_state(v);

	if (!(may_follow[from] & BIT(to)))
		panic("VCPU %s/%u: from %s to %s", v->vm->name, v->id, vcpu_state_name(from),
		      vcpu_state_name(to));
	__atomic_store_n(&v->state, to, __ATOMIC_RELEASE);
}

int vcpu_start(struct vcpu *v, const struct vcpu_boot *boot)
{
	u32 offline = VCPU_OFFLINE;

	if (!__atomic_compare_exchange_n(&v->state, &offline, VCPU_CLAIMED, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return -EBUSY;
	__atomic_fetch_add(&v->vm->live, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&v->arch.irq_lines, 0, __ATOMIC_RELAXED);
	v->boot = *boot;
	vcpu_change(v, VCPU_STARTING);
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* if it is on its way, who takes it up sees STARTING: move.c */
	node_resched(v->node);
	return 0;
}

void vcpu_serve_start(struct vcpu *v)
{
	arch_vcpu_reset(v, &v->boot);
	devices_raise_again(v); /* vcpu_start took its lines down */
	v->ready_since = count64();
	vcpu_change(v, VCPU_READY);
}

void vcpu_catch_up(struct vcpu *v)
{
	u64 lag = __atomic_load_n(&v->vm->lag, __ATOMIC_RELAXED);

	if (lag == v->arch.lag || lag == LAG_STANDS)
		return;
	v->ready_since = MIN(v->ready_since + (lag - v->arch.lag), count64());
	arch_vcpu_set_lag(v, lag);
}

void vcpu_post_irq(struct vcpu *v, unsigned line)
{
	enum vcpu_state state;
	bool heard;
	u32 up;

	line_take(&v->arch.unread);
	up = __atomic_fetch_or(&v->arch.irq_lines, 1u << line, __ATOMIC_SEQ_CST);
	if (up & 1u << line)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	state = vcpu_state(v);
	heard = arch_vcpu_hears(v, line); /* any other that it hears has woken it */
	if (state == VCPU_WAITING && heard)
		node_resched(v->node);
	else if (state == VCPU_RUNNING &&
		 (heard || v->vm->patch)) /* which may read Cause without a trap */
		node_kick(v->node);
}

void vcpu_clear_irq(struct vcpu *v, unsigned line)
{
	u32 up = __atomic_fetch_and(&v->arch.irq_lines, ~(1u << line), __ATOMIC_SEQ_CST);

	if (v->vm->patch && (up & 1u << line) && vcpu_state(v) == VCPU_RUNNING)
		node_kick(v->node);
}

u64 vcpu_exits(const struct vcpu *v)
{
	u64 sum = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(v->stats.exits); i++)
		sum += v->stats.exits[i];
	return sum;
}

u64 vcpu_tlb_exits(const struct vcpu *v)
{
	return v->stats.exits[1] + v->stats.exits[2] + v->stats.exits[3] + v->stats.exits[19] +
	       v->stats.exits[20];
}

const char *vcpu_state_name(enum vcpu_state s)
{
	static const char *const names[VCPU_STATES] = {
		"offline", "claimed", "starting", "moving", "busy", "ready", "running", "waiting"
	};

	return names[s];
}
