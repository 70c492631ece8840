/* SPDX-License-Identifier: MIT */
/* numa/ledger.c: what moves may cost, what is paid, and what pages are found to have brought. */
#include "tests/unit/unit.h"

#include "kernel/mem/memmap.h"
#include "kernel/panic.h"
#include "numa/heat.h"
#include "numa/ledger.h"

#define NODES	   2
#define PAGES	   2048u
#define FIRST	   0x80000u
#define US	   1000ull
#define MS	   1000000ull
#define GAIN	   600u
#define PAGE(n, i) ((mpn_t){ FIRST + (n)*PAGES + (i) })

static struct policy p;
static struct ledger storage[NODES];
static struct page entries[NODES][PAGES];
static void *heat[NODES];
static u64 now;

_Noreturn void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

void *fake_mpn_ptr(mpn_t mpn)
{
	fail_msg("nobody reads page %lx", (long)mpn.v);
	return NULL;
}

static const struct ledger *l(void) { return ledger_of(1); }

static void tick(u64 ms)
{
	now += ms * MS;
	heat_clock(now / MS);
	ledger_tick(1, &p, now);
}

static void set_up(bool sees_local)
{
	heat_use_samples(sees_local);
	p = policy_default;
	p.stake = 500;
	now = 0;
	for (u32 n = 0; n < NODES; n++) {
		free(heat[n]);
		heat[n] = calloc(1, heat_bytes(PAGES));
		memmap_init_node(n, PAGE(n, 0), PAGES, entries[n]);
		heat_init_node(n, PAGE(n, 0), PAGES, heat[n]);
		storage[n] = (struct ledger){ 0 };
		ledger_init_node(n, &storage[n]);
		for (u32 i = 0; i < PAGES; i++)
			memmap_free_at_boot(PAGE(n, i));
	}
	heat_set(p.trigger, p.sharing, 1, p.interval);
	tick(1);
}

static int begin(void **state)
{
	(void)state;
	set_up(true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (u32 n = 0; n < NODES; n++)
		free(heat[n]);
	return 0;
}

/* Guest page i comes from node 0. */
static void arrive(u32 i, u32 before)
{
	struct ledger_arrival a = { .copy = PAGE(1, i),
				    .owner = 3,
				    .from = 0,
				    .before = before,
				    .gpn = { i },
				    .gain = GAIN,
				    .loss = GAIN };

	memmap_give(PAGE(1, i), 3, (gpn_t){ i });
	ledger_arrive(1, &a);
}

static void hit(u32 node, u32 i, u32 times)
{
	while (times--)
		heat_sample(node, PAGE(1, i), false);
}

static void l_each(u64 ns)
{
	storage[1].each = ns;
	storage[1].known = true;
}

static void broke(void) { ledger_pay(1, (u64)l()->balance, 0); }

static void a_node_begins_with_its_stake(void **state)
{
	(void)state;
	assert_int_equal(l()->balance, p.stake * US);
	assert_int_equal(ledger_pages(1, &p), MIN(p.stake * US / l()->each, p.gather));
	l_each(l()->each);
	assert_int_equal(ledger_pages(1, &p), p.stake * US / l()->each);
}

/* Pages that cost six times what was thought, and bring nothing: the first batch is small, and tells. */
static void dear_pages_are_noticed_at_once(void **state)
{
	u64 spent = 0;

	(void)state;
	for (u32 t = 0; t < 5; t++) {
		u32 pages = ledger_pages(1, &p);

		spent += pages * 300;
		ledger_pay(1, pages * 300 * US, pages);
		tick(10);
	}
	assert_int_equal(spent, p.gather * 300);
	assert_int_equal(l()->each, 300 * US);
	ledger_pay(1, 50 * US, 1);
	assert_in_range(l()->each, 260 * US, 280 * US);
	ledger_pay(1, 800 * US, 1);
	assert_in_range(l()->each, 500 * US, 550 * US);
}

static void what_is_paid_is_gone(void **state)
{
	u64 each = l()->each;

	(void)state;
	ledger_pay(1, 100 * US, 0);
	assert_int_equal(l()->balance, p.stake * US - 100 * US);
	assert_int_equal(l()->each, each); /* looks alone say nothing about moves */
	ledger_pay(1, 800 * US, 2);
	assert_true(l()->each > each);
	assert_int_equal(ledger_pages(1, &p), 0);
	assert_int_equal(l()->spent, 900 * US);
}

/* Nothing is known: the first batch is tried out. Then in doubt, until gains are more than the risk; or there are some to spend. */
static void moves_are_in_doubt_until_they_pay(void **state)
{
	(void)state;
	assert_int_equal(ledger_trust(1, &p), POLICY_GUESS);
	ledger_pay(1, 100 * US, 2);
	assert_int_equal(ledger_trust(1, &p), POLICY_DOUBT);
	arrive(0, 0);
	hit(1, 0, 2 * 10 * MS * p.risk / 1000 / GAIN + 1); /* half of it counts */
	tick(10);
	assert_int_equal(ledger_trust(1, &p), POLICY_PROVEN);
	for (u32 t = 0; t < 5; t++) {
		broke();
		tick(10);
	}
	assert_int_equal(ledger_trust(1, &p), POLICY_DOUBT);
	p.risk = 1000;
	assert_int_equal(ledger_trust(1, &p), POLICY_PROVEN);
	p.risk = policy_default.risk;
	storage[1].balance = p.stake * US + 1;
	assert_int_equal(ledger_trust(1, &p), POLICY_PROVEN);
}

static void prices_are_forgotten(void **state)
{
	(void)state;
	ledger_pay(1, 400 * US, 1);
	assert_int_equal(ledger_price(1, 600), 400 * US / 600);
	tick(p.forget);
	assert_int_equal(l()->each, 400 * US);
	tick(1);
	assert_false(l()->known);
	assert_int_equal(ledger_trust(1, &p), POLICY_GUESS);
	assert_int_equal(l()->each, 50 * US);
}

static void time_brings_a_little_up_to_the_stake(void **state)
{
	(void)state;
	broke();
	tick(10);
	assert_int_equal(l()->balance, 10 * MS * p.risk / 1000);
	tick(100000);
	assert_int_equal(l()->balance, p.stake * US);
}

static void a_page_that_is_used_brings_what_it_saves(void **state)
{
	(void)state;
	broke();
	arrive(5, 0);
	hit(1, 5, 40);
	tick(0);
	assert_int_equal(l()->balance, 40 * GAIN);
	hit(1, 5, 10);
	tick(0);
	assert_int_equal(l()->balance, 50 * GAIN);
	tick(0);
	assert_int_equal(l()->gained, 50 * GAIN);
}

static void a_page_that_its_old_node_uses_costs(void **state)
{
	(void)state;
	broke();
	arrive(5, 0);
	hit(1, 5, 40);
	hit(0, 5, 100);
	tick(0);
	assert_int_equal(l()->balance, -60 * (s64)GAIN);
	assert_int_equal(l()->lost, 100 * GAIN);
	assert_int_equal(ledger_pages(1, &p), 0);
}

static void counts_begin_anew(void **state)
{
	(void)state;
	broke();
	arrive(5, 0);
	hit(1, 5, 40);
	tick(0);
	p.risk = 0;
	tick(p.interval);
	hit(1, 5, 7);
	tick(0);
	assert_int_equal(l()->gained, 47 * GAIN);
}

static void a_page_that_has_gone_brings_nothing(void **state)
{
	(void)state;
	broke();
	arrive(5, 0);
	memmap_take_back(PAGE(1, 5), 3);
	hit(1, 5, 40);
	tick(0);
	assert_int_equal(l()->used, 0);
	arrive(6, 0);
	memmap_take_back(PAGE(1, 6), 3);
	memmap_give(PAGE(1, 6), 3, (gpn_t){ 77 }); /* another page of the same VM */
	hit(1, 6, 40);
	tick(0);
	assert_int_equal(l()->used, 0);
	assert_int_equal(l()->balance, 0);
}

static void gains_have_an_end(void **state)
{
	(void)state;
	for (u32 i = 0; i < LEDGER_SAMPLES; i++)
		arrive(i, 0);
	for (u32 t = 0; t < 100; t++) {
		for (u32 i = 0; i < LEDGER_SAMPLES; i++)
			hit(1, i, 100);
		tick(0);
		tick(0);
		tick(p.interval);
		tick(0);
	}
	assert_int_equal(l()->balance, p.keep * MS);
}

/*
 * Pages bring 1.5 % of the time for two seconds, as while one thread of a program fills in what all work on afterwards; from then
 * on they bring nothing. What is lost by moves in the next 200 ms is below 8 ms: the others wait for who loses it.
 */
static void what_was_earned_is_not_all_lost_again(void **state)
{
	u64 lost = 0;

	(void)state;
	for (u32 i = 0; i < LEDGER_SAMPLES; i++)
		arrive(i, 0);
	for (u32 t = 0; t < 200; t++) {
		for (u32 i = 0; i < LEDGER_SAMPLES; i++)
			hit(1, i, 8);
		tick(10);
	}
	assert_true(l()->balance > (s64)(3 * MS));
	for (u32 t = 0; t < 20; t++) {
		u32 pages = MIN(ledger_pages(1, &p), p.batch);

		ledger_pay(1, pages * 30 * US, pages);
		lost += pages * 30 * US;
		tick(10);
	}
	assert_in_range(lost, 3 * MS, 8 * MS);
}

/* A stake beyond what is kept of gains is there all the same. */
static void a_stake_is_never_cut(void **state)
{
	struct policy rich = p;

	(void)state;
	rich.stake = 4 * p.keep * 1000;
	ledger_tick(1, &rich, MS);
	ledger_tick(1, &rich, 1000ull * MS * 1000 / p.risk);
	assert_int_equal(l()->balance, rich.stake * US);
}

static void so_have_debts(void **state)
{
	(void)state;
	ledger_pay(1, 1000 * MS, 10);
	tick(0);
	assert_in_range(-l()->balance, 1, p.keep * MS);
	for (u32 t = 0; t < 100; t++)
		tick(10);
	assert_true(l()->balance > 0); /* a second later it tries again */
}

/* Gains that go on are counted on for as long as they have gone on. */
static void what_goes_on_may_be_spent_before_it_comes(void **state)
{
	u32 pages;

	(void)state;
	broke();
	p.risk = 0;
	arrive(5, 0);
	for (u32 t = 0; t < 4; t++) {
		hit(1, 5, 50);
		tick(5);
	}
	ledger_pay(1, (u64)l()->balance, 0);
	l_each(1000);
	pages = ledger_pages(1, &p); /* some 50 * GAIN / 5 ms for some 15 ms */
	assert_in_range(pages, 50 * GAIN * 2 / 1000, 50 * GAIN * 3 / 1000);
	p.ahead = 5;
	assert_in_range(ledger_pages(1, &p), 50 * GAIN * 8 / 10000, 50 * GAIN / 1000);
	p.ahead = 0;
	assert_int_equal(ledger_pages(1, &p), 0);
	p.ahead = 50;
	for (u32 t = 0; t < 100; t++) /* it has ended */
		tick(5);
	assert_int_equal(ledger_pages(1, &p), 0);
	assert_int_equal(l()->since, 0);
}

/* Two nodes take turns at pages: what these bring in one turn they take back in the next, and nothing is spent of it. */
static void what_was_taken_back_is_not_spent_again(void **state)
{
	(void)state;
	broke();
	p.risk = 0;
	l_each(1000);
	arrive(5, 0);
	hit(0, 5, 100);
	tick(10);
	hit(1, 5, 150);
	tick(10);
	assert_int_equal(l()->balance, 50 * GAIN);
	assert_int_equal(ledger_pages(1, &p), 0);
	p.ahead = 0;
	tick(10); /* half of the setback is forgotten */
	for (u32 t = 0; t < 21; t++)
		tick(1);
	assert_in_range(l()->setback, 48 * GAIN, 52 * GAIN);
	hit(1, 5, 50);
	tick(10);
	assert_in_range(ledger_pages(1, &p), 48 * GAIN / 1000, 53 * GAIN / 1000);
	hit(1, 5, 1);
	for (u32 t = 0; t < 300; t++)
		tick(0);
	assert_int_equal(ledger_pages(1, &p), (u64)l()->balance / 1000);
}

/* However many came, the samples stand for all of them: 32 and less exactly, more by some per cent. */
static void samples_stand_for_all(void **state)
{
	(void)state;
	for (u32 n = 32; n <= PAGES; n *= 2) {
		u64 gained, weight = 0;

		set_up(true);
		p.keep = 1000;
		for (u32 i = 0; i < n; i++)
			arrive(i, 0);
		for (u32 i = 0; i < l()->used; i++)
			weight += l()->sample[i].weight;
		assert_in_range(weight, n - n / 8, n + n / 8);
		for (u32 i = 0; i < n; i++)
			hit(1, i, 10);
		for (u32 t = 0; t < LEDGER_SAMPLES / LEDGER_LOOKS; t++)
			tick(0);
		gained = l()->gained / GAIN / 10;
		assert_in_range(gained, n - n / 8, n + n / 8);
	}
}

/* Nobody sees local misses: what a page cost before is what it is thought to save, while it stays, for an
 * interval. */
static void unseen_gains_are_those_of_before(void **state)
{
	(void)state;
	set_up(false);
	broke();
	arrive(5, 50);
	tick(p.interval);
	assert_int_equal(l()->gained, 50 * GAIN);
	for (u32 t = 0; t < 10; t++)
		tick(p.interval);
	assert_int_equal(l()->gained, 50 * GAIN); /* no longer: nobody sees that it is used */
	arrive(6, 50);
	tick(p.interval / 2);
	hit(0, 5, 100); /* remote ones are seen */
	tick(0);
	assert_int_equal(l()->lost, 100 * GAIN);
	assert_int_equal(l()->gained, 75 * GAIN);
	memmap_take_back(PAGE(1, 6), 3);
	tick(p.interval);
	assert_int_equal(l()->gained, 75 * GAIN);
}

static void without_risk_nothing_moves_and_with_all_everything(void **state)
{
	(void)state;
	broke();
	p.risk = 0;
	tick(100000);
	assert_int_equal(ledger_pages(1, &p), 0);
	p.risk = 1000;
	assert_true(ledger_pages(1, &p) > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_node_begins_with_its_stake, begin),
		cmocka_unit_test_setup(dear_pages_are_noticed_at_once, begin),
		cmocka_unit_test_setup(what_is_paid_is_gone, begin),
		cmocka_unit_test_setup(moves_are_in_doubt_until_they_pay, begin),
		cmocka_unit_test_setup(prices_are_forgotten, begin),
		cmocka_unit_test_setup(time_brings_a_little_up_to_the_stake, begin),
		cmocka_unit_test_setup(a_page_that_is_used_brings_what_it_saves, begin),
		cmocka_unit_test_setup(a_page_that_its_old_node_uses_costs, begin),
		cmocka_unit_test_setup(counts_begin_anew, begin),
		cmocka_unit_test_setup(a_page_that_has_gone_brings_nothing, begin),
		cmocka_unit_test_setup(gains_have_an_end, begin),
		cmocka_unit_test_setup(what_was_earned_is_not_all_lost_again, begin),
		cmocka_unit_test_setup(a_stake_is_never_cut, begin),
		cmocka_unit_test_setup(so_have_debts, begin),
		cmocka_unit_test_setup(what_goes_on_may_be_spent_before_it_comes, begin),
		cmocka_unit_test_setup(what_was_taken_back_is_not_spent_again, begin),
		cmocka_unit_test_setup(samples_stand_for_all, begin),
		cmocka_unit_test_setup(unseen_gains_are_those_of_before, begin),
		cmocka_unit_test_setup(without_risk_nothing_moves_and_with_all_everything, begin),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, end);
}
