/* SPDX-License-Identifier: MIT */
/*
 * Kernels that were linked for KSEG0 and know nothing of us (property `rewrite`). Supervisor mode cannot reach
 * KSEG0, KSEG1 and XKPHYS: an access there is an address error. The monitor makes up for that in three ways:
 *
 *   when        what                                                    by
 *   at load     a kernel with relocations (--emit-relocs): every place  table.c, loader.c
 *               that names KSEG0 or KSEG1 names the csseg window
 *   at a trap   a fetch goes on in the csseg window; a load or store    arch/mips/native.c
 *               is carried out on "physical" memory or on a device
 *   after one   the place becomes a branch to a trampoline, which   patch.c, tramp.c,
 *               reaches the memory without a trap                   arch/mips/patched.c
 *
 * The first is as if the kernel had been linked for the window: all its symbols move by one distance, so that
 * what it computes from symbols stays right. A constant that is no symbol (the base of KSEG0, say) has no
 * relocation, stays, and works by the second way. What a table cannot move is counted and told, not guessed. A
 * physical address computed as a moved symbol less the base of KSEG0 is 1 GB too high: memory shows there again
 * (window.h).
 *
 * The second is exact: registers and memory hold what they would hold on the machine, but for link registers and
 * what is computed relative to pc, which name the window, where the code runs. EPC is shown as an address of
 * KSEG0. So a kernel without relocations runs right, and slowly. The third changes neither, but the time. Code stays as
 * it is: the guest reads back what it stored, and what it stores runs.
 *
 * Locks: none. A VM's struct rewrite changes while home loads it, and is fixed while it runs; counters are the
 * VCPU's own. Memory is reached as by monitor calls (vm_copy_in, vm_copy_out).
 *
 * Hostile inputs: tables are checked whole before a byte of guest memory is written for them, each entry against
 * the bounds of file, symbols and segments and against what its place holds. At traps only BadInstr, registers
 * and the VM's own memory count; an address of no memory and no device is a bus error.
 */
#ifndef KERNEL_RELOC_RELOC_H
#define KERNEL_RELOC_RELOC_H

#include "kernel/reloc/window.h"
#include "kernel/types.h"

struct reloc;

/* Of a VM. */
struct rewrite {
	bool on;    /* the description says so */
	bool moved; /* its kernel had relocations */
	u32 places; /* changed at load */
	u32 left;   /* relocations that name KSEG0 or KSEG1, or are of no known type, and stayed */
	u32 first_type;
	u64 first_left; /* the first of these: its place */
};

/* Of a VCPU. */
struct rewrite_stats {
	u64 fetches;  /* that went on in the window */
	u64 emulated; /* loads and stores carried out */
	u64 ticks;    /* Count ticks in both; 6 instructions each in deterministic runs */
};

void rewrite_count(struct rewrite *w, const struct reloc *r);
void rewrite_report(const struct rewrite *w, const char *name);

/* A pc as the guest's kernel is to see it. */
static inline u64 rewrite_shown_pc(const struct rewrite *w, u64 pc)
{
	if (!w->on || w->moved || pc - DISCO_CSSEG_BASE >= DISCO_CSSEG_WINDOW)
		return pc;
	return pc - NATIVE_ALIAS;
}

/* The page of memory that an address behind all memory means. */
static inline gpn_t rewrite_memory(const struct rewrite *w, gpn_t gpn)
{
	if (!w->on)
		return gpn;
	return (gpn_t){ window_unalias(gpn.v << PAGE_SHIFT) >> PAGE_SHIFT };
}

#endif /* KERNEL_RELOC_RELOC_H */
