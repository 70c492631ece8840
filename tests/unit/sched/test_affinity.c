/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/affinity.c with spread.c: machines of 1 to 64 nodes in steps of a tick. Each VCPU has hot pages, which are on nodes; who runs
 * votes for where they are, and goes there, or has some of them moved to it (as numa/balance.c does). One of both brings them together, nothing goes
 * to and fro, and it costs nobody the processor.
 */
#include "tests/unit/unit.h"

#include "kernel/sched/affinity.h"

#define NODES_MAX  64
#define VCPUS_MAX  (3 * NODES_MAX)
#define TICK_MS	   10
#define PAGE_NS	   40000ul
#define BATCH	   64 /* pages that a node gains in a tick, at most */
#define OWN	   64 /* pages of a VCPU that are missed on, in each tick */
#define AFFINITIES (ACCOUNT_TICKS_MS * TICK_MS)

static struct vm_cpu {
	struct affinity affinity;
	u32 node, pages[NODES_MAX];
	bool fixed; /* written by others, too: they don't move */
	u64 came, had;
	u32 moves, moved_pages, remote; /* remote: misses, in page-ticks */
} vcpu[VCPUS_MAX];

static struct {
	struct spread spread;
	struct spread_load load;
	u32 wanted_by, runs;
} node[NODES_MAX];

static u32 nnodes, nvcpus;
static u64 now; /* ms */

static void fill(u32 nodes, u32 vcpus)
{
	memset(vcpu, 0, sizeof(vcpu));
	memset(node, 0, sizeof(node));
	nnodes = nodes;
	nvcpus = vcpus;
	now = 1000;
	for (u32 i = 0; i < nodes; i++)
		node[i].spread.seed = i;
}

static void put(u32 i, u32 on, u32 pages_on)
{
	vcpu[i].node = on;
	vcpu[i].pages[pages_on] += OWN;
}

static bool may_go(u32 i)
{
	return node[vcpu[i].node].runs != i + 1 && now - vcpu[i].came >= SPREAD_STAY_MS;
}

static void go(u32 i, u32 to)
{
	vcpu[i].node = to;
	vcpu[i].came = now;
	vcpu[i].moves++;
}

static void publish(u32 n)
{
	struct spread_load load = { .light = 1, .least = SPREAD_NOBODY, .behind = SPREAD_NOBODY };

	for (u32 i = 0; i < nvcpus; i++) {
		if (vcpu[i].node != n)
			continue;
		load.wanting++;
		load.weight++;
		load.least = MIN(load.least, vcpu[i].had);
		if (may_go(i)) {
			load.movable++;
			load.behind = MIN(load.behind, vcpu[i].had);
		}
	}
	node[n].load = load;
}

/* A tick of the one that has had least; what it misses on votes, and one of the two moves. */
static void run(u32 n)
{
	struct vm_cpu *v = NULL;
	u32 batch = BATCH;

	for (u32 i = 0; i < nvcpus; i++)
		if (vcpu[i].node == n && (!v || vcpu[i].had < v->had))
			v = &vcpu[i];
	node[n].runs = v ? (u32)(v - vcpu) + 1 : 0;
	if (!v)
		return;
	v->had += AFFINITIES;
	affinity_tick(&v->affinity);
	for (u32 k = 0; k < nnodes; k++) {
		affinity_vote(&v->affinity, k, v->pages[k]);
		v->remote += k == n ? 0 : v->pages[k];
	}
	switch (affinity_decide(&v->affinity, n, node[n].load, node[v->affinity.node].load,
				now - v->came, PAGE_NS)) {
	case AFFINITY_NOTHING: return;
	case AFFINITY_VCPU: go((u32)(v - vcpu), v->affinity.node); return;
	default: break;
	}
	for (u32 k = 0; k < nnodes && !v->fixed; k++) {
		u32 moved = k == n ? 0 : MIN(batch, v->pages[k]);

		v->pages[k] -= moved;
		v->pages[n] += moved;
		v->moved_pages += moved;
		batch -= moved;
	}
}

/* As kernel/sched/fetch.c. */
static void look(u32 n)
{
	bool idle = !node[n].load.wanting;

	for (u32 i = 0; nnodes > 1 && i < spread_looks(idle); i++) {
		u32 other = (n + spread_place(&node[n].spread, idle, i, nnodes)) % nnodes;

		if (node[other].wanted_by || !spread_asks(node[n].load, node[other].load))
			continue;
		node[other].wanted_by = 1 + n;
		return;
	}
}

static void give(u32 n)
{
	struct vm_cpu *best = NULL;

	for (u32 i = 0; node[n].wanted_by && i < nvcpus; i++) {
		struct vm_cpu *v = &vcpu[i];

		if (v->node == n && may_go(i) &&
		    (!best || affinity_rather(&v->affinity, v->had, &best->affinity, best->had, n,
					      node[n].wanted_by - 1)))
			best = v;
	}
	if (best)
		go((u32)(best - vcpu), node[n].wanted_by - 1);
	node[n].wanted_by = 0;
}

static void steps(u32 ticks)
{
	while (ticks--) {
		now += TICK_MS;
		for (u32 n = 0; n < nnodes; n++)
			publish(n);
		for (u32 n = 0; n < nnodes; n++)
			run(n);
		for (u32 n = 0; n < nnodes; n++)
			look(n);
		for (u32 n = 0; n < nnodes; n++)
			give(n);
	}
}

static void begin_to_count(void)
{
	for (u32 i = 0; i < nvcpus; i++)
		vcpu[i].moves = vcpu[i].moved_pages = vcpu[i].remote = 0;
}

/* Its pages are elsewhere, where nobody wants the processor. */
static void a_vcpu_goes_to_its_memory(void **state)
{
	(void)state;
	for (u32 nodes = 2; nodes <= NODES_MAX; nodes *= 2) {
		fill(nodes, 1);
		put(0, 0, nodes - 1);
		steps(1);
		assert_int_equal(vcpu[0].node, nodes - 1);
		assert_int_equal(vcpu[0].moves, 1);
		assert_int_equal(vcpu[0].moved_pages, 0);
		steps(1000);
		assert_int_equal(vcpu[0].moves, 1);
		assert_int_equal(vcpu[0].moved_pages, 0);
	}
}

/* Others want that processor: its memory comes, and it stays. */
static void memory_follows_a_vcpu_that_has_no_place_there(void **state)
{
	(void)state;
	fill(2, 2);
	put(0, 0, 1);
	put(1, 1, 1);
	steps(1000);
	assert_int_equal(vcpu[0].node, 0);
	assert_int_equal(vcpu[0].moves + vcpu[1].moves, 0);
	assert_int_equal(vcpu[0].moved_pages, OWN);
	assert_int_equal(vcpu[0].pages[0], OWN);
}

/* A few pages are cheaper than a VCPU's move; those that cannot move are worth one in the end. */
static void the_cheaper_one_moves(void **state)
{
	const u32 few = AFFINITY_NS / PAGE_NS / 2;

	(void)state;
	fill(2, 1);
	vcpu[0].pages[1] = few;
	steps(1000);
	assert_int_equal(vcpu[0].moves, 0);
	assert_int_equal(vcpu[0].moved_pages, few);
	fill(2, 1);
	vcpu[0].pages[1] = few;
	vcpu[0].fixed = true;
	steps(1000);
	assert_int_equal(vcpu[0].moves, 1);
	assert_int_equal(vcpu[0].node, 1);
	fill(8, 1); /* no node has most: there is nowhere to go */
	for (u32 i = 0; i < 8; i++)
		vcpu[0].pages[i] = OWN / 8;
	vcpu[0].fixed = true;
	steps(1000);
	assert_int_equal(vcpu[0].moves, 0);
}

/* Load takes it away; when its place is free again it goes back, unless its memory has come to it. */
static void who_was_sent_away_goes_back_or_is_followed(void **state)
{
	(void)state;
	for (u32 fixed = 0; fixed < 2; fixed++) {
		u32 away;

		fill(2, 3);
		for (u32 i = 0; i < 3; i++) {
			put(i, 0, 0);
			vcpu[i].fixed = fixed;
		}
		steps(300);
		for (away = 0; away < 3 && !vcpu[away].node; away++)
			;
		assert_true(away < 3);
		for (u32 i = 0; i < 3; i++) /* the others end */
			if (i != away)
				vcpu[i].node = ~0u;
		begin_to_count();
		steps(1000);
		assert_int_equal(vcpu[away].moves, fixed);
		assert_int_equal(vcpu[away].node, !fixed);
		assert_int_equal(vcpu[away].pages[vcpu[away].node], OWN);
		assert_true(vcpu[away].remote <= 11 * OWN);
	}
}

/* Of several that may be given away, one whose memory is where it goes; and none that has had more by that. */
static void who_is_given_away_is_who_gains(void **state)
{
	const struct affinity here = { 0, 100 }, there = { 1, 100 }, more = { 1, 101 },
			      elsewhere = { 2, 50 };

	(void)state;
	assert_true(affinity_rather(&there, 5, &here, 5, 0, 1));
	assert_false(affinity_rather(&here, 5, &there, 5, 0, 1));
	assert_true(affinity_rather(&elsewhere, 5, &here, 0, 0, 1));
	assert_true(affinity_rather(&more, 5, &there, 0, 0, 1));
	assert_true(affinity_rather(&there, SPREAD_LAG, &elsewhere, 0, 0, 1));
	assert_false(affinity_rather(&there, SPREAD_LAG + 1, &elsewhere, 0, 0, 1));
	assert_true(affinity_rather(&here, 0, &there, SPREAD_LAG + 1, 0, 1));
	assert_true(affinity_rather(&here, 4, &here, 5, 0, 1)); /* alike: who is behind */
	assert_false(affinity_rather(&here, 5, &here, 5, 0, 1));
}

static u64 seed;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

/* All wherever chance puts them, a VCPU or fewer for each node: nothing moves any more after a second, and what is missed on is at home. */
static void all_come_to_rest(void **state)
{
	(void)state;
	for (u32 nodes = 1; nodes <= NODES_MAX; nodes *= 2)
		for (u32 fixed = 0; fixed < 2; fixed++) {
			u32 moves = 0, remote = 0;

			seed = nodes * 2 + fixed;
			fill(nodes, nodes);
			for (u32 i = 0; i < nodes; i++) {
				put(i, chance(nodes), fixed ? i : chance(nodes));
				vcpu[i].fixed = fixed;
			}
			steps(300);
			begin_to_count();
			steps(300);
			for (u32 i = 0; i < nodes; i++) {
				moves += vcpu[i].moves;
				remote += vcpu[i].remote;
			}
			print_message("%u nodes, %s: %u moves, %u of %u misses are remote\n", nodes,
				      fixed ? "memory that stays" : "memory that moves", moves,
				      remote, 300 * OWN * nodes);
			assert_int_equal(moves, 0);
			assert_true(fixed || !remote);
		}
}

/* More VCPUs than processors, which take turns: each has its part as before, and few pages and VCPUs are under way. */
static void turns_are_taken_as_before(void **state)
{
	(void)state;
	for (u32 nodes = 2; nodes <= NODES_MAX; nodes *= 2) {
		u64 least = ~0ul, most = 0;
		u32 moves = 0, pages = 0;

		seed = nodes;
		fill(nodes, 2 * nodes + nodes / 2);
		for (u32 i = 0; i < nvcpus; i++)
			put(i, chance(nodes), chance(nodes));
		steps(1000);
		begin_to_count();
		for (u32 i = 0; i < nvcpus; i++)
			vcpu[i].had = 0;
		steps(1000);
		for (u32 i = 0; i < nvcpus; i++) {
			moves += vcpu[i].moves;
			pages += vcpu[i].moved_pages;
			least = MIN(least, vcpu[i].had);
			most = MAX(most, vcpu[i].had);
		}
		print_message(
			"%u nodes, %u VCPUs: %.2f moves and %.1f pages a second of a VCPU, parts from %.1f to %.1f %%\n",
			nodes, nvcpus, moves / 10.0 / nvcpus, pages / 10.0 / nvcpus,
			least / 10.0 / AFFINITIES, most / 10.0 / AFFINITIES);
		assert_true(moves / 10.0 / nvcpus < 8);
		assert_true(most - least <= most / 25);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vcpu_goes_to_its_memory),
		cmocka_unit_test(memory_follows_a_vcpu_that_has_no_place_there),
		cmocka_unit_test(the_cheaper_one_moves),
		cmocka_unit_test(who_was_sent_away_goes_back_or_is_followed),
		cmocka_unit_test(who_is_given_away_is_who_gains),
		cmocka_unit_test(all_come_to_rest),
		cmocka_unit_test(turns_are_taken_as_before),
	};

	return cmocka_run_group_tests_name("affinity", tests, NULL, NULL);
}
