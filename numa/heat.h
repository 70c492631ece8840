/* SPDX-License-Identifier: MIT */
/*
 * Heat: how often each node misses on each machine page. Two sources, one interface:
 *
 *   MAGIC    the timing model's counters (numa/magic.h): every miss, local ones too
 *   samples  TLB refills for remote pages, which whoever charges them reports: heat_sample
 *
 * A page that a node has missed on trigger times within an interval is put into that node's ring of
 * candidates, and again after as many more. Counters are cleared at the end of the interval, but
 * nobody goes over all pages for that: a page is found stale when it is touched next. Work for an
 * event is the same for any number of nodes and pages. Nodes count without locks: they may lose
 * some of each other's counts, and never invent any. Builds on the host too.
 */
#ifndef NUMA_HEAT_H
#define NUMA_HEAT_H

#include "kernel/types.h"

struct magic;

/* What a node sees of a page. Counts are of this interval. */
struct heat {
	u32 mine, writes; /* misses of the node; misses that wrote, of all nodes */
	u32 upgrades;	  /* of those, first writes to lines that were read; samples show none */
	u32 others;	  /* how many other nodes are sharers */
	u32 age;	  /* ms since the page last moved; ~0: never */
	bool back;	  /* it was on this node before, and local misses are not counted */
};

/* ---- boot: one of the two, before any heat_init_node; neither: no counters ---- */
void heat_use_magic(struct magic *m);
/* everything: heat_sample is told of local pages too. */
void heat_use_samples(bool everything);

enum heat_source { HEAT_NONE, HEAT_MAGIC, HEAT_SAMPLES };
enum heat_source heat_source(void);
bool heat_sees_local(void); /* misses of a node on its own pages are counted too */

/* A node's pages; storage: heat_bytes(npages), zero, aligned to 8. Boot only. */
void heat_init_node(u32 node, mpn_t first, u32 npages, void *storage);
size_t heat_bytes(u32 npages);

/* ---- thresholds; node 0 ---- */
#define HEAT_NEVER (~0u) /* a trigger that no count reaches */
/* weight: misses a sample stands for; interval in ms. */
void heat_set(u32 trigger, u32 sharing, u32 weight, u32 interval);
void heat_clock(u64 now); /* ms; called at least once an interval */

/* ---- counting ---- */
/* The node had a refill for the page; write: to store. By the node itself. */
void heat_sample(u32 node, mpn_t mpn, bool write);
/* The next candidate of the node; false: none. By the node itself. Any page number may come. */
bool heat_next(u32 node, mpn_t *mpn);
u32 heat_waiting(u32 node);	  /* candidates of the node that there are */
mpn_t heat_peek(u32 node, u32 i); /* the i-th of these, from 0 */
u32 heat_drop(
	u32 node); /* all candidates of the node that there are; how many. By the node itself. */
u64 heat_lost(u32 node); /* candidates that found the ring full */
struct heat heat_read(u32 node, mpn_t mpn);
u32 heat_count(u32 node, mpn_t mpn); /* mine of the page alone */
u32 heat_all(mpn_t mpn, u32 nodes);  /* misses of all nodes, in this interval */

/* ---- what became of pages ---- */
/* The counts of the page start afresh, whatever is left of the interval. */
void heat_clear(mpn_t mpn);
/* A guest page has another machine page; or lost its replicas: from may be to. */
void heat_moved(mpn_t from, mpn_t to);
/* The machine page has a new use: its counts and its past are not the new owner's. */
void heat_forget(mpn_t mpn);

#endif /* NUMA_HEAT_H */
