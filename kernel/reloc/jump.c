/* SPDX-License-Identifier: MIT */
/* Trampolines of jumps by a register, word by word, and which jumps are noted (MD00087). */
#include "kernel/reloc/jump.h"

#include "kernel/reloc/call.h"
#include "kernel/reloc/window.h"

#define RS(w) ((w) >> 21 & 31)
#define RT(w) ((w) >> 16 & 31)

#define LINK_NONE  32
#define LINK_RA	   31
#define ABOVE	   8
#define BELOW	   11
#define WORDS	   14
#define PAGE_WORDS (PAGE_SIZE / 4)

/* What was added to the register before the word, in units of 0x10000. */
static const u16 added[WORDS] = { [2] = 0x7000, [3] = 0x7000, [4] = 0x8000, [5] = 0x8000,
				  [6] = 0x4000, [7] = 0x4000, [8] = 0x7000, [11] = 0x8000 };

/* ---- which jumps ---- */

static bool is_jr(u32 w) { return (w & 0xfc1fffff) == 0x09; }	     /* without .HB */
static bool is_jic(u32 w) { return (w & 0xffe0ffff) == 0xd8000000; } /* without an offset */

u32 jump_target(u32 w) { return is_jr(w) ? RS(w) : is_jic(w) ? RT(w) : 0; }

bool jump_make(u32 jump, u32 behind, struct tramp *t)
{
	u32 target = jump_target(jump);

	*t = (struct tramp){ .insn = behind, .branch = jump, .slot = TRAMP_JUMP, .base = target };
	if (is_jic(jump)) {
		t->slot = TRAMP_JUMP_COMPACT;
		t->insn = jump;
	}
	return target &&
	       (t->slot == TRAMP_JUMP_COMPACT || call_lets_first(behind, target, LINK_NONE));
}

/* SYSCALL, BREAK, SDBBP; JALR and JR; TGE, TGEU and TEQ of a register with itself. */
static bool special_leaves(u32 w)
{
	u32 funct = w & 63;

	if (funct == 0x30 || funct == 0x31 || funct == 0x34)
		return RS(w) == RT(w);
	return funct == 0x09 || funct == 0x0c || funct == 0x0d || funct == 0x0e;
}

/* The word behind it, and its slot's, may never be executed: calls among them, which need not return. */
static bool leaves(u32 w)
{
	switch (w >> 26) {
	case 0x00: return special_leaves(w);
	case 0x01: /* BAL, NAL, SIGRIE; BGEZ */
		return RT(w) == 0x11 || RT(w) == 0x10 || RT(w) == 0x17 || (RT(w) == 0x01 && !RS(w));
	case 0x02: /* J, JAL, BC, BALC */
	case 0x03:
	case 0x32:
	case 0x3a: return true;
	case 0x04: return RS(w) == RT(w);   /* BEQ */
	case 0x06: return !RT(w) && !RS(w); /* BLEZ */
	case 0x10: return (w & 0xfe00003f) == 0x42000018 || (w & 0xfe00003f) == 0x4200001f;
	case 0x36: /* JIC, JIALC */
	case 0x3e: return !RS(w);
	default: return false;
	}
}

u32 jump_behind(const u32 *page, u32 at)
{
	for (u32 i = at; i < PAGE_WORDS - 1 && i - at <= JUMP_NEAR; i++) {
		u32 target = jump_target(page[i]);

		if (target)
			return i > at && target != LINK_RA ? i : 0;
		if (leaves(page[i]))
			return 0;
	}
	return 0;
}

/* ---- a trampoline ---- */

static u32 daui(u32 r, u16 by) { return 0x1du << 26 | r << 21 | r << 16 | by; }
static u32 jr(u32 r) { return r << 21 | 0x09; }
static u32 bgezc(u32 r, u32 words) { return 0x16u << 26 | r << 21 | r << 16 | words; }
static u32 bltzc(u32 r, u32 words) { return 0x17u << 26 | r << 21 | r << 16 | words; }

bool jump_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS])
{
	u32 r = t->base;

	if (!tramp_branch(place, at))
		return false;
	for (u32 i = 0; i < TRAMP_WORDS; i++)
		words[i] = 0;
	words[0] = t->slot == TRAMP_JUMP_COMPACT ? 0 : t->insn;
	words[1] = daui(r, 0x7000);
	words[2] = bgezc(r, ABOVE - 3);
	words[3] = daui(r, 0x1000);
	words[4] = bltzc(r, BELOW - 5);
	words[5] = words[7] = daui(r, 0xc000);
	words[ABOVE] = daui(r, 0x9000);
	words[BELOW] = daui(r, 0x8000);
	words[6] = words[ABOVE + 1] = words[BELOW + 1] = jr(r);
	return true;
}

bool jump_leave(const struct tramp *t, u64 place, u32 word, u64 gpr[32], u64 *pc)
{
	u64 to;

	if (word >= WORDS)
		return false;
	*pc = place;
	if (word == 0)
		return true;
	to = gpr[t->base] -= (u64)added[word] << 16;
	*pc = to - NATIVE_KSEG0 < DISCO_CSSEG_WINDOW ? to + NATIVE_ALIAS : to;
	return true;
}
