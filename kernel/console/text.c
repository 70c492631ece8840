/* SPDX-License-Identifier: MIT */
/* Letters of UTF-8, their width, and text that a terminal only shows. */
#include <string.h>
#include "kernel/console/text.h"

static u32 length_of(u8 first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

static u32 letter_of(const struct utf8 *u)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	u32 letter = u->need == 1 ? u->byte[0] : u->byte[0] & (0x7fu >> u->need);

	for (u32 i = 1; i < u->need; i++)
		letter = letter << 6 | (u->byte[i] & 0x3fu);
	if (letter < least[u->need] || letter > 0x10ffff || (letter >= 0xd800 && letter < 0xe000))
		return UTF8_BAD;
	return letter;
}

u32 utf8_next(struct utf8 *u, u8 byte, bool *again)
{
	u32 letter;

	*again = false;
	if (u->need && (byte & 0xc0) != 0x80) { /* the letter breaks off */
		u->need = u->have = 0;
		*again = true;
		return UTF8_BAD;
	}
	if (!u->need)
		u->need = length_of(byte);
	if (!u->need)
		return UTF8_BAD;
	u->byte[u->have++] = byte;
	if (u->have < u->need)
		return UTF8_MORE;
	letter = letter_of(u);
	u->need = u->have = 0;
	return letter;
}

u32 utf8_put(char to[LETTER_BYTES], u32 letter)
{
	if (letter < 0x80) {
		to[0] = (char)letter;
		return 1;
	}
	if (letter < 0x800) {
		to[0] = (char)(0xc0 | letter >> 6);
		to[1] = (char)(0x80 | (letter & 0x3f));
		return 2;
	}
	if (letter < 0x10000) {
		to[0] = (char)(0xe0 | letter >> 12);
		to[1] = (char)(0x80 | (letter >> 6 & 0x3f));
		to[2] = (char)(0x80 | (letter & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | letter >> 18);
	to[1] = (char)(0x80 | (letter >> 12 & 0x3f));
	to[2] = (char)(0x80 | (letter >> 6 & 0x3f));
	to[3] = (char)(0x80 | (letter & 0x3f));
	return 4;
}

struct range {
	u32 first, last;
};

/* The blocks that matter, not every letter of Unicode: what is not here counts as one column. */
static const struct range combining[] = {
	{ 0x300, 0x36f },   { 0x483, 0x489 },	{ 0x591, 0x5bd },   { 0x610, 0x61a },
	{ 0x64b, 0x65f },   { 0x93a, 0x93c },	{ 0x941, 0x948 },   { 0xe31, 0xe31 },
	{ 0xe34, 0xe3a },   { 0xe47, 0xe4e },	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
	{ 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x2069 }, { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },	  { 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },	  { 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff },
	{ 0x20000, 0x3fffd },
};

static bool is_in(const struct range *r, size_t n, u32 letter)
{
	for (; n; r++, n--)
		if (letter >= r->first && letter <= r->last)
			return true;
	return false;
}

u32 letter_width(u32 letter)
{
	if (letter < 0x300)
		return 1;
	if (is_in(combining, ARRAY_SIZE(combining), letter))
		return 0;
	return is_in(wide, ARRAY_SIZE(wide), letter) ? 2 : 1;
}

u32 text_harmless(struct utf8 *u, u8 byte, char to[HARMLESS_BYTES], u32 *letter, bool *again)
{
	*letter = utf8_next(u, byte, again);
	if (*letter == UTF8_MORE)
		return 0;
	if (*letter == UTF8_BAD || (is_control(*letter) && *letter != '\t' && *letter != '\n'))
		*letter = '?';
	return utf8_put(to, *letter);
}

/* The letter behind ESC says what follows: strings end with BEL or ESC \, CSI with its last letter. */
static void after_escape(struct plain *p, u32 letter)
{
	if (letter == '[')
		p->state = PLAIN_SEQUENCE;
	else if (letter == ']' || letter == 'P' || letter == 'X' || letter == '^' || letter == '_')
		p->state = PLAIN_STRING;
	else if (letter < 0x20 || letter > 0x2f) /* else one more follows */
		p->state = PLAIN_TEXT;
}

/* The same, introduced by one control character. */
static void after_c1(struct plain *p, u32 letter)
{
	if (letter == 0x9b)
		p->state = PLAIN_SEQUENCE;
	else if (letter == 0x9d || letter == 0x90 || letter == 0x98 || letter == 0x9e ||
		 letter == 0x9f)
		p->state = PLAIN_STRING;
}

static bool in_sequence(struct plain *p, u32 letter)
{
	switch (p->state) {
	case PLAIN_TEXT: return false;
	case PLAIN_ESCAPE: after_escape(p, letter); break;
	case PLAIN_SEQUENCE:
		if (letter >= 0x40)
			p->state = PLAIN_TEXT;
		break;
	case PLAIN_STRING:
		if (letter == 0x1b)
			p->state = PLAIN_STRING_ESCAPE;
		else if (letter == '\a' || letter == 0x9c)
			p->state = PLAIN_TEXT;
		break;
	case PLAIN_STRING_ESCAPE: p->state = PLAIN_TEXT; break;
	}
	return true;
}

u32 text_plain(struct plain *p, u8 byte, char to[HARMLESS_BYTES], bool *again)
{
	u32 letter = utf8_next(&p->utf8, byte, again);

	if (letter == UTF8_MORE)
		return 0;
	if (letter == '\n') /* nothing goes on over the end of a line */
		p->state = PLAIN_TEXT;
	else if (letter == 0x1b && p->state != PLAIN_STRING)
		p->state = PLAIN_ESCAPE;
	if (letter != 0x1b || p->state == PLAIN_STRING)
		if (in_sequence(p, letter))
			return 0;
	after_c1(p, letter);
	if (letter == UTF8_BAD)
		letter = '?';
	if (is_control(letter) && letter != '\n' && letter != '\t')
		return 0;
	return utf8_put(to, letter);
}
