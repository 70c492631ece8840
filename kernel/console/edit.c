/* SPDX-License-Identifier: MIT */
/* Editing one line, and the lines before it. */
#include <string.h>
#include "kernel/console/edit.h"

static bool is_inside(char c) { return ((u8)c & 0xc0) == 0x80; }

/* The letter at a byte of the line, which is known to be UTF-8. */
static u32 letter_at(const struct edit *e, u32 at)
{
	struct utf8 u = { .have = 0 };
	u32 letter = UTF8_MORE;
	bool again;

	while (at < e->len && letter == UTF8_MORE)
		letter = utf8_next(&u, (u8)e->line[at++], &again);
	return letter;
}

/* The beginning of the letter before, and of the one behind, with what goes on top of it. */
static u32 before(const struct edit *e, u32 at)
{
	while (at) {
		do
			at--;
		while (at && is_inside(e->line[at]));
		if (letter_width(letter_at(e, at)))
			break;
	}
	return at;
}

static u32 behind(const struct edit *e, u32 at)
{
	while (at < e->len) {
		do
			at++;
		while (at < e->len && is_inside(e->line[at]));
		if (at < e->len && letter_width(letter_at(e, at)))
			break;
	}
	return at;
}

/* Takes out [from, to); the cursor is there then. */
static void cut(struct edit *e, u32 from, u32 to, bool kept)
{
	if (kept && from < to) {
		memcpy(e->killed, e->line + from, to - from);
		e->killed[to - from] = '\0';
	}
	memmove(e->line + from, e->line + to, e->len - to + 1);
	e->len -= to - from;
	e->cursor = from;
}

void edit_insert(struct edit *e, const char *s, size_t len)
{
	if (len > EDIT_MAX - 1 - e->len)
		return;
	memmove(e->line + e->cursor + len, e->line + e->cursor, e->len - e->cursor + 1);
	memcpy(e->line + e->cursor, s, len);
	e->len += len;
	e->cursor += len;
}

static void set(struct edit *e, const char *line)
{
	e->len = strlen(line);
	memcpy(e->line, line, e->len + 1);
	e->cursor = e->len;
}

static const char *ago(const struct edit *e, u32 lines)
{
	return e->history[(e->entered - lines) % EDIT_HISTORY];
}

static enum edit_result look_back(struct edit *e, u32 back)
{
	if (back > MIN(e->entered, (u32)EDIT_HISTORY))
		return EDIT_NOTHING;
	if (!e->back)
		memcpy(e->newest, e->line, e->len + 1);
	e->back = back;
	set(e, back ? ago(e, back) : e->newest);
	return EDIT_CHANGED;
}

void edit_take(struct edit *e, char to[EDIT_MAX])
{
	memcpy(to, e->line, e->len + 1);
	if (e->len && (!e->entered || strcmp(ago(e, 1), e->line)))
		memcpy(e->history[e->entered++ % EDIT_HISTORY], e->line, e->len + 1);
	e->back = 0;
	set(e, "");
}

static enum edit_result move(struct edit *e, u32 to)
{
	if (to == e->cursor)
		return EDIT_NOTHING;
	e->cursor = to;
	return EDIT_CHANGED;
}

static enum edit_result remove(struct edit *e, u32 from, u32 to, bool kept)
{
	if (from == to)
		return EDIT_NOTHING;
	cut(e, from, to, kept);
	return EDIT_CHANGED;
}

static u32 word_begin(const struct edit *e)
{
	u32 at = e->cursor;

	while (at && e->line[at - 1] == ' ')
		at--;
	while (at && e->line[at - 1] != ' ')
		at--;
	return at;
}

static enum edit_result typed(struct edit *e, u32 letter)
{
	char bytes[LETTER_BYTES];
	u32 len = utf8_put(bytes, letter), old = e->len;
	bool at_end = e->cursor == e->len;

	edit_insert(e, bytes, len);
	if (e->len == old)
		return EDIT_NOTHING;
	return at_end ? EDIT_APPENDED : EDIT_CHANGED;
}

enum edit_result edit_key(struct edit *e, u32 key)
{
	switch (key) {
	case '\r':
	case '\n': return EDIT_ENTER;
	case KEY_CTRL('A'):
	case KEY_HOME: return move(e, 0);
	case KEY_CTRL('E'):
	case KEY_END: return move(e, e->len);
	case KEY_CTRL('B'):
	case KEY_LEFT: return move(e, before(e, e->cursor));
	case KEY_CTRL('F'):
	case KEY_RIGHT: return move(e, behind(e, e->cursor));
	case KEY_CTRL('P'):
	case KEY_UP: return look_back(e, e->back + 1);
	case KEY_CTRL('N'):
	case KEY_DOWN: return e->back ? look_back(e, e->back - 1) : EDIT_NOTHING;
	case '\b':
	case 0x7f: return remove(e, before(e, e->cursor), e->cursor, false);
	case KEY_CTRL('D'):
	case KEY_DELETE: return remove(e, e->cursor, behind(e, e->cursor), false);
	case KEY_CTRL('U'): return remove(e, 0, e->cursor, true);
	case KEY_CTRL('K'): return remove(e, e->cursor, e->len, true);
	case KEY_CTRL('W'): return remove(e, word_begin(e), e->cursor, true);
	case KEY_CTRL('L'): return EDIT_CLEAR;
	case KEY_CTRL('C'):
		e->back = 0;
		set(e, "");
		return EDIT_CANCEL;
	case KEY_CTRL('Y'): edit_insert(e, e->killed, strlen(e->killed)); return EDIT_CHANGED;
	default: return key < ' ' || key >= KEY_NONE ? EDIT_NOTHING : typed(e, key);
	}
}

static u32 width(const struct edit *e, u32 from, u32 to)
{
	u32 sum = 0;

	for (; from < to; from = behind(e, from))
		sum += letter_width(letter_at(e, from));
	return sum;
}

u32 edit_window(const struct edit *e, u32 columns, u32 *first, u32 *behind_cursor)
{
	u32 from = 0, to = e->len;

	while (from < e->cursor && width(e, from, e->cursor) > columns)
		from = behind(e, from);
	while (to > e->cursor && width(e, from, to) > columns)
		to = before(e, to);
	*first = from;
	*behind_cursor = width(e, e->cursor, to);
	return to - from;
}
