/* SPDX-License-Identifier: MIT */
/*
 * What is typed, from the serial line's interrupt on node 0 to the prompt or the attached guest. A
 * guest that does not read holds the line back: bytes stay in the UART and in QEMU, until the guest
 * has taken nothing for HOLD_MS; then they are dropped, so that the escape still works. The
 * escape does not wait behind what the guest has not read, nor does Ctrl-C if that is much.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/answer.h"
#include "kernel/console/console.h"
#include "kernel/console/line.h"
#include "kernel/console/output.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

#define STEP	   64	/* bytes at one interrupt */
#define ANSWER_MS  1000 /* for the terminal to say its size */
#define QUIET_MS   100	/* after a guest's end: what was meant for the guest is over */
#define KEY_CTRL_C 3

/* under the console's lock */
static bool asking;   /* the terminal, for its size */
static u64 ask_until; /* count64 */
static bool discarding;
static u64 discard_until;
static char ended[128]; /* said when discarding is over */

/* node 0 only */
static struct answer answer;
static bool escape_seen;
static void (*live)(void); /* what a command draws again and again */
static u64 live_next;	   /* count64 */
static u64 live_every;	   /* Count */

/* ---- live commands ---- */

void console_live(void (*draw)(void), u32 ms)
{
	live = draw;
	live_every = ms * COUNT_MS;
	live_next = count64() + live_every;
}

bool console_is_live(void) { return live; }

static void live_ends(void)
{
	live = NULL;
	console_lock();
	prompt_show();
	console_unlock();
}

/* ---- the terminal's size ---- */

void input_ask_size(void)
{
	if (!line_terminal.is_one)
		return;
	output_string(ANSWER_QUESTION);
	asking = true;
	ask_until = count64() + ANSWER_MS * COUNT_MS;
}

/* ---- where a byte goes ---- */

void input_discard(const char *why)
{
	strncpy(ended, why, sizeof(ended) - 1);
	discarding = true;
	discard_until = count64() + QUIET_MS * COUNT_MS;
}

bool input_is_discarding(void) { return discarding; }

static bool is_discarded(void)
{
	bool is;

	console_lock();
	is = discarding;
	if (is)
		discard_until = count64() + QUIET_MS * COUNT_MS;
	console_unlock();
	return is;
}

static void typed_escaped(struct vm *vm, u8 c)
{
	escape_seen = false;
	if (c == '.')
		line_detach("detached; help lists commands, attach goes back\n");
	else if (c == CONSOLE_ESCAPE)
		vcons_input(vm->cons, (char)c);
	else
		kprintf("\nCtrl-] then . leaves the guest; Ctrl-] twice sends one\n");
}

static void typed_to_guest(struct vm *vm, u8 c)
{
	if (escape_seen)
		typed_escaped(vm, c);
	else if (c == CONSOLE_ESCAPE)
		escape_seen = true;
	else if (c == KEY_CTRL_C)
		vcons_input_first(vm->cons, (char)c);
	else
		vcons_input(vm->cons, (char)c);
}

static struct vm *attached_now(void)
{
	struct vm *vm;

	console_lock();
	vm = console_attached();
	console_unlock();
	return vm;
}

static void typed(u8 c)
{
	struct vm *vm = attached_now();

	if (!vm)
		escape_seen = false;
	if (is_discarded())
		return;
	if (live)
		live_ends();
	else if (vm)
		typed_to_guest(vm, c);
	else
		prompt_typed(c);
}

/* What is held is no answer, or the time is over: it was typed. */
static void release(struct answer *a)
{
	u32 n = a->n;

	a->n = 0;
	for (u32 i = 0; i < n; i++)
		typed((u8)a->held[i]);
}

static void received(u8 c)
{
	if (!asking) {
		typed(c);
		return;
	}
	switch (answer_next(&answer, (char)c)) {
	case ANSWER_MORE: break;
	case ANSWER_NOT: release(&answer); break;
	case ANSWER_SIZE:
		asking = false;
		line_resized(answer.rows, answer.columns);
		break;
	}
}

/* Whether the attached guest is behind, and the line is to wait for it. */
static bool is_held(void)
{
	struct vm *vm;
	bool held;

	console_lock();
	vm = console_attached();
	held = vm && !vcons_takes_input(vm->cons);
	serial_ask_received(!held);
	console_unlock();
	return held;
}

static void receive(void)
{
	int c;

	for (u32 i = 0; i < STEP && !is_held() && (c = serial_get()) >= 0; i++)
		received((u8)c);
}

static void interrupt(void)
{
	serial_seen();
	receive();
	console_lock();
	output_drain(OUTPUT_STEP);
	console_unlock();
}

/* ---- every tick of node 0 ---- */

static void discard_ends(void)
{
	bool over;

	console_lock();
	over = discarding && count64() > discard_until;
	if (over) {
		discarding = false;
		output_string("\n");
		output_string(ended);
		prompt_show();
	}
	console_unlock();
}

void input_tick(void)
{
	if (discarding)
		discard_ends();
	if (asking && count64() > ask_until) {
		asking = false;
		release(&answer);
	}
	if (live && count64() >= live_next) {
		live_next = count64() + live_every;
		live();
	}
	if (serial_has_early())
		receive();
	is_held();
}

void input_start(void)
{
	serial_interrupt_on(interrupt);
	console_lock();
	output_by_interrupt(true);
	serial_ask_received(true);
	console_unlock();
}
