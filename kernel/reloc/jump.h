/* SPDX-License-Identifier: MIT */
/*
 * Trampolines of jumps by a register that leave no link (patch.h): JR, and JIC without an offset, as of switch tables and of
 * calls in a function's last line, whose target was in KSEG0 once. As those of calls (call.h), but with the register of the
 * target alone, since no other is free:
 *
 *   0   what is in the slot     NOP for JIC
 *   1   daui   t, t, 0x7000     KSEG0's first 256 MB are      8   daui  t, t, -0x7000   above, or the user's
 *   2   bgezc  t, 8             the last ones below 0 now     9   jr    t
 *   3   daui   t, t, 0x1000     and wrap                      10  nop
 *   4   bltzc  t, 11                                          11  daui  t, t, -0x8000   below
 *   5   daui   t, t, -0x4000    csseg                         12  jr    t
 *   6   jr     t                                              13  nop
 *   7   daui   t, t, -0x4000    as it was
 *
 * The slot is one that call.h lets come first, of no link register. An exception at word 0 is one of the jump, which has not begun, and behind it one of
 * the instruction at the target.
 *
 * Nothing at the target says where the jump was. So jumps are noted that may be one (jump_behind): a jump that the program comes to
 * from an access that was carried out, word by word, without anything in between that leaves for good. So it is an
 * instruction. It is patched when a fetch goes on in csseg at what its register holds. That it was another one
 * does no harm: the trampoline does what the jump did, for every value. Pure.
 */
#ifndef KERNEL_RELOC_JUMP_H
#define KERNEL_RELOC_JUMP_H

#include "kernel/reloc/tramp.h"

#define JUMP_NEAR 16

/* The register of the target of what may be such a jump, 0: it is none. */
u32 jump_target(u32 word);
/* Which word of the page is such a jump, other than by $31, that one comes to from its word `at`, at most JUMP_NEAR words behind it; 0: none. */
u32 jump_behind(const u32 *page, u32 at);
/* As call_make, call_build and call_leave. */
bool jump_make(u32 jump, u32 behind, struct tramp *t);
bool jump_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS]);
bool jump_leave(const struct tramp *t, u64 place, u32 word, u64 gpr[32], u64 *pc);

#endif /* KERNEL_RELOC_JUMP_H */
