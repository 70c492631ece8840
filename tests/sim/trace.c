/* SPDX-License-Identifier: MIT */
/* The workloads. Pages of set k are the set's of active node k. */
#include <math.h>
#include <stdlib.h>
#include "tests/sim/sim.h"

#define SET    32u  /* pages of a node's own set */
#define SHARED 64u  /* pages that all use */
#define LARGE  128u /* a set that takes longer than a tick to go through */
#define ZIPF   256u

u32 active = NODES;

u32 active_node(u32 k) { return (u32)((u64)k * NODES / active); }

static u32 index_of(u32 node) { return (u32)(((u64)node * active + NODES - 1) / NODES); }

static bool percent(u64 *random, u32 n) { return random_below(random, 100) < n; }

/* ---- private: each has its own pages, which lie on another's node ---- */

static u32 sets(void) { return active * SET; }

static u32 home_elsewhere(u32 page)
{
	return active_node((page / SET + (active + 1) / 2) % active);
}

static struct event next_private(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 page = index_of(node) * SET + random_below(random, SET);

	(void)phase;
	(void)i;
	return (struct event){ page, percent(random, 30) };
}

/* ---- phases: the sets go round; each is right at first ---- */

static u32 home_own(u32 page) { return active_node(page / SET); }

static struct event next_phase(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 set = (index_of(node) + phase) % active;

	(void)i;
	return (struct event){ set * SET + random_below(random, SET), percent(random, 30) };
}

/* ---- read-shared and write-shared: all use all ---- */

static u32 shared(void) { return SHARED; }

static u32 home_round_robin(u32 page) { return active_node(page % active); }

static struct event next_read(u32 node, u32 phase, u32 i, u64 *random)
{
	(void)node;
	(void)phase;
	(void)i;
	return (struct event){ random_below(random, SHARED), false };
}

static struct event next_write(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 page = random_below(random, SHARED);

	(void)node;
	(void)phase;
	(void)i;
	return (struct event){ page, percent(random, 30) };
}

/* ---- producer and consumer: in pairs, bursts of 64 writes, then of 64 reads; at the producer's
 * ---- */

#define BURST 64

static u32 pair_sets(void) { return (active + 1) / 2 * SET; }

static u32 home_producer(u32 page) { return active_node(page / SET * 2); }

static struct event next_pair(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 k = index_of(node), set = k / 2 * SET, burst = i / BURST;

	(void)phase;
	(void)random;
	if (k % 2) /* one page behind */
		return (struct event){ set + (burst + SET - 1) % SET, false };
	return (struct event){ set + burst % SET, true };
}

/* ---- ping-pong: two take turns at the same pages, for just longer than makes a page hot ---- */

static u32 large_sets(void) { return active * LARGE; }

static u32 home_large(u32 page) { return active_node(page / LARGE); }

static struct event next_turn(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 set = index_of(node) ^ (phase & 1);

	(void)i;
	if (set >= active)
		set = index_of(node);
	return (struct event){ set * LARGE + random_below(random, LARGE), percent(random, 30) };
}

/* ---- skewed: own pages and shared ones, few of them often; the shared ones seldom written ---- */

static u32 zipf_pages(void) { return (active + 1) * ZIPF; }

static u32 zipf(u64 *random)
{
	static double below[ZIPF];
	double x;
	u32 low = 0, high = ZIPF - 1;

	if (!below[0]) {
		for (u32 i = 0; i < ZIPF; i++)
			below[i] = (i ? below[i - 1] : 0) + 1.0 / (i + 1);
	}
	x = below[ZIPF - 1] * random_below(random, 1u << 30) / (1u << 30);
	while (low < high) {
		u32 middle = (low + high) / 2;

		if (x < below[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static struct event next_zipf(u32 node, u32 phase, u32 i, u64 *random)
{
	(void)phase;
	(void)i;
	if (percent(random, 70))
		return (struct event){ index_of(node) * ZIPF + zipf(random), percent(random, 20) };
	return (struct event){ active * ZIPF + zipf(random), !random_below(random, 100000) };
}

const struct trace traces[] = {
	{ "private", 1, 1, sets, home_elsewhere, next_private },
	{ "read-shared", 1, 1, shared, home_round_robin, next_read },
	{ "producer-consumer", 1, 1, pair_sets, home_producer, next_pair },
	{ "write-shared", 1, 1, shared, home_round_robin, next_write },
	{ "phases", 4, 1, sets, home_own, next_phase },
	{ "ping-pong", 40, 40, large_sets, home_large, next_turn },
	{ "skewed", 1, 1, zipf_pages, home_round_robin, next_zipf },
};
const u32 ntraces = ARRAY_SIZE(traces);
