/* SPDX-License-Identifier: MIT */
/* Processors that QEMU runs in turn give theirs away: turn.h. */
#include "arch/mips/arch.h"
#include "kernel/options.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/sched/turn.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

/* count64 of when a processor last gave its turn away. The turn that is on began then, or later. */
static u64 last_given;

/* The VM whose VCPU the node runs, or NULL. Of a moment, if the node is another. */
static const struct vm *runs(const struct node *n)
{
	const struct vcpu *v = __atomic_load_n(&n->current, __ATOMIC_RELAXED);

	return v && vcpu_state(v) == VCPU_RUNNING ? v->vm : NULL;
}

/* How long a turn is, in Count ticks; 0: nobody waits for its end. */
static u64 length(const struct node *n)
{
	const struct vm *here = runs(n);
	u64 found = 0;

	if (!here || magic() || !option_on(OPTION_TURNS))
		return 0;
	for (u32 i = 0; i < nnodes; i++) {
		const struct vm *there = i == n->id ? NULL : runs(nodes[i]);

		if (there == here)
			return TURN_US * COUNT_MS / 1000;
		if (there)
			found = TICK_MS * COUNT_MS;
	}
	return found;
}

void turn_check(struct node *n)
{
	u64 ticks = length(n);

	n->turn_end = 0;
	if (!ticks)
		return;
	if (count64() - __atomic_load_n(&last_given, __ATOMIC_RELAXED) >= ticks) {
		__atomic_store_n(&last_given, count64(), __ATOMIC_RELAXED);
		arch_yield();
		sched_waive(n);
	}
	if (ticks < TICK_MS * COUNT_MS)
		n->turn_end = count64() + ticks;
}
