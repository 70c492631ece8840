/* SPDX-License-Identifier: MIT */
/* Where the terminal's cursor is. */
#include "kernel/console/answer.h"
#include "kernel/words.h"

#define SIDE_MAX 999 /* rows or columns */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Whether held[0..n) can be the beginning of an answer. */
static bool is_beginning(const struct answer *a)
{
	u32 semicolons = 0;

	if (a->held[0] != '\033' || (a->n > 1 && a->held[1] != '['))
		return false;
	for (u32 i = 2; i < a->n; i++) {
		if (a->held[i] == ';')
			semicolons++;
		else if (!is_digit(a->held[i]))
			return false;
	}
	return semicolons < 2 && a->n < ANSWER_MAX;
}

static bool is_complete(struct answer *a)
{
	struct word columns = { a->held + 2, a->n - 3 }, rows;
	u64 r, c;

	if (a->n < 6 || a->held[a->n - 1] != 'R')
		return false;
	rows = word_before(&columns, ';');
	if (!word_number(rows, SIDE_MAX, &r) || !word_number(columns, SIDE_MAX, &c) || !r || !c)
		return false;
	a->rows = (u32)r;
	a->columns = (u32)c;
	return true;
}

enum answer_result answer_next(struct answer *a, char byte)
{
	a->held[a->n++] = byte;
	if (is_complete(a)) {
		a->n = 0;
		return ANSWER_SIZE;
	}
	return is_beginning(a) ? ANSWER_MORE : ANSWER_NOT;
}
