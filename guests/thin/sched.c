/* SPDX-License-Identifier: MIT */
/*
 * Which thread runs on this VCPU: the first of its queue, until it waits, ends, gives way, or has had a slice while another is
 * ready. Preemptive, because C programs spin on variables that another thread sets, and with more threads than VCPUs
 * that other may be the one behind; tickless, because a thread that is alone on its VCPU has nobody to be interrupted for. The
 * states are in thin.h.
 */
#include "guests/lib/frame.h"
#include "guests/thin/thin.h"

#define SLICE_NS      4000000ul
#define SPIN_POLLS    1000 /* then the rest of the time slice goes to whoever shares the processor */
#define STACK_BYTES   4096 /* of a VCPU's loop, and as much for faults */
#define IM_OF_ALL     (ST_IM(DISCO_IRQ_IPI0) | ST_IM(DISCO_IRQ_TIMER))
#define IM_OF_DEVICES (ST_IM(DISCO_IRQ_DISK) | ST_IM(DISCO_IRQ_DISK2) | ST_IM(DISCO_IRQ_NET))
#define HWRENA	      0x2000000d /* UserLocal, Count, its resolution, the VCPU's number */
#define STATUS_START  (ST_BASE | ST_FR | ST_CU1 | IM_OF_ALL)

_Static_assert(sizeof(struct thin_frame) == THIN_FRAME_BYTES &&
		       offsetof(struct thin_frame, fpr) == THIN_FRAME_FPR(0) &&
		       offsetof(struct thin_frame, fcsr) == THIN_FRAME_FCSR &&
		       offsetof(struct thin_frame, status) == THIN_FRAME_STATUS &&
		       offsetof(struct thin_frame, cause) == THIN_FRAME_CAUSE &&
		       offsetof(struct thin_frame, epc) == THIN_FRAME_EPC &&
		       offsetof(struct thin_frame, badvaddr) == THIN_FRAME_BADVADDR &&
		       offsetof(struct thin_frame, badinstr) == THIN_FRAME_BADINSTR,
	       "entry.S and struct thin_frame disagree");
_Static_assert(sizeof(struct context) == THIN_CONTEXT_BYTES &&
		       offsetof(struct context, sp) == THIN_CONTEXT_SP &&
		       offsetof(struct context, fcsr) == THIN_CONTEXT_FCSR &&
		       offsetof(struct context, fpr) == THIN_CONTEXT_FPR(24),
	       "entry.S and struct context disagree");
_Static_assert(offsetof(struct vcpu, fault_stack) == THIN_VCPU_FAULT_STACK, "entry.S");

struct vcpu *vcpus[THIN_VCPUS_MAX];
u32 vcpu_count;

void context_switch(struct context *from, const struct context *to);
void thin_exception_c(struct thin_frame *f);
void guest_secondary(void);

/* start.S wants these: VCPU 0's block and stack. Others are on the heap. */
struct percpu guest_percpu[1];
u8 guest_stacks[GUEST_STACK_BYTES] __attribute__((aligned(128), section(".stacks")));

void spin_lock(struct spin *lock)
{
	for (u32 polls = 0; __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE);)
		while (lock->held)
			if (++polls % SPIN_POLLS == 0)
				hypercall(DISCO_HC_YIELD, 0, 0);
}

/*
 * The timer: the end of the slice or the first sleeper, whichever comes first. One that is set already and comes before that
 * will come here again, so nothing is done; unless it has risen, when only another value drops its line. A value that Count
 * passes meanwhile raises it at once.
 */
static void set_timer(struct vcpu *v, bool risen)
{
	u64 now = clock_ticks(), at = now + CLOCK_LOOK_TICKS;

	if (v->sleepers && v->sleepers->deadline < at)
		at = v->sleepers->deadline;
	if (v->slice_end < at)
		at = v->slice_end;
	if (!risen && v->timer <= at && v->timer > now)
		return;
	v->timer = at;
	hypercall(DISCO_HC_SET_TIMER, (u32)at, 0);
}

/* ---- queues ---- */
static void push_ready(struct vcpu *v, struct thread *t)
{
	t->next = NULL;
	*v->ready_end = t;
	v->ready_end = &t->next;
}

static void push_first(struct vcpu *v, struct thread *t)
{
	t->next = v->ready;
	v->ready = t;
	if (!t->next)
		v->ready_end = &t->next;
}

static struct thread *pop_ready(struct vcpu *v)
{
	struct thread *t = v->ready;

	if (t && !(v->ready = t->next))
		v->ready_end = &v->ready;
	return t;
}

/* The inbox is a stack: the longest there is the last. */
static void empty_inbox(struct vcpu *v)
{
	struct thread *t, *next, *order = NULL;

	if (!v->inbox)
		return;
	for (t = __atomic_exchange_n(&v->inbox, NULL, __ATOMIC_ACQUIRE); t; t = next) {
		next = t->next;
		t->next = order;
		order = t;
	}
	for (t = order; t; t = next) {
		next = t->next;
		push_ready(v, t);
	}
}

/*
 * Who wakes a thread of this VCPU from another interrupts it only if it is not slicing, since it will look into its inbox at the end of the slice. So when it
 * slices no more it looks once again: what came before that was seen has interrupted nobody.
 */
static void begin_slice(struct vcpu *v)
{
	bool is_thread = v->current != &v->idle;

	if (v->slicing && !(v->ready && is_thread)) {
		v->slicing = 0;
		barrier_sync();
		empty_inbox(v);
	}
	if (!v->ready || !is_thread) {
		v->slice_end = THIN_FOREVER;
	} else if (v->slice_end == THIN_FOREVER) {
		v->slice_end = clock_ticks() + clock_ticks_of(SLICE_NS);
		v->slicing = 1;
		set_timer(v, false);
	}
}

void sched_ready(struct thread *t)
{
	struct vcpu *v = t->vcpu;
	struct thread *first;

	if (v == this_vcpu()) {
		if (t->serves)
			push_first(v, t);
		else
			push_ready(v, t);
		begin_slice(v);
		return;
	}
	first = v->inbox;
	do
		t->next = first;
	while (!__atomic_compare_exchange_n(&v->inbox, &first, t, false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
	barrier_sync();
	if (v->waits || !v->slicing)
		hypercall(DISCO_HC_IPI, BIT(v->id), 0);
}

void sched_late(struct thread *t, u64 deadline)
{
	struct thread **at = &t->vcpu->sleepers;

	t->deadline = deadline;
	while (*at && (*at)->deadline <= deadline)
		at = &(*at)->next_sleeper;
	t->next_sleeper = *at;
	*at = t;
	if (t->vcpu->sleepers == t)
		set_timer(t->vcpu, false);
}

void sched_in_time(struct thread *t)
{
	for (struct thread **at = &t->vcpu->sleepers; *at; at = &(*at)->next_sleeper)
		if (*at == t) {
			*at = t->next_sleeper;
			return;
		}
}

static void wake_sleepers(struct vcpu *v)
{
	u64 now = clock_ticks();

	while (v->sleepers && v->sleepers->deadline <= now) {
		struct thread *t = v->sleepers;

		v->sleepers = t->next_sleeper;
		if (t->word)
			futex_too_late(t);
		else
			sched_ready(t);
	}
}

/* ---- the switch ---- */
static void reap(struct vcpu *v)
{
	struct thread *t = v->dead;

	v->dead = NULL;
	if (t)
		thread_reap(t);
}

static void count_time(struct vcpu *v, struct thread *t)
{
	u64 now = clock_ticks(), ran = now - v->since;

	v->since = now;
	if (t == &v->idle)
		return;
	t->ran += ran;
	v->busy += ran;
}

void sched_switch(void)
{
	struct vcpu *v = this_vcpu();
	struct thread *from = v->current, *to;

	empty_inbox(v);
	to = pop_ready(v);
	if (!to)
		to = &v->idle;
	v->slice_end = THIN_FOREVER;
	if (to != from) {
		thread_check_stack(from, false);
		count_time(v, from);
		v->current = to;
		if (to != &v->idle && to != v->local) {
			v->local = to;
			cp0_write_userlocal((u64)(to + 1) + 0x7000);
		}
		begin_slice(v);
		context_switch(&from->context, &to->context);
		reap(v); /* from again, and v is still its VCPU */
		return;
	}
	begin_slice(v);
}

void sched_yield_to_others(void)
{
	u32 was = irq_off();
	struct vcpu *v = this_vcpu();

	empty_inbox(v);
	if (v->ready) {
		push_ready(v, v->current);
		sched_switch();
	}
	irq_back(was);
}

bool sched_has_others(void)
{
	struct vcpu *v = this_vcpu();

	return v->ready || v->inbox;
}

void sched_sleep(u64 deadline)
{
	struct thread *t = this_thread();

	t->word = NULL;
	sched_late(t, deadline);
	sched_switch();
}

void sched_die(struct thread *t)
{
	irq_off();
	this_vcpu()->dead = t;
	sched_switch();
	for (;;)
		;
}

void sched_first(void)
{
	reap(this_vcpu());
	irq_back(ST_IE);
}

/* ---- interrupts ---- */
static void (*on_line[8])(void);

void sched_on_line(u32 line, void (*handler)(void)) { on_line[line] = handler; }

/* An interrupt has woken a thread that serves: it runs now, and who runs is the next, with a new slice. */
static void make_way(struct vcpu *v)
{
	struct thread *first = v->ready;

	if (!first || !first->serves || v->current->serves || v->current == &v->idle)
		return;
	pop_ready(v);
	push_first(v, v->current);
	push_first(v, first);
	sched_switch();
}

void thin_exception_c(struct thin_frame *f)
{
	struct vcpu *v = this_vcpu();
	u32 lines;

	if (CAUSE_EXC(f->cause) != EXC_INT)
		fault(f);
	lines = (u32)(f->cause & f->status);
	if (lines & CAUSE_IP(DISCO_IRQ_IPI0))
		hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
	if (lines & CAUSE_IP(DISCO_IRQ_CONSOLE))
		console_interrupt();
	for (u32 line = DISCO_IRQ_DISK; line < DISCO_IRQ_TIMER; line++)
		if ((lines & CAUSE_IP(line)) && on_line[line])
			on_line[line]();
	if (lines & CAUSE_IP(DISCO_IRQ_TIMER)) {
		bool over = v->slice_end <= clock_ticks();

		wake_sleepers(v);
		empty_inbox(v);
		if (over && v->ready && v->current != &v->idle) {
			push_ready(v, v->current);
			set_timer(v, true);
			sched_switch();
		} else {
			set_timer(v, true);
			if (!v->id && v->current == &v->idle && !v->ready)
				hang_look();
		}
	}
	empty_inbox(v);
	begin_slice(v);
	make_way(v);
}

/* ---- the loop of a VCPU ---- */
void sched_idle(void)
{
	struct vcpu *v = this_vcpu();

	if (!v->id)
		set_timer(v, true); /* Count is looked at in time from now on */
	for (;;) {
		sched_switch(); /* comes back when nothing was ready */
		v->waits = 1;
		barrier_sync();
		if (!v->ready &&
		    !v->inbox)	    /* the end of the thread before may have woken its joiner */
			cp0_wait(); /* ends when a line is up, though interrupts are off */
		v->waits = 0;
		irq_back(ST_IE);
		irq_off();
	}
}

static void processor_begin(struct vcpu *v)
{
	cp0_write_status(
		(s32)(STATUS_START | (v->id ? 0 : ST_IM(DISCO_IRQ_CONSOLE) | IM_OF_DEVICES)));
	cp0_write_hwrena(HWRENA);
	cp0_write_kscratch1((u64)v);
	guard_begin_vcpu();
}

static void secondary(u64 arg)
{
	processor_begin((struct vcpu *)arg);
	sched_idle();
}

void sched_begin(struct vcpu *v, u32 id)
{
	v->id = id;
	v->current = &v->idle;
	v->idle.vcpu = v;
	v->idle.reent = _GLOBAL_REENT; /* of main.c, before there is a thread */
	v->ready_end = &v->ready;
	v->slice_end = THIN_FOREVER;
	vcpus[id] = v;
	if (id)
		return;
	v->started = true;
	v->fault_stack = (u64)guest_stacks + STACK_BYTES;
	processor_begin(v);
}

int sched_start_vcpu(struct vcpu *v)
{
	struct starts {
		u8 stack[2 * STACK_BYTES];
		struct percpu percpu; /* guest_secondary reads it */
		u64 block[DISCO_START_BYTES / 8];
	} *s = heap_alloc(sizeof(*s), 128, NULL);
	int error;

	if (!s)
		return -DISCO_EAGAIN;
	v->fault_stack = (u64)s->stack + STACK_BYTES;
	s->percpu = (struct percpu){ .id = v->id, .entry = secondary, .arg = (u64)v };
	s->block[DISCO_START_PC / 8] = (u64)guest_secondary;
	s->block[DISCO_START_SP / 8] = (u64)s->stack + sizeof(s->stack);
	s->block[DISCO_START_GP / 8] = 0;
	s->block[DISCO_START_ARG / 8] = (u64)&s->percpu;
	error = (int)hypercall(DISCO_HC_VCPU_START, v->id, pa_of(s->block));
	if (!error)
		v->started = true;
	else
		heap_free(s);
	return error;
}
