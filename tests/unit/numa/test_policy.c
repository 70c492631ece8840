/* SPDX-License-Identifier: MIT */
/* numa/policy.c: every threshold at its edge, alone; hold-off and what is forgotten; and the words
 * that set it. */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "numa/policy.h"

#define NEVER (~0u)

static struct policy p;
static struct policy_page page; /* one that migrates */

static int begin(void **state)
{
	(void)state;
	p = policy_default;
	p.kind = POLICY_BOTH;
	page = (struct policy_page){ .movable = true,
				     .least = p.trigger,
				     .mine = p.trigger,
				     .age = NEVER,
				     .free = p.reserve + 1 };
	return 0;
}

static void becomes(enum policy_action action, enum policy_reason reason)
{
	struct policy_verdict v = policy_decide(&p, &page);

	assert_string_equal(policy_reason_name(v.reason), policy_reason_name(reason));
	assert_int_equal(v.action, action);
}

#define stays(reason) becomes(POLICY_STAY, reason)
#define migrates()    becomes(POLICY_DO_MIGRATE, POLICY_MOVED)
#define replicates()  becomes(POLICY_DO_REPLICATE, POLICY_MOVED)

static void the_defaults_are_as_documented(void **state)
{
	(void)state;
	assert_int_equal(policy_default.kind, POLICY_NONE);
	assert_int_equal(policy_default.trigger, 48);
	assert_int_equal(policy_default.doubt, 96);
	assert_int_equal(policy_default.sharing, 8);
	assert_int_equal(policy_default.write, 1);
	assert_int_equal(policy_default.migrate, 1);
	assert_int_equal(policy_default.hold, 50);
	assert_int_equal(policy_default.interval, 100);
}

/* ---- one condition at a time ---- */

static void one_user_gets_the_page(void **state)
{
	(void)state;
	migrates();
	page.writes = 255; /* of the one user, so they do not matter */
	migrates();
	page.mine = p.trigger - 1;
	stays(POLICY_COLD);
}

/* Until moves have paid a page must have cost what its move does. */
static void it_takes_more_while_in_doubt(void **state)
{
	(void)state;
	page.least = policy_least(&p, POLICY_DOUBT, 0);
	assert_int_equal(page.least, p.doubt);
	page.mine = p.doubt - 1;
	stays(POLICY_COLD);
	page.mine = p.doubt;
	migrates();
	p.doubt = 1; /* never less than at other times */
	page.least = policy_least(&p, POLICY_DOUBT, 0);
	page.mine = p.trigger - 1;
	stays(POLICY_COLD);
}

/* What a move costs now, as far as counters reach. */
static void a_dear_move_takes_more_misses_while_in_doubt(void **state)
{
	(void)state;
	assert_int_equal(policy_least(&p, POLICY_DOUBT, p.doubt - 1), p.doubt);
	assert_int_equal(policy_least(&p, POLICY_DOUBT, p.doubt + 1), p.doubt + 1);
	assert_int_equal(policy_least(&p, POLICY_DOUBT, 1000), 255);
	assert_int_equal(policy_least(&p, POLICY_GUESS, 1000), p.trigger);
	assert_int_equal(policy_least(&p, POLICY_PROVEN, 1000), p.trigger);
}

static void a_batch_must_be_worth_it_unless_moves_have_paid(void **state)
{
	(void)state;
	assert_true(policy_is_batch(&p, POLICY_PROVEN, 0, p.trigger));
	assert_false(policy_is_batch(&p, POLICY_GUESS, p.gather * 50 - 1, 50));
	assert_true(policy_is_batch(&p, POLICY_GUESS, p.gather * 50, 50));
	assert_false(policy_is_batch(&p, POLICY_DOUBT, p.gather * 200 - 1, 200));
	assert_true(policy_is_batch(&p, POLICY_DOUBT, p.gather * 200, 200));
}

/* Each line read and then written in one pass over the page is two misses, and one use. */
static void a_line_that_is_read_and_written_counts_once_while_in_doubt(void **state)
{
	(void)state;
	page.least = p.doubt;
	page.mine = 2 * p.doubt - 2;
	page.writes = page.upgrades = p.doubt - 1;
	stays(POLICY_COLD);
	page.mine++;
	migrates();
	page.upgrades = page.mine + 1; /* those of others, who are too few to be sharers */
	stays(POLICY_COLD);
	page.others = 1;
	stays(POLICY_WRITTEN);
	page.others = 0;
	page.least = page.mine = p.trigger;
	migrates();
}

static void several_readers_get_copies(void **state)
{
	(void)state;
	page.others = 1;
	replicates();
	page.others = 1023;
	replicates();
	page.mine = p.trigger - 1;
	stays(POLICY_COLD);
}

static void write_shared_pages_stay(void **state)
{
	(void)state;
	page.others = 1;
	page.writes = 1;
	stays(POLICY_WRITTEN);
	p.write = 5;
	page.writes = 4;
	replicates();
	page.writes = 5;
	stays(POLICY_WRITTEN);
}

/* Its other users do not miss on it any more, so that nothing else says that it is shared. */
static void a_page_with_replicas_is_shared(void **state)
{
	(void)state;
	page.replicated = true;
	replicates();
	page.writes = 1;
	stays(POLICY_WRITTEN);
	page.writes = 0;
	p.kind = POLICY_MIGRATE;
	stays(POLICY_SHARED);
}

static void a_page_asked_back_is_shared(void **state)
{
	(void)state;
	page.back = true;
	page.moves = 1;
	page.age = p.forget - 1;
	replicates();
	page.writes = 1;
	stays(POLICY_WRITTEN);
	page.age = p.forget; /* that was long ago */
	migrates();
}

static void what_cannot_move_stays(void **state)
{
	(void)state;
	page.movable = false;
	stays(POLICY_FIXED);
	page.local = true;
	stays(POLICY_LOCAL);
	page.movable = true;
	stays(POLICY_LOCAL);
	page.replicated = true;
	stays(POLICY_LOCAL);
	page.local = false;
	replicates();
}

static void policies_do_what_they_are_named_for(void **state)
{
	static const enum policy_kind fixed[] = { POLICY_NONE, POLICY_FIRST_TOUCH,
						  POLICY_ROUND_ROBIN };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(fixed); i++) {
		p.kind = fixed[i];
		page.others = 0;
		stays(POLICY_OFF);
		page.others = 1;
		stays(POLICY_OFF);
	}
	p.kind = POLICY_MIGRATE;
	stays(POLICY_SHARED);
	page.others = 0;
	migrates();
	p.kind = POLICY_REPLICATE;
	stays(POLICY_PRIVATE);
	page.others = 1;
	replicates();
}

static void memory_runs_short_for_replicas_first(void **state)
{
	(void)state;
	p.reserve = 100;
	page.free = 51;
	migrates();
	page.free = 50;
	stays(POLICY_MEMORY);
	page.others = 1;
	page.free = 101;
	replicates();
	page.free = 100;
	stays(POLICY_MEMORY);
	page.free = 0;
	p.reserve = 0;
	stays(POLICY_MEMORY);
	page.free = 1;
	replicates();
}

/* ---- moves ---- */

static void a_page_rests_after_a_move(void **state)
{
	(void)state;
	page.moves = 1;
	page.age = p.hold - 1;
	stays(POLICY_HELD);
	page.age = p.hold;
	migrates();
	page.others = 1;
	replicates();
	page.age = p.hold - 1;
	stays(POLICY_HELD);
	page.age = 0;
	p.migrate = 2;
	replicates();
	page.moves = 2;
	stays(POLICY_HELD);
}

static void each_further_move_doubles_the_rest(void **state)
{
	(void)state;
	p.forget = 1000000;
	for (u32 i = 1; i < p.limit; i++) {
		page.moves = i;
		page.age = (p.hold << (i - 1)) - 1;
		stays(POLICY_HELD);
		page.age++;
		migrates();
	}
}

static void moves_have_a_limit(void **state)
{
	(void)state;
	p.forget = 1000000;
	page.age = 999999;
	page.moves = p.limit - 1;
	migrates();
	page.moves = p.limit;
	stays(POLICY_LIMIT);
	page.moves = 255;
	stays(POLICY_LIMIT);
	p.limit = 256; /* none; the rest is long enough */
	stays(POLICY_HELD);
}

static void moves_are_forgotten_one_by_one(void **state)
{
	(void)state;
	page.moves = p.limit;
	page.age = p.forget - 1;
	assert_int_equal(policy_moves_counted(&p, &page), p.limit);
	stays(POLICY_LIMIT);
	page.age = p.forget;
	assert_int_equal(policy_moves_counted(&p, &page), p.limit - 1);
	stays(POLICY_HELD); /* 3.2 s */
	page.age = 3 * p.forget;
	migrates(); /* 5 of them: 0.8 s */
	page.age = 100 * p.forget;
	assert_int_equal(policy_moves_counted(&p, &page), 0);
	migrates();
}

/* Whatever a page has been through, it can move again some day; until then it rests longer and
 * longer. */
static void no_page_is_stuck_for_ever(void **state)
{
	u32 last = 0;

	(void)state;
	for (u32 moves = 0; moves <= 255; moves++) {
		page.moves = moves;
		for (page.age = 0; policy_decide(&p, &page).action == POLICY_STAY; page.age += 10)
			assert_in_range(page.age, 0, 300000);
		assert_true(page.age >= last);
		last = page.age;
	}
	assert_in_range(last, 200000, 300000);
}

static void nothing_overflows(void **state)
{
	(void)state;
	p.forget = NEVER;
	p.limit = 256;
	p.hold = 100000;
	p.migrate = 1;
	page.moves = 255;
	page.age = NEVER - 1;
	stays(POLICY_HELD); /* 100000 << 31 ms */
	page.age = NEVER;
	p.forget = 1;
	migrates();
	page.mine = page.others = page.writes = NEVER;
	page.free = ~0ull;
	stays(POLICY_WRITTEN);
}

static void every_reason_has_its_name(void **state)
{
	static const char *const names[POLICY_REASONS] = { "off",     "local",	"fixed",   "cold",
							   "written", "shared", "private", "limit",
							   "held",    "memory", "poor",	   "few",
							   "moved" };

	(void)state;
	for (u32 r = 0; r < POLICY_REASONS; r++)
		assert_string_equal(policy_reason_name(r), names[r]);
	assert_string_equal(policy_reason_name(POLICY_LOCAL), "local");
	assert_string_equal(policy_reason_name(POLICY_HELD), "held");
}

/* ---- words ---- */

static char why[POLICY_ERROR_BYTES];

static int set(const char *word)
{
	size_t len = strlen(word);
	char *copy = exact_copy(word, len);
	int result;

	why[0] = 0;
	result = policy_set(&p, (struct word){ copy, len }, why);
	free(copy);
	return result;
}

static void every_policy_has_a_name(void **state)
{
	(void)state;
	for (u32 i = 0; i < POLICY_KINDS; i++) {
		assert_int_equal(set(policy_name(i)), 0);
		assert_int_equal(p.kind, i);
	}
	assert_string_equal(policy_name(POLICY_FIRST_TOUCH), "first-touch");
	assert_string_equal(policy_name(POLICY_KINDS), "?");
}

static void every_parameter_can_be_set(void **state)
{
	char word[64];
	const char *name;
	u32 value, n;

	(void)state;
	for (n = 0; (name = policy_parameter(&p, n, &value)); n++) {
		snprintf(word, sizeof(word), "%s=%u", name, 20 + n);
		assert_int_equal(set(word), 0);
		policy_parameter(&p, n, &value);
		assert_int_equal(value, 20 + n);
	}
	assert_int_equal(n, sizeof(p) / sizeof(u32) - 1); /* all but kind */
	assert_int_equal(p.trigger, 20);
	assert_int_equal(p.doubt, 20 + n - 1);
	assert_int_equal(p.kind, POLICY_BOTH);
}

static void values_have_bounds(void **state)
{
	(void)state;
	assert_int_equal(set("trigger=1"), 0);
	assert_int_equal(set("trigger=255"), 0);
	assert_int_equal(set("trigger=256"), -EINVAL);
	assert_string_equal(why, "found trigger=256, allowed trigger=1 to 255");
	assert_int_equal(p.trigger, 255);
	assert_int_equal(set("trigger=0"), -EINVAL);
	assert_int_equal(set("trigger="), -EINVAL);
	assert_int_equal(set("trigger=-1"), -EINVAL);
	assert_int_equal(set("trigger=1x"), -EINVAL);
	assert_int_equal(set("trigger=18446744073709551617"), -EINVAL);
	assert_int_equal(set("trigger=0000000000000000000000000000000000000000000000256"), -EINVAL);
	assert_int_equal(set("reserve=0"), 0);
	assert_int_equal(set("forget=0"), -EINVAL); /* would be divided by */
}

static void wrong_words_are_told(void **state)
{
	struct policy before = p;

	(void)state;
	assert_int_equal(set("bot"), -EINVAL);
	assert_string_equal(
		why, "found bot, allowed none, first-touch, round-robin, migrate, replicate, both");
	assert_int_equal(set(""), -EINVAL);
	assert_int_equal(set("bothe"), -EINVAL);
	assert_int_equal(set("=3"), -EINVAL);
	assert_int_equal(set("triggers=3"), -EINVAL);
	assert_non_null(strstr(why, "found triggers=3, allowed trigger, sharing,"));
	for (u32 n = 0, value; policy_parameter(&p, n, &value); n++)
		assert_non_null(strstr(why, policy_parameter(&p, n, &value)));
	assert_int_equal(set("a-word-that-is-much-longer-than-all-that-are-allowed"), -EINVAL);
	assert_non_null(strstr(why, "found a-word-that-is-much-longer-than, allowed"));
	assert_memory_equal(&p, &before, sizeof(p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_as_documented),
		cmocka_unit_test_setup(one_user_gets_the_page, begin),
		cmocka_unit_test_setup(it_takes_more_while_in_doubt, begin),
		cmocka_unit_test_setup(a_dear_move_takes_more_misses_while_in_doubt, begin),
		cmocka_unit_test_setup(a_batch_must_be_worth_it_unless_moves_have_paid, begin),
		cmocka_unit_test_setup(a_line_that_is_read_and_written_counts_once_while_in_doubt,
				       begin),
		cmocka_unit_test_setup(several_readers_get_copies, begin),
		cmocka_unit_test_setup(write_shared_pages_stay, begin),
		cmocka_unit_test_setup(a_page_with_replicas_is_shared, begin),
		cmocka_unit_test_setup(a_page_asked_back_is_shared, begin),
		cmocka_unit_test_setup(what_cannot_move_stays, begin),
		cmocka_unit_test_setup(policies_do_what_they_are_named_for, begin),
		cmocka_unit_test_setup(memory_runs_short_for_replicas_first, begin),
		cmocka_unit_test_setup(a_page_rests_after_a_move, begin),
		cmocka_unit_test_setup(each_further_move_doubles_the_rest, begin),
		cmocka_unit_test_setup(moves_have_a_limit, begin),
		cmocka_unit_test_setup(moves_are_forgotten_one_by_one, begin),
		cmocka_unit_test_setup(no_page_is_stuck_for_ever, begin),
		cmocka_unit_test_setup(nothing_overflows, begin),
		cmocka_unit_test(every_reason_has_its_name),
		cmocka_unit_test_setup(every_policy_has_a_name, begin),
		cmocka_unit_test_setup(every_parameter_can_be_set, begin),
		cmocka_unit_test_setup(values_have_bounds, begin),
		cmocka_unit_test_setup(wrong_words_are_told, begin),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
