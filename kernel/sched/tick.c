/* SPDX-License-Identifier: MIT */
/* What a node does every TICK_MS, whoever runs on it, or now and then, if nobody wants to. */
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define LATE_TICKS 3
#define TICK	   (TICK_MS * COUNT_MS)

/*
 * QEMU's timer thread and its processors race: a Compare written just as the old one expires may be
 * forgotten, and the node would sleep for a turn of Count, 25 s. Its neighbour wakes it.
 */
static void wake_late(const struct node *n)
{
	struct node *next = nodes[(n->id + 1) % nnodes];

	if (next->up && count64() > arch_node_due(next) + LATE_TICKS * TICK)
		node_post(next, MAIL_RESCHED);
}

void tick_event(void) { disks_event(); }

/* By the table of tick.h. */
static bool may_rest(const struct node *n)
{
	if (!n->id || (n->nvcpus && (fetch_on || latency_on)))
		return false;
	for (u32 i = 0; i < n->nvcpus; i++) {
		enum vcpu_state state = vcpu_state(n->vcpus[i]);

		if (state >= VCPU_BUSY && state != VCPU_WAITING)
			return false;
	}
	return true;
}

void tick_soon(struct node *n)
{
	u64 now = count64();

	if (!n->tick_rests)
		return;
	n->tick_rests = false;
	if (n->tick_next > now)
		n->tick_next -= (n->tick_next - now - 1) / TICK * TICK;
}

void tick(struct node *n)
{
	n->stats.ticks++;
	wake_late(n);
	n->tick_rests = may_rest(n);
	do
		n->tick_next += TICK;
	while (n->tick_next <= count64());
	if (n->tick_rests)
		n->tick_next += (REST_TICKS - 1) * TICK;
	if (n->id == 0) {
		console_tick();
		host_disks_tick();
		disks_tick();
		uplink_tick();
		balloons_tick();
		map_tick();
	}
	if (latency_on)
		latency_tick(n);
	shuffle_tick(n);
	moves_tick(n);
	sched_weigh(n);
	if (fetch_on)
		fetch_tick(n);
	numa_tick(n);
	sched_waive(n);
	sched_slice_over(n);
}
