/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/direct.c: its rules, and what they bring. A machine of eight nodes in steps of 10 us with the real accounts: VMs of eight VCPUs, one on each
 * node, whose VCPUs compute and then take the VM's one lock, in turn, as guest kernels do. Who spins for it wastes its slice, who yields lets others run, and
 * who yields to the holder has it sooner. To go over to another VCPU takes a step.
 */
#include "tests/unit/unit.h"

#include "kernel/sched/direct.h"

#define NODES  8
#define VMS    5
#define STEP   (ACCOUNT_TICKS_MS / 100)
#define MS     100 /* in steps */
#define TICK   (10 * MS)
#define NOBODY ~0u

enum policy { SPIN, AWAY, YIELD, DIRECTED, GANG, POLICIES };
static const char *const names[] = { "spin", "yield the slice", "yield", "directed", "gang" };

/* VCPU n of each VM is on node n. */
static struct guest {
	struct account account[NODES]; /* of the VM on each node */
	u32 holder;		       /* of its lock */
	u32 queue[NODES], queued;      /* who waits for it, in turn */
	bool computes;		       /* it knows no lock: a batch of programs */
	struct {
		u32 compute, hold; /* steps left of what it does: first one, then the other */
		u64 since;	   /* READY, in steps */
		u32 last;	   /* looked at */
		u64 done;	   /* rounds */
		u64 ran;
	} vcpu[NODES];
} guest[VMS];

static struct {
	struct account_queue queue;
	u32 current, preferred;
	bool slice_over, gives_way;
	bool switches; /* that takes this step */
	u64 back;      /* in steps; 0: at no time */
} node[NODES];

static enum policy policy;

/* VMs, those of them without locks; longest times between locks and of locks, in steps. */
struct mix {
	u32 guests, batches, compute, hold;
};

static u32 nguests, compute_max, hold_max, asked;
static u64 now, seed;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static void next_round(u32 g, u32 i)
{
	guest[g].vcpu[i].compute = 1 + chance(compute_max);
	guest[g].vcpu[i].hold = 1 + chance(hold_max);
}

static void fill(u32 guests)
{
	memset(guest, 0, sizeof(guest));
	memset(node, 0, sizeof(node));
	nguests = guests;
	now = 1000 * TICK;
	seed = 7;
	asked = 0;
	for (u32 g = 0; g < guests; g++) {
		guest[g].holder = NOBODY;
		for (u32 i = 0; i < NODES; i++) {
			guest[g].account[i].weight = ACCOUNT_WEIGHT;
			guest[g].vcpu[i].last = i;
			next_round(g, i);
		}
	}
	for (u32 n = 0; n < NODES; n++)
		node[n].current = node[n].preferred = NOBODY;
}

/* ---- the node's choice, as in kernel/sched/sched.c ---- */

static void ask(u32 g, u32 i, bool gang)
{
	struct direct_look look = { .waits = node[i].current != g,
				    .kernel = !guest[g].computes && !guest[g].vcpu[i].compute,
				    .waited = (now - guest[g].vcpu[i].since) * STEP };

	if (!direct_asks(look, gang) || !direct_may_run(&guest[g].account[i], &node[i].queue))
		return;
	node[i].preferred = g;
	asked++;
}

static void begin(u32 n, u32 g, bool in_turn)
{
	if (node[n].current == g)
		return;
	if (node[n].current != NOBODY)
		guest[node[n].current].vcpu[n].since = now;
	node[n].current = g;
	node[n].switches = true;
	if (policy != GANG || guest[g].computes || !direct_calls_gang(in_turn, node[n].back))
		return;
	for (u32 i = 0; i < NODES; i++)
		if (i != n)
			ask(g, i, true);
}

static void choose(u32 n)
{
	struct account_choice c = account_choose(&node[n].queue);
	u32 best = node[n].preferred;
	enum account_role role = ACCOUNT_INTERRUPTED;
	bool in_turn = best == NOBODY || node[n].slice_over;

	if (node[n].slice_over)
		role = ACCOUNT_SLICE_ENDS;
	if (node[n].gives_way)
		role = ACCOUNT_GIVES_WAY;
	if (in_turn) {
		for (u32 g = 0; g < nguests; g++)
			if (account_offer(&c, &guest[g].account[n],
					  g == node[n].current ? role : ACCOUNT_OTHER))
				best = g;
		account_chosen(&c);
	}
	if (policy > AWAY &&
	    direct_comes_back(node[n].gives_way, node[n].back && !node[n].slice_over,
			      best == node[n].current))
		node[n].back = now + DIRECT_BACK / STEP;
	else
		node[n].back = 0;
	node[n].preferred = NOBODY;
	node[n].slice_over = node[n].gives_way = false;
	begin(n, best, in_turn);
}

/* ---- guests ---- */

static bool has_lock(struct guest *of, u32 i)
{
	if (of->holder == i)
		return true;
	if (of->holder == NOBODY && (!of->queued || of->queue[0] == i)) {
		if (of->queued)
			memmove(of->queue, of->queue + 1, --of->queued * sizeof(of->queue[0]));
		of->holder = i;
		return true;
	}
	for (u32 k = 0; k < of->queued; k++)
		if (of->queue[k] == i)
			return false;
	of->queue[of->queued++] = i;
	return false;
}

/* A step of who has the node's processor. */
static void run(u32 n)
{
	u32 g = node[n].current;
	struct guest *of = &guest[g];

	account_charge(&of->account[n], STEP, now * STEP);
	of->vcpu[n].ran++;
	if (node[n].switches) {
		node[n].switches = false;
		return;
	}
	if (of->computes)
		return;
	if (of->vcpu[n].compute) {
		of->vcpu[n].compute--;
		return;
	}
	if (!has_lock(of, n)) {
		node[n].gives_way = policy != SPIN;
		if (policy >= DIRECTED) {
			of->vcpu[n].last = direct_next(of->vcpu[n].last, n, NODES);
			ask(g, of->vcpu[n].last, false);
		}
		return;
	}
	if (--of->vcpu[n].hold)
		return;
	of->holder = NOBODY;
	of->vcpu[n].done++;
	next_round(g, n);
}

static void step(void)
{
	for (u32 n = 0; n < NODES; n++) {
		if (now % TICK == n * TICK / NODES)
			node[n].slice_over = true;
		if (node[n].current == NOBODY || node[n].slice_over || node[n].gives_way ||
		    node[n].preferred != NOBODY || (node[n].back && now >= node[n].back))
			choose(n);
		run(n);
	}
	now++;
}

static u64 rounds(u32 g)
{
	u64 sum = 0;

	for (u32 i = 0; i < NODES; i++)
		sum += guest[g].vcpu[i].done;
	return sum;
}

static u64 time_of(u32 g)
{
	u64 sum = 0;

	for (u32 i = 0; i < NODES; i++)
		sum += guest[g].vcpu[i].ran;
	return sum;
}

/* Rounds a second of all VMs that have locks, after half a second; how far the time of one is from its part, in permille. */
static u64 measure(enum policy p, const struct mix *m, u32 *off)
{
	u64 sum = 0, from = 0, least = ~0ul, most = 0, part = 2500 * MS * NODES / m->guests;

	policy = p;
	compute_max = m->compute;
	hold_max = m->hold;
	fill(m->guests);
	for (u32 g = m->guests - m->batches; g < m->guests; g++)
		guest[g].computes = true;
	for (u32 i = 0; i < 500 * MS; i++)
		step();
	for (u32 g = 0; g < m->guests; g++)
		from += rounds(g);
	for (u32 i = 0; i < 2000 * MS; i++)
		step();
	for (u32 g = 0; g < m->guests; g++) {
		sum += rounds(g);
		least = MIN(least, time_of(g));
		most = MAX(most, time_of(g));
	}
	*off = (u32)MAX(most * 1000 / part - 1000, 1000 - least * 1000 / part);
	return (sum - from) / 2;
}

static void what_directed_yield_brings(void **state)
{
	static const struct mix mixes[] = {
		{ 4, 0, 100, 5 }, { 4, 0, 20, 5 }, { 4, 2, 100, 5 },
		{ 2, 1, 100, 5 }, { 4, 3, 20, 2 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(mixes); i++) {
		const struct mix *m = &mixes[i];
		u64 done[POLICIES];
		u32 off[POLICIES];

		print_message(
			"%u VMs, %u of them without locks; up to %u us between locks of up to %u us; rounds a second:",
			m->guests, m->batches, m->compute * 10, m->hold * 10);
		for (enum policy p = SPIN; p < POLICIES; p++) {
			done[p] = measure(p, m, &off[p]);
			print_message(" %s %llu (%u.%u %% off),", names[p],
				      (unsigned long long)done[p], off[p] / 10, off[p] % 10);
		}
		print_message(" the last asked %u times\n", asked);
		assert_true(done[YIELD] * 100 > done[AWAY] * 99);
		assert_true(done[DIRECTED] > done[YIELD] && done[GANG] > done[YIELD]);
		assert_true(done[GANG] * 100 > done[DIRECTED] * 98);
		assert_true(done[DIRECTED] * 100 > done[SPIN] * 80);
		assert_true(off[DIRECTED] <= 250);
	}
}

/* ---- the rules ---- */

static void only_who_waits_in_its_kernel_is_asked_for(void **state)
{
	(void)state;
	assert_true(direct_asks((struct direct_look){ true, true, DIRECT_WAIT }, false));
	assert_false(direct_asks((struct direct_look){ false, true, DIRECT_WAIT }, false));
	assert_false(direct_asks((struct direct_look){ true, false, DIRECT_WAIT }, false));
	assert_false(direct_asks((struct direct_look){ true, true, DIRECT_WAIT - 1 }, false));
	assert_true(direct_asks((struct direct_look){ true, false, DIRECT_WAIT }, true));
	assert_false(direct_asks((struct direct_look){ false, false, DIRECT_WAIT }, true));
}

static void looks_are_apart(void **state)
{
	(void)state;
	assert_true(direct_looks(DIRECT_LOOK, 0));
	assert_false(direct_looks(1000 + DIRECT_LOOK - 1, 1000));
}

static void nobody_runs_before_it_has_had_too_much(void **state)
{
	const struct account_queue q = { .floor = 1000 * ACCOUNT_TICKS_MS };
	struct account a = { .virtual_time = q.floor + ACCOUNT_CREDIT };

	(void)state;
	assert_true(direct_may_run(&a, &q));
	a.virtual_time++;
	assert_false(direct_may_run(&a, &q));
	a.virtual_time = 0;
	assert_true(direct_may_run(&a, &q));
}

static void all_others_are_looked_at_in_turn(void **state)
{
	(void)state;
	for (u32 n = 2; n <= 16; n++)
		for (u32 self = 0; self < n; self++) {
			u32 seen = 0, last = self;

			for (u32 i = 0; i < n - 1; i++) {
				last = direct_next(last, self, n);
				seen |= 1u << last;
			}
			assert_int_equal(seen, ((1u << n) - 1) & ~(1u << self));
		}
}

/* Not who was asked for by another of its gang, nor who has the processor for a moment. */
static void who_runs_in_its_turn_calls_its_gang(void **state)
{
	(void)state;
	assert_true(direct_calls_gang(true, false));
	assert_false(direct_calls_gang(true, true));
	assert_false(direct_calls_gang(false, false));
	assert_false(direct_calls_gang(false, true));
}

/* Who gave way is asked again, until it or a third runs, or the slice ends. */
static void who_gave_way_comes_back(void **state)
{
	(void)state;
	assert_true(direct_comes_back(true, false, false));
	assert_false(direct_comes_back(true, false, true)); /* nobody else wanted to run */
	assert_true(direct_comes_back(false, true, true));
	assert_false(direct_comes_back(false, true, false));
	assert_false(direct_comes_back(false, false, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_waits_in_its_kernel_is_asked_for),
		cmocka_unit_test(looks_are_apart),
		cmocka_unit_test(nobody_runs_before_it_has_had_too_much),
		cmocka_unit_test(all_others_are_looked_at_in_turn),
		cmocka_unit_test(who_runs_in_its_turn_calls_its_gang),
		cmocka_unit_test(who_gave_way_comes_back),
		cmocka_unit_test(what_directed_yield_brings),
	};

	return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
