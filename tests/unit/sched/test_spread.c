/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/spread.c: machines of 1 to 1024 nodes, simulated, in steps of a millisecond. Wherever VCPUs are at
 * first, and whether they want their processors all the time or now and then: they come to where processors are
 * free, none goes to and fro, and what a node looks at is as much on each machine.
 */
#include "tests/unit/unit.h"

#include "kernel/sched/spread.h"

#define NODES_MAX 1024
#define PER_NODE  4 /* VCPUs, at most */
#define TICK	  10

struct vm_cpu {
	u32 node, moves;
	bool wants;
	u64 came, ran;
};

static struct vm_cpu vcpu[NODES_MAX * PER_NODE];
static struct {
	struct spread spread;
	struct spread_load load;
	u32 wanted_by; /* 1 + who asks */
	u64 looks;
	u32 next; /* of those that want the processor, who has it next */
} node[NODES_MAX];
static u32 nnodes, nvcpus;
static u64 now, moves, seed, idle_beside_waiting;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static void fill(u32 nodes, u32 per, bool on_one)
{
	memset(vcpu, 0, sizeof(vcpu));
	memset(node, 0, sizeof(node));
	nnodes = nodes;
	nvcpus = nodes * per;
	now = 1000;
	moves = idle_beside_waiting = 0;
	seed = nodes * 7 + per;
	for (u32 i = 0; i < nodes; i++)
		node[i].spread.seed = i;
	for (u32 i = 0; i < nvcpus; i++) {
		vcpu[i].node = on_one ? 0 : chance(nodes);
		vcpu[i].wants = true;
	}
}

static bool may_go(const struct vm_cpu *v) { return v->wants && now - v->came >= SPREAD_STAY_MS; }

static void publish(void)
{
	for (u32 i = 0; i < nnodes; i++)
		node[i].load = (struct spread_load){ .light = 1, .behind = SPREAD_NOBODY };
	for (u32 i = 0; i < nvcpus; i++) {
		node[vcpu[i].node].load.wanting += vcpu[i].wants;
		node[vcpu[i].node].load.weight += vcpu[i].wants;
		node[vcpu[i].node].load.movable += may_go(&vcpu[i]);
	}
	for (u32 i = 0; i < nnodes; i++) /* one of them runs */
		node[i].load.movable -= node[i].load.movable &&
					node[i].load.movable == node[i].load.wanting;
}

/* As kernel/sched/fetch.c. */
static void look(u32 n, bool idle)
{
	for (u32 i = 0; nnodes > 1 && i < spread_looks(idle); i++) {
		u32 other = (n + spread_place(&node[n].spread, idle, i, nnodes)) % nnodes;

		assert_int_not_equal(other, n);
		node[n].looks++;
		if (node[other].wanted_by || !spread_asks(node[n].load, node[other].load))
			continue;
		node[other].wanted_by = 1 + n;
		return;
	}
}

/* Those that were asked, one VCPU each, that has been there longest. */
static void give(void)
{
	static struct vm_cpu *best[NODES_MAX];

	memset(best, 0, sizeof(best));
	for (u32 i = 0; i < nvcpus; i++) {
		struct vm_cpu **b = &best[vcpu[i].node];

		if (node[vcpu[i].node].wanted_by && may_go(&vcpu[i]) &&
		    (!*b || vcpu[i].came < (*b)->came))
			*b = &vcpu[i];
	}
	for (u32 n = 0; n < nnodes; n++) {
		if (best[n]) {
			best[n]->node = node[n].wanted_by - 1;
			best[n]->came = now;
			best[n]->moves++;
			moves++;
		}
		node[n].wanted_by = 0;
	}
}

static void step(bool restless)
{
	u32 idle = 0, waiting = 0;

	now++;
	for (u32 i = 0; restless && i < nvcpus; i++)
		if (!chance(40))
			vcpu[i].wants = !vcpu[i].wants;
	publish();
	for (u32 n = 0; n < nnodes; n++) {
		idle += !node[n].load.wanting;
		waiting += node[n].load.wanting > 1 ? node[n].load.wanting - 1 : 0;
		if (!node[n].load.wanting)
			look(n, true);
		else if (now % TICK == n % TICK)
			look(n, false);
	}
	idle_beside_waiting += MIN(idle, waiting);
	give();
}

static u32 spread_of_loads(void)
{
	u32 least = ~0u, most = 0;

	publish();
	for (u32 i = 0; i < nnodes; i++) {
		least = MIN(least, node[i].load.wanting);
		most = MAX(most, node[i].load.wanting);
	}
	return most - least;
}

static const u32 sizes[] = { 1, 2, 3, 8, 64, 1024 };

/* However unevenly they begin, no two nodes are more than one apart; and then nothing moves any more. */
static void balance_is_reached_and_kept(void **state)
{
	(void)state;
	for (u32 s = 0; s < ARRAY_SIZE(sizes); s++)
		for (u32 per = 1; per <= PER_NODE; per++)
			for (u32 on_one = 0; on_one < 2; on_one++) {
				u64 took, before;

				if (sizes[s] == 1024 && per > 1)
					continue;
				fill(sizes[s], per, on_one);
				while (spread_of_loads() > 1) {
					step(false);
					assert_true(now < 61000);
				}
				took = now;
				before = moves;
				while (now < took + 10000 / (1 + sizes[s] / 64))
					step(false);
				assert_int_equal(moves, before);
			}
}

/* VCPUs that want it now and then: seldom is a processor free while somebody waits elsewhere, and none moves all the time. */
static void processors_are_not_free_while_others_wait(void **state)
{
	(void)state;
	for (u32 s = 1; s < ARRAY_SIZE(sizes); s++) {
		u32 ms = sizes[s] == 1024 ? 200 : 3000, most = 0;

		fill(sizes[s], 2, false);
		for (u32 i = 0; i < 500; i++)
			step(true);
		idle_beside_waiting = moves = 0;
		for (u32 i = 0; i < ms; i++)
			step(true);
		for (u32 i = 0; i < nvcpus; i++)
			most = MAX(most, vcpu[i].moves);
		print_message(
			"%u nodes: %.1f %% of processors free while somebody waits, %.1f moves a second of a VCPU\n",
			sizes[s], 100.0 * idle_beside_waiting / ms / nnodes,
			1000.0 * moves / ms / nvcpus);
		assert_true(idle_beside_waiting * 100 < 15ul * ms * nnodes);
		assert_true(most <= (ms + 500) / SPREAD_STAY_MS);
	}
}

/* What one node looks at in a second of idling, and of working. */
static void what_it_costs_does_not_grow(void **state)
{
	(void)state;
	for (u32 s = 1; s < ARRAY_SIZE(sizes); s++) {
		fill(sizes[s], 0, false);
		for (u32 i = 0; i < 100; i++)
			step(false);
		assert_int_equal(node[0].looks, 100 * (SPREAD_NEAR + SPREAD_FAR));
		fill(sizes[s], 1, false);
		for (u32 i = 0; i < nnodes; i++)
			vcpu[i].node = i;
		for (u32 i = 0; i < 100; i++)
			step(false);
		assert_int_equal(node[0].looks, 100 / TICK * SPREAD_FAR);
	}
}

/* Nearest first, then anywhere, and each node in time. */
static void all_are_looked_at(void **state)
{
	(void)state;
	for (u32 n = 2; n <= 64; n *= 2) {
		struct spread s = { 3 };
		bool seen[64] = { false };

		for (u32 i = 0; i < SPREAD_NEAR; i++)
			assert_int_equal(spread_place(&s, true, i, n), i % (n - 1) + 1);
		for (u32 i = 0; i < 100 * n; i++) {
			u32 place = spread_place(&s, false, 0, n);

			assert_in_range(place, 1, n - 1);
			seen[place] = true;
		}
		for (u32 i = 1; i < n; i++)
			assert_true(seen[i]);
	}
}

/* Places are in the order of nearness, which topology_near turns into nodes. */
static void who_idles_looks_at_the_nearest_first(void **state)
{
	struct spread s = { .seed = 3 };

	(void)state;
	for (u32 n = 2; n <= 1024; n++)
		for (u32 i = 0; i < spread_looks(true); i++) {
			u32 place = spread_place(&s, true, i, n);

			assert_true(place >= 1 && place < n);
			if (i < SPREAD_NEAR && i < n - 1)
				assert_int_equal(place, i + 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_idles_looks_at_the_nearest_first),
		cmocka_unit_test(all_are_looked_at),
		cmocka_unit_test(what_it_costs_does_not_grow),
		cmocka_unit_test(balance_is_reached_and_kept),
		cmocka_unit_test(processors_are_not_free_while_others_wait),
	};

	return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
