/* SPDX-License-Identifier: MIT */
/*
 * The one serial line: log lines, guests' lines, an attached guest, or the prompt. Node 0 reads it,
 * all write, under one lock.
 */
#ifndef KERNEL_CONSOLE_CONSOLE_H
#define KERNEL_CONSOLE_CONSOLE_H

#include "kernel/types.h"

struct vm;

#define CONSOLE_ESCAPE 0x1d /* Ctrl-], then '.' leaves an attached guest */

void console_lock(void);
void console_unlock(void);

/* Monitor text, newlines as the terminal wants them. */
void console_write(const char *s, size_t len); /* takes the lock */
/* whole lines, under the lock; a prompt being typed at moves down */
void console_show(const char *s, size_t len);
/* takes the lock; kept in the log, shown unless a guest is attached */
void console_log(const char *line, size_t len);

struct vm *console_attached(void);    /* under the lock; NULL: the prompt has the line */
void console_vm_ended(struct vm *vm); /* an attached guest gives the line back */

/* For commands: draw() each second, until something is typed. */
void console_live(void (*draw)(void));
void console_poll(void); /* node 0, every tick: what was typed */
/* Words of the machine's command line: attach=NAME, cmd=COMMAND, exit=1. Boot only. */
void console_configure(const char *words);
void console_start(void);	/* says how to leave, shows the prompt or attaches */
void console_break_lock(void);	/* fatal error: output goes on, lock or no lock */
bool console_exit_wanted(void); /* exit=1 */

/* ---- commands, registered beside what they show ---- */
struct command {
	const char *name, *args, *help;
	/* argv[0] is the name; runs on node 0, without the lock */
	void (*run)(int argc, char **argv);
};

#define COMMAND(name_, args_, help_)                                                          \
	static void command_##name_(int argc, char **argv);                                   \
	static const struct command command_entry_##name_                                     \
		__attribute__((used, section(".commands." #name_))) = { #name_, args_, help_, \
									command_##name_ };    \
	static void command_##name_(int argc __attribute__((unused)),                         \
				    char **argv __attribute__((unused)))

#define COMMAND_MAX_ARGS 8

/* For commands: the VM or VCPU that argv[1] (and argv[2]) name; NULL after saying what is wrong. */
struct vm *command_vm(int argc, char **argv);
struct vcpu *command_vcpu(int argc, char **argv);

#endif /* KERNEL_CONSOLE_CONSOLE_H */
