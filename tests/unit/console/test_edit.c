/* SPDX-License-Identifier: MIT */
/* kernel/console/edit.c and keys.c: the line at the prompt, by the bytes that terminals send. */
#include "tests/unit/unit.h"

#include "kernel/console/edit.h"

static struct edit e;
static struct keys keys;
static enum edit_result last;

static int fill(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&keys, 0, sizeof(keys));
	return 0;
}

static void press(const char *bytes)
{
	for (; *bytes; bytes++) {
		bool again;
		u32 key = keys_next(&keys, (u8)*bytes, &again);

		if (key != KEY_NONE)
			last = edit_key(&e, key);
		if (!again)
			continue;
		key = keys_next(&keys, (u8)*bytes, &again);
		if (key != KEY_NONE)
			last = edit_key(&e, key);
		assert_false(again);
	}
}

static const char *enter(const char *bytes)
{
	static char line[EDIT_MAX];

	press(bytes);
	press("\r");
	assert_int_equal(last, EDIT_ENTER);
	edit_take(&e, line);
	return line;
}

#define ENTERS(bytes, line) assert_string_equal(enter(bytes), line)

static void the_cursor_moves(void **state)
{
	(void)state;
	ENTERS("bc\033[D\033[Da\033[Cx", "abxc");
	ENTERS("bc\001a\005d", "abcd");
	ENTERS("bc\033[Ha\033[Fd", "abcd");
	ENTERS("bc\033OHa\033OFd", "abcd");
	ENTERS("bc\033[1~a\033[4~d", "abcd");
	ENTERS("ac\002b", "abc");
	ENTERS("\033[D\033[D\033[Ca", "a"); /* not beyond the ends */
}

static void letters_are_deleted(void **state)
{
	(void)state;
	ENTERS("vmz\177s", "vms");
	ENTERS("\177\177x\b\by", "y");
	ENTERS("xvms\001\033[3~", "vms");
	ENTERS("xvms\001\004", "vms");
	ENTERS("xyz\025vms", "vms");
	ENTERS("vmsxyz\033[D\033[D\033[D\013", "vms");
	ENTERS("stop alpha \027beta", "stop beta");
	ENTERS("xyz\003vms", "vms");
	ENTERS("ab\025cd\031", "cdab");
}

static void a_letter_is_more_than_a_byte(void **state)
{
	(void)state;
	ENTERS("b\303\274r\177\177o", "bo");
	ENTERS("\342\202\254\303\251\033[D\033[Dx", "x\342\202\254\303\251");
	ENTERS("e\314\201x\033[D\177y", "yx"); /* with what stands on top of it */
	ENTERS("\344\270\255\033[D\033[3~a", "a");
	ENTERS("\377a\303b\233c", "abc"); /* what is no letter is no key */
}

static void other_sequences_are_swallowed(void **state)
{
	static const char *const others[] = {
		"\033[5~",	   "\033[6~",
		"\033[2~",	   "\033[15~",
		"\033[[A",	   "\033OP",
		"\033x",	   "\033\033x",
		"\033[200~",	   "\033[I",
		"\033[<0;5;5M",	   "\033[12;40R",
		"\033[?1;2c",	   "\033]11;rgb:0/0/0\a",
		"\033]11;x\033\\", "\033P1$r0m\033\\",
		"\033[1;5Z",
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(others); i++) {
		press("a");
		press(others[i]);
		ENTERS("b", "ab");
	}
	/* a sequence that is broken off takes no key with it */
	ENTERS("a\033[12", "a");
	ENTERS("a\033", "a");
	ENTERS("x\033[\003ab", "ab");
}

static void the_lines_before_come_back(void **state)
{
	(void)state;
	ENTERS("one", "one");
	ENTERS("two", "two");
	ENTERS("two", "two");
	ENTERS("", "");
	ENTERS("\033[A\033[A", "one");
	ENTERS("\033[A", "one"); /* two, one: that is the last now */
	ENTERS("new\033[A\033[B", "new");
	ENTERS("\020\020\177\177\177x", "x");
	press("\033[B");
	assert_int_equal(last, EDIT_NOTHING);
	for (int i = 0; i < 100; i++) {
		char line[16];

		snprintf(line, sizeof(line), "n%d", i);
		enter(line);
	}
	for (int i = 0; i < 100; i++)
		press("\033[A");
	ENTERS("", "n84");
}

static void a_line_has_an_end(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		press(i % 3 ? "x" : "\303\251");
	assert_in_range(e.len, EDIT_MAX - 3, EDIT_MAX - 1);
	assert_int_equal(strlen(e.line), e.len);
	assert_int_equal(last, EDIT_NOTHING);
	for (int i = 0; i < 1000; i++)
		press("\031\025\031"); /* what was killed, again and again */
	assert_in_range(e.len, 0, EDIT_MAX - 1);
}

static void a_long_line_shows_what_is_round_the_cursor(void **state)
{
	u32 first, behind, n;

	(void)state;
	press("0123456789");
	assert_int_equal(edit_window(&e, 20, &first, &behind), 10);
	assert_int_equal(behind, 0);
	n = edit_window(&e, 4, &first, &behind);
	assert_int_equal(first, 6);
	assert_int_equal(n, 4);
	press("\001");
	n = edit_window(&e, 4, &first, &behind);
	assert_int_equal(first, 0);
	assert_int_equal(n, 4);
	assert_int_equal(behind, 4);
	press("\025\005\025\344\270\255\344\270\255x\033[D");
	n = edit_window(&e, 3, &first, &behind);
	assert_int_equal(first, 3);
	assert_int_equal(n, 4);
	assert_int_equal(behind, 1);
}

/* Whatever comes, the line is UTF-8 and the cursor between two letters of it. */
static void any_bytes(void **state)
{
	u64 seed = 1;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		static const char some[] = "\033[A\033[D~3\001\005\025\013\027\031\004\177\r";
		char byte[2] = { 0 };
		u32 first, behind;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		byte[0] = seed >> 63 ? some[(seed >> 33) % (sizeof(some) - 1)] : (char)(seed >> 40);
		press(byte);
		if (last == EDIT_ENTER) {
			char line[EDIT_MAX];

			edit_take(&e, line);
			last = EDIT_NOTHING;
		}
		assert_true(e.cursor <= e.len && e.len < EDIT_MAX && !e.line[e.len]);
		assert_true(((u8)e.line[e.cursor] & 0xc0) != 0x80);
		assert_true(edit_window(&e, 30, &first, &behind) <= e.len);
		assert_true(first <= e.cursor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_cursor_moves, fill),
		cmocka_unit_test_setup(letters_are_deleted, fill),
		cmocka_unit_test_setup(a_letter_is_more_than_a_byte, fill),
		cmocka_unit_test_setup(other_sequences_are_swallowed, fill),
		cmocka_unit_test_setup(the_lines_before_come_back, fill),
		cmocka_unit_test_setup(a_line_has_an_end, fill),
		cmocka_unit_test_setup(a_long_line_shows_what_is_round_the_cursor, fill),
		cmocka_unit_test_setup(any_bytes, fill),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
