/* SPDX-License-Identifier: MIT */
/*
 * The line being typed at the prompt: letters of UTF-8, a cursor between two of them, and the lines
 * before it. Says what is to be shown; shows nothing. Pure.
 */
#ifndef KERNEL_CONSOLE_EDIT_H
#define KERNEL_CONSOLE_EDIT_H

#include "kernel/console/keys.h"

#define EDIT_MAX     128 /* bytes of a line, with its end */
#define EDIT_HISTORY 16	 /* lines */

/* 0 <= cursor <= len < EDIT_MAX, the cursor at the first byte of a letter or at the end. */
struct edit {
	char line[EDIT_MAX]; /* terminated */
	u32 len, cursor;
	char history[EDIT_HISTORY][EDIT_MAX]; /* a ring; never two equal ones one after the other */
	u32 entered;			      /* lines put there, ever */
	u32 back;			      /* how many lines ago is shown; 0: the new one */
	char newest[EDIT_MAX];		      /* the new one, while another is shown */
	char killed[EDIT_MAX];		      /* what Ctrl-U, K or W took */
};

enum edit_result {
	EDIT_NOTHING,  /* as it was */
	EDIT_APPENDED, /* a letter at the end: showing that is enough */
	EDIT_CHANGED,  /* the line or the cursor: show it afresh */
	EDIT_CLEAR,    /* Ctrl-L: on an empty screen */
	EDIT_ENTER,    /* the line is complete: take it with edit_take */
	EDIT_CANCEL,   /* Ctrl-C: the line is gone */
};

enum edit_result edit_key(struct edit *e, u32 key);
/* Text at the cursor, as far as it fits. */
void edit_insert(struct edit *e, const char *s, size_t len);
/* Moves the line to `to` and into the history, and begins a new one. */
void edit_take(struct edit *e, char to[EDIT_MAX]);
/*
 * The part of the line that fits into so many columns, the cursor in it: bytes from *first on, how
 * many; *behind is the width of what is shown behind the cursor.
 */
u32 edit_window(const struct edit *e, u32 columns, u32 *first, u32 *behind);

#endif /* KERNEL_CONSOLE_EDIT_H */
