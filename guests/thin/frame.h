/* SPDX-License-Identifier: MIT */
/*
 * What entry.S keeps of a thread: all registers on an exception, those that a function must keep when it is left for another
 * thread. C and assembly; sched.c asserts that the offsets are those of the structures.
 */
#ifndef GUESTS_THIN_FRAME_H
#define GUESTS_THIN_FRAME_H

#define THIN_FRAME_REG(n)   ((n)*8)
#define THIN_FRAME_FPR(n)   (256 + (n)*8)
#define THIN_FRAME_FCSR	    512
#define THIN_FRAME_STATUS   520
#define THIN_FRAME_CAUSE    528
#define THIN_FRAME_EPC	    536
#define THIN_FRAME_BADVADDR 544
#define THIN_FRAME_BADINSTR 552
#define THIN_FRAME_BYTES    560

#define THIN_CONTEXT_S(n)   ((n)*8)
#define THIN_CONTEXT_SP	    64
#define THIN_CONTEXT_FP	    72
#define THIN_CONTEXT_RA	    80
#define THIN_CONTEXT_FCSR   88
#define THIN_CONTEXT_FPR(n) (96 + ((n)-24) * 8)
#define THIN_CONTEXT_BYTES  160

#define THIN_VCPU_FAULT_STACK 0

#ifndef __ASSEMBLER__
#include "kernel/types.h"

struct thin_frame {
	u64 regs[32]; /* k0 and k1 are the handler's own: not kept */
	u64 fpr[32];
	u64 fcsr;
	u64 status;
	u64 cause;
	u64 epc;
	u64 badvaddr;
	u64 badinstr;
};

struct context {
	u64 s[8];
	u64 sp, fp, ra;
	u64 fcsr;
	u64 fpr[8]; /* f24 to f31 */
};
#endif

#endif /* GUESTS_THIN_FRAME_H */
