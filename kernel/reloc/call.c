/* SPDX-License-Identifier: MIT */
/* Trampolines of calls by a register, word by word (MD00087). */
#include "kernel/reloc/call.h"

#include "kernel/reloc/window.h"

#define RS(w) ((w) >> 21 & 31)
#define RT(w) ((w) >> 16 & 31)
#define RD(w) ((w) >> 11 & 31)
#define SA(w) ((w) >> 6 & 31)

#define PAUSE	   0x140
#define LINK_RA	   31
#define DIRECT	   9
#define WORDS	   13
#define CHANGED(w) ((w) == 7 || (w) == 8) /* the target's register there names csseg */

static u32 link_of(const struct tramp *t)
{
	return t->slot == TRAMP_CALL_COMPACT ? (u32)LINK_RA : RD(t->branch);
}

static u64 behind(const struct tramp *t, u64 place)
{
	return place + (t->slot == TRAMP_CALL_COMPACT ? 4 : 8);
}

/* ---- which calls ---- */

static bool is_jalr(u32 w) { return (w & 0xfc1f07ff) == 0x09; }	       /* without .HB */
static bool is_jialc(u32 w) { return (w & 0xffe0ffff) == 0xf8000000; } /* without an offset */

u32 call_target(u32 w) { return is_jalr(w) ? RS(w) : is_jialc(w) ? RT(w) : 0; }

/* SPECIAL: shifts, arithmetic without overflow, logic, comparisons, SELEQZ, SELNEZ; none that traps. */
static bool is_plain_special(u32 funct)
{
	static const u64 plain =
		BIT(0x00) | BIT(0x02) | BIT(0x03) | BIT(0x04) | BIT(0x06) | BIT(0x07) | BIT(0x14) |
		BIT(0x16) | BIT(0x17) | BIT(0x21) | BIT(0x23) | BIT(0x24) | BIT(0x25) | BIT(0x26) |
		BIT(0x27) | BIT(0x2a) | BIT(0x2b) | BIT(0x2d) | BIT(0x2f) | BIT(0x35) | BIT(0x37) |
		BIT(0x38) | BIT(0x3a) | BIT(0x3b) | BIT(0x3c) | BIT(0x3e) | BIT(0x3f);

	return plain >> funct & 1;
}

/*
 * No field is set that the instruction does not have, which is Reserved Instruction: a shift by a number has no RS, all others
 * have no SA, but for the bit that makes a shift to the right a rotation. PAUSE is reserved in a slot.
 */
static bool is_defined_special(u32 w)
{
	static const u64 by_number = BIT(0x00) | BIT(0x02) | BIT(0x03) | BIT(0x38) | BIT(0x3a) |
				     BIT(0x3b) | BIT(0x3c) | BIT(0x3e) | BIT(0x3f);
	static const u64 rotates = BIT(0x02) | BIT(0x06) | BIT(0x16) | BIT(0x3a) | BIT(0x3e);
	u32 without = by_number >> (w & 63) & 1 ? RS(w) : SA(w);

	return without <= (rotates >> (w & 63) & 1) && w != PAUSE;
}

bool call_lets_first(u32 w, u32 target, u32 link)
{
	u32 written;

	switch (w >> 26) {
	case 0x00:
		if (!is_plain_special(w & 63) || !is_defined_special(w) || RD(w) == link)
			return false;
		written = RD(w);
		break;
	case 0x09: /* ADDIU, SLTI, SLTIU, ANDI, ORI, XORI, AUI, DADDIU, DAUI */
	case 0x0a:
	case 0x0b:
	case 0x0c:
	case 0x0d:
	case 0x0e:
	case 0x0f:
	case 0x19: written = RT(w); break;
	case 0x1d:
		if (!RS(w)) /* reserved */
			return false;
		written = RT(w);
		break;
	default: return false;
	}
	return RS(w) != link && RT(w) != link && written != target;
}

bool call_make(u32 branch, u32 behind, struct tramp *t)
{
	u32 target = call_target(branch);

	*t = (struct tramp){ .insn = behind, .branch = branch, .slot = TRAMP_CALL, .base = target };
	if (is_jialc(branch)) {
		t->slot = TRAMP_CALL_COMPACT;
		t->insn = branch;
	}
	if (!target || !link_of(t) || link_of(t) == target)
		return false;
	return t->slot == TRAMP_CALL_COMPACT || call_lets_first(behind, target, link_of(t));
}

/* ---- a trampoline ---- */

static u32 lui(u32 r, u64 value) { return 0x0fu << 26 | r << 16 | (value >> 16 & 0xffff); }
static u32 ori(u32 r, u64 value) { return 0x0du << 26 | r << 21 | r << 16 | (value & 0xffff); }
static u32 daui(u32 r, u16 by) { return 0x1du << 26 | r << 21 | r << 16 | by; }
static u32 jr(u32 r) { return r << 21 | 0x09; }

bool call_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS])
{
	u32 link = link_of(t), target = t->base;

	if (!tramp_branch(place, at))
		return false;
	for (u32 i = 0; i < TRAMP_WORDS; i++)
		words[i] = 0;
	words[0] = t->slot == TRAMP_CALL_COMPACT ? 0 : t->insn;
	words[1] = target << 16 | link << 11 | (28u << 6) | 0x3b;
	words[2] = 0x19u << 26 | link << 21 | link << 16 | 8;
	words[3] = 0x3eu << 26 | link << 21 | (DIRECT - 4);
	words[4] = words[DIRECT] = lui(link, behind(t, place));
	words[5] = words[DIRECT + 1] = ori(link, behind(t, place));
	words[6] = daui(target, 0x4000);
	words[7] = words[DIRECT + 2] = jr(target);
	words[8] = daui(target, 0xc000);
	return true;
}

bool call_leave(const struct tramp *t, u64 place, u32 word, u64 gpr[32], u64 *pc)
{
	u64 to;

	if (word >= WORDS)
		return false;
	*pc = place;
	if (word == 0)
		return true;
	if (CHANGED(word))
		gpr[t->base] -= NATIVE_ALIAS;
	gpr[link_of(t)] = behind(t, place);
	to = gpr[t->base];
	*pc = to - NATIVE_KSEG0 < DISCO_CSSEG_WINDOW ? to + NATIVE_ALIAS : to;
	return true;
}
