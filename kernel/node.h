/* SPDX-License-Identifier: MIT */
/*
 * One node of the machine as the monitor runs it: a processor with its run queue, timers, mailbox
 * and counters. Its memory is numa/numa.h's. Only the node itself touches its struct, but for the
 * fields marked.
 */
#ifndef KERNEL_NODE_H
#define KERNEL_NODE_H

#include "arch/mips/arch.h"
#include "kernel/nodemask.h"
#include "kernel/sched/account.h"
#include "kernel/sched/spread.h"
#include "kernel/types.h"

#ifndef MAX_NODES /* tests/sim has more */
#define MAX_NODES 16
#endif
#define NODE_VCPUS	32 /* VCPUs a node may have, */
#define NODE_VCPUS_HOME 16 /* and as many beyond, that a VM of this home is loaded by */
#define NODE_VCPUS_MAX	(NODE_VCPUS + NODE_VCPUS_HOME)
#define NODE_STACK_SIZE 16384

#define NODE_SHARES 16 /* VMs that there may be */

/* mail: what other nodes ask of this one; a bit each */
#define MAIL_SHOOTDOWN BIT(0) /* flush the TLB and say so (shootdown.c) */
#define MAIL_RESCHED   BIT(1) /* a VCPU here may have become runnable, or a VM wants service */
#define MAIL_STOP      BIT(2) /* fatal error elsewhere: stop where you are */

/* What moving pages to a node has cost it, in Count ticks. */
struct move_stats {
	u64 pages, batches;
	u64 wait, shootdown, copy, total; /* wait: for the lock of a page's range */
	u64 answers;			  /* the other nodes', who were asked by shootdowns */
};

struct node_stats {
	u64 ticks, ipis, switches, idle_ticks, shootdowns;
	u64 vcpu_moves,
		vcpu_move_ticks; /* VCPUs taken up here; Count ticks in no run queue, of all */
	struct move_stats migrated, replicated;
	struct move_stats
		given; /* back, by VMs that have no use for them; shootdowns asked for by this node */
	u64 collapsed; /* by writes of this node's VCPUs */
	u64 broken;    /* pages that were shared, by such writes, too */
	u64 mapped,
		copied; /* pages shared into guests in place of a copy, and whole or parts copied */
};

struct lock;

/* A VM as one of those that share a node. */
struct share {
	struct vm *vm;
	struct account account;	    /* among the VMs of the node */
	struct account_queue vcpus; /* the accounts of its VCPUs here */
	u32 first, nvcpus;	    /* these, in the node's vcpus */
	u32 expected;		    /* VCPUs on their way here (kernel/vm/move.h) */
};

/*
 * The flush that a node asks others for (shootdown.h). Set up by it before it asks, and as it is until
 * nobody is left in unanswered.
 */
struct flush_request {
	void (*flush)(struct node *n, const void *what);
	const void *what;
	struct nodemask unanswered; /* taken out by each, when it has flushed */
	u64 spent; /* Count ticks, by the others; added to by each, atomically, before that */
};

#define NODE_BACK_DUE (~0ul)

struct node {
	u64 stack_top; /* entry.S */
	u64 text;      /* its own copy of the monitor's, from the original; fixed after boot */
	struct node_cpu cpu;  /* arch/mips only */
	char panic_text[200]; /* reason of a fatal error, "": an exception */
	mpn_t zero;	      /* a page of its memory that is zero for ever: fixed after boot */
	u32 id;
	u32 up;			      /* set once by the node, read by all */
	u64 lock_depth;		      /* how many it holds */
	const struct lock *locks[16]; /* those, in the order of their ranks: lock.c */

	struct vcpu *current; /* the VCPU whose registers are in the processor, or NULL */
	struct vcpu *
		vcpus[NODE_VCPUS_MAX]; /* the run queue: all that are here, those of a VM together */
	u32 nvcpus, nexpected;
	struct share shares[NODE_SHARES]; /* of the VMs that have, had or expect VCPUs here */
	u32 nshares;
	struct spread_load load; /* spread.h; this node only, read by all */
	struct spread spread;
	u64 fetch_next; /* count64: when it may look for VCPUs to fetch again */
	u32 wanted_by;	/* 1 + the node that asks it for a VCPU, 0: none; any node, atomically */
	u32 hasten; /* a VCPU that others wait for (kernel/sched/hasten.c), 0: none; any node, atomically */
	u32 errands; /* about VCPUs that move (kernel/vm/move.h); any node, atomically */
	struct account_queue vms;   /* the accounts in shares */
	struct vcpu *payer;	    /* pays for the time since paid_until; NULL: who pays next */
	u64 paid_until;		    /* count64 */
	struct vcpu *preferred;	    /* gets the rest of this slice, or NULL */
	bool slice_over, gives_way; /* the current VCPU's, for the next choice */
	bool calls_gang; /* who was chosen, if it is of one, when it begins to run (direct.h) */
	bool contended;	 /* VCPUs of more than one VM are on */
	bool tick_rests; /* its ticks are far apart: tick.h */
	u64 tick_next;	 /* count64 */
	u64 event;	 /* count64: when it looks at modelled disks; 0: at no time */
	u64 back; /* count64: when it chooses again because a VCPU gave way (direct.h), or NODE_BACK_DUE; or 0 */
	u64 cap_end;  /* count64: when a VM that wants to run has not used up its cap; or 0 */
	u64 turn_end; /* count64: when it looks at its turn (turn.h), if not with the tick; or 0 */
	bool need_resched;
	u64 looks; /* around, that it has begun; by it only, atomically: kernel/vm/make.h */
	struct flush_request asks __attribute__((
		aligned(LINE_BYTES))); /* whom it asks take themselves out, atomically */
	/* any node, atomically, in a line of their own */
	u32 mail __attribute__((aligned(LINE_BYTES)));
	struct nodemask asked_by; /* nodes that wait for its flush */
	u32 unread;		  /* line_take, for both */
	/* this node only: shootdowns (struct reading, shootdown.h) */
	u64 answered __attribute__((aligned(LINE_BYTES)));
	struct node_stats stats;
} __attribute__((aligned(128)));

extern struct node *nodes[MAX_NODES]; /* fixed after boot; each in its own node's memory */
extern unsigned nnodes;

/* Makes the struct, stack and memmap of a node in its own memory. Boot only. */
void node_create(u32 id);
void node_start_others(void);

/* Puts mail into the node's box and interrupts it, unless it is this one: that looks on its way to
 * a guest. */
void node_post(struct node *n, u32 mail);
void node_read_mail(struct node *n);
/* Interrupts what the node's processor does, if it is another's: without mail, a way into the monitor
 * and back. */
void node_kick(struct node *n);
/* Makes the node look at its VMs and VCPUs before it enters a guest again; any node's. */
void node_resched(struct node *n);

/*
 * In each turn of a loop that waits for another node: after a panic this node stops here, since the other
 * may never come.
 */
void node_heed_stop(const struct node *n);

#endif /* KERNEL_NODE_H */
