/* SPDX-License-Identifier: MIT */
/* The serial line: its lock, and who has it. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/console/line.h"
#include "kernel/console/output.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"

static struct lock lock = LOCK_INIT(RANK_CONSOLE);
static bool lock_broken; /* by a fatal error */

struct terminal line_terminal;
/* under the lock */
static struct vm *attached;
static bool prompt_waits; /* hidden by lines that came; the next tick shows it again */
static char begun[2048];  /* of a line that a command makes in parts */
static u32 begun_len;

/* fixed after boot */
static bool exit_wanted, exit_if_fatal;
static char first_command[64], first_attach[16];

void console_lock(void)
{
	if (lock_broken)
		panic_wait_for_word(node_self());
	else
		lock_take(&lock);
}

void console_unlock(void)
{
	if (!lock_broken)
		lock_release(&lock);
}

static void show_begun(void)
{
	output_text(begun, begun_len);
	begun_len = 0;
}

void console_break_lock(void)
{
	lock_take_impatient(&lock);
	lock_broken = true;
	output_by_interrupt(false);
	show_begun();
	output_string("\n");
}

/* Lines of others come before or behind a command's, not in it. */
void console_write(const char *s, size_t len)
{
	console_lock();
	for (size_t i = 0; i < len; i++) {
		begun[begun_len++] = s[i];
		if (s[i] == '\n' || begun_len == sizeof(begun) || lock_broken)
			show_begun();
	}
	console_unlock();
}

void console_show(const char *s, size_t len)
{
	if (attached && !lock_broken)
		return;
	if (prompt_shown()) {
		prompt_hide();
		prompt_waits = true;
	}
	output_text(s, len);
}

/* Not after each line: a guest that prints many would have the prompt drawn as often. */
static void show_waiting_prompt(void)
{
	console_lock();
	if (prompt_waits && !attached && !prompt_shown() && !console_is_live() &&
	    !input_is_discarding())
		prompt_show();
	prompt_waits = false;
	console_unlock();
}

void console_log(const char *s, size_t len, bool kept)
{
	console_lock();
	if (kept)
		logring_keep(s, len);
	console_show(s, len);
	console_unlock();
}

struct vm *console_attached(void) { return attached; }

/* ---- attaching ---- */

void line_attach(struct vm *vm)
{
	console_lock();
	prompt_forget();
	attached = vm;
	output_string("attached to ");
	output_string(vm->name);
	output_string("; Ctrl-] then . comes back to the monitor\n");
	input_ask_size();
	vcons_replay(vm->cons);
	console_unlock();
	if (line_terminal.rows)
		vcons_set_size(vm->cons, line_terminal.rows, line_terminal.columns);
}

/*
 * A guest may have left a sequence half sent, mouse reports or bracketed paste on, the other screen, a
 * scroll region, line-drawing letters, the cursor off, or colours on.
 */
static void calm_terminal(void)
{
	if (line_terminal.is_one)
		output_string(
			"\030\033[?1000;1002;1003;1006;2004;47l\033[!p\033[0m\033(B\033[?25h");
}

void line_detach(const char *why)
{
	console_lock();
	attached = NULL;
	calm_terminal();
	output_string("\n");
	output_string(why);
	prompt_show();
	console_unlock();
}

void line_resized(u32 rows, u32 columns)
{
	struct vm *vm;

	console_lock();
	line_terminal.rows = rows;
	line_terminal.columns = columns;
	vm = attached;
	console_unlock();
	if (vm)
		vcons_set_size(vm->cons, rows, columns);
}

void console_vm_ended(struct vm *vm, const char *how, bool again)
{
	char why[sizeof(vm->end) + 32];

	ksnprintf(why, sizeof(why), "%s %s\n", vm->name, how);
	console_lock();
	if (attached == vm && again) {
		calm_terminal();
		output_string("\n");
		output_string(why);
	} else if (attached == vm) {
		attached = NULL;
		calm_terminal();
		input_discard(why);
	}
	console_unlock();
}

/* ---- ends ---- */

_Noreturn void console_machine_off(void)
{
	console_lock();
	output_flush();
	machine_off();
}

_Noreturn void console_fatal_end(void)
{
	int c;

	if (!exit_wanted && !exit_if_fatal) {
		kprintf("machine halted: press q to end it, or attach gdb\n");
		while ((c = serial_get()) != 'q' && c != 'Q')
			arch_yield();
	}
	machine_fail();
}

void console_tick(void)
{
	input_tick();
	show_waiting_prompt();
	for (unsigned i = 0; i < nvms; i++)
		if (vms[i]->cons)
			vcons_tick(vms[i]->cons);
	if (exit_wanted && vms_all_ended() && !input_is_discarding()) {
		log_line("main", "all VMs have ended: machine off");
		console_machine_off();
	}
}

/* ---- start ---- */

static void configure_terminal(struct word size)
{
	struct word columns = size, rows = word_before(&columns, 'x');
	u64 r, c;

	line_terminal.is_one = size.at;
	if (word_number(rows, 0xffff, &r) && word_number(columns, 0xffff, &c)) {
		line_terminal.rows = (u32)r;
		line_terminal.columns = (u32)c;
	}
}

void console_configure(const char *words)
{
	serial_init();
	exit_wanted = words_have(words, "exit=1");
	exit_if_fatal = words_have(words, "fatal=exit");
	configure_terminal(words_value(words, "tty="));
	word_copy(first_attach, sizeof(first_attach), words_value(words, "attach="));
	word_copy(first_command, sizeof(first_command), words_value(words, "cmd="));
	for (char *c = first_command; *c; c++)
		if (*c == ',') /* a word has no blanks */
			*c = ' ';
}

void console_start(void)
{
	struct vm *vm = first_attach[0] ? vm_find(first_attach) : NULL;

	if (first_attach[0] && !vm)
		log_line("console", "attach=%s: no VM of that name", first_attach);
	commands_run(first_command);
	input_start();
	if (vm && vm_state(vm) != VM_BROKEN) {
		line_attach(vm);
		return;
	}
	if (console_is_live())
		return;
	if (line_terminal.is_one)
		kprintf("The monitor's prompt: help lists commands, attach VM goes to a guest, quit leaves.\n");
	console_lock();
	prompt_show();
	console_unlock();
}
