/* SPDX-License-Identifier: MIT */
/* The last words of the monitor. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "kernel/mem/shootdown.h"
#include "kernel/symbols.h"
#include "kernel/vm/vm.h"

#define PATIENCE 20000 /* yields to wait for another node's words */

static u32 panicking;		  /* set by the first node to panic */
static struct nodemask have_word; /* may print: the first to panic, and who was told to stop */
static struct nodemask said;	  /* have had their say */

static void print_current(const struct node *n)
{
	const struct vcpu *v = n->current;

	if (v)
		kprintf("[%u] VCPU %s/%u, %s, at %016lx\n", n->id, v->vm->name, v->id,
			vcpu_state_name(vcpu_state(v)), v->arch.pc);
	else
		kprintf("[%u] no VCPU\n", n->id);
}

static bool is_in(const struct nodemask *set, u32 node)
{
	return nodemask_has((struct nodemask){ __atomic_load_n(&set->bits, __ATOMIC_ACQUIRE) },
			    node);
}

static void join(struct nodemask *set, const struct node *n)
{
	__atomic_fetch_or(&set->bits, nodemask_of(n->id).bits, __ATOMIC_RELEASE);
}

void panic_wait_for_word(const struct node *n)
{
	while (!is_in(&have_word, n->id)) {
		node_heed_stop(n);
		arch_yield();
	}
}

static _Noreturn void finish(struct node *n)
{
	join(&said, n);
	for (u32 i = 0; i < nnodes; i++) {
		if (!nodes[i] || nodes[i] == n || !nodes[i]->up)
			continue;
		node_post(nodes[i], MAIL_STOP);
		for (u32 t = 0; t < PATIENCE && !is_in(&said, i); t++)
			arch_yield();
		if (!is_in(&said, i))
			kprintf("[%u] does not answer\n", i);
	}
	console_fatal_end();
}

/* One panic at a time; a second one on the same node, while printing, ends it at once. */
static void begin(struct node *n)
{
	u32 first = 0;

	if (!__atomic_compare_exchange_n(&panicking, &first, n->id + 1, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		if (first == n->id + 1) {
			kprintf("[%u] PANIC inside a panic\n", n->id);
			console_fatal_end();
		}
		arch_idle_forever();
	}
	join(&have_word, n);
	console_break_lock();
}

/* BREAK saves the registers where the reason was found, and comes to panic_exception. */
_Noreturn void panic(const char *fmt, ...)
{
	struct node *n = node_self();
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(n->panic_text, sizeof(n->panic_text), fmt, ap);
	va_end(ap);
	__asm__ volatile("break");
	__builtin_unreachable();
}

/* From entry.S: an exception in the monitor itself. */
_Noreturn void panic_exception(struct node *n);
_Noreturn void panic_exception(struct node *n)
{
	const struct monitor_frame *f = &n->cpu.frame;

	begin(n);
	if (n->panic_text[0])
		kprintf("[%u] PANIC: %s\n", n->id, n->panic_text);
	else
		kprintf("[%u] PANIC: exception %lu in the monitor at %016lx (%s)\n", n->id,
			f->cause >> 2 & 31, f->pc, symbol_name(arch_text_original(f->pc)));
	kprintf("Status %08lx Cause %08lx BadVAddr %016lx instruction %08x\n", f->status,
		f->cause & 0xffffffff, f->badvaddr, (u32)f->badinstr);
	for (unsigned i = 0; i < 32; i++)
		kprintf("r%-2u %016lx%s", i, f->gpr[i], i % 4 == 3 ? "\n" : "  ");
	print_current(n);
	arch_dump();
	arch_backtrace(f->pc, f->gpr[29], f->gpr[31]);
	finish(n);
}

_Noreturn void panic_stop(void)
{
	struct node *n = node_self();

	join(&have_word, n);
	kprintf("[%u] stopped\n", n->id);
	print_current(n);
	arch_backtrace_here();
	join(&said, n);
	arch_idle_forever();
}

static void lose_timer(struct node *n, const void *what)
{
	(void)n, (void)what;
	vtimer_lose();
}

/* A store to where no memory is: an exception of the monitor itself, in this node's own text. */
static void store_nowhere(struct node *n, const void *what)
{
	volatile u32 *nowhere = (volatile u32 *)8;

	(void)n, (void)what;
	__asm__("" : "+r"(nowhere)); /* or the compiler refuses */
	*nowhere = 0;
}

COMMAND(crash, "null|far|lock|panic|timer",
	"provoke a fatal error of the monitor, to see what one looks like")
{
	static struct lock a = LOCK_INIT(RANK_VM), b = LOCK_INIT(RANK_CONSOLE);

	if (argc == 2 && !strcmp(argv[1], "null"))
		store_nowhere(NULL, NULL);
	if (argc == 2 && !strcmp(argv[1], "far"))
		shootdown(nodemask_of(1), store_nowhere, NULL);
	if (argc == 2 && !strcmp(argv[1], "lock")) {
		lock_take(&b);
		lock_take(&a);
	}
	if (argc == 2 && !strcmp(argv[1], "panic"))
		panic("asked for at the prompt");
	if (argc == 2 && !strcmp(argv[1], "timer")) { /* this one is survived */
		shootdown(nodemask_of(1), lose_timer, NULL);
		return;
	}
	kprintf("crash: found %s, allowed null, far, lock, panic, timer\n",
		argc > 1 ? argv[1] : "nothing");
}
