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

/* ---- passes: one over each page of a large set, line by line, and then the next node's set: radix's keys,
 * ---- FFT's transposes. Nothing is used twice ---- */

#define LINES	 32u
#define PASS_SET 512u

static u32 pass_sets(void) { return active * PASS_SET; }

static u32 home_first(u32 page)
{
	(void)page;
	return active_node(0);
}

static struct event next_pass(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 set = (index_of(node) + phase + i / (PASS_SET * LINES)) % active;

	return (struct event){ set * PASS_SET + i / LINES % PASS_SET, percent(random, 50) };
}

/* ---- scatter: all write somewhere in all sets ---- */

static struct event next_scatter(u32 node, u32 phase, u32 i, u64 *random)
{
	(void)node;
	(void)phase;
	(void)i;
	return (struct event){ random_below(random, pass_sets()), true };
}

/* ---- short: some pages at a time, for long enough to have them moved, and then never again ---- */

#define SHORT_PAGES  8u
#define SHORT_MISSES 96u
#define SHORT_SET    4096u

static u32 short_sets(void) { return active * SHORT_SET; }

static u32 home_short(u32 page) { return active_node((page / SHORT_SET + 1) % active); }

static struct event next_short(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 first = i / (SHORT_PAGES * SHORT_MISSES) * SHORT_PAGES % SHORT_SET;

	(void)phase;
	return (struct event){ index_of(node) * SHORT_SET + first +
				       random_below(random, SHORT_PAGES),
			       percent(random, 30) };
}

/* ---- read, then written: all read for a while, then one writes each page, and so on ---- */

#define READ_MISSES 8192u /* 128 of each page */

static struct event next_read_written(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 in_turn = i % (READ_MISSES + SHARED), turn = i / (READ_MISSES + SHARED);

	(void)phase;
	if (in_turn < READ_MISSES)
		return (struct event){ random_below(random, SHARED), false };
	return (struct event){ in_turn - READ_MISSES, turn % active == index_of(node) };
}

/* ---- begun by one: the first node writes all, then each has its own ---- */

static struct event next_begun(u32 node, u32 phase, u32 i, u64 *random)
{
	if (!phase && index_of(node))
		return (struct event){ active * SET + index_of(node), false };
	if (!phase)
		return (struct event){ i / LINES % (active * SET), true };
	return (struct event){ index_of(node) * SET + random_below(random, SET),
			       percent(random, 30) };
}

static u32 begun_sets(void) { return active * SET + active; }

static u32 home_begun(u32 page)
{
	return page < active * SET ? active_node(0) : active_node(page - active * SET);
}

/* ---- engine: the same, with as much for each as takes long to move ---- */

#define ENGINE 384u

static u32 engine_sets(void) { return active * ENGINE; }

static struct event next_engine(u32 node, u32 phase, u32 i, u64 *random)
{
	(void)phase;
	(void)i;
	return (struct event){ index_of(node) * ENGINE + random_below(random, ENGINE),
			       percent(random, 30) };
}

/* ---- spite: pages of another node until they come here, then others ---- */

static u32 spite_at[NODES];

static struct event next_spite(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 *at = &spite_at[node];

	(void)phase;
	if (!i)
		*at = 0;
	for (u32 tries = 0; tries < LARGE * active; tries++) {
		u32 page = (index_of(node) * LARGE + *at + LARGE) % large_sets();

		if (!machine_is_local(node, page))
			return (struct event){ page + random_below(random, 4) %
							       (LARGE - page % LARGE),
					       percent(random, 30) };
		++*at;
	}
	return (struct event){ random_below(random, large_sets()), false };
}

/* ---- tug: two nodes, each after a page that the other has; who gets it stops ---- */

static struct event next_tug(u32 node, u32 phase, u32 i, u64 *random)
{
	u32 set = (index_of(node) & ~1u) * LARGE, page = set;

	(void)phase, (void)i;
	for (u32 tries = 0; tries < 16; tries++) {
		page = set + random_below(random, LARGE);
		if (!machine_is_local(node, page))
			break;
	}
	return (struct event){ page, percent(random, 30) };
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
	{ "private", 1, 1, sets, home_elsewhere, next_private, false },
	{ "read-shared", 1, 1, shared, home_round_robin, next_read, false },
	{ "producer-consumer", 1, 1, pair_sets, home_producer, next_pair, false },
	{ "write-shared", 1, 1, shared, home_round_robin, next_write, false },
	{ "begun-by-one", 2, 1, begun_sets, home_begun, next_begun, false },
	{ "engine", 1, 1, engine_sets, home_first, next_engine, false },
	{ "phases", 4, 1, sets, home_own, next_phase, false },
	{ "ping-pong", 40, 40, large_sets, home_large, next_turn, false },
	{ "skewed", 1, 1, zipf_pages, home_round_robin, next_zipf, false },
	{ "passes", 1, 1, pass_sets, home_first, next_pass, false },
	{ "scatter", 1, 1, pass_sets, home_first, next_scatter, false },
	{ "short", 1, 1, short_sets, home_short, next_short, false },
	{ "read-written", 1, 1, shared, home_round_robin, next_read_written, false },
	{ "spite", 1, 1, large_sets, home_large, next_spite, true },
	{ "tug", 1, 1, large_sets, home_large, next_tug, true },
};
const u32 ntraces = ARRAY_SIZE(traces);
