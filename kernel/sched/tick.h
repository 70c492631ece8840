/* SPDX-License-Identifier: MIT */
/*
 * The tick of a node: periodic work, and the end of the time slice. When it is due is the node's
 * tick_next; arch/mips/vtimer.c sees to it that the processor comes here.
 */
#ifndef KERNEL_SCHED_TICK_H
#define KERNEL_SCHED_TICK_H

#include "kernel/node.h"

#define TICK_MS 10

void tick(struct node *n); /* on that node, when it is due */
void tick_event(void);	   /* a time that this node asked for (vtimer_ask_event); no lock held */

#endif /* KERNEL_SCHED_TICK_H */
