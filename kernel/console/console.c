/* SPDX-License-Identifier: MIT */
/* The serial line: who has it, what is typed, running commands. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"

#define LOG_BYTES 16384
#define LINE_MAX  128
#define PROMPT	  "disco> "
#define LIVE_MS	  1000

static struct lock lock = LOCK_INIT(RANK_CONSOLE);
static bool lock_broken; /* by a fatal error */

/* under lock */
static struct vm *attached;
static bool at_prompt; /* PROMPT and line[] are on the terminal's last line */
static char line[LINE_MAX];
static u32 line_len;
static char log_ring[LOG_BYTES];
static u64 log_at;

/* node 0 only */
static bool escape_seen, exit_wanted, last_was_cr;
static void (*live)(void); /* what a command draws again and again */
static u64 live_next;	   /* count64 */
static char first_command[LINE_MAX], first_attach[16];

void console_lock(void)
{
	if (!lock_broken)
		lock_take(&lock);
}

void console_unlock(void)
{
	if (!lock_broken)
		lock_release(&lock);
}

void console_break_lock(void)
{
	lock_take_impatient(&lock);
	lock_broken = true;
	if (at_prompt)
		serial_put('\n');
	at_prompt = false;
}

static void put_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\n')
			serial_put('\r');
		serial_put(s[i]);
	}
}

static void put_string(const char *s) { put_text(s, strlen(s)); }

static void show_prompt(void)
{
	put_string(PROMPT);
	put_text(line, line_len);
	at_prompt = true;
}

void console_write(const char *s, size_t len)
{
	console_lock();
	put_text(s, len);
	console_unlock();
}

void console_show(const char *s, size_t len)
{
	bool prompt = at_prompt;

	if (attached && !lock_broken)
		return;
	if (prompt)
		put_string("\r\033[K");
	put_text(s, len);
	if (prompt)
		show_prompt();
}

void console_log(const char *s, size_t len)
{
	console_lock();
	for (size_t i = 0; i < len; i++)
		log_ring[log_at++ % LOG_BYTES] = s[i];
	console_show(s, len);
	console_unlock();
}

struct vm *console_attached(void) { return attached; }

bool console_exit_wanted(void) { return exit_wanted; }

/* ---- attaching ---- */

static void attach(struct vm *vm)
{
	console_lock();
	at_prompt = false;
	attached = vm;
	escape_seen = false;
	put_string("attached to ");
	put_string(vm->name);
	put_string("; Ctrl-] then . comes back to the monitor\n");
	vcons_replay(vm->cons);
	console_unlock();
}

static void detach(const char *why)
{
	console_lock();
	attached = NULL;
	put_string("\n");
	put_string(why);
	line_len = 0;
	show_prompt();
	console_unlock();
}

void console_vm_ended(struct vm *vm)
{
	char why[sizeof(vm->end) + 32];

	if (attached != vm)
		return;
	ksnprintf(why, sizeof(why), "%s %s\n", vm->name, vm->end);
	detach(why);
}

/* ---- commands ---- */

extern const struct command commands_start[], commands_end[];

static void run_command(char *text)
{
	char *argv[COMMAND_MAX_ARGS];
	int argc = words_split(text, argv, COMMAND_MAX_ARGS);

	if (!argc)
		return;
	for (const struct command *c = commands_start; c < commands_end; c++) {
		if (!strcmp(c->name, argv[0])) {
			c->run(argc, argv);
			return;
		}
	}
	kprintf("%s: no such command; help lists them\n", argv[0]);
}

struct vm *command_vm(int argc, char **argv)
{
	struct vm *vm = argc > 1 ? vm_find(argv[1]) : nvms == 1 ? vms[0] : NULL;

	if (vm && vm_state(vm) != VM_BROKEN)
		return vm;
	if (vm)
		kprintf("%s: its description is wrong: %s\n", vm->name, vm->end);
	else if (argc > 1)
		kprintf("%s: no VM of that name; vms lists them\n", argv[1]);
	else
		kprintf("%s: which VM? vms lists them\n", argv[0]);
	return NULL;
}

struct vcpu *command_vcpu(int argc, char **argv)
{
	struct vm *vm = command_vm(argc, argv);
	u64 id = 0;

	if (!vm)
		return NULL;
	if (argc > 2 && !word_number(word_of(argv[2]), vm->nvcpus - 1, &id)) {
		kprintf("%s: vcpu: found %s, allowed 0..%u\n", vm->name, argv[2], vm->nvcpus - 1);
		return NULL;
	}
	return vm->vcpus[id];
}

COMMAND(help, "", "this list")
{
	for (const struct command *c = commands_start; c < commands_end; c++)
		kprintf("%-8s %-12s %s\n", c->name, c->args, c->help);
	kprintf("An attached guest has the line to itself; Ctrl-] then . comes back here.\n");
}

COMMAND(attach, "VM", "give the line to a guest, after its last 16 KB of output")
{
	struct vm *vm = command_vm(argc, argv);

	if (vm)
		attach(vm);
}

COMMAND(log, "[VM]", "the monitor's last 16 KB of log, or a guest's of output")
{
	u64 start = log_at > LOG_BYTES ? log_at - LOG_BYTES : 0;
	struct vm *vm = argc > 1 ? command_vm(argc, argv) : NULL;

	console_lock();
	if (vm)
		vcons_replay(vm->cons);
	for (u64 i = start; argc == 1 && i < log_at; i++)
		put_text(&log_ring[i % LOG_BYTES], 1);
	console_unlock();
}

COMMAND(quit, "", "stop the machine")
{
	kprintf("machine off\n");
	machine_off();
}

/* ---- what is typed ---- */

static void typed_at_prompt(char c)
{
	bool after_cr = last_was_cr;
	char text[LINE_MAX];

	last_was_cr = c == '\r';
	if (c == '\n' && after_cr)
		return;
	console_lock();
	if (c == '\r' || c == '\n') {
		put_string("\n");
		memcpy(text, line, line_len);
		text[line_len] = '\0';
		line_len = 0;
		at_prompt = false;
		console_unlock();
		run_command(text);
		console_lock();
		if (!attached && !live)
			show_prompt();
	} else if ((c == '\b' || c == 0x7f) && line_len) {
		line_len--;
		put_string("\b \b");
	} else if (c >= ' ' && c < 0x7f && line_len < LINE_MAX - 1) {
		line[line_len++] = c;
		serial_put(c);
	}
	console_unlock();
}

static void typed_escaped(struct vm *vm, char c)
{
	escape_seen = false;
	if (c == '.')
		detach("detached; help lists commands, attach goes back\n");
	else if (c == CONSOLE_ESCAPE)
		vcons_input(vm->cons, c);
	else
		kprintf("\nCtrl-] then . leaves the guest; Ctrl-] twice sends one\n");
}

void console_live(void (*draw)(void))
{
	live = draw;
	live_next = count64() + LIVE_MS * COUNT_MS;
}

static void live_ends(void)
{
	live = NULL;
	console_lock();
	show_prompt();
	console_unlock();
}

static void typed(char c)
{
	struct vm *vm = attached; /* another node takes it away when the VM ends */

	if (live)
		live_ends();
	else if (!vm)
		typed_at_prompt(c);
	else if (escape_seen)
		typed_escaped(vm, c);
	else if (c == CONSOLE_ESCAPE)
		escape_seen = true;
	else
		vcons_input(vm->cons, c);
}

void console_poll(void)
{
	int c;

	while ((c = serial_get()) >= 0)
		typed(c);
	if (live && count64() >= live_next) {
		live_next += LIVE_MS * COUNT_MS;
		live();
	}
	if (exit_wanted && vms_all_ended()) {
		log_line("main", "all VMs have ended: machine off");
		machine_off();
	}
}

/* ---- start ---- */

void console_configure(const char *words)
{
	exit_wanted = words_have(words, "exit=1");
	word_copy(first_attach, sizeof(first_attach), words_value(words, "attach="));
	word_copy(first_command, sizeof(first_command), words_value(words, "cmd="));
}

void console_start(void)
{
	struct vm *vm = first_attach[0] ? vm_find(first_attach) : NULL;

	if (first_attach[0] && !vm)
		log_line("console", "attach=%s: no VM of that name", first_attach);
	run_command(first_command);
	if (vm && vm_state(vm) != VM_BROKEN) {
		attach(vm);
		return;
	}
	kprintf("The monitor's prompt: help lists commands, attach VM goes to a guest, quit leaves.\n");
	console_lock();
	show_prompt();
	console_unlock();
}
