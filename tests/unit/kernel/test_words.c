/* SPDX-License-Identifier: MIT */
/* kernel/words.c: words of a line, KEY=VALUE, lists, numbers; none of it reads beyond a word. */
#include "tests/unit/unit.h"

#include "kernel/words.h"

/* The word as a terminated string, valid until the next call. */
static const char *text(struct word w)
{
	static char copy[64];

	word_copy(copy, sizeof(copy), w);
	return copy;
}

static void words_have_blanks_between_them(void **state)
{
	struct word line = word_of("  one two\tthree  ");

	(void)state;
	assert_string_equal(text(words_next(&line)), "one");
	assert_string_equal(text(words_next(&line)), "two");
	assert_string_equal(text(words_next(&line)), "three");
	assert_null(words_next(&line).at);
	assert_null(words_next(&line).at);
}

static void a_line_is_split_in_place(void **state)
{
	char line[] = " attach  alpha ", many[] = "a b c d", last[] = "x";
	char *argv[4] = { NULL };

	(void)state;
	assert_int_equal(words_split(line, argv, 4), 2);
	assert_string_equal(argv[0], "attach");
	assert_string_equal(argv[1], "alpha");
	assert_int_equal(words_split(many, argv, 3), 3);
	assert_string_equal(argv[2], "c");
	assert_int_equal(words_split(last, argv, 4), 1);
	assert_string_equal(argv[0], "x");
	assert_int_equal(words_split(last + 1, argv, 4), 0);
}

static void values_are_found_by_key(void **state)
{
	(void)state;
	assert_string_equal(text(words_value("exit=1 attach=alpha cmd=vms", "attach=")), "alpha");
	assert_string_equal(text(words_value("cmd=vms", "cmd=")), "vms");
	assert_null(words_value("cmd=vms", "attach=").at);
	assert_null(words_value("", "cmd=").at);
	/* a key begins its word */
	assert_null(words_value("xcmd=vms cmd=x", "md=").at);
	assert_string_equal(text(words_value("xcmd=vms cmd=x", "cmd=")), "x");
	/* the first counts; an empty value is one */
	assert_string_equal(text(words_value("a=1 a=2", "a=")), "1");
	assert_non_null(words_value("a=  b=2", "a=").at);
	assert_int_equal(words_value("a=  b=2", "a=").len, 0);
}

static void switches_are_whole_words(void **state)
{
	(void)state;
	assert_true(words_have("exit=1", "exit=1"));
	assert_true(words_have("a exit=1 b", "exit=1"));
	assert_false(words_have("exit=11", "exit=1"));
	assert_false(words_have("noexit=1", "exit=1"));
	assert_false(words_have("", "exit=1"));
}

static void lists_have_commas(void **state)
{
	struct word list = word_of(",one,,two,");

	(void)state;
	assert_string_equal(text(list_next(&list)), "one");
	assert_string_equal(text(list_next(&list)), "two");
	assert_null(list_next(&list).at);
	list = (struct word){ 0 };
	assert_null(list_next(&list).at);
}

static void a_sign_divides_a_word(void **state)
{
	struct word w = word_of("trigger=32=1"), name = word_before(&w, '=');

	(void)state;
	assert_true(word_is(name, "trigger"));
	assert_true(word_is(w, "32=1"));
	w = word_of("plain");
	assert_true(word_is(word_before(&w, '='), "plain"));
	assert_int_equal(w.len, 0);
	w = (struct word){ 0 };
	assert_null(word_before(&w, '=').at);
	assert_false(word_is(w, ""));
}

/* The number in s, of at most max; 12345: it is none. The copy has no byte behind it. */
static u64 number(const char *s, u64 max)
{
	struct word w = { exact_copy(s, strlen(s)), strlen(s) };
	u64 value = 12345;
	bool is_one = word_number(w, max, &value);

	assert_int_equal(is_one, value != 12345);
	free((void *)w.at);
	return value;
}

static void numbers_are_whole_words(void **state)
{
	(void)state;
	assert_int_equal(number("0", 9), 0);
	assert_int_equal(number("007", 9), 7);
	assert_int_equal(number("0x1f", 99), 31);
	assert_int_equal(number("18446744073709551615", ~0ul), ~0ul);
	assert_int_equal(number("0xffffffff80100000", ~0ul), 0xffffffff80100000ul);
	assert_int_equal(number("10", 9), 12345);
	assert_int_equal(number("18446744073709551616", ~0ul), 12345);
	assert_int_equal(number("", 9), 12345);
	assert_int_equal(number("-1", 9), 12345);
	assert_int_equal(number("1x", 9), 12345);
	assert_int_equal(number("a", 99), 12345);
	assert_int_equal(number("0x", 9), 12345);
	assert_int_equal(number("1 ", 9), 12345);
	assert_int_equal(number("5", 3), 12345);
}

static u64 hundredths(const char *s)
{
	u64 value = 12345;
	bool is_one = word_hundredths(word_of(s), 10000, &value);

	assert_int_equal(is_one, value != 12345);
	return value;
}

static void hundredths_have_a_point(void **state)
{
	(void)state;
	assert_int_equal(hundredths("8"), 800);
	assert_int_equal(hundredths("0.25"), 25);
	assert_int_equal(hundredths("2.5"), 250);
	assert_int_equal(hundredths("0.05"), 5);
	assert_int_equal(hundredths("100"), 10000);
	assert_int_equal(hundredths("100.01"), 12345);
	assert_int_equal(hundredths("0.255"), 12345);
	assert_int_equal(hundredths("0.0x"), 12345);
	assert_int_equal(hundredths("8."), 12345);
	assert_int_equal(hundredths(".5"), 12345);
	assert_int_equal(hundredths("0x8"), 12345);
	assert_int_equal(hundredths("."), 12345);
	assert_int_equal(hundredths(""), 12345);
}

static void copies_are_cut(void **state)
{
	char copy[4];

	(void)state;
	word_copy(copy, sizeof(copy), word_of("abcdef"));
	assert_string_equal(copy, "abc");
	word_copy(copy, sizeof(copy), (struct word){ 0 });
	assert_string_equal(copy, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_have_blanks_between_them),
		cmocka_unit_test(a_line_is_split_in_place),
		cmocka_unit_test(values_are_found_by_key),
		cmocka_unit_test(switches_are_whole_words),
		cmocka_unit_test(lists_have_commas),
		cmocka_unit_test(a_sign_divides_a_word),
		cmocka_unit_test(numbers_are_whole_words),
		cmocka_unit_test(hundredths_have_a_point),
		cmocka_unit_test(copies_are_cut),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
