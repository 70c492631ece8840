/* SPDX-License-Identifier: MIT */
/*
 * Words: the one place that takes the machine's command line and the prompt's commands apart. A
 * line is words with blanks between them; a word may be KEY=VALUE, a value a list of parts with
 * commas between them. Pure; nothing is read beyond a word's end.
 */
#ifndef KERNEL_WORDS_H
#define KERNEL_WORDS_H

#include "kernel/types.h"

/* A piece of a line; it is not terminated. */
struct word {
	const char *at; /* NULL: there is no such word, which is not the same as an empty one */
	size_t len;
};

/* A terminated string as one word. */
struct word word_of(const char *s);
bool word_is(struct word w, const char *name);
/* Terminated, and cut to what size bytes hold. */
void word_copy(char *to, size_t size, struct word w);

/* The value of the first word of the line that begins with key, whose last character is '='. */
struct word words_value(const char *line, const char *key);
/* Whether one word of the line is exactly this, as "check=1". */
bool words_have(const char *line, const char *name);

/* Takes the next word off the line, or the next part of a list; at is NULL when all are taken. Empty
 * ones are skipped. */
struct word words_next(struct word *line);
struct word list_next(struct word *list);
/* Terminates the words of a line in place; argv gets the first max of them. How many those are. */
int words_split(char *line, char **argv, int max);
/* Takes what is before the first sign off w, and the sign; all of w if it is not in there. */
struct word word_before(struct word *w, char sign);

/*
 * The whole of w as a number, decimal or, after 0x, hexadecimal, of at most max, in *value. False if
 * it is anything else; *value is as before then.
 */
bool word_number(struct word w, u64 max, u64 *value);
/* The same for a decimal number with up to two digits behind a point ("8", "0.25"), in hundredths;
 * more digits are refused. */
bool word_hundredths(struct word w, u64 max, u64 *value);

#endif /* KERNEL_WORDS_H */
