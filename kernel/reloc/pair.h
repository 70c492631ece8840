/* SPDX-License-Identifier: MIT */
/*
 * Which SCs follow an LL. On the machine SC compares virtual addresses before it does anything else (QEMU), so that
 * one that the monitor carries out fails, without a trap, if a trampoline made its LL; and one in a trampoline if the
 * monitor carried out the LL. So LL and SC become trampolines together: the LL, and every SC that a path from it
 * comes to.
 *
 * A path begins behind the LL. It takes both ways of a branch and ends at an SC, another LL, or whatever MD00087 (LL) lets break
 * the pair: loads, stores, PREF, CACHE, SYNCI, ERET, SYSCALL, BREAK. All of it is on the LL's page, or there is no pair, for
 * pages are patched and given up one by one. A path that leaves by a jump to a register or a call is not
 * followed. MD00087 wants LL and SC within 2048 bytes: so if there is a stray SC that near, one without an LL in the
 * PAIR_NEAR words before it, it may be this LL's, and there is no pair. Nor is there if an SC is in a slot or stores its own base
 * register, if there are more than PAIR_SCS, or the paths come to more than PAIR_WORDS words.
 *
 * The trampolines of a pair may lie further apart than these 2 KB, which QEMU does not mind. Pure.
 */
#ifndef KERNEL_RELOC_PAIR_H
#define KERNEL_RELOC_PAIR_H

#include "kernel/types.h"

#define PAIR_SCS   4
#define PAIR_WORDS 48
#define PAIR_NEAR  16

struct pair {
	u32 nscs;
	u16 sc[PAIR_SCS]; /* which word of the page */
};

/*
 * code: the page before, the page numbered gpn with the LL as its word `at`, the page behind, as the program stored them;
 * NULL: no memory. False: no pair. Some 1,000 instructions, or 10,000 with a path that leaves.
 */
bool pair_find(const u32 *const code[3], u64 gpn, u32 at, struct pair *out);

bool pair_is_ll(u32 insn); /* LL, LLD */
bool pair_is_sc(u32 insn); /* SC, SCD */

#endif /* KERNEL_RELOC_PAIR_H */
