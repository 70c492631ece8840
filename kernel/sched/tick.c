/* SPDX-License-Identifier: MIT */
/* What a node does every TICK_MS, whoever runs on it. */
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/move.h"
#include "numa/numa.h"

#define LATE_TICKS 3
#define BARE_TICKS 10 /* a node where no VM can live looks around so much less often */

/*
 * QEMU's timer thread and its processors race: a Compare written just as the old one expires may be
 * forgotten, and the node would sleep for a turn of Count, 25 s. Its neighbour wakes it.
 */
static void wake_late(const struct node *n)
{
	struct node *next = nodes[(n->id + 1) % nnodes];

	if (next->up && count64() > next->tick_next + LATE_TICKS * TICK_MS * COUNT_MS)
		node_post(next, MAIL_RESCHED);
}

void tick_event(void) { disks_event(); }

void tick(struct node *n)
{
	u64 period = TICK_MS * COUNT_MS * (n->id && !n->nvcpus ? BARE_TICKS : 1);

	n->stats.ticks++;
	wake_late(n);
	do
		n->tick_next += period;
	while (n->tick_next <= count64());
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
