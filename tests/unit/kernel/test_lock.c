/* SPDX-License-Identifier: MIT */
/* kernel/lock.c: locks are taken in the order of their ranks, and what wants a lock held can say so. */
#include "tests/unit/unit.h"

#include "kernel/lock.h"
#include "kernel/mem/shootdown.h"
#include "kernel/panic.h"

static struct node node;
static struct lock low = LOCK_INIT(RANK_VM), high = LOCK_INIT(RANK_CONSOLE);
static unsigned yields, answers, heeded;

struct node *node_self(void) { return &node; }

void shootdown_answer(struct node *n)
{
	(void)n;
	answers++;
}

/* Whoever holds the lock gives it up while we wait for it. */
void arch_yield(void)
{
	if (++yields == 3)
		low.serving++;
}

void node_heed_stop(const struct node *n)
{
	(void)n;
	heeded++;
}

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static int fill(void **state)
{
	(void)state;
	memset(&node, 0, sizeof(node));
	low = (struct lock)LOCK_INIT(RANK_VM);
	high = (struct lock)LOCK_INIT(RANK_CONSOLE);
	yields = answers = heeded = 0;
	return 0;
}

static void upward_only(void **state)
{
	(void)state;
	lock_take(&low);
	lock_take(&high);
	lock_release(&high);
	lock_release(&low);
	lock_take(&high);
	expect_assert_failure(lock_take(&low));
	expect_assert_failure(lock_take(&high));
}

static void a_function_may_want_it_held(void **state)
{
	(void)state;
	expect_assert_failure(lock_assert(&low));
	lock_take(&low);
	lock_assert(&low);
	expect_assert_failure(lock_assert(&high));
	lock_take(&high);
	lock_assert(&low);
	lock_assert(&high);
	lock_release(&high);
	expect_assert_failure(lock_assert(&high));
	lock_release(&low);
	expect_assert_failure(lock_assert(&low));
}

/* The same rank, held, is not the lock that is wanted. */
static void the_lock_itself_not_its_rank(void **state)
{
	struct lock other = LOCK_INIT(RANK_VM);

	(void)state;
	lock_take(&other);
	expect_assert_failure(lock_assert(&low));
	lock_release(&other);
}

static void none_is_held_when_a_guest_is_entered(void **state)
{
	(void)state;
	lock_assert_none(&node);
	lock_take(&low);
	expect_assert_failure(lock_assert_none(&node));
	lock_release(&low);
	lock_assert_none(&node);
}

static void who_waits_answers_shootdowns_and_stops_when_told(void **state)
{
	(void)state;
	low.next = 1; /* somebody has it */
	lock_take(&low);
	assert_int_equal(yields, 3);
	assert_int_equal(answers, 3);
	assert_int_equal(heeded, 3);
	lock_assert(&low);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(upward_only, fill),
		cmocka_unit_test_setup(a_function_may_want_it_held, fill),
		cmocka_unit_test_setup(the_lock_itself_not_its_rank, fill),
		cmocka_unit_test_setup(none_is_held_when_a_guest_is_entered, fill),
		cmocka_unit_test_setup(who_waits_answers_shootdowns_and_stops_when_told, fill),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
