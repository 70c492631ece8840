/* SPDX-License-Identifier: MIT */
/*
 * Scheduling: of the VCPUs of a node that can run, one of the VM that has had the least of the node
 * so far, by account.h; a slice ends with the node's tick. Everything here is the calling node's own
 * business; there is no lock.
 *
 *   the node's time                                        is paid by
 *   from a trap to the guest's next instruction            the VCPU that trapped
 *   from a trap to the decision to enter another           the VCPU that trapped
 *   from there on, and from an interrupt on                the VCPU that is entered
 *   loading a VM, giving its memory back                   its VCPU 0, BUSY
 *   the tick's own work, idling                            nobody
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "kernel/node.h"

_Noreturn void sched_start(struct node *n); /* the node's first step into its loop */
/* Leaves the current VCPU (whose state says whether it can go on) and enters the next, or idles
 * until there is one. */
_Noreturn void sched_switch(struct node *n);
void sched_add(struct vcpu *v); /* to its node's run queue, all of a VM in one go; boot only */

/* ---- of the VCPU that runs ---- */
void sched_give_way(struct vcpu *v); /* others of its node go first, next time the node chooses */
void sched_prefer(struct vcpu *v);   /* v goes first within this slice, if it is of this node */
void sched_slice_over(struct node *n);

/* ---- who pays ---- */
void sched_pay(struct node *n, struct vcpu *v); /* v, from now on; NULL: whoever pays next */
void sched_waive(struct node *n);		/* nobody, for the time since the last payment */
void sched_interrupted(struct node *n);		/* the current VCPU, by what is not its doing */
void sched_resume(struct node *n);		/* and goes on */

#endif /* KERNEL_SCHED_SCHED_H */
