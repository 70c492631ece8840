/* SPDX-License-Identifier: MIT */
/* Words of the machine's command line and of the prompt. */
#include <string.h>
#include "kernel/words.h"

struct word word_of(const char *s) { return (struct word){ s, strlen(s) }; }

bool word_is(struct word w, const char *name)
{
	return w.at && strlen(name) == w.len && !memcmp(w.at, name, w.len);
}

void word_copy(char *to, size_t size, struct word w)
{
	size_t len = MIN(w.len, size - 1);

	if (w.at)
		memcpy(to, w.at, len);
	to[w.at ? len : 0] = '\0';
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

struct word words_next(struct word *line)
{
	struct word w;

	while (line->len && is_blank(*line->at))
		line->at++, line->len--;
	w = (struct word){ line->len ? line->at : NULL, 0 };
	while (line->len && !is_blank(*line->at))
		line->at++, line->len--, w.len++;
	return w;
}

int words_split(char *line, char **argv, int max)
{
	struct word rest = word_of(line), w;
	int n = 0;

	while (n < max && (w = words_next(&rest)).at) {
		argv[n] = line + (w.at - line);
		if (rest.len) /* the blank that the terminator takes the place of */
			rest.at++, rest.len--;
		argv[n++][w.len] = '\0';
	}
	return n;
}

struct word words_value(const char *line, const char *key)
{
	struct word rest = word_of(line), w;
	size_t len = strlen(key);

	while ((w = words_next(&rest)).at)
		if (w.len >= len && !memcmp(w.at, key, len))
			return (struct word){ w.at + len, w.len - len };
	return (struct word){ 0 };
}

bool words_have(const char *line, const char *name)
{
	struct word rest = word_of(line), w;

	while ((w = words_next(&rest)).at)
		if (word_is(w, name))
			return true;
	return false;
}

struct word word_before(struct word *w, char sign)
{
	const char *end = w->at ? memchr(w->at, sign, w->len) : NULL;
	size_t len = end ? (size_t)(end - w->at) : w->len;
	struct word before = { w->at, len };

	if (w->at)
		w->at += len + !!end;
	w->len -= len + !!end;
	return before;
}

struct word list_next(struct word *list)
{
	while (list->len) {
		struct word part = word_before(list, ',');

		if (part.len)
			return part;
	}
	return (struct word){ 0 };
}

/* The digit's value; base or more: it is none. */
static u64 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u64)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (u64)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (u64)(c - 'A') + 10;
	return ~0ul;
}

bool word_number(struct word w, u64 max, u64 *value)
{
	u64 base = 10, sum = 0;

	if (w.len > 2 && w.at[0] == '0' && w.at[1] == 'x') {
		base = 16;
		w.at += 2;
		w.len -= 2;
	}
	if (!w.len)
		return false;
	for (; w.len; w.at++, w.len--) {
		u64 d = digit(*w.at);

		if (d >= base || d > max || sum > (max - d) / base)
			return false;
		sum = sum * base + d;
	}
	*value = sum;
	return true;
}

bool word_hundredths(struct word w, u64 max, u64 *value)
{
	struct word part = w, whole = word_before(&part, '.');
	u64 ones, rest = 0;

	if (whole.len > 1 && whole.at[1] == 'x')
		return false;
	if (!word_number(whole, max / 100, &ones))
		return false;
	if (whole.len < w.len) { /* there is a point */
		if (part.len > 2 || !word_number(part, 99, &rest))
			return false;
		rest *= part.len == 1 ? 10 : 1;
	}
	if (ones * 100 + rest > max)
		return false;
	*value = ones * 100 + rest;
	return true;
}
