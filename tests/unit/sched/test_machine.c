/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/account.c and spread.c together: machines of 1 to 1024 nodes with more VCPUs than processors, in steps of a slice.
 * What VMs have had is one account for the whole machine, and VCPUs go where what others have had is ahead: each VM has what its
 * weight says, to 2 percent over 10 s, none starves, none goes to and fro, and what a node looks at does not grow.
 */
#include "tests/unit/unit.h"

#include "kernel/sched/account.h"
#include "kernel/sched/spread.h"

#define NODES_MAX 1024
#define VMS_MAX	  (5 * NODES_MAX)
#define MS	  ACCOUNT_TICKS_MS
#define SLICE	  (10ul * MS)

static struct guest {
	u64 virtual_time; /* of the machine */
	u32 weight, cap, node;
	bool wants, pinned;
	struct account here; /* its cap */
	u64 came, ran, waits, longest;
	u32 moves;
} guest[VMS_MAX];

static struct {
	struct spread spread;
	struct spread_load load;
	struct account_queue queue;
	u32 wanted_by, last;
	u64 looks;
	u32 first; /* of its guests, in a list */
} node[NODES_MAX];
static u32 next_of[VMS_MAX];
#define NONE ~0u

static u32 nnodes, nguests;
static u64 now, seed, moves, idle;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static void fill(u32 nodes, u32 guests)
{
	memset(guest, 0, sizeof(guest));
	memset(node, 0, sizeof(node));
	nnodes = nodes;
	nguests = guests;
	now = 1000 * SLICE;
	seed = nodes * 31 + guests;
	moves = idle = 0;
	for (u32 i = 0; i < nodes; i++) {
		node[i].spread.seed = i;
		node[i].last = NONE;
		node[i].queue.patience = SPREAD_FORGET;
	}
	for (u32 i = 0; i < guests; i++)
		guest[i] = (struct guest){ .weight = ACCOUNT_WEIGHT,
					   .node = chance(nodes),
					   .wants = true };
}

static bool may_go(u32 i)
{
	const struct guest *g = &guest[i];

	return g->wants && !g->pinned && node[g->node].last != i &&
	       now - g->came >= SPREAD_STAY_MS * MS;
}

static void list(void)
{
	for (u32 n = 0; n < nnodes; n++)
		node[n].first = NONE;
	for (u32 i = 0; i < nguests; i++) {
		next_of[i] = node[guest[i].node].first;
		node[guest[i].node].first = i;
	}
}

/* A slice of a node, as kernel/sched/sched.c has it with one VCPU of each VM. */
static void run(u32 n)
{
	struct account_choice c = account_choose(&node[n].queue);
	u32 best = NONE;

	for (u32 i = node[n].first; i != NONE; i = next_of[i]) {
		struct guest *g = &guest[i];

		if (!g->wants || !account_within_cap(&g->here, now))
			continue;
		g->here.virtual_time = g->virtual_time;
		g->waits += SLICE;
		if (account_offer(&c, &g->here,
				  i == node[n].last ? ACCOUNT_SLICE_ENDS : ACCOUNT_OTHER))
			best = i;
		g->virtual_time = g->here.virtual_time;
	}
	account_chosen(&c);
	node[n].last = best;
	if (best == NONE) {
		idle++;
		return;
	}
	guest[best].waits = 0;
	guest[best].ran += SLICE;
	guest[best].here.weight = guest[best].weight;
	guest[best].here.cap = guest[best].cap;
	account_charge(&guest[best].here, SLICE, now + SLICE);
	guest[best].virtual_time = guest[best].here.virtual_time;
}

static void publish(u32 n)
{
	struct spread_load load = { .floor = node[n].queue.floor,
				    .least = SPREAD_NOBODY,
				    .behind = SPREAD_NOBODY };

	for (u32 i = node[n].first; i != NONE; i = next_of[i]) {
		struct guest *g = &guest[i];

		g->longest = MAX(g->longest, g->waits);
		if (!g->wants || !account_within_cap(&g->here, now))
			continue;
		load.wanting++;
		load.weight += g->weight;
		load.least = MIN(load.least, g->virtual_time);
		if (!may_go(i) || !account_within_cap(&g->here, now))
			continue;
		load.movable++;
		if (g->virtual_time < load.behind)
			load.light = g->weight;
		load.behind = MIN(load.behind, g->virtual_time);
	}
	node[n].load = load;
}

static void look(u32 n)
{
	bool is_idle = !node[n].load.wanting;

	for (u32 i = 0; nnodes > 1 && i < spread_looks(is_idle); i++) {
		u32 other = (n + spread_place(&node[n].spread, is_idle, i, nnodes)) % nnodes;

		node[n].looks++;
		node[n].queue.floor = spread_floor(node[n].queue.floor, node[other].load.floor);
		if (node[other].wanted_by || !spread_asks(node[n].load, node[other].load))
			continue;
		node[other].wanted_by = 1 + n;
		return;
	}
}

/* The one that is furthest behind. */
static void give(u32 n)
{
	u32 best = NONE;

	for (u32 i = node[n].first; node[n].wanted_by && i != NONE; i = next_of[i])
		if (may_go(i) && (best == NONE || guest[i].virtual_time < guest[best].virtual_time))
			best = i;
	if (best != NONE) {
		guest[best].node = node[n].wanted_by - 1;
		guest[best].came = now;
		guest[best].moves++;
		moves++;
	}
	node[n].wanted_by = 0;
}

static void step(void)
{
	list();
	for (u32 n = 0; n < nnodes; n++)
		run(n);
	now += SLICE;
	for (u32 n = 0; n < nnodes; n++)
		publish(n);
	for (u32 n = 0; n < nnodes; n++)
		look(n);
	for (u32 n = 0; n < nnodes; n++)
		give(n);
}

static void steps(u32 n)
{
	while (n--)
		step();
}

static void begin_to_count(void)
{
	for (u32 i = 0; i < nguests; i++) {
		guest[i].ran = guest[i].longest = 0;
		guest[i].moves = 0;
	}
	moves = idle = 0;
}

/* How far the one that is furthest from its weight's part is from that, in permille; all want their processors. */
static u32 furthest(void)
{
	u64 all = 0, weights = 0;
	double most = 0;

	for (u32 i = 0; i < nguests; i++) {
		all += guest[i].ran;
		weights += guest[i].weight;
	}
	for (u32 i = 0; i < nguests; i++) {
		double due = (double)all * guest[i].weight / weights;
		double off = guest[i].ran / due - 1;

		most = MAX(most, off < 0 ? -off : off);
	}
	return (u32)(most * 1000);
}

static const struct {
	u32 nodes, guests;
} machines[] = { { 1, 3 },  { 2, 3 },	{ 3, 4 },    { 3, 8 },
		 { 8, 20 }, { 16, 23 }, { 64, 150 }, { 1024, 2500 } };

/* Within 2 percent; nobody waits for long, and nobody is always on the way. */
static void check_fair(const char *how)
{
	u32 off, most = 0;
	u64 longest = 0;

	steps(1000);
	begin_to_count();
	steps(1000);
	off = furthest();
	for (u32 i = 0; i < nguests; i++) {
		longest = MAX(longest, guest[i].longest);
		most = MAX(most, guest[i].moves);
	}
	print_message(
		"%u nodes, %u VCPUs, %s: %u.%u %% off, %.2f moves a second of a VCPU, %u at most, waits %llu ms at most\n",
		nnodes, nguests, how, off / 10, off % 10, moves / 10.0 / nguests, most / 10,
		(unsigned long long)(longest / MS));
	assert_int_equal(idle, 0);
	assert_true(off <= 20);
	assert_true(moves / 10.0 / nguests < 8 && most / 10 <= 20);
}

static void equal_weights_have_equal_parts(void **state)
{
	(void)state;
	for (u32 m = 0; m < ARRAY_SIZE(machines); m++) {
		fill(machines[m].nodes, machines[m].guests);
		check_fair("equal");
	}
}

/* None is worth more than a processor. */
static void weights_are_held(void **state)
{
	(void)state;
	for (u32 m = 0; m < ARRAY_SIZE(machines); m++) {
		fill(machines[m].nodes, machines[m].nodes * 4 + 1);
		for (u32 i = 0; i < nguests; i++)
			guest[i].weight = ACCOUNT_WEIGHT << chance(3) >> 1;
		check_fair("weights");
	}
}

/* What its cap leaves goes to the others, by their weights. */
static void caps_are_held(void **state)
{
	(void)state;
	for (u32 m = 1; m < ARRAY_SIZE(machines); m++) {
		u64 most = 0;

		fill(machines[m].nodes, machines[m].nodes * 3);
		for (u32 i = 0; i < nguests; i += 3)
			guest[i].cap = 20;
		steps(1000);
		begin_to_count();
		steps(1000);
		for (u32 i = 0; i < nguests; i += 3)
			most = MAX(most, guest[i].ran);
		assert_true(most <= 205 * SLICE);
		assert_true(idle * 100 < 1000ul * nnodes);
	}
}

/* What has nowhere else to go has no less than the others while it has company, and takes part in nothing else. */
static void the_pinned_are_not_starved(void **state)
{
	(void)state;
	fill(8, 24);
	for (u32 i = 0; i < 6; i++) {
		guest[i].pinned = true;
		guest[i].node = i / 3;
	}
	check_fair("six pinned");
}

/* Sleepers gain nothing by sleeping, those that do not sleep lose nothing by that others do. */
static void who_slept_gains_nothing(void **state)
{
	(void)state;
	fill(8, 24);
	for (u32 i = 0; i < 8; i++)
		guest[i].wants = false;
	steps(2000);
	for (u32 i = 0; i < 8; i++) {
		guest[i].wants = true;
		guest[i].here.virtual_time = guest[i].virtual_time;
		account_wake(&node[guest[i].node].queue, &guest[i].here);
		guest[i].virtual_time = guest[i].here.virtual_time;
	}
	begin_to_count();
	steps(1000);
	assert_true(furthest() <= 20);
}

static void what_it_costs_does_not_grow(void **state)
{
	(void)state;
	for (u32 m = 1; m < ARRAY_SIZE(machines); m++) {
		fill(machines[m].nodes, machines[m].guests);
		steps(100);
		assert_true(node[0].looks <= 100 * (SPREAD_NEAR + SPREAD_FAR));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_weights_have_equal_parts),
		cmocka_unit_test(weights_are_held),
		cmocka_unit_test(caps_are_held),
		cmocka_unit_test(the_pinned_are_not_starved),
		cmocka_unit_test(who_slept_gains_nothing),
		cmocka_unit_test(what_it_costs_does_not_grow),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
