/* SPDX-License-Identifier: MIT */
/*
 * Yields, and whom they help. Pure.
 *
 * Who gives way waits for something short. If a VCPU of another VM runs in its place, the node chooses again after DIRECT_BACK, and so on until who gave
 * way has run or the slice ends: by the accounts, so that it has what is left of its part. For the rest of the slice, a VM whose VCPUs pass a lock on to
 * each other would have it for a moment in each slice, beside a VM that computes a fiftieth of its part (tests/unit/sched/test_direct.c).
 *
 * Directed yield: whoever waits for another VCPU of its VM says so by YIELD, and what it waits for may be held by one that waits for a
 * processor itself, behind other VMs. That one goes first there, if its VM has not had more than its part.
 *
 *   who                         does
 *   a VCPU that yields          looks at one other VCPU of its VM, the next in turn, unless it has done so within DIRECT_LOOK. If that waits for the
 *                               processor of another node, was in its kernel (a lock is held there), and has waited for DIRECT_WAIT: asks that node
 *   that node, when it looks    the VCPU is READY there, and its VM is not ahead of those there by more than ACCOUNT_CREDIT:
 *     around next               it has the rest of the slice (node->preferred), which its VM pays
 *   a gang's VCPU (`gang` in    looks at all others of its VM, and asks for each
 *     the description) that
 *     begins to run in its turn
 *
 * Not one that was asked for itself, since who asked has asked for all; nor one that fills in for who gave way, since that comes back after DIRECT_BACK. If
 * these called their gangs too, each yield of one VCPU would have all processors go over to another VM, and back: four gangs of eight VCPUs that pass
 * locks on would get less done than without gangs (tests/unit/sched/test_direct.c).
 *
 * What it looks at are lines of memory that the other node writes, and loops that spin yield every few microseconds: hence DIRECT_LOOK, of which there are
 * several in DIRECT_WAIT, since nobody is asked for sooner.
 *
 * So nobody's part changes, only when it is had: by ACCOUNT_CREDIT at most earlier than in turn. A VCPU of the own node needs nothing: who gives
 * way lets it run anyway.
 */
#ifndef KERNEL_SCHED_DIRECT_H
#define KERNEL_SCHED_DIRECT_H

#include "kernel/sched/account.h"

#define DIRECT_WAIT (ACCOUNT_TICKS_MS / 5)
#define DIRECT_BACK (ACCOUNT_TICKS_MS / 5)
#define DIRECT_LOOK (DIRECT_WAIT / 8)

/* What is seen of another VCPU of the VM, of a moment. */
struct direct_look {
	bool waits;  /* READY, on another node */
	bool kernel; /* it was in its kernel */
	u64 waited;  /* Count ticks */
};

/* The VCPU of n to look at, after that one; never self, unless there is no other. */
u32 direct_next(u32 last, u32 self, u32 n);
/* Whether it is time to look at one; both are times of the same clock, looked: of the last look. */
bool direct_looks(u64 now, u64 looked);
bool direct_asks(struct direct_look other, bool gang);
/* Whether a VCPU of a gang that begins to run asks for the others. in_turn: it was chosen by the accounts; fills_in: for who gave way. */
bool direct_calls_gang(bool in_turn, bool fills_in);
/* A VM's account among those of the node. */
bool direct_may_run(const struct account *vm, const struct account_queue *q);

/*
 * Whether the node chooses again after DIRECT_BACK, when it has chosen. gave_way: who ran did; again: that was so when it chose last, and the slice goes on;
 * same: who ran goes on.
 */
bool direct_comes_back(bool gave_way, bool again, bool same);

#endif /* KERNEL_SCHED_DIRECT_H */
