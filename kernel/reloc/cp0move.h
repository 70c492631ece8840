/* SPDX-License-Identifier: MIT */
/*
 * Trampolines of moves to and from CP0 (patch.h): what a kernel does there by instructions that trap is done by loads and stores
 * in the special page (kernel/abi/disco.h), which is mapped for every VCPU's kernel mode and costs no register but the
 * one that has its address. A load finds that in the register that it loads:
 *
 *   MFC0, DMFC0                      DI rt
 *   0   lui   rt, page               0   lui   rt, page           8   sb    rt, Status    the low byte is 4's less IE
 *   1   load  rt, register           1   lbu   rt, Status         9   lui   rt, page
 *   2   bc    behind the place       2   xori  rt, off            10  lw    rt, Status
 *                                    3   beqzc rt, same           11  ori   rt, IE        as it was
 *                                    4   xori  rt, IE             12  bc    behind the place
 *                                    5   bnezc rt, slow           same:
 *                                    6   lui   rt, page           13  lui, lw, bc
 *                                    7   ori   rt, off            slow: 16  the DI, which traps, and bc
 *
 * A store has none free. But one that holds the same number as always can be given it back: t is a register that held the number c
 * at each of the MOVE_LOOKS traps before, and is asked each time. If it holds another one the instruction traps as before.
 *
 *   0   daui   t, t, -c's upper half           done:
 *   1   daddiu t, t, -c's lower half           19  lui    t, c
 *   2   bnezc  t, other                        20  ori    t, t, c
 *   3   what it is, with t free                21  bc     behind the place
 *   ..                                         other:
 *   18                                         22  daddiu t, t, c's lower half
 *                                              23  daui   t, t, c's upper half
 *                                              24  bc     27
 *                                              slow:
 *                                              25  lui    t, c
 *                                              26  ori    t, t, c
 *                                              27  the instruction, which traps
 *                                              28  bc     behind the place
 *
 *   DI, EI without a register      MTC0 of Status                              DMTC0 of a register that keeps all bits
 *   3   lui   t, page              3   lui   t, page                           3   lui   t, page
 *   4   lbu   t, Status            4   lw    t, Status                         4   sd    rt, register
 *   5   xori  t, t, wanted         5   xor   t, t, rt                          5   bc    done
 *   6   beqzc t, done              6   sll   t, t, 0      what changes
 *   7   xori  t, t, IE             7   ins   t, $0: 0, 2  IE, EXL may,
 *   8   bnezc t, slow              8   ins   t, $0: 4, 1  KSU,
 *   9   lui   t, page              9   ins   t, $0: 28, 1 CU0
 *   10  ori   t, t, wanted         10  bnezc t, slow
 *   11  sb    t, Status            11  andi  t, rt, 0x1e
 *   12  bc    done       (DI)      12  beqzc t, 15        kernel mode
 *   12  lw    t, pending (EI)      13  andi  t, rt, 6
 *   13  bnezc t, slow              14  beqzc t, slow      user mode, at once
 *   14  nop                        15  lui   t, page
 *   15  bc    done                 16  sw    rt, Status
 *                                  17  lw    t, pending
 *                                  18  bnezc t, slow      EI or MTC0 once more, for the interrupt
 *
 * off, wanted: the low byte of Status with KX, SX and UX as they were when the place was patched, in kernel mode, with IE or without.
 *
 * A DI or EI may be in the slot of a BEQ or BNE, which then becomes the BC; it is made at 28, to 31, `behind the place` being 28:
 *   28  the branch   29  nop   30  bc behind its slot   31  bc its target
 *
 * An exception in front of a word: the place has not begun (MOVE_BEFORE), is done (MOVE_DONE), or the monitor is to do it (MOVE_HALF), since
 * rt has lost what it held, or all is done but for the interrupt. MOVE_STORED: IE is off, and DI's register is left to do. Pure.
 */
#ifndef KERNEL_RELOC_CP0MOVE_H
#define KERNEL_RELOC_CP0MOVE_H

#include "kernel/reloc/tramp.h"

#define MOVE_LOOKS 16
#define MOVE_TRIES 8

enum move_kind {
	MOVE_NONE,   /* no such instruction, or one that stays as it is */
	MOVE_READ,   /* MFC0, DMFC0 */
	MOVE_DI,     /* DI rt */
	MOVE_SET,    /* DI, EI */
	MOVE_STATUS, /* MTC0 of Status */
	MOVE_WRITE,  /* DMTC0 */
};

enum move_state { MOVE_UNUSED, MOVE_BEFORE, MOVE_HALF, MOVE_STORED, MOVE_DONE };

enum move_kind move_kind(u32 insn);
static inline bool move_wants_register(enum move_kind kind) { return kind >= MOVE_SET; }
/* The register and its select, and the general register. */
static inline u32 move_cp0(u32 insn) { return (insn >> 11 & 31) * 8 + (insn & 7); }
static inline u32 move_reg(u32 insn) { return insn >> 16 & 31; }
/* It may be in the slot of that. */
bool move_lets_slot(u32 insn, u32 branch);
/*
 * What the registers held at the last traps of a place. move_look: one more, of any place; which register has held the same number
 * at MOVE_LOOKS of them, and can be given it back, that was not `without` at any; 0: none, or too few. Each place is looked at for MOVE_TRIES times
 * that many traps.
 */
struct move_seen {
	u32 place;
	u8 looks, tries;
	u32 same; /* which registers, so far */
	s32 value[32];
};
u32 move_look(struct move_seen *s, u32 place, const u64 gpr[32], u32 without);
/* As tramp_build; t->branch is insn if it is in no slot (TRAMP_MOVE), t->base is t above, or rt, and t->known c. */
bool move_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS]);
/* *base: what t->base holds there, which becomes what the program has in it, but for MOVE_HALF and MOVE_STORED. */
enum move_state move_leave(const struct tramp *t, u32 word, u64 *base);

#endif /* KERNEL_RELOC_CP0MOVE_H */
