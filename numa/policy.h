/* SPDX-License-Identifier: MIT */
/*
 * What is done about a page that a node keeps missing on: the policy of Verghese, Devine, Gupta and
 * Rosenblum (ASPLOS 1996). One heavy user: it migrates; read by several: it is replicated;
 * write-shared: it stays. Pure: reads nothing but its arguments, and as little of them on 1024
 * nodes as on two. Builds on the host too.
 */
#ifndef NUMA_POLICY_H
#define NUMA_POLICY_H

#include "kernel/types.h"
#include "kernel/words.h"

enum policy_kind {
	POLICY_NONE,	    /* all of a VM's memory on its home node, for good */
	POLICY_FIRST_TOUCH, /* where it is used first, for good; the rest begin so, too */
	POLICY_ROUND_ROBIN, /* one page a node in turn, for good */
	POLICY_MIGRATE,
	POLICY_REPLICATE,
	POLICY_BOTH,
	POLICY_KINDS
};

/* All may be changed at any time. Misses are those of one interval; times are ms. */
struct policy {
	u32 kind;     /* enum policy_kind */
	u32 trigger;  /* misses of one node that make a page hot */
	u32 doubt;    /* the same, at least, as long as moves have not paid */
	u32 sharing;  /* misses that make a node a sharer */
	u32 write;    /* misses that wrote, from which on a shared page is not replicated */
	u32 migrate;  /* moves that are free of the hold-off */
	u32 interval; /* between clearings of the counters */
	u32 hold;     /* hold-off: what must pass after a move, doubled by each further one */
	u32 forget; /* a page that stays that long has moved one time less; what pages cost is not known any more */
	u32 limit;   /* moves of a page */
	u32 reserve; /* free pages of a node that replicas leave alone; migration leaves half */
	u32 batch;   /* pages that a node gains in a tick */
	u32 weight;  /* misses that one sampled refill stands for */
	u32 gather;  /* candidates that are looked at together; fewer wait for the fifth tick */
	u32 risk;    /* what moves may lose, permille of the time; 1000: anything (numa/ledger.h) */
	u32 stake;   /* what they may lose at once, us */
	u32 keep;    /* gains of earlier moves that are kept to pay for others, and debts, ms */
	u32 ahead;   /* what they will bring is counted on for that long, at most, ms */
};

extern const struct policy policy_default;

static inline bool policy_migrates(const struct policy *p)
{
	return p->kind == POLICY_MIGRATE || p->kind == POLICY_BOTH;
}

static inline bool policy_replicates(const struct policy *p)
{
	return p->kind == POLICY_REPLICATE || p->kind == POLICY_BOTH;
}

static inline bool policy_moves(const struct policy *p)
{
	return policy_migrates(p) || policy_replicates(p);
}

/* A page as the node that misses on it sees it. */
struct policy_page {
	bool movable;	 /* a guest's, with a VCPU on the node; not itself a replica */
	bool local;	 /* the node has the page or a replica */
	bool replicated; /* some node has a replica */
	bool back; /* it was here before its last move, and the counters don't see who has it now */
	u32 least; /* misses that make it hot now: policy_least() */
	u32 mine;  /* misses of the node */
	u32 others;   /* how many others share it */
	u32 writes;   /* misses that wrote, of all nodes */
	u32 upgrades; /* of those, first writes to lines that were read: the second miss of one use */
	u32 moves;    /* migrations and collapses so far */
	u32 age;      /* ms since the last of them; ~0: never */
	u64 free;     /* pages of the node */
};

enum policy_action { POLICY_STAY, POLICY_DO_MIGRATE, POLICY_DO_REPLICATE };

/* Why; in the order in which they are looked at. */
enum policy_reason {
	POLICY_OFF,	/* this policy moves nothing */
	POLICY_LOCAL,	/* it is here */
	POLICY_FIXED,	/* not a page that can move */
	POLICY_COLD,	/* no longer hot */
	POLICY_WRITTEN, /* write-shared */
	POLICY_SHARED,	/* shared, and the policy does not replicate */
	POLICY_PRIVATE, /* one user, and the policy does not migrate */
	POLICY_LIMIT,	/* moved too often */
	POLICY_HELD,	/* moved a short while ago */
	POLICY_MEMORY,	/* the node is short of memory */
	POLICY_POOR,	/* moves have not paid, nobody looked at it: not by policy_decide */
	POLICY_FEW,	/* too few together for a batch, while moves have not paid: nor this */
	POLICY_MOVED,	/* it is done */
	POLICY_REASONS
};

struct policy_verdict {
	enum policy_action action;
	enum policy_reason reason;
};

/* What is known of moves to a node (numa/ledger.h). */
enum policy_trust {
	POLICY_PROVEN, /* pages that came have paid */
	POLICY_DOUBT,  /* they have not */
	POLICY_GUESS   /* none has come for long: the next batch shall tell */
};

/* Misses that make a page hot, where those that cost as much as a move does now are price. */
u32 policy_least(const struct policy *p, enum policy_trust trust, u32 price);
/*
 * Candidates that have cost so many misses together are worth a batch: as many as gather pages must have cost, unless moves have paid. A batch
 * of one or two takes three times as long for each of them.
 */
bool policy_is_batch(const struct policy *p, enum policy_trust trust, u64 misses, u32 least);

struct policy_verdict policy_decide(const struct policy *p, const struct policy_page *page);
/* Its moves that are not forgotten yet. */
u32 policy_moves_counted(const struct policy *p, const struct policy_page *page);

const char *policy_name(u32 kind);
const char *policy_reason_name(enum policy_reason r);

/*
 * One word, NAME or PARAMETER=VALUE, put into *p. -EINVAL: it is neither, *p is as it was, and why
 * says what was found and what is allowed.
 */
#define POLICY_ERROR_BYTES 200
int policy_set(struct policy *p, struct word word, char why[POLICY_ERROR_BYTES]);

/* The parameters by number from 0, for whoever shows them; NULL: no more. */
const char *policy_parameter(const struct policy *p, u32 number, u32 *value);

#endif /* NUMA_POLICY_H */
