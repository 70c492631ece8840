/* SPDX-License-Identifier: MIT */
/* A terminal's answer to the question where its cursor is, ESC [ row ; column R, picked out of what
 * is typed. Pure. */
#ifndef KERNEL_CONSOLE_ANSWER_H
#define KERNEL_CONSOLE_ANSWER_H

#include "kernel/types.h"

#define ANSWER_MAX 12 /* bytes of the longest: five digits twice would be more, and no terminal */

/* Sets save and restore the cursor, which goes as far down and right as it can in between. */
#define ANSWER_QUESTION "\0337\033[999;999H\033[6n\0338"

/* Zeroed before the question. */
struct answer {
	char held[ANSWER_MAX]; /* bytes that may be its beginning */
	u32 n;
	u32 rows, columns; /* once it is complete */
};

enum answer_result {
	ANSWER_MORE, /* the byte is held */
	ANSWER_SIZE, /* complete; nothing is held */
	ANSWER_NOT,  /* held[0..n) with the byte are something else: the caller takes them */
};

enum answer_result answer_next(struct answer *a, char byte);

#endif /* KERNEL_CONSOLE_ANSWER_H */
