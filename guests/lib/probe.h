/* SPDX-License-Identifier: MIT */
/*
 * Probes: a few instructions run in kernel or in user mode, of which we want to know what exception
 * they end with, if any. A probe is a leaf function in assembly in its own section, position
 * independent, so that the same bytes run at their link address and, through two TLB entries, in
 * user mode. It ends at `jr ra` or at its first exception that trap_hook does not take; either way
 * probe() returns, with everything that the processor said about it.
 */
#ifndef GUESTS_LIB_PROBE_H
#define GUESTS_LIB_PROBE_H

#define PROBE_SREGS   0 /* s0..s7, gp, sp, fp, ra */
#define PROBE_STATUS  96
#define PROBE_PC      104
#define PROBE_ARGS    112
#define PROBE_V0      144
#define PROBE_SP      152
#define PROBE_RA      160
#define PROBE_USTATUS 168

#ifndef __ASSEMBLER__
#include "guests/lib/frame.h"

/* How a probe ended. taken = false: it came to its end, v0 is what it left in $2, and f means
 * nothing. */
struct trap {
	bool taken;
	u64 v0;
	unsigned exc;
	/* f.epc of a probe in user mode is given as the kernel's address of the same instruction */
	struct frame f;
};

/*
 * Where probes are in user mode: code, then two pages of data, the second of which holds the stack.
 */
#define USER_CODE 0x0000000010000000ull
#define USER_DATA 0x0000000010010000ull

/*
 * PROBE(name, "insns"): defines extern char name[]. Assembled with noreorder, noat; $at, $v0, $v1
 * and $t0..$t9 are free, $a0..$a3 hold the arguments. AT(name) inside the text labels the next
 * instruction name_at.
 */
#define PROBE(name, text)                                                                                           \
	extern char name[];                                                                                         \
	asm(".pushsection .probe, \"ax\"\n\t.set push\n\t.set noreorder\n\t.set noat\n\t.balign 8\n\t.globl " #name \
	    "\n" #name ":\n" text "\n\tjr $31\n\tnop\n\t.set pop\n\t.popsection")
#define AT(name) "\n\t.globl " #name "_at\n" #name "_at:\n\t"

/* One instruction, its label name_at. */
#define PROBE1(name, insn)       \
	extern char name##_at[]; \
	PROBE(name, AT(name) insn)

/*
 * The instruction in three positions: plain; in the delay slot of a taken branch; and in the
 * forbidden slot of a compact branch that is not taken. name_d_at and name_f_at label the branch:
 * EPC is there.
 */
#define PROBE3(name, insn)                                                     \
	PROBE1(name, insn);                                                    \
	extern char name##_d_at[], name##_f_at[];                              \
	PROBE(name##_d, AT(name##_d) "beq $0, $0, 1f\n\t" insn "\n\tnop\n1:"); \
	PROBE(name##_f, "move $1, $0" AT(name##_f) "bnezc $1, 1f\n\t" insn "\n\tnop\n1:")

/* In kernel mode, from where the caller is: Status as it is. */
const struct trap *probe(const void *fn, u64 a0, u64 a1, u64 a2);

/*
 * In user mode, Status = probe_user_status | KSU=user. Writes TLB entries 0 and 1 (global, wired)
 * first. Data pages are zero at the start of the guest and keep their contents between probes.
 */
const struct trap *probe_user(const void *fn, u64 a0, u64 a1, u64 a2);
extern u32 probe_user_status;
extern bool
	probe_user_code_fixed; /* probes in user mode cannot write where probes' code is, the kernel's too */
void probe_map_user(void);
u64 *probe_user_data(void); /* the kernel's view of USER_DATA */

#define MODE_KERNEL 0
#define MODE_USER   1
static inline const struct trap *probe_in(int mode, const void *fn, u64 a0, u64 a1, u64 a2)
{
	return mode == MODE_USER ? probe_user(fn, a0, a1, a2) : probe(fn, a0, a1, a2);
}
#endif

#endif /* GUESTS_LIB_PROBE_H */
