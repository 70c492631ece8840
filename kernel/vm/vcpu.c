/* SPDX-License-Identifier: MIT */
/* Virtual processors: starting them, their interrupt lines, their counters. */
#include "kernel/errno.h"
#include "kernel/vm/vm.h"

int vcpu_start(struct vcpu *v, const struct vcpu_boot *boot)
{
	enum vcpu_state offline = VCPU_OFFLINE;

	if (!__atomic_compare_exchange_n(&v->state, &offline, VCPU_CLAIMED, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		return -EBUSY;
	__atomic_fetch_add(&v->vm->live, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&v->arch.irq_lines, 0, __ATOMIC_RELAXED);
	v->boot = *boot;
	__atomic_store_n(&v->state, VCPU_STARTING, __ATOMIC_RELEASE);
	node_resched(v->node);
	return 0;
}

void vcpu_serve_start(struct vcpu *v)
{
	arch_vcpu_reset(v, &v->boot);
	v->ready_since = count64();
	v->state = VCPU_READY;
}

void vcpu_post_irq(struct vcpu *v, unsigned line)
{
	u32 up = __atomic_fetch_or(&v->arch.irq_lines, 1u << line, __ATOMIC_SEQ_CST);
	enum vcpu_state state;

	if (up & 1u << line)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	state = __atomic_load_n(&v->state, __ATOMIC_ACQUIRE);
	if (state == VCPU_WAITING && arch_vcpu_wakes(v))
		node_resched(v->node);
	else if (state == VCPU_RUNNING)
		node_kick(v->node);
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
	static const char *const names[] = { "offline", "starting", "starting",
					     "ready",	"running",  "waiting" };

	return names[s];
}
