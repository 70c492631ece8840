/* SPDX-License-Identifier: MIT */
/*
 * Scheduling: round robin over the VCPUs of a node, time slices of one tick while more than one
 * wants to run. Everything here is the calling node's own business; there is no lock.
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "kernel/node.h"

_Noreturn void sched_start(struct node *n); /* the node's first step into its loop */
/* Leaves the current VCPU (whose state says whether it can go on) and enters the next, or idles
 * until there is one. */
_Noreturn void sched_switch(struct node *n);
void sched_prefer(struct vcpu *v); /* looked at first when this node next chooses, if it is v's */
void sched_add(struct vcpu *v);	   /* to its node's run queue; boot only */

#endif /* KERNEL_SCHED_SCHED_H */
