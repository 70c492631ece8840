/* SPDX-License-Identifier: MIT */
/*
 * Scheduling: of the VCPUs of a node that can run, one of the VM that has had the least of the node
 * so far, by account.h; a slice ends with the node's tick. Everything here is the calling node's own
 * business; there is no lock.
 *
 * With spread=1 it is the VM that has had the least of the whole machine: its accounts on all nodes have one virtual
 * time, vm->virtual_time. What a VM has had on one node counts on the others, and VCPUs go to nodes where others have had more (spread.h).
 * A VM that has slept is raised to ACCOUNT_CREDIT below the floor of the node where it wakes; whoever wants to run all the time keeps what
 * it is behind, up to SPREAD_FORGET.
 *
 *   the node's time                                        is paid by
 *   from a trap to the guest's next instruction            the VCPU that trapped
 *   from a trap to the decision to enter another           the VCPU that trapped
 *   from there on, and from an interrupt on                the VCPU that is entered
 *   loading a VM, giving its memory back                   its VCPU 0, BUSY
 *   work of a VM's devices                                 its VCPU 0; if that is elsewhere, the VM's
 *                                                          account on the node alone
 *   the tick's own work, idling, moves of VCPUs            nobody
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include "kernel/node.h"

_Noreturn void sched_start(struct node *n); /* the node's first step into its loop */
/* Leaves the current VCPU (whose state says whether it can go on) and enters the next, or idles
 * until there is one. */
_Noreturn void sched_switch(struct node *n);

/* ---- who is here; of the calling node, but at boot ---- */
void sched_add(struct vcpu *v); /* to its node's run queue, with those of its VM */
/* It does not run, but may be the one that did: its registers are in the processor no longer. */
void sched_put_off(struct vcpu *v);
void sched_remove(struct vcpu *v);			  /* from the run queue, after that */
struct share *sched_share(struct node *n, struct vm *vm); /* made if there is none */
/* The VM is to be loaded, on n: it has had no less than those there. With spread=1. */
void sched_welcome(const struct node *n, struct vm *vm);
void sched_weigh(struct node *n); /* VMs' weights and caps as they are now; with the tick */

/* ---- of the VCPU that runs ---- */
void sched_give_way(struct vcpu *v); /* others of its node go first, next time the node chooses */
void sched_prefer(struct vcpu *v);   /* v goes first within this slice, if it is of this node */
void sched_slice_over(struct node *n);

/* ---- who pays ---- */
void sched_pay(struct node *n, struct vcpu *v); /* v, from now on; NULL: whoever pays next */
/*
 * Whether the monitor may go on working for the VM's devices: nobody else of the node wants to run, or nobody who has
 * had less by more than ACCOUNT_SLICE_OVER. If not, others run first.
 */
bool sched_may_work(struct node *n, struct vm *vm);
/* The VM, which has no VCPU 0 here, for the time since the last payment, for which nobody pays yet. */
void sched_charge(struct node *n, struct vm *vm);
void sched_waive(struct node *n);	/* nobody, for the time since the last payment */
void sched_interrupted(struct node *n); /* the current VCPU, by what is not its doing */
void sched_resume(struct node *n);	/* and goes on */

#endif /* KERNEL_SCHED_SCHED_H */
