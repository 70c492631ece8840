/* SPDX-License-Identifier: MIT */
/*
 * What a trace costs at least, with hindsight: for each page the cheapest sequence of homes over
 * the phases, and in each phase replicas where they pay. A replica outlives its phase if nobody
 * writes; each write costs every replica.
 */
#include <stdlib.h>
#include <string.h>
#include "tests/sim/sim.h"
#include "tests/sim/table.h"

struct use { /* of a page by a node in a phase */
	u32 page, phase, node;
	u64 misses, writes;
};

static struct use *uses;
static u64 nuses;

static int compare(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->page != y->page)
		return x->page < y->page ? -1 : 1;
	if (x->phase != y->phase)
		return x->phase < y->phase ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static void add_events(struct table *counts, const struct trace *t, u32 k, u32 events)
{
	u64 random = k + 1;
	u32 node = active_node(k);

	for (u32 phase = 0; phase < t->phases; phase++) {
		for (u32 i = 0; i < events / t->phase_part; i++) {
			struct event e = t->next(node, phase, i, &random);
			u64 key = ((u64)e.page * t->phases + phase) * NODES + node + 1;

			*table_put(counts, key) += 1 + ((u64)e.write << 32);
		}
	}
}

/* Counts the whole trace into uses, sorted by page, phase, node. */
static void count_uses(const struct trace *t, u32 events)
{
	struct table counts;

	table_create(&counts);
	for (u32 k = 0; k < active; k++)
		add_events(&counts, t, k, events);
	uses = malloc(counts.used * sizeof(*uses));
	nuses = 0;
	for (u64 i = 0; i < counts.size; i++) {
		u64 key = counts.entry[i].key - 1, value = counts.entry[i].value;

		if (counts.entry[i].key)
			uses[nuses++] = (struct use){ .page = (u32)(key / NODES / t->phases),
						      .phase = key / NODES % t->phases,
						      .node = key % NODES,
						      .misses = value & ~0u,
						      .writes = value >> 32 };
	}
	table_destroy(&counts);
	qsort(uses, nuses, sizeof(*uses), compare);
}

/* ---- one page ---- */

static u64 cheapest[NODES]; /* up to this phase, with the page on that node at its end */
static bool held[NODES];    /* has a replica that nobody has written since */

/* What the node pays in the phase if the page's home is elsewhere. */
static u64 away(const struct use *u, u64 writes)
{
	u64 remote = u->misses * REMOTE_NS;
	u64 copies = writes + !held[u->node], replica = copies * MOVE_NS + u->misses * LOCAL_NS;

	held[u->node] = !writes && replica < remote;
	return MIN(remote, replica);
}

/* The phase's uses are [from, to). */
static void add_phase(const struct use *from, const struct use *to)
{
	u64 sum = 0, writes = 0, least = ~0ull;

	for (const struct use *u = from; u < to; u++)
		writes += u->writes;
	for (u32 n = 0; n < NODES; n++)
		least = MIN(least, cheapest[n]);
	for (u32 n = 0; writes && n < NODES; n++)
		held[n] = false;
	for (u32 n = 0; n < NODES; n++)
		cheapest[n] = MIN(cheapest[n], least + MOVE_NS);
	for (const struct use *u = from; u < to; u++) {
		u64 cost = away(u, writes);

		sum += cost;
		cheapest[u->node] += u->misses * LOCAL_NS;
		cheapest[u->node] -= cost; /* may go below 0 until sum comes in */
	}
	for (u32 n = 0; n < NODES; n++)
		cheapest[n] += sum;
}

static u64 best_of_page(const struct use *from, const struct use *to, u32 home)
{
	const struct use *phase = from;
	u64 least = ~0ull;

	for (u32 n = 0; n < NODES; n++)
		cheapest[n] = n == home ? 0 : MOVE_NS;
	memset(held, 0, sizeof(held));
	for (const struct use *u = from; u < to; u++) {
		if (u + 1 < to && u[1].phase == u->phase)
			continue;
		add_phase(phase, u + 1);
		phase = u + 1;
	}
	for (u32 n = 0; n < NODES; n++)
		least = MIN(least, cheapest[n]);
	return least;
}

struct bounds find_bounds(const struct trace *t, u32 events)
{
	struct bounds b = { 0 };
	u64 first = 0;

	count_uses(t, events);
	for (u64 i = 0; i < nuses; i++) {
		u32 home = t->home(uses[i].page);
		bool local = uses[i].node == home;

		b.misses += uses[i].misses;
		b.static_local += local ? uses[i].misses : 0;
		b.static_ns += uses[i].misses * (local ? LOCAL_NS : REMOTE_NS);
		if (i + 1 < nuses && uses[i + 1].page == uses[i].page)
			continue;
		b.best_ns += best_of_page(uses + first, uses + i + 1, home);
		first = i + 1;
	}
	free(uses);
	return b;
}
