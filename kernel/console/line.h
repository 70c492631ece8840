/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: the line's state, and who shows what on it. */
#ifndef KERNEL_CONSOLE_LINE_H
#define KERNEL_CONSOLE_LINE_H

#include "kernel/types.h"

struct vm;

/* ---- console.c: who has the line ---- */
/* The other end of the line, by tty=ROWSxCOLUMNS on the command line; fixed after boot but for the
 * size, which is under the lock. Without the word it is no terminal, but a file or a pipe. */
struct terminal {
	bool is_one;
	u32 rows, columns; /* 0: not known */
};
extern struct terminal line_terminal;

void line_attach(struct vm *vm);	  /* takes the lock */
void line_detach(const char *why);	  /* takes the lock; the prompt has the line */
void line_resized(u32 rows, u32 columns); /* takes the lock */

/* ---- prompt.c; under the lock ---- */
void prompt_show(void); /* with the line being typed; nothing on what is no terminal */
void prompt_hide(void); /* to show something else there */
bool prompt_shown(void);
void prompt_forget(void); /* another has the line: nothing is shown and nothing typed */
/* Takes the lock; runs the command if the line is complete. Node 0. */
void prompt_typed(u8 byte);

/* ---- commands.c; without the lock ---- */
void commands_run(char *text);
/* Calls fn with every word that may stand where text ends, whatever its beginning. */
typedef void (*completion_fn)(const char *word, void *context);
void commands_complete(const char *text, completion_fn fn, void *context);

/* ---- input.c: what is typed; node 0 ---- */
void input_start(void); /* interrupts from now on; boot only */
void input_tick(void);
void input_ask_size(void); /* asks the terminal; under the lock */
/* Drops what is typed until the line has been quiet, then says why the guest is gone and shows the
 * prompt. Any node, under the lock. */
void input_discard(const char *why);
bool input_is_discarding(void); /* and has not said why yet */

/* ---- logring.c; under the lock ---- */
#define LOGRING_BYTES 16384
void logring_keep(const char *s, size_t len);
void logring_show(void);

#endif /* KERNEL_CONSOLE_LINE_H */
