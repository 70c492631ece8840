/* SPDX-License-Identifier: MIT */
/*
 * A virtual processor. Lives on one node, which alone touches it; others reach it by vcpu_post_irq
 * and by mail to the node.
 *
 *   state      in the processor   on the run queue   leaves it by
 *   OFFLINE    no                 skipped            vcpu_start
 *   READY      no                 yes                being picked: RUNNING
 *   RUNNING    yes                yes                end of slice: READY; WAIT: WAITING
 *   WAITING    may be, idle       skipped            an enabled interrupt is pending: READY
 *
 * The end of its VM makes any of them OFFLINE. At most one VCPU of a node is RUNNING:
 * node->current.
 */
#ifndef KERNEL_VCPU_H
#define KERNEL_VCPU_H

#include "arch/mips/arch.h"
#include "kernel/node.h"

enum vcpu_state { VCPU_OFFLINE, VCPU_READY, VCPU_RUNNING, VCPU_WAITING };

struct vcpu_stats {
	u64 exits[32];	/* entries to the monitor, by ExcCode */
	u64 privileged; /* instructions emulated, hypercalls too */
	u64 hypercalls;
	u64 interrupts; /* of the machine */
	u64 injected;	/* exceptions and interrupts delivered to the guest */
	u64 switches;	/* times it was given the processor */
	u64 run_ticks;	/* Count ticks in the processor, until its last look at the scheduler */
};

struct vcpu {
	struct vcpu_arch arch; /* first: entry.S */
	struct vm *vm;	       /* fixed, like node and id */
	struct node *node;
	u32 id;		       /* in its VM, from 0 */
	enum vcpu_state state; /* node only */
	u64 ready_since;       /* count64, when it last became READY */
	u64 switched_in;       /* count64, when it was last entered by the scheduler */
	struct vcpu_stats stats;
};

/* Makes an OFFLINE VCPU READY at pc with the given registers; on its own node. */
void vcpu_start(struct vcpu *v, u64 pc, u64 a0, u64 a1);

/* Raises an interrupt line (Cause.IP number) of v; from any node. */
void vcpu_post_irq(struct vcpu *v, unsigned line);
void vcpu_clear_irq(struct vcpu *v, unsigned line);

u64 vcpu_tlb_exits(const struct vcpu *v); /* of these: TLB exceptions that the L2TLB could not serve
					   */
u64 vcpu_exits(const struct vcpu *v);	  /* all entries to the monitor */
const char *vcpu_state_name(enum vcpu_state s);

#endif /* KERNEL_VCPU_H */
