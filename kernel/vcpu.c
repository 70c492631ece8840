/* SPDX-License-Identifier: MIT */
/* Virtual processors: starting them, their interrupt lines, their counters. */
#include "kernel/vm.h"

void vcpu_start(struct vcpu *v, u64 pc, u64 a0, u64 a1)
{
	__atomic_fetch_add(&v->vm->live, 1, __ATOMIC_RELAXED);
	arch_vcpu_reset(v, pc, a0, a1);
	v->state = VCPU_READY;
	v->ready_since = count64();
}

void vcpu_post_irq(struct vcpu *v, unsigned line)
{
	__atomic_fetch_or(&v->arch.irq_lines, 1u << line, __ATOMIC_RELEASE);
	if (v->node != node_self())
		node_post(v->node, MAIL_RESCHED);
	else if (v->state == VCPU_WAITING)
		v->node->need_resched = true;
}

void vcpu_clear_irq(struct vcpu *v, unsigned line)
{
	__atomic_fetch_and(&v->arch.irq_lines, ~(1u << line), __ATOMIC_RELAXED);
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
	static const char *const names[] = { "offline", "ready", "running", "waiting" };

	return names[s];
}
