/* SPDX-License-Identifier: MIT */
/* kernel/console/text.c: letters of UTF-8, and that nothing a guest prints acts on a terminal. */
#include "tests/unit/unit.h"

#include "kernel/console/text.h"

static char shown[8192];
static size_t shown_len;

static void add(const char *s, u32 n)
{
	assert_in_range(n, 0, HARMLESS_BYTES);
	memcpy(shown + shown_len, s, n);
	shown_len += n;
	shown[shown_len] = 0;
}

static const char *harmless(const char *s, size_t len)
{
	struct utf8 u = { .have = 0 };

	shown_len = 0;
	for (size_t i = 0; i < len; i++) {
		char to[HARMLESS_BYTES];
		u32 letter;
		bool again;

		add(to, text_harmless(&u, (u8)s[i], to, &letter, &again));
		if (again) {
			add(to, text_harmless(&u, (u8)s[i], to, &letter, &again));
			assert_false(again);
		}
	}
	return shown;
}

static const char *plain(const char *s, size_t len)
{
	struct plain p = { .state = PLAIN_TEXT };

	shown_len = 0;
	for (size_t i = 0; i < len; i++) {
		char to[HARMLESS_BYTES];
		bool again;

		add(to, text_plain(&p, (u8)s[i], to, &again));
		if (again)
			add(to, text_plain(&p, (u8)s[i], to, &again));
	}
	return shown;
}

#define HARMLESS(in, out) assert_string_equal(harmless(in, sizeof(in) - 1), out)
#define PLAIN(in, out)	  assert_string_equal(plain(in, sizeof(in) - 1), out)

static void letters_stay(void **state)
{
	(void)state;
	HARMLESS("plain\ttext\n", "plain\ttext\n");
	HARMLESS("b\303\274ro \342\202\254 \360\237\230\200",
		 "b\303\274ro \342\202\254 \360\237\230\200");
}

static void control_characters_do_not(void **state)
{
	(void)state;
	HARMLESS("\033[2J\a\b\177", "?[2J???");
	HARMLESS("A\302\2332JB", "A?2JB"); /* U+009B: CSI */
	HARMLESS("A\2332JB", "A?2JB");	   /* the same in one byte */
	HARMLESS("\302\200\302\237\302\240", "??\302\240");
}

static void what_is_no_letter_is_a_mark(void **state)
{
	(void)state;
	HARMLESS("\377\376", "??");
	HARMLESS("\303x", "?x");
	HARMLESS("\303\n", "?\n");
	HARMLESS("\342\202\303\251", "?\303\251");
	HARMLESS("\300\233", "??");		/* ESC made too long */
	HARMLESS("\340\202\233", "?");		/* U+009B made too long */
	HARMLESS("\355\240\200", "?");		/* half of a pair */
	HARMLESS("\364\220\200\200\365", "??"); /* beyond the last letter */
}

/* Of all sequences of three bytes with anything behind: only letters, tabs and newlines come out. */
static void nothing_else_ever_comes_out(void **state)
{
	(void)state;
	for (u32 i = 0; i < 1u << 24; i += 7) {
		char in[5] = { (char)i, (char)(i >> 8), (char)(i >> 16), 'x', 'y' };
		const u8 *out = (const u8 *)harmless(in, sizeof(in));

		for (; *out; out++) {
			assert_true(*out >= ' ' || *out == '\t' || *out == '\n');
			assert_true(*out != 0x7f);
			if (*out == 0xc2)
				assert_true(out[1] >= 0xa0);
			if (*out >= 0x80 && *out < 0xc0) /* inside of a letter */
				assert_true(out != (const u8 *)shown && out[-1] >= 0x80);
		}
	}
}

static void replays_are_text(void **state)
{
	(void)state;
	PLAIN("\033[31mred\033[0m \033[1;32mgreen\r\n", "red green\n");
	PLAIN("\033[6n\033[c\033]0;title\aA\033]52;c;eA==\033\\B\033P+q\033\\C", "ABC");
	PLAIN("\302\2336n1\302\235title\302\234x2", "1x2");
	PLAIN("\2336n", "?6n"); /* the byte alone is no letter */
	PLAIN("\033c\0337\0338\033(B\033#8end", "end");
	PLAIN("ab\b\bc\177", "abc");
	PLAIN("\033]0;never ended\nnext\033[999", "\nnext");
	PLAIN("\033\033[31mx", "x");
	PLAIN("\303\251\303", "\303\251");
}

static void widths(void **state)
{
	(void)state;
	assert_int_equal(letter_width('a'), 1);
	assert_int_equal(letter_width(0xe9), 1);
	assert_int_equal(letter_width(0x301), 0);
	assert_int_equal(letter_width(0x4e2d), 2);
	assert_int_equal(letter_width(0x1f600), 2);
}

static void letters_are_written_as_they_are_read(void **state)
{
	(void)state;
	for (u32 letter = 0; letter < 0x110000; letter += letter < 0x1000 ? 1 : 251) {
		struct utf8 u = { .have = 0 };
		char bytes[LETTER_BYTES];
		u32 n = utf8_put(bytes, letter), got = UTF8_MORE;
		bool again;

		for (u32 i = 0; i < n; i++)
			got = utf8_next(&u, (u8)bytes[i], &again);
		assert_int_equal(got, letter >= 0xd800 && letter < 0xe000 ? UTF8_BAD : letter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_stay),
		cmocka_unit_test(control_characters_do_not),
		cmocka_unit_test(what_is_no_letter_is_a_mark),
		cmocka_unit_test(nothing_else_ever_comes_out),
		cmocka_unit_test(replays_are_text),
		cmocka_unit_test(widths),
		cmocka_unit_test(letters_are_written_as_they_are_read),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
