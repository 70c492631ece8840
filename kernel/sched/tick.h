/* SPDX-License-Identifier: MIT */
/*
 * The tick of a node: periodic work, and the end of the time slice. When it is due is the node's
 * tick_next; arch/mips/vtimer.c sees to it that the processor comes here.
 *
 * A node where nobody wants to run rests: it ticks every REST_TICKS-th time only, since a processor of the host is woken for each. Nothing there
 * is due sooner: what has a time of its own (guests' timers, caps, modelled disks) sets the processor's timer itself. Times of ticks are multiples of TICK_MS
 * from the node's first one on, rest or none, so that slices of who wakes are as long as if it had ticked all the time.
 *
 *   at a tick, the node                                          the next tick
 *   is node 0, which polls for the machine (console, disks)      is TICK_MS later
 *   has a VCPU that is BUSY, READY or RUNNING                    is TICK_MS later
 *   has VCPUs, and may fetch others (spread=1), or forgets       is TICK_MS later
 *     remote translations with each tick (latency=...)
 *   has none of these                                            is REST_TICKS * TICK_MS later; tick_rests
 *
 *   a node that rests chooses a VCPU, or takes one up            is the next multiple of TICK_MS: tick_soon
 */
#ifndef KERNEL_SCHED_TICK_H
#define KERNEL_SCHED_TICK_H

#include "kernel/node.h"

#define TICK_MS	   10
#define REST_TICKS 10

void tick(struct node *n); /* on that node, when it is due */
/* That node rests no longer; then vtimer_expire sets the timer. Nothing, if it does not rest. */
void tick_soon(struct node *n);
void tick_event(void); /* a time that this node asked for (vtimer_ask_event); no lock held */

#endif /* KERNEL_SCHED_TICK_H */
