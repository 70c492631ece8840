/* SPDX-License-Identifier: MIT */
/*
 * What every guest of this tree has: a console, an end, exceptions with a hook, and its address
 * spaces. The same object code runs under the monitor and on the bare machine; platform-*.c is the
 * only difference, chosen at link time.
 */
#ifndef GUESTS_LIB_GUEST_H
#define GUESTS_LIB_GUEST_H

#include "guests/lib/frame.h"
#include "kernel/types.h"

/* ---- the platform: platform-disco.c or platform-malta.c ---- */
extern const bool platform_is_native; /* bare machine, no monitor below */
extern const u64 platform_window; /* where kernel mode sees "physical" 0: csseg window or KSEG0 */
void platform_write(const char *s, size_t n); /* to the console, all of it */
_Noreturn void platform_off(int code);	      /* ends the machine or the VM; 0 is success */

/* ---- start ---- */
/* Registers at entry, before anything was changed. Written once by start.S. */
extern struct guest_boot {
	u64 a[4];
	u64 status;
	u64 cause;
} guest_boot;

/* What a program of this tree defines: its result is the exit code. Interrupts are off, Status.BEV
 * and EXL clear. */
int main(void);

/* The program's name, for its verdict and for reports; given by the build. */
extern const char guest_name[];

/* "Physical" address of something in the image or in the window; and back. */
static inline u64 guest_pa(const volatile void *p) { return (u64)p - platform_window; }
static inline void *guest_va(u64 pa) { return (void *)(platform_window + pa); }

extern char __image_start[], __image_end[];

/* The heap (malloc) is what follows the image; memory after it is free for the program. */
#define GUEST_HEAP_BYTES (64ul << 10)
static inline u64 guest_free_pa(void) { return guest_pa(__image_end) + GUEST_HEAP_BYTES; }

/*
 * What random numbers start from: the number behind `seed=` at the start of the VM's bootargs, or
 * otherwise when there is none. Prints the number, so that a run can be repeated.
 */
u64 guest_seed(u64 otherwise);
/* The number behind name, "ops=" say, in the VM's bootargs, or otherwise. */
u64 guest_number(const char *name, u64 otherwise);

/* ---- exceptions ---- */
/*
 * Called with EXL set for every exception that a probe (probe.h) does not want for itself. Returns
 * true when the frame, as edited, is to be resumed; false when it was not the hook's: then the
 * guest ends with a report. NULL: no hook.
 */
typedef bool (*trap_hook_t)(struct frame *f);
extern trap_hook_t trap_hook;

const char *trap_name(unsigned exc); /* "TLBL", "Sys", ... */

/* Moves a frame past the instruction that trapped. Only for one that was not in a delay slot. */
static inline void frame_skip(struct frame *f) { f->epc += 4; }
static inline unsigned frame_exc(const struct frame *f) { return (f->cause >> 2) & 31; }

/* ---- VCPUs ---- */
extern struct percpu guest_percpu[GUEST_VCPUS_MAX];
struct percpu *guest_this_cpu(void);

/* Under the monitor: starts VCPU id at entry(arg) on a stack of its own. 0, or the monitor's
 * negative error. */
int guest_start_vcpu(unsigned id, void (*entry)(u64), u64 arg);

/* ---- output ---- */
/* printf to the console; at most 500 characters a call; whole lines leave in one piece. */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* GUESTS_LIB_GUEST_H */
