/* SPDX-License-Identifier: MIT */
/*
 * How a program ends that did not mean to: what was found, where, and who had called; then the VM is off, with 128 and the number of the
 * signal that another system would have sent as its code. Nothing here allocates, locks or uses newlib's files: whatever is broken,
 * this still speaks.
 */
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "guests/thin/thin.h"
#include "kernel/symbols.h"

#define SAID_BYTES   200
#define FRAMES_MAX   12
#define PROLOGUE_MAX 2048 /* instructions searched backwards for a function's stack frame */
#define SD_RA	     0xffbf
#define DADDIU_SP    0x67bd

extern char __image_start[], __bss_start[], __image_end[];

/* ---- one line ---- */
struct line {
	char text[SAID_BYTES];
	size_t n;
};

static void put(struct line *l, const char *s)
{
	while (*s && l->n < SAID_BYTES - 1)
		l->text[l->n++] = *s++;
}

static void put_number(struct line *l, u64 v, u32 base)
{
	char digits[24], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do
		*--p = "0123456789abcdef"[v % base];
	while (v /= base);
	put(l, base == 16 ? "0x" : "");
	put(l, p);
}

static void put_place(struct line *l, u64 pc)
{
	u64 start = symbol_start(pc);

	if (pc >= (u64)__image_start && pc < (u64)__bss_start && start) {
		put(l, symbol_name(pc));
		put(l, "+");
		put_number(l, pc - start, 16);
	} else {
		put_number(l, pc, 16);
	}
}

void say(const char *format, ...)
{
	struct line l = { .n = 0 };
	va_list ap;

	put(&l, "thin: ");
	va_start(ap, format);
	for (; *format; format++) {
		char one[2] = { *format, 0 };

		if (*format != '%') {
			put(&l, one);
			continue;
		}
		switch (*++format) {
		case 's': put(&l, va_arg(ap, const char *)); break;
		case 'u': put_number(&l, va_arg(ap, u32), 10); break;
		case 'x': put_number(&l, va_arg(ap, u64), 16); break;
		case 'p': put_place(&l, va_arg(ap, u64)); break;
		default: return;
		}
	}
	va_end(ap);
	l.text[l.n++] = '\n';
	console_write(l.text, l.n);
}

void end(int code)
{
	mark_end(THIN_UNIT_RUN);
	hypercall(DISCO_HC_POWEROFF, (u64)code, 0);
	for (;;)
		;
}

/* ---- who called ---- */
static bool is_text(u64 pc)
{
	return pc >= (u64)__image_start && pc < (u64)__bss_start && !(pc & 3) && symbol_start(pc);
}

static bool is_memory(u64 va)
{
	return !(va & 7) &&
	       ((va >= DISCO_XSSEG_BASE && va < DISCO_XSSEG_BASE + tree.memory) ||
		(va >= (u64)__image_start && va < (u64)__image_end) || guard_shows(va));
}

/*
 * From pc back to "daddiu sp, sp, -size", and on the way "sd ra, offset(sp)": GCC's code has one of each at a function's
 * head. False: a leaf without a frame.
 */
static bool find_frame(u64 pc, u32 *size, u32 *ra_offset)
{
	u64 start = symbol_start(pc);

	*ra_offset = 0;
	for (u32 i = 0; i < PROLOGUE_MAX && pc >= start; i++, pc -= 4) {
		u32 insn = *(const u32 *)pc;

		if (insn >> 16 == SD_RA)
			*ra_offset = insn & 0xffff;
		if (insn >> 16 == DADDIU_SP && (s16)insn < 0) {
			*size = (u32) - (s16)insn;
			return true;
		}
	}
	return false;
}

static void say_callers(u64 pc, u64 sp, u64 ra)
{
	for (u32 i = 0; i < FRAMES_MAX && is_text(pc); i++) {
		u32 size, ra_offset;

		if (!find_frame(pc, &size, &ra_offset)) {
			if (i)
				return;
		} else {
			if (!is_memory(sp + ra_offset))
				return;
			if (ra_offset)
				ra = *(const u64 *)(sp + ra_offset);
			else if (i)
				return;
			sp += size;
		}
		if (!is_text(ra) || !strcmp(symbol_name(ra), "thread_begin"))
			return;
		say("  called from %p", ra);
		pc = ra - 8;
	}
}

void fault_say_callers(const struct context *c) { say_callers(c->ra - 8, c->sp, c->ra); }

static void say_callers_here(void)
{
	u64 sp, pc;

	asm volatile("move %0, $29\n\tlapc %1, ." : "=r"(sp), "=r"(pc));
	say_callers(pc, sp, (u64)__builtin_return_address(0));
}

/* ---- abort(), and raise() of what nobody handles ---- */
static const struct signal_name {
	int number;
	const char *name;
} signals[] = {
	{ SIGABRT, "abort()" }, { SIGSEGV, "SIGSEGV" }, { SIGFPE, "SIGFPE" },
	{ SIGILL, "SIGILL" },	{ SIGINT, "SIGINT" },	{ SIGTERM, "SIGTERM" },
};

void fault_signal(int number)
{
	const struct thread *t = this_thread();
	const char *name = "a signal";

	for (u32 i = 0; i < ARRAY_SIZE(signals); i++)
		if (signals[i].number == number)
			name = signals[i].name;
	say("thread %u on VCPU %u: %s", t->number, t->vcpu->id, name);
	say_callers_here();
	end(128 + number);
}

void give_up(const char *why)
{
	say("%s", why);
	say_callers_here();
	end(128 + SIGABRT);
}

/* ---- exceptions ---- */
static const struct cause {
	int number;
	const char *what;
	bool has_address;
} causes[32] = {
	[EXC_MOD] = { SIGSEGV, "store to", true },
	[EXC_TLBL] = { SIGSEGV, "load from", true },
	[EXC_TLBS] = { SIGSEGV, "store to", true },
	[EXC_ADEL] = { SIGSEGV, "load from", true },
	[EXC_ADES] = { SIGSEGV, "store to", true },
	[EXC_IBE] = { SIGSEGV, "no code there", false },
	[EXC_DBE] = { SIGSEGV, "load or store where the VM has no memory", false },
	[EXC_SYS] = { SIGILL, "a system call: there is no system to call", false },
	[EXC_BP] = { SIGILL, "a breakpoint", false },
	[EXC_RI] = { SIGILL, "an instruction that does not exist", false },
	[EXC_CPU] = { SIGILL, "an instruction for a coprocessor", false },
	[EXC_OV] = { SIGFPE, "integer overflow", false },
	[EXC_TR] = { SIGABRT, "a trap: the compiler has found that nothing could be right here",
		     false },
	[EXC_FPE] = { SIGFPE, "floating-point exception", false },
	[EXC_TLBRI] = { SIGSEGV, "load from", true },
	[EXC_TLBXI] = { SIGSEGV, "jump to", true },
	[EXC_MSADIS] = { SIGILL, "an MSA instruction", false },
};

#define TEQ_CODE(insn) ((insn) >> 6 & 0x3ff)
#define TEQ_DIVIDES    7 /* the code of GCC's teq beside a division */
static const struct cause division = { SIGFPE, "division by zero", false };

static const char *which_memory(u64 va)
{
	if (va < PAGE_SIZE)
		return ", where there is nothing: a null pointer";
	if (is_memory(va & ~7ul))
		return ": not aligned";
	return ", where there is nothing";
}

void fault(const struct thin_frame *f)
{
	static volatile u32 faults;
	u32 exc = CAUSE_EXC((u32)f->cause);
	const struct cause *c = &causes[exc];
	const struct vcpu *v = this_vcpu();
	const struct thread *t = v->current;
	bool jumped = c->has_address && f->badvaddr == f->epc;

	if (exc == EXC_TR && TEQ_CODE(f->badinstr) == TEQ_DIVIDES)
		c = &division;
	/* One says it, and one that comes of saying it ends it. */
	if (__atomic_fetch_add(&faults, 1, __ATOMIC_ACQ_REL))
		end(128 + SIGSEGV);
	if (c->has_address && thread_is_below_stack(t, f->badvaddr))
		thread_say_stack(t);
	else if (c->has_address)
		say("thread %u on VCPU %u: %s %x%s", t->number, v->id, jumped ? "jump to" : c->what,
		    f->badvaddr, which_memory(f->badvaddr));
	else
		say("thread %u on VCPU %u: %s", t->number, v->id,
		    c->what ? c->what : "an exception");
	say("  at %p, instruction %x", f->epc, f->badinstr);
	if (t->stack && f->regs[29] < (u64)t->stack)
		say("  its stack ends at %x, its stack pointer is %x", (u64)t->stack, f->regs[29]);
	if (is_text(f->epc))
		say_callers(f->epc, f->regs[29], f->regs[31]);
	else if (is_text(f->regs[31]))
		say("  called from %p", f->regs[31]);
	if (heap_refused)
		say("  malloc() had no memory left %u times: of %u MB, %u are in use", heap_refused,
		    (u32)(heap_total() >> 20), (u32)(heap_used() >> 20));
	end(128 + (c->number ? c->number : SIGABRT));
}
