/* SPDX-License-Identifier: MIT */
/* kernel/console/answer.c: the terminal's size among what is typed, and nothing typed is lost. */
#include "tests/unit/unit.h"

#include "kernel/console/answer.h"

static struct answer a;
static char typed[256];

/* What is not the answer goes to typed; how many answers there were. */
static int feed(const char *s)
{
	int sizes = 0;

	memset(&a, 0, sizeof(a));
	typed[0] = 0;
	for (; *s; s++) {
		switch (answer_next(&a, *s)) {
		case ANSWER_MORE: break;
		case ANSWER_SIZE: sizes++; break;
		case ANSWER_NOT:
			strncat(typed, a.held, a.n);
			a.n = 0;
			break;
		}
	}
	return sizes;
}

static void the_answer_is_picked_out(void **state)
{
	(void)state;
	assert_int_equal(feed("ls\033[50;132Rx"), 1);
	assert_int_equal(a.rows, 50);
	assert_int_equal(a.columns, 132);
	assert_string_equal(typed, "lsx");
	assert_int_equal(feed("\033[5;7R"), 1);
}

static void everything_else_was_typed(void **state)
{
	static const char *const others[] = { "plain",	     "\033[A", "\033OH",
					      "\033[1;2;3R", "\033x",  "\033[;R",
					      "\033[0;0R",   "\033[R", "\033[12345;6789R" };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(feed(others[i]), 0);
		assert_string_equal(typed, others[i]);
	}
	assert_int_equal(feed("\033[1;5R5;R;"), 1);
	assert_string_equal(typed, "5;R;");
	/* the beginning of one is held, and is the caller's when the time is over */
	assert_int_equal(feed("\033[12;"), 0);
	assert_int_equal(a.n, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer_is_picked_out),
		cmocka_unit_test(everything_else_was_typed),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
