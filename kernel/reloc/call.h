/* SPDX-License-Identifier: MIT */
/*
 * Trampolines of calls by a register (patch.h): JALR, and JIALC without an offset, whose target was in KSEG0 once. The place
 * holds a BC to its trampoline, which does what the slot does, looks where the register points, at each time anew, and jumps
 * to csseg in place of KSEG0:
 *
 *   0   what is in the slot     NOP for JIALC     direct:
 *   1   dsra   l, t, 28         l: the link       9   lui  l, behind the call
 *   2   daddiu l, l, 8          register; zero    10  ori  l, l
 *   3   bnezc  l, direct        if KSEG0's        11  jr   t
 *   4   lui    l, behind the call                 12  nop
 *   5   ori    l, l
 *   6   daui   t, t, 0x4000     csseg
 *   7   jr     t
 *   8   daui   t, t, -0x4000    as it was
 *
 * KSEG0 is its first 256 MB here, which csseg shows. Registers become what the call makes of them, since the link register is
 * nobody's between the slot and the jump, and the register of the target has its value back where the jump leads to.
 *
 * The slot may come first, for it is only an instruction that cannot trap, that does not write the register of the
 * target, and that neither reads nor writes the link register. So an exception at word 0 is one of the call, which has not
 * begun, and behind it one of the instruction at the target: call_leave. Pure.
 */
#ifndef KERNEL_RELOC_CALL_H
#define KERNEL_RELOC_CALL_H

#include "kernel/reloc/tramp.h"

/* The call `branch`, with the word behind it; false: it is none, or no trampoline can be made of the two. */
bool call_make(u32 branch, u32 behind, struct tramp *t);
/* The register of the target of what may be such a call, 0: it is none. */
u32 call_target(u32 branch);
/* Whether a slot's instruction, with a call by register `target`, may come first (above); link: the link register, 32: none. */
bool call_lets_first(u32 slot, u32 target, u32 link);
/* As tramp_build. */
bool call_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS]);
/*
 * An exception at one of its words: registers and *pc become the state before the call or behind it. place: the call's csseg
 * address. False: the word is not used.
 */
bool call_leave(const struct tramp *t, u64 place, u32 word, u64 gpr[32], u64 *pc);

#endif /* KERNEL_RELOC_CALL_H */
