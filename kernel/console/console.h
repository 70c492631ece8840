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

/* Monitor text, newlines as the terminal wants them; shown when its line is whole. Takes the lock. */
void console_write(const char *s, size_t len);
/* Whole lines, under the lock; a prompt being typed at moves down. Nothing if a guest is attached. */
void console_show(const char *s, size_t len);
/* takes the lock; kept in the log if it is to be, shown unless a guest is attached */
void console_log(const char *line, size_t len, bool kept);

struct vm *console_attached(void); /* under the lock; NULL: the prompt has the line */
/* An attached guest gives the line back, unless it starts again at once. how: "stopped". */
void console_vm_ended(struct vm *vm, const char *how, bool again);

/* For commands: draw() each second, until something is typed. */
void console_live(void (*draw)(void), u32 ms);
bool console_is_live(void);
void console_tick(void); /* node 0, every tick */
/* Words of the machine's command line: attach=NAME, cmd=COMMAND, exit=1, fatal=exit,
 * tty=ROWSxCOLUMNS; in COMMAND a comma stands for a blank. Boot only. */
void console_configure(const char *words);
void console_start(void);      /* says how to leave, shows the prompt or attaches */
void console_break_lock(void); /* fatal error: output goes on, lock or no lock, and waits */
/* After a fatal error, all said: ends the machine, at once (exit=1, fatal=exit) or by a key. */
_Noreturn void console_fatal_end(void);
_Noreturn void console_machine_off(void); /* after the last byte is out */

/* ---- commands, registered beside what they show ---- */
struct command {
	/* args is what completion goes by, too: VM, VCPU, on|off */
	const char *name, *args, *help;
	/* argv[0] is the name; runs on node 0, without the lock */
	void (*run)(int argc, char **argv);
	/* further words that may be an argument, by number; NULL: no more. May itself be NULL */
	const char *(*word)(u32 i);
};

#define COMMAND(name_, args_, help_) COMMAND_WITH_WORDS(name_, args_, help_, NULL)

#define COMMAND_WITH_WORDS(name_, args_, help_, word_)                                            \
	static void command_##name_(int argc, char **argv);                                       \
	static const struct command command_entry_##name_                                         \
		__attribute__((used, section(".commands." #name_))) = { #name_, args_, help_,     \
									command_##name_, word_ }; \
	static void command_##name_(int argc __attribute__((unused)),                             \
				    char **argv __attribute__((unused)))

#define COMMAND_MAX_ARGS 8

/* For commands: the VM or VCPU that argv[1] (and argv[2]) name; NULL after saying what is wrong. */
struct vm *command_vm(int argc, char **argv);
struct vcpu *command_vcpu(int argc, char **argv);

#endif /* KERNEL_CONSOLE_CONSOLE_H */
