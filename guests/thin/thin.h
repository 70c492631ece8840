/* SPDX-License-Identifier: MIT */
/*
 * The inside of the thin OS: threads, VCPUs, and what its files offer each other. Programs see none of this but C's and POSIX's
 * headers.
 *
 * A thread belongs to one VCPU from its creation to its end. Who may do what with it:
 *
 *   state     where it is                      who moves it on, to
 *   ready     v->ready, or v->inbox on its way  v's scheduler: running
 *   running   v->current                        itself or v's timer: ready; itself: waiting, dead
 *   waiting   a bucket of futex.c               who wakes it (the bucket's lock), or v's timer when it is late: ready
 *   sleeping  v->sleepers only                  v's timer: ready
 *   dead      v->dead, until v runs another     v's scheduler: its memory goes, or its joiner is told
 *
 * v->ready, v->sleepers, v->dead and v->current are changed by v itself only, with interrupts off: no lock. Other VCPUs push onto
 * v->inbox, which is lock-free, and send an interrupt if v would not look there soon. A thread that leaves the processor may
 * be made ready by others before it has left: only v runs it, and v has left it by then.
 */
#ifndef GUESTS_THIN_THIN_H
#define GUESTS_THIN_THIN_H

#include <pthread.h>
#include <reent.h>

#include "guests/lib/cp0.h"
#include "guests/lib/hypercall.h"
#include "guests/thin/frame.h"
#include "guests/thin/heap.h"

#define THIN_VCPUS_MAX	 16
#define THIN_NAME_BYTES	 16
#define THIN_TLS_ALIGN	 64ul
#define THIN_STACK_MARK	 0x5b7a3c91d2e4f608ul
#define THIN_STACK_MARKS 128 /* words of it at a stack's end */
#define THIN_FOREVER	 (~0ul)

struct vcpu;

struct thread {
	struct context context;
	struct thread *next; /* in the list that it is in: see above */
	struct vcpu *vcpu;   /* this and the next five: fixed at its creation */
	u32 number;
	void *(*start)(void *);
	void *arg;
	u64 *stack;  /* its lowest words: marks */
	void *block; /* the stack's; NULL: it is the program's own */

	volatile u32 *word; /* what it waits on; these three under the bucket's lock */
	bool queued;
	bool late;
	bool serves;  /* thread_serves(): woken, it runs before all others. Its own */
	bool outside; /* it waits for what no thread of the program does: a device, a key. Its own */
	struct thread *next_sleeper; /* v->sleepers */
	u64 deadline; /* of its wait or sleep: its own until it is among the sleepers */

	void *result;
	u32 life; /* thread.c: a word to wait on */
	u64 ran;  /* ticks of Count, without those since it runs now */
	char name[THIN_NAME_BYTES];
	void *values[PTHREAD_KEYS_MAX];
	struct _pthread_cleanup_context *cleanup;
	struct _reent *reent; /* own_reent; of the first thread newlib's global one */
	struct _reent own_reent;
} __attribute__((aligned(THIN_TLS_ALIGN)));

struct vcpu {
	u64 fault_stack; /* THIN_VCPU_FAULT_STACK */
	u32 id;
	bool started;
	u32 threads; /* that live here: under thread.c's lock */

	/* This VCPU only, with interrupts off. */
	struct thread *current;
	struct thread *ready, **ready_end;
	struct thread *sleepers; /* by deadline */
	struct thread *dead;
	struct thread *local; /* whose thread-local data UserLocal shows */
	u64 slice_end;	      /* THIN_FOREVER: no slice is measured */
	u64 timer;	      /* what Compare was set to last */
	u64 since;	      /* when current began to run */
	u64 busy;	      /* ticks that threads have run here */
	struct heap heap;

	/* What others look at, on lines of its own. */
	struct thread *volatile inbox __attribute__((aligned(128)));
	volatile u32 waits;   /* for an interrupt, without a look at the inbox before it */
	volatile u32 slicing; /* a slice is measured, at whose end the inbox is looked at */
	struct thread idle __attribute__((aligned(128))); /* its context: the loop that waits */
};

/* Marks for the timing model (qemu/flash): what lies between two is measured. No processor does anything for them. */
#define THIN_UNIT_RUN	 64 /* from the first instruction of C to the end */
#define THIN_UNIT_START	 65 /* to main() */
#define mark_begin(unit) asm volatile("sltiu $0, $0, %0" : : "i"(0x5100 + (unit)) : "memory")
#define mark_end(unit)	 asm volatile("sltiu $0, $0, %0" : : "i"(0x5200 + (unit)) : "memory")

/* ---- the processor ---- */
static inline volatile u32 *special32(unsigned reg, unsigned sel)
{
	return (volatile u32 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(reg, sel));
}

static inline struct vcpu *this_vcpu(void)
{
	return *(struct vcpu *volatile *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(31, 2));
}

static inline struct thread *this_thread(void) { return this_vcpu()->current; }

/* Interrupts off: what to give to irq_back(). They nest. Both are a load and a store. */
static inline u32 irq_off(void)
{
	volatile u32 *status = special32(12, 0);
	u32 was = *status;

	*status = was & ~ST_IE;
	asm volatile("" : : : "memory");
	return was & ST_IE;
}

static inline void irq_back(u32 was)
{
	volatile u32 *status = special32(12, 0);

	asm volatile("" : : : "memory");
	if (!was)
		return;
	*status |= ST_IE;
	if (*(volatile u32 *)(DISCO_SPECIAL_PAGE + DISCO_SP_PENDING))
		cp0_ei();
}

static inline void barrier_sync(void) { asm volatile("sync" : : : "memory"); }

/* In a loop that looks at memory: a processor that is emulated in turn with others gives its turn away. */
static inline void spin_pause(void) { asm volatile("pause" : : : "memory"); }

/* Where threads see their stacks (guard.c): as far above what they are as this. */
#define GUARD_BASE  (1ul << 39)
#define GUARD_BYTES 8192ul /* below a stack, where nothing is */

/* "Physical" address of what a window shows, or of a place in a stack. */
static inline u64 pa_of(const volatile void *p)
{
	u64 va = (u64)p;

	if (va < DISCO_XSSEG_BASE)
		return va - GUARD_BASE;
	return va < DISCO_CSSEG_BASE ? va - DISCO_XSSEG_BASE : va - DISCO_CSSEG_BASE;
}

static inline void *window(u64 pa) { return (void *)(DISCO_XSSEG_BASE + pa); }

/* A lock that is held for some instructions, with interrupts off. */
struct spin {
	volatile u32 held;
};

void spin_lock(struct spin *lock);
static inline void spin_unlock(struct spin *lock)
{
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

/* ---- sched.c ---- */
extern struct vcpu *vcpus[THIN_VCPUS_MAX];
extern u32 vcpu_count;

void sched_begin(struct vcpu *v, u32 id); /* fills it in, for whoever starts it */
_Noreturn void sched_idle(void);      /* the boot stack's last word: runs what is ready, for ever */
int sched_start_vcpu(struct vcpu *v); /* 0, or the monitor's error */
void sched_ready(struct thread *t);   /* to its VCPU's queue; from any VCPU, interrupts off */
void sched_switch(void); /* to another; the caller's thread is where it waits. Interrupts off */
void sched_yield_to_others(void);		 /* the caller's thread to the end of the queue */
bool sched_has_others(void);			 /* somebody else could run here now */
void sched_sleep(u64 deadline);			 /* until then; interrupts off */
void sched_late(struct thread *t, u64 deadline); /* notes the caller's thread among the sleepers */
void sched_in_time(struct thread *t);		 /* takes it out */
_Noreturn void sched_die(struct thread *t);
/* What VCPU 0 calls when that line of the devices is up, with interrupts off: the handler makes the device drop it. Stays for good. */
void sched_on_line(u32 line, void (*handler)(void));
void sched_first(
	void); /* where a thread begins: what sched_switch() does behind the switch, and interrupts on */

/* ---- guard.c ---- */
void guard_begin_vcpu(void);
/*
 * Where a thread is to see its stack of so many bytes, whole pages, which lies GUARD_BYTES into a block of the heap at whole pages, with
 * nothing below it. NULL: no memory for a table. It stays so when the block goes.
 */
u8 *guard_stack(u8 *block, u64 bytes);
bool guard_shows(u64 va); /* a stack is there */

/* ---- futex.c ---- */
/*
 * Waits while *word is value, until somebody wakes the word or Count, as of clock_ticks(), reaches deadline. 0: woken, or it was not
 * value; ETIMEDOUT. A wait may end without a reason: the caller looks at the word again.
 */
int futex_wait(volatile u32 *word, u32 value, u64 deadline);
void futex_wake(volatile u32 *word, u32 threads); /* that wait on it, the longest first */
void futex_too_late(struct thread *t); /* its deadline has come; its VCPU, interrupts off */
/* The same for what no thread of the program changes. */
int futex_wait_outside(volatile u32 *word, u32 value, u64 deadline);
/* Calls tell for each thread that waits for a word. None begins or ends to wait meanwhile, nor may tell make one do so. */
void futex_each(void (*tell)(const struct thread *));
/* Looks at *word for a while, as long as it is value and nobody else wants this VCPU. False: it still is. */
bool futex_spin(const volatile u32 *word, u32 value);

/* ---- clock.c ---- */
u64 clock_ticks(void); /* Count in 64 bits */
u64 clock_ns(u64 ticks);
u64 clock_ticks_of(u64 ns);
void clock_begin(u64 frequency);
/* The deadline that time of a clock is; an error: EINVAL. NULL: for ever. */
int clock_deadline(clockid_t clock, const struct timespec *until, u64 *deadline);
#define CLOCK_LOOK_TICKS (1u << 27) /* VCPU 0 looks at Count at least so often: 0.8 s */

/* ---- thread.c ---- */
extern size_t thread_stack_bytes; /* of a thread whose attributes say nothing */
/* A thread that is not ready yet. Errors: EAGAIN (no memory), EINVAL (a stack too small). */
int thread_create(struct thread **made, const pthread_attr_t *attr, void *(*start)(void *),
		  void *arg);
void thread_begin(struct thread *t);
/*
 * The caller's thread, for good, is none of the program's: the program ends without it, its VCPU has room for another, and it runs as soon as
 * it is woken.
 */
void thread_serves(void);
u32 thread_count(
	void); /* of the program's threads, from their creation until who joins them is woken */
void thread_reap(struct thread *t); /* it is dead and nobody stands on its stack. Interrupts off */
/* Ends the program if the stack was too small: one word, and where it is now; all marks if `whole`. For a stack of the program's own. */
void thread_check_stack(const struct thread *t, bool whole);
bool thread_is_below_stack(const struct thread *t, u64 va);
void thread_say_stack(const struct thread *t); /* that it is too small, and what helps */

/* ---- tree.c: what the device tree says ---- */
#define TREE_DEVICES 16
#define TREE_NAME    16
#define TREE_PORTS   2
#define TREE_PEERS   16
struct tree {
	u64 memory; /* bytes */
	u32 vcpus;
	u64 frequency;	  /* of Count */
	char words[2049]; /* the bootargs */
	char label[TREE_NAME];
	u32 devices; /* virtio devices */
	struct {
		u64 address; /* "physical" */
	} device[TREE_DEVICES];
	u32 ports; /* of the network */
	struct tree_port {
		u32 subnet;
		u32 names; /* of the VMs on it, by their number from 1 */
		char name[TREE_PEERS][TREE_NAME];
	} port[TREE_PORTS];
};
extern struct tree tree;
void tree_read(const void *blob);

/* ---- console.c ---- */
void console_write(const char *bytes, size_t n);
size_t console_read(char *bytes, size_t n); /* a line or a part of it; 0: the end, Ctrl-D */
void console_interrupt(void);

/* ---- fault.c ---- */
/* A line that begins with "thin: ", by nothing that could fail: %s, %u, %x (64 bits) and %p (a place in the program). */
void say(const char *format, ...);
_Noreturn void end(int code); /* the VM's exit code; the console has all that was written */
_Noreturn void give_up(const char *why); /* says it, and who called */
_Noreturn void fault_signal(int number); /* of one that nobody handles */
_Noreturn void fault(const struct thin_frame *f);
void fault_say_callers(const struct context *c); /* of a thread that does not run */

/* ---- hang.c ---- */
void hang_look(
	void); /* ends the program if none of its threads will ever run again; VCPU 0 when it has nothing to run */
void hang_say_all(void); /* where each thread is, as far as is known */

/* ---- main.c ---- */
void main_words(void);		/* cuts them; once, before there are threads */
void *main_begin(void *unused); /* what the first thread runs: main(), then exit() */

#endif /* GUESTS_THIN_THIN_H */
