/* SPDX-License-Identifier: MIT */
/*
 * Trampolines: what a load or store becomes whose address was in KSEG0 or XKPHYS once (patch.h). The place holds a
 * BC to its trampoline, which looks where the base register points, at each time anew, makes an address of the xsseg
 * window out of one in KSEG0 or XKPHYS, carries the access out, gives the base register back its value, and goes on
 * behind the place. All is done with the base register alone, since no other is free:
 *
 *   made for XKPHYS                             made for KSEG0
 *   0   bgezc  b, direct     user's, or xsseg   0   daui   b, b, 0x4000   above KSEG1: wraps
 *   1   dati   b, xkphys     0x9000.. ->        1   bgezc  b, wrapped     these, the user's, xsseg
 *   2   bltzc  b, high         0x4000..         2   daui   b, b, 0x4000   KSEG0, 1: wraps
 *   3   nop                                     3   bltzc  b, low
 *   4   the access                              4   dati   b, 0x4000
 *   5   dati   b, -xkphys                       5   the access
 *   6   bc     behind the place                 6   dati   b, -0x4000
 *   high:                    KSEG0, above it    7   daui   b, b, 0x8000
 *   7   dati   b, -xkphys                       8   bc     behind the place
 *   8   daui   b, b, 0x4000                     low:                      XKPHYS, xkseg
 *   9   bgezc  b, wrapped                       9   daui   b, b, 0x8000
 *   10  daui   b, b, 0x4000                     10  dati   b, xkphys
 *   11  bltzc  b, below                         11  the access
 *   12  dati   b, 0x4000                        12  dati   b, -xkphys
 *   13  the access                              13  bc     behind the place
 *   14  dati   b, -0x4000                       wrapped:
 *   15  daui   b, b, 0x8000                     14  daui   b, b, -0x4000
 *   16  bc     behind the place                 direct:
 *   below:                   xkseg              15  the access
 *   17  daui   b, b, 0x8000                     16  bc     behind the place
 *   18  bc     direct
 *   wrapped:                 csseg, kseg3
 *   19  daui   b, b, -0x4000
 *   direct:
 *   20  the access
 *   21  bc     behind the place
 *
 * No access is right behind a compact branch, in whose forbidden slot its exception would be the branch's.
 * A load into its own base register does not give it back: where it would is the BC behind it.
 *
 * LL and SC look at bit 62, too, since SC compares addresses before it traps: one in xkseg is an address error at its own address:
 *   0   bgezc  b, direct       user's, or xsseg         5   the access
 *   1   drotr  b, b, 63        bit 62 is the sign now   6   dati  b, -xkphys
 *   2   bltzc  b, high         KSEG0 and above          7   bc    behind the place
 *   3   drotr  b, b, 1                                  8   drotr b, b, 1, and on as from 8 of the left side
 *   4   dati   b, xkphys
 *
 * A place may be the slot of a branch, where there is no room for a BC. Then the branch becomes the BC, and is in the
 * trampoline, too: one with a delay slot behind all of the above, where the BCs behind the place go, for what it tests is not
 * what the access loads; a compact one before it, and a NOP, since it is not for its forbidden slot to branch.
 *
 * Exact, by these facts. A base that is KSEG0's or KSEG1's, and no other, has its sign off after both of 0x4000: it is the
 * "physical" address. Any other base below 0 that -(0x4000 + 0x800 * attribute) in bits 63..48 was added to is memory's only if it is XKPHYS of that
 * attribute: bits 63..48 of 0x8000..0xffff become 0x4000 from there alone, and never 0, which is the user's. (xkseg's may become XKPHYS, which supervisor mode does not reach.)
 * So what the first two accesses reach is the memory that was meant, or nothing, and then the place is
 * carried out by arch/mips/native.c, as that of an address error at the direct one is.
 *
 * An exception within it is one of the place, or of the instruction behind the place if the access is done:
 * tramp_leave. Pure.
 */
#ifndef KERNEL_RELOC_TRAMP_H
#define KERNEL_RELOC_TRAMP_H

#include "kernel/types.h"

#define TRAMP_SHIFT 7 /* bytes of one, with room */
#define TRAMP_BYTES (1u << TRAMP_SHIFT)
#define TRAMP_WORDS (TRAMP_BYTES / 4)

/* Those behind TRAMP_FORBIDDEN are no slots, but calls (call.h), jumps (jump.h) and moves to and from CP0 (cp0move.h). */
enum tramp_slot {
	TRAMP_NO_SLOT,
	TRAMP_DELAY,
	TRAMP_FORBIDDEN,
	TRAMP_CALL,
	TRAMP_CALL_COMPACT,
	TRAMP_JUMP,
	TRAMP_JUMP_COMPACT,
	TRAMP_MOVE,
	TRAMP_MOVE_SLOT /* which is in one */
};

static inline bool tramp_is_call(u8 slot)
{
	return slot == TRAMP_CALL || slot == TRAMP_CALL_COMPACT;
}
static inline bool tramp_is_jump(u8 slot)
{
	return slot == TRAMP_JUMP || slot == TRAMP_JUMP_COMPACT;
}
static inline bool tramp_is_move(u8 slot) { return slot >= TRAMP_MOVE; }
/* The branch is made behind all else in the trampoline. */
static inline bool tramp_is_delay(u8 slot)
{
	return slot == TRAMP_DELAY || slot == TRAMP_MOVE_SLOT;
}

/* A load or store, of whatever register, by a general base register and an offset; or a call or a jump by that register; or a move. */
struct tramp {
	u32 insn;
	u32 branch; /* whose slot it is in, slot being an enum tramp_slot, or the call or jump; that without a slot is insn, too */
	u8 slot;
	u8 base;      /* 1..31 */
	bool reload;  /* a load of the base register itself */
	bool linked;  /* LL or SC: the offset has 9 bits */
	u8 attribute; /* the cache attribute, 0..7, that XKPHYS addresses here have */
	bool kseg0;   /* made for KSEG0 and KSEG1, else for XKPHYS; neither if linked */
	u8 wide;      /* KX, SX, UX of Status, of a move; the next, too */
	s32 known;    /* what base holds */
};

/*
 * What slot the branch before it puts a load (into register `loads`, 0: none) or store (of `stores`) with that base
 * in, in *slot. False: no trampoline can be made of the two.
 */
bool tramp_slot_of(u32 branch, u32 base, u32 loads, u32 stores, u8 *slot);

/*
 * Whether the base of the access that is word `at` of the page came of a LUI just before, so that it is in one segment always. A guess,
 * for which form is the shorter way: a stack, or what a pointer leads to, is in KSEG0 while a kernel starts, and in XKPHYS from then on.
 */
bool tramp_is_of_lui(const u32 *page, u32 at, u32 base);
/* The word that goes from one address to another; 0, which is no such word: it does not reach. */
u32 tramp_branch(u64 from, u64 to);
/* Each word of the trampoline becomes the way to what is behind the place; false: they do not reach each other. */
bool tramp_begin(u64 place, u64 at, u64 behind, u32 words[TRAMP_WORDS]);
/* The trampoline at `at` for the place at `place`, which is the branch's if it has one, both csseg addresses; false:
 * they do not reach each other, or the branch's target. */
bool tramp_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS]);

/* The access's offset to its base. */
static inline s64 tramp_offset(const struct tramp *t)
{
	return t->linked ? (s16)(t->insn & 0xff80) >> 7 : (s16)t->insn;
}

/* What an exception at one of its words means. */
struct tramp_state {
	bool valid;  /* the word is used */
	bool done;   /* the access is behind us; a branch with a delay slot is still to be made */
	bool access; /* this is the access */
	bool direct; /* and its address is the program's own */
};

/* *base: the base register's value there, which becomes what the program has in it. */
struct tramp_state tramp_leave(const struct tramp *t, u32 word, u64 *base);

#endif /* KERNEL_RELOC_TRAMP_H */
