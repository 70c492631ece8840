/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/account.c: whatever accounts do, each gets what is its by weight. A node is played
 * with random players of every kind of behaviour; beside it the model counts what each had and could
 * have had.
 */
#include "tests/unit/unit.h"

#include "kernel/sched/account.h"

#define MS    ACCOUNT_TICKS_MS
#define SLICE (10ul * MS)

/* ---- rules, one by one ---- */

static void use_counts_by_weight(void **state)
{
	struct account light = ACCOUNT_INIT, heavy = ACCOUNT_INIT;

	(void)state;
	heavy.weight = 2 * ACCOUNT_WEIGHT;
	account_charge(&light, 1000, 1000);
	account_charge(&heavy, 1000, 1000);
	assert_int_equal(light.virtual_time, 1000);
	assert_int_equal(heavy.virtual_time, 500);
}

static struct account *choose(struct account_queue *q, struct account **a, unsigned n,
			      const enum account_role *role)
{
	struct account_choice c = account_choose(q);

	for (unsigned i = 0; i < n; i++)
		account_offer(&c, a[i], role[i]);
	account_chosen(&c);
	return c.best;
}

static void who_had_least_is_next(void **state)
{
	struct account_queue q = { 0 };
	struct account x = ACCOUNT_INIT, y = ACCOUNT_INIT, *both[] = { &x, &y };
	const enum account_role none[] = { ACCOUNT_OTHER, ACCOUNT_OTHER };

	(void)state;
	x.virtual_time = 10;
	assert_ptr_equal(choose(&q, both, 2, none), &y);
	assert_int_equal(q.floor, 0);
	y.virtual_time = 30;
	assert_ptr_equal(choose(&q, both, 2, none), &x);
	assert_int_equal(q.floor, 10);
	assert_null(choose(&q, both, 0, none));
	assert_int_equal(q.floor, 10);
}

static void a_sleeper_has_no_more_than_its_credit(void **state)
{
	struct account_queue q = { .floor = 1000 * MS };
	struct account slept = ACCOUNT_INIT, stayed = ACCOUNT_INIT, *both[] = { &slept, &stayed };
	const enum account_role roles[] = { ACCOUNT_OTHER, ACCOUNT_INTERRUPTED };

	(void)state;
	stayed.virtual_time = 1000 * MS;
	assert_ptr_equal(choose(&q, both, 2, roles), &slept);
	assert_int_equal(slept.virtual_time, 1000 * MS - ACCOUNT_CREDIT);
	assert_int_equal(q.floor, 1000 * MS); /* never falls */
}

static void roles_decide_among_near_ones(void **state)
{
	struct account_queue q = { 0 };
	struct account ran = ACCOUNT_INIT, other = ACCOUNT_INIT, *both[] = { &ran, &other };
	enum account_role roles[] = { ACCOUNT_SLICE_ENDS, ACCOUNT_OTHER };

	(void)state;
	other.virtual_time = ACCOUNT_SLICE_OVER - 1;
	assert_ptr_equal(choose(&q, both, 2, roles), &other);
	other.virtual_time = ACCOUNT_SLICE_OVER + 1;
	assert_ptr_equal(choose(&q, both, 2, roles), &ran);
	roles[0] = ACCOUNT_INTERRUPTED;
	other.virtual_time = 10 * MS;
	ran.virtual_time = 10 * MS + ACCOUNT_GRAIN - 1;
	assert_ptr_equal(choose(&q, both, 2, roles), &ran);
	ran.virtual_time = 10 * MS + ACCOUNT_GRAIN + 1;
	assert_ptr_equal(choose(&q, both, 2, roles), &other);
}

static void who_gives_way_is_last(void **state)
{
	struct account_queue q = { 0 };
	struct account first = ACCOUNT_INIT, other = ACCOUNT_INIT, *both[] = { &first, &other };
	const enum account_role roles[] = { ACCOUNT_GIVES_WAY, ACCOUNT_OTHER };

	(void)state;
	other.virtual_time = 1000 * MS;
	assert_ptr_equal(choose(&q, both, 2, roles), &other);
	assert_int_equal(q.floor, 1000 * MS); /* and keeps no more than a sleeper does */
	assert_ptr_equal(choose(&q, both, 1, roles), &first);
	assert_int_equal(first.virtual_time, 1000 * MS - ACCOUNT_CREDIT);
}

static void a_cap_is_kept(void **state)
{
	struct account a = ACCOUNT_INIT;
	u64 now = 0, used = 0;

	(void)state;
	a.cap = 20;
	for (unsigned i = 0; i < 10000; i++) {
		now += MS;
		if (!account_within_cap(&a, now - MS))
			continue;
		account_charge(&a, MS, now);
		used += MS;
	}
	assert_in_range(used * 100 / now, 19, 20);
	a.cap = 0;
	assert_true(account_within_cap(&a, 0));
}

/* ---- players ---- */

enum habit { SPINS, WAKES, LEAVES_EARLY, GIVES_WAY, MIXES, HABITS };

struct player {
	struct account account;
	enum habit habit;
	bool wants;
	u64 wakes_at; /* while it does not want to run */
	u64 had;      /* what it has had since the start */
	u64 waits;    /* since when it wants to run and does not */
	u64 longest;  /* that it waited */
};

#define PLAYERS 6

struct game {
	struct account_queue queue;
	struct player player[PLAYERS];
	unsigned n;
	u64 now, next_slice, given;
};

static u64 random_to(u64 limit) { return ((u64)rand() << 16 ^ (u64)rand()) % limit + 1; }

/* For how long it would run, and whether it then sleeps or gives way. */
static u64 stretch(const struct game *g, struct player *p, bool *sleeps, bool *gives_way)
{
	u64 left = g->next_slice - g->now;
	enum habit habit = p->habit == MIXES ? (enum habit)(rand() % MIXES) : p->habit;

	*sleeps = habit == WAKES || habit == LEAVES_EARLY;
	*gives_way = habit == GIVES_WAY;
	switch (habit) {
	case WAKES: return random_to(MS / 10);
	case LEAVES_EARLY: return left > MS / 100 ? left - MS / 100 : left;
	case GIVES_WAY: return rand() % 4 ? random_to(SLICE) : left > 100 ? left - 100 : left;
	default: return ~0ul;
	}
}

static u64 next_wake(const struct game *g)
{
	u64 at = ~0ul;

	for (unsigned i = 0; i < g->n; i++)
		if (!g->player[i].wants)
			at = MIN(at, g->player[i].wakes_at);
	return at;
}

static void wake(struct game *g)
{
	for (unsigned i = 0; i < g->n; i++) {
		struct player *p = &g->player[i];

		if (!p->wants && p->wakes_at <= g->now) {
			p->wants = true;
			p->waits = g->now;
		}
	}
}

static struct player *choose_player(struct game *g, const struct player *ran,
				    enum account_role role)
{
	struct account_choice c = account_choose(&g->queue);
	struct player *best = NULL;

	for (unsigned i = 0; i < g->n; i++) {
		struct player *p = &g->player[i];

		if (p->wants && account_within_cap(&p->account, g->now) &&
		    account_offer(&c, &p->account, p == ran ? role : ACCOUNT_OTHER))
			best = p;
	}
	account_chosen(&c);
	return best;
}

/* p has the processor until it stops, another wakes, or the slice is over; the role it leaves in. */
static enum account_role run(struct game *g, struct player *p)
{
	bool sleeps, gives_way;
	u64 own = stretch(g, p, &sleeps, &gives_way);
	u64 until = MIN(g->next_slice, next_wake(g));
	bool stops = own < until - g->now;
	u64 ticks = stops ? own : until - g->now;

	p->longest = MAX(p->longest, g->now - p->waits);
	g->now += ticks;
	g->given += ticks;
	p->had += ticks;
	p->waits = g->now;
	account_charge(&p->account, ticks, g->now);
	if (stops && sleeps) {
		p->wants = false;
		p->wakes_at = g->now + random_to(rand() % 8 ? MS / 10 : 50 * MS);
	}
	if (stops && gives_way)
		return ACCOUNT_GIVES_WAY;
	return g->now >= g->next_slice ? ACCOUNT_SLICE_ENDS : ACCOUNT_INTERRUPTED;
}

static void play(struct game *g, unsigned steps)
{
	struct player *ran = NULL;
	enum account_role role = ACCOUNT_OTHER;

	while (steps--) {
		if (g->now >= g->next_slice)
			g->next_slice += ROUND_UP(g->now - g->next_slice + 1, SLICE);
		wake(g);
		ran = choose_player(g, ran, role);
		if (!ran) {
			g->now = MIN(g->next_slice, next_wake(g));
			continue;
		}
		role = run(g, ran);
	}
}

static void begin(struct game *g, unsigned n)
{
	memset(g, 0, sizeof(*g));
	g->n = n;
	g->next_slice = SLICE;
	for (unsigned i = 0; i < n; i++)
		g->player[i] = (struct player){ .account = ACCOUNT_INIT, .wants = true };
}

/* The first always wants to run; the others do what they like. It never has less than its part by
 * weight, but for a fixed sum, however long the game. */
static void no_habit_takes_from_who_spins(void **state)
{
	struct game g;

	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		u64 weights = 0, part;

		srand(seed);
		begin(&g, 2 + seed % (PLAYERS - 1));
		for (unsigned i = 0; i < g.n; i++) {
			g.player[i].habit = i ? (enum habit)(rand() % HABITS) : SPINS;
			if (seed % 3 == 2)
				g.player[i].account.weight = ACCOUNT_WEIGHT * (1 + rand() % 4) / 2;
			weights += g.player[i].account.weight;
		}
		play(&g, 2000);
		assert_int_equal(g.given, g.now); /* somebody always wanted to run */
		part = g.now * g.player[0].account.weight / weights;
		assert_true(g.player[0].had + 4 * SLICE > part);
	}
}

/* Beside one other of equal weight: half, and never away for more than two slices and a half. */
static void beside_one_it_has_half_and_short_gaps(void **state)
{
	struct game g;

	(void)state;
	for (unsigned seed = 0; seed < 400; seed++) {
		srand(seed);
		begin(&g, 2);
		g.player[1].habit = (enum habit)(seed % HABITS);
		play(&g, 3000);
		assert_true(2 * g.player[0].had + 4 * SLICE > g.now);
		assert_true(g.player[0].longest <= 5 * SLICE / 2);
	}
}

/* Nobody of equal weight has more than who always wanted to run, but for a fixed sum. */
static void nobody_gains_by_a_habit(void **state)
{
	struct game g;

	(void)state;
	for (unsigned seed = 0; seed < 300; seed++) {
		srand(1000 + seed);
		begin(&g, PLAYERS);
		for (unsigned i = 1; i < g.n; i++)
			g.player[i].habit = (enum habit)(rand() % HABITS);
		play(&g, 2000);
		for (unsigned i = 1; i < g.n; i++)
			assert_true(g.player[i].had < g.player[0].had + 4 * SLICE);
	}
}

/* With caps the rest is idle, or somebody else's. */
static void caps_hold_beside_others(void **state)
{
	struct game g;

	(void)state;
	for (unsigned seed = 0; seed < 100; seed++) {
		srand(seed);
		begin(&g, 1 + seed % 3);
		g.player[0].account.cap = 10 + seed % 50;
		for (unsigned i = 1; i < g.n; i++)
			g.player[i].habit = (enum habit)(rand() % HABITS);
		play(&g, 3000);
		assert_true(g.player[0].had < g.now * g.player[0].account.cap / 100 + 2 * SLICE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(use_counts_by_weight),
		cmocka_unit_test(who_had_least_is_next),
		cmocka_unit_test(a_sleeper_has_no_more_than_its_credit),
		cmocka_unit_test(roles_decide_among_near_ones),
		cmocka_unit_test(who_gives_way_is_last),
		cmocka_unit_test(a_cap_is_kept),
		cmocka_unit_test(no_habit_takes_from_who_spins),
		cmocka_unit_test(beside_one_it_has_half_and_short_gaps),
		cmocka_unit_test(nobody_gains_by_a_habit),
		cmocka_unit_test(caps_hold_beside_others),
	};

	return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
