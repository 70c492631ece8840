/* SPDX-License-Identifier: MIT */
/*
 * sim-N run EVENTS ACTIVE [trace=NAME] [WORD...]: each trace, or one, under each source of counters, a line of
 * JSON each. sim-N flat PAGES: steps of the monitor's code for a miss, a candidate and a move, over
 * that many pages. WORDs change the policy (numa/policy.h). What the figures must be: sim.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/sim/sim.h"

#define TICK_NS	 10000000ull
#define QUANTUM	 100000ull /* ns that nodes may be apart */
#define BARRIER	 2048	   /* misses after which all wait for each other */
#define START_MS 1000
#define TRACE	 "trace="

static struct policy policy;
static const char *only; /* name of a trace, or NULL: all */

static struct runner {
	u64 clock; /* ns */
	u64 random;
	u32 phase, i;
} runner[NODES];

/* The node's misses until its clock is there or it has come to the barrier; false: it has. */
static bool run_node(const struct trace *t, u32 node, u32 per_phase, u64 until, u64 barrier)
{
	struct runner *r = &runner[node];

	while (r->clock < until) {
		if ((u64)r->phase * per_phase + r->i == barrier)
			return false;
		r->clock += machine_miss(node, t->next(node, r->phase, r->i, &r->random));
		r->clock += COMPUTE_NS;
		if (++r->i == per_phase) {
			r->i = 0;
			r->phase++;
		}
	}
	return true;
}

static void tick(u64 now)
{
	machine_time(START_MS + now / 1000000);
	for (u32 k = 0; k < active; k++)
		runner[active_node(k)].clock += machine_tick(active_node(k));
}

static void run(const struct trace *t, u32 events)
{
	u32 per_phase = events / t->phase_part;
	u64 end = (u64)per_phase * t->phases, barrier = MIN((u64)BARRIER, end), now = 0;
	bool going;

	for (u32 k = 0; k < active; k++)
		runner[active_node(k)] = (struct runner){ .random = k + 1 };
	machine_time(START_MS);
	while (barrier) {
		now += QUANTUM;
		going = false;
		for (u32 k = 0; k < active; k++)
			going |= run_node(t, active_node(k), per_phase, now, barrier);
		if (now % TICK_NS == 0)
			tick(now);
		if (going)
			continue;
		for (u32 k = 0; k < active; k++) /* none is behind the slowest */
			runner[active_node(k)].clock = MAX(runner[active_node(k)].clock, now);
		barrier = barrier == end ? 0 : MIN(barrier + BARRIER, end);
	}
}

static void print(const struct trace *t, enum source source, const struct bounds *b)
{
	const struct totals *s = &totals;
	double best = (double)(t->adversary ? s->static_ns : b->best_ns);
	u64 static_ns = t->adversary ? s->static_ns : b->static_ns;

	printf("{\"trace\": \"%s\", \"nodes\": %u, \"active\": %u, \"policy\": \"%s\", \"source\": \"%s\", "
	       "\"misses\": %llu, \"static\": %.4f, \"cost\": %.4f, \"static_local_pct\": %.1f, "
	       "\"local_pct\": %.1f, \"migrated\": %llu, \"replicated\": %llu, \"collapsed\": %llu}\n",
	       t->name, NODES, active, policy_name(policy.kind),
	       source == SEES_ALL ? "all" : "samples", (unsigned long long)s->misses,
	       (double)static_ns / best, (double)s->ns / best,
	       100.0 * (double)b->static_local / (double)MAX(b->misses, 1ull),
	       100.0 * (double)s->local / (double)s->misses, (unsigned long long)s->migrated,
	       (unsigned long long)s->replicated, (unsigned long long)s->collapsed);
	fflush(stdout);
}

static void run_all(u32 events)
{
	for (u32 i = 0; i < ntraces; i++) {
		const struct trace *t = &traces[i];
		struct bounds b;

		if (only && strcmp(only, t->name))
			continue;
		b = t->adversary ? (struct bounds){ 0 } : find_bounds(t, events);

		for (enum source s = SEES_ALL; s <= SEES_SAMPLES; s++) {
			machine_create(t->npages(), 1024, t->home, s, &policy);
			run(t, events);
			machine_destroy();
			print(t, s, &b);
		}
	}
}

/* ---- flat ---- */

static u32 flat_home(u32 page) { return page % NODES; }

static void print_steps(const char *name, const struct steps *s, const char *end)
{
	printf("\"%s\": {\"calls\": %llu, \"mean\": %.2f, \"most\": %llu}%s", name,
	       (unsigned long long)s->calls, (double)s->all / (double)MAX(s->calls, 1ull),
	       (unsigned long long)s->most, end);
}

/* Any node misses on any page, mostly for the first time in an interval; a tenth is hot. */
static void flat(u32 pages)
{
	u64 random = 1;

	policy.trigger = 4;
	policy.risk = 1000;
	policy.sharing = 2;
	policy.limit = 256;
	policy.reserve = 0;
	machine_create(pages, 256, flat_home, SEES_ALL, &policy);
	for (u32 round = 0; round < 100; round++) {
		machine_time(START_MS + 50 * round);
		for (u32 i = 0; i < 20000; i++) {
			u32 node = random_below(&random, NODES);
			struct event e = { random_below(&random, pages), i % 50 == 0 };

			for (u32 again = i % 10 ? 1 : 5; again-- > 0;)
				machine_miss(node, e);
		}
		for (u32 node = 0; node < NODES; node++)
			machine_tick(node);
	}
	machine_destroy();
	printf("{\"nodes\": %u, \"pages\": %u, ", NODES, pages);
	print_steps("miss", &steps_sample, ", ");
	print_steps("candidate", &steps_candidate, ", ");
	print_steps("move", &steps_move, "}\n");
}

int main(int argc, char **argv)
{
	char why[POLICY_ERROR_BYTES];

	policy = policy_default;
	policy.kind = POLICY_BOTH;
	for (int i = 4; i < argc; i++) {
		if (!strncmp(argv[i], TRACE, strlen(TRACE)))
			only = argv[i] + strlen(TRACE);
		else if (policy_set(&policy, word_of(argv[i]), why)) {
			fprintf(stderr, "%s: %s\n", argv[0], why);
			return 2;
		}
	}
	if (argc == 3 && !strcmp(argv[1], "flat")) {
		flat((u32)atoi(argv[2]));
	} else if (argc >= 4 && !strcmp(argv[1], "run")) {
		active = MIN((u32)atoi(argv[3]), (u32)NODES);
		run_all((u32)atoi(argv[2]));
	} else {
		fprintf(stderr, "usage: %s run EVENTS ACTIVE [trace=NAME] [WORD...] | flat PAGES\n",
			argv[0]);
		return 2;
	}
	return 0;
}
