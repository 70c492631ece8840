/* SPDX-License-Identifier: MIT */
/*
 * The register frame that vectors.S builds on every exception, and the per-VCPU block it finds its
 * stack in. C and assembly: the offsets are written once, here, and trap.c asserts that they are
 * those of the structures.
 */
#ifndef GUESTS_LIB_FRAME_H
#define GUESTS_LIB_FRAME_H

#define FRAME_REG(n)	((n)*8)
#define FRAME_STATUS	256
#define FRAME_CAUSE	264
#define FRAME_EPC	272
#define FRAME_BADVADDR	280
#define FRAME_ENTRYHI	288
#define FRAME_CONTEXT	296
#define FRAME_XCONTEXT	304
#define FRAME_BADINSTR	312
#define FRAME_BADINSTRP 320
#define FRAME_VECTOR	328
#define FRAME_KEEP_LL	336
#define FRAME_BYTES	352

#define PERCPU_STACK 0 /* stack of exceptions from user mode: set by whoever enters it */
#define PERCPU_PROBE 8 /* the probe that runs on this VCPU, or NULL */
#define PERCPU_ID    16
#define PERCPU_ENTRY 24 /* what a secondary VCPU calls */
#define PERCPU_ARG   32
#define PERCPU_BYTES 48

#define GUEST_STACK_BYTES 16384
#define GUEST_VCPUS_MAX	  16

#ifndef __ASSEMBLER__
#include "kernel/types.h"

/* A full set of what the processor says about one exception. k0 and k1 are the handler's own: not
 * kept. */
struct frame {
	u64 regs[32];
	u64 status;
	u64 cause;
	u64 epc;
	u64 badvaddr;
	u64 entryhi;
	u64 context;
	u64 xcontext;
	u64 badinstr;
	u64 badinstrp;
	u64 vector;  /* offset from EBase: 0x000, 0x080, 0x100, 0x180 or 0x200 */
	u64 keep_ll; /* set by a hook: return with eretnc, so that LLbit survives */
	u64 spare;
};

struct probe;

/*
 * Fixed once the VCPU runs, except stack and probe: that VCPU only. KScratch1 ($31,2) points here.
 */
struct percpu {
	u64 stack;
	struct probe *probe;
	u64 id;
	void (*entry)(u64 arg);
	u64 arg;
	u64 spare;
};
#endif

#endif /* GUESTS_LIB_FRAME_H */
