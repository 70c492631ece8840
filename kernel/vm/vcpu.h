/* SPDX-License-Identifier: MIT */
/*
 * A virtual processor. Is on one node, which alone touches it; others reach it by vcpu_start,
 * vcpu_post_irq, vcpu_move (move.h) and by mail to the node.
 *
 *   state      in the processor   on the run queue   leaves it by (who)
 *   OFFLINE    no                 skipped            vcpu_start (any node): CLAIMED
 *                                                    VCPU 0, its VM LOADING or RELEASING (its node): BUSY
 *   CLAIMED    no                 skipped            boot is filled in (who claimed it): STARTING
 *   STARTING   no                 skipped            vcpu_serve_start (its node): READY
 *   MOVING     no                 in none            it arrives on another node (that node): READY, WAITING
 *   BUSY       no                 yes, for vm_work   the work is done (its node): OFFLINE
 *   READY      no                 yes                being picked: RUNNING
 *                                                    another node is to have it: MOVING
 *                                                    its VM ends, the guest stops it: OFFLINE
 *   RUNNING    yes                yes                end of slice: READY; WAIT: WAITING
 *                                                    its VM ends, the guest stops it: OFFLINE
 *   WAITING    may be, idle       skipped            an enabled interrupt is pending: READY
 *                                                    another node is to have it: MOVING
 *                                                    its VM ends: OFFLINE
 *
 * vcpu_change knows this table and panics at anything else; vcpu_start alone claims. At most one VCPU
 * of a node is RUNNING: node->current.
 */
#ifndef KERNEL_VM_VCPU_H
#define KERNEL_VM_VCPU_H

#include "arch/mips/arch.h"
#include "kernel/abi/disco.h"
#include "kernel/node.h"
#include "kernel/reloc/reloc.h"
#include "kernel/sched/affinity.h"

enum vcpu_state {
	VCPU_OFFLINE,
	VCPU_CLAIMED,
	VCPU_STARTING,
	VCPU_MOVING,
	VCPU_BUSY,
	VCPU_READY, /* from here on it holds state of a guest that runs */
	VCPU_RUNNING,
	VCPU_WAITING,
	VCPU_STATES
};

/* Registers that a VCPU starts with. */
struct vcpu_boot {
	u64 pc, a0, a1, gp, sp;
};

struct vcpu_stats {
	u64 exits[32];		    /* entries to the monitor, by ExcCode */
	u64 privileged;		    /* instructions emulated, hypercalls too */
	u64 hypercalls;		    /* monitor calls, those without a meaning too */
	u64 calls[DISCO_HC_COUNT_]; /* of these, by number */
	u64 interrupts;		    /* of the machine */
	u64 injected;		    /* exceptions and interrupts delivered to the guest */
	u64 switches;		    /* times it was given the processor */
	u64 charged;	  /* TLB misses on remote pages that injected delays were charged for */
	u64 charged_ns;	  /* these */
	u64 run_ticks;	  /* Count ticks that were charged to it */
	u64 waited_ticks; /* READY, for a processor */
	u64 moves;	  /* to another node */
	u64 late_flushes; /* times it had to flush before it went on */
	struct rewrite_stats rewrite;
};

/* What it has in the memory of the node that it is on, for its translations (move.h). */
struct seat {
	struct l2tlb *l2tlb;
	u64 *asid_map;
	mpn_t pages; /* of nodemem_keep; MPN_NONE: of boot */
};

struct vcpu {
	struct vcpu_arch arch; /* first: entry.S */
	struct vm *vm;	       /* fixed, like id */
	/*
	 * Where it is. Who writes it has taken it up, before it sets the state: so who wants both reads the state first.
	 */
	struct node *node;
	u32 id;	  /* in its VM, from 0 */
	u32 move; /* enum move_step and target; any node, atomically, as move.h says who may */
	u32 looked_at; /* of its VM, when it looked last; its node, as `looked` (kernel/sched/direct.h) */
	u64 looked; /* count64 of then */
	u32 state;  /* enum vcpu_state; its node, but for OFFLINE to STARTING; by vcpu_change() */
	struct vcpu_boot boot;	  /* whoever has it CLAIMED */
	struct share *share;	  /* its VM's on its node */
	struct affinity affinity; /* where its memory is; its node (spread=1) */
	struct account account;	  /* within the share */
	u64 ready_since; /* count64, when it last became READY, or left the processor to wait */
	/* of moves */
	struct node *place; /* where the description or `move` wants it; node 0 */
	u32 own_node;	    /* whose memory own_seat is in; fixed, like it */
	struct seat own_seat, seat,
		next_seat;	  /* where it was made; where it is; of the target of a move */
	enum vcpu_state moved_as; /* MOVING: what it was */
	u64 move_began, came;	  /* count64: when it last left a node; when it came to this one */
	struct vcpu_stats stats;
};

static inline enum vcpu_state vcpu_state(const struct vcpu *v)
{
	return __atomic_load_n(&v->state, __ATOMIC_ACQUIRE);
}
void vcpu_change(struct vcpu *v, enum vcpu_state to); /* as the table above says who may */

/*
 * Starts an OFFLINE VCPU with the given registers; from any node, for a VM that does not end before
 * the call does. Interrupts posted from then on reach it. -EBUSY: it is not OFFLINE; of several
 * that try at once, one starts it.
 */
int vcpu_start(struct vcpu *v, const struct vcpu_boot *boot);
/* Makes a STARTING VCPU READY; on its own node, which was sent MAIL_RESCHED. */
void vcpu_serve_start(struct vcpu *v);

/*
 * The VM's lag is the VCPU's, who is on this node and not in the processor: what its clock has stood still for is
 * added to what it waits for. Nothing while the clock stands.
 */
void vcpu_catch_up(struct vcpu *v);

/*
 * Raises an interrupt line (Cause.IP number) of v; from any node. v's node hears of it only if that
 * changes something there:
 *
 *   the line is up already              nothing: who raised it has done what follows
 *   its IM does not let it through      nothing: v finds the line when it sets IM
 *   WAITING                             the node is asked to look, and wakes v
 *   RUNNING on another node             an interrupt of that processor, no mail: v takes it on its way back
 *   RUNNING here                        nothing: v takes it on its way back
 *   anything else, MOVING among it      nothing: v finds the line when it runs
 *
 * State and IM on one side and lines on the other are written in the opposite order of which they are read
 * here and by v's node, with a fence between (sched.c, vcp0.c): one of the two sees what the other has done.
 */
void vcpu_post_irq(struct vcpu *v, unsigned line);
/*
 * Takes the line down. What its owner reads afterwards is no older: who posts the line once more and finds it up still has
 * written before what is read then.
 */
void vcpu_clear_irq(struct vcpu *v, unsigned line);

/* of these: TLB exceptions that the L2TLB could not serve */
u64 vcpu_tlb_exits(const struct vcpu *v);
u64 vcpu_exits(const struct vcpu *v); /* all entries to the monitor */
const char *vcpu_state_name(enum vcpu_state s);

#endif /* KERNEL_VM_VCPU_H */
