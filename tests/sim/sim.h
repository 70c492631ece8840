/* SPDX-License-Identifier: MIT */
/*
 * A machine of MAX_NODES nodes that consists of cache misses only: the monitor's own policy.c,
 * heat.c and memmap.c decide where pages go, everything around them is played here. Times are ns of
 * a node's own clock.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "kernel/node.h"
#include "numa/policy.h"

#define NODES MAX_NODES

/* What things take: the paper's memory, the bound for a move at 400 MHz. */
#define LOCAL_NS    300u
#define REMOTE_NS   900u
#define MOVE_NS	    50000u
#define COLLAPSE_NS 20000u
#define LOOK_NS	    1250u /* at a candidate: a line of counters */
#define COMPUTE_NS  200u  /* between two misses */

struct event {
	u32 page; /* guest page */
	bool write;
};

/* A workload: what each node misses on, the same whenever it is asked. */
struct trace {
	const char *name;
	u32 phases;	/* of events_per_phase each; what is best is found for each phase */
	u32 phase_part; /* a phase has 1/phase_part of the events asked for */
	u32 (*npages)(void);
	u32 (*home)(u32 page); /* where the page is at first */
	struct event (*next)(u32 node, u32 phase, u32 i, u64 *random);
	bool adversary; /* looks where pages are: there is no best to compare with */
};

extern const struct trace traces[];
extern const u32 ntraces;

extern u32 active; /* that many nodes, evenly spread, run the trace */
u32 active_node(u32 k);

static inline u32 random_below(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)((*state >> 33) * n >> 31);
}

/* ---- machine.c ---- */
enum source { SEES_ALL, SEES_SAMPLES };

struct totals {
	u64 ns;	       /* stalls and moves, of all nodes */
	u64 static_ns; /* what the same misses had cost with all pages where they were at first */
	u64 misses, local; /* of these, local ones */
	u64 migrated, replicated, collapsed, looks;
};

/* Steps of the monitor's code, in basic blocks of it. */
struct steps {
	u64 calls, all, most;
};
extern struct steps steps_sample, steps_candidate, steps_move;

/* pages: of guest memory; room: more of each node, for replicas. */
void machine_create(u32 pages, u32 room, u32 (*home)(u32 page), enum source source,
		    const struct policy *p);
void machine_destroy(void);
void machine_time(u64 ms);
bool machine_is_local(u32 node, u32 page);  /* to read, at least */
u32 machine_miss(u32 node, struct event e); /* returns ns */
u32 machine_tick(u32 node);		    /* the node's moves; returns ns */
extern struct totals totals;

/* ---- best.c ---- */
struct bounds {
	u64 best_ns;   /* best home or replicas for each phase, moves included, with hindsight */
	u64 static_ns; /* pages stay where they are at first */
	u64 static_local, misses;
};
struct bounds find_bounds(const struct trace *t, u32 events);

#endif /* TESTS_SIM_SIM_H */
