/* SPDX-License-Identifier: MIT */
/* Trampolines: their words, and the way out of each (MD00087). */
#include "kernel/reloc/tramp.h"

/* What became of the base register before the word is executed. */
enum made { PLAIN, ROTATED, XKPHYS, ONCE, TWICE, WINDOW };

#define KSEG_STEP 0x40000000ul
#define LUI_NEAR  8

struct row {
	u8 made;
	bool done, access;
};

#define LINKED_WORDS  23
#define LINKED_DIRECT 21
static const struct row of_linked[LINKED_WORDS] = {
	[0] = { PLAIN, 0, 0 },	 [1] = { PLAIN, 0, 0 },	 [2] = { ROTATED, 0, 0 },
	[3] = { ROTATED, 0, 0 }, [4] = { PLAIN, 0, 0 },	 [5] = { XKPHYS, 0, 1 },
	[6] = { XKPHYS, 1, 0 },	 [7] = { PLAIN, 1, 0 },	 [8] = { ROTATED, 0, 0 },
	[9] = { PLAIN, 0, 0 },	 [10] = { ONCE, 0, 0 },	 [11] = { ONCE, 0, 0 },
	[12] = { TWICE, 0, 0 },	 [13] = { TWICE, 0, 0 }, [14] = { WINDOW, 0, 1 },
	[15] = { WINDOW, 1, 0 }, [16] = { TWICE, 1, 0 }, [17] = { PLAIN, 1, 0 },
	[18] = { TWICE, 0, 0 },	 [19] = { PLAIN, 0, 0 }, [20] = { ONCE, 0, 0 },
	[21] = { PLAIN, 0, 1 },	 [22] = { PLAIN, 1, 0 },
};

#define XKPHYS_WORDS  22
#define XKPHYS_DIRECT 20
static const struct row of_xkphys[XKPHYS_WORDS] = {
	[0] = { PLAIN, 0, 0 },	[1] = { PLAIN, 0, 0 },	 [2] = { XKPHYS, 0, 0 },
	[3] = { XKPHYS, 0, 0 }, [4] = { XKPHYS, 0, 1 },	 [5] = { XKPHYS, 1, 0 },
	[6] = { PLAIN, 1, 0 },	[7] = { XKPHYS, 0, 0 },	 [8] = { PLAIN, 0, 0 },
	[9] = { ONCE, 0, 0 },	[10] = { ONCE, 0, 0 },	 [11] = { TWICE, 0, 0 },
	[12] = { TWICE, 0, 0 }, [13] = { WINDOW, 0, 1 }, [14] = { WINDOW, 1, 0 },
	[15] = { TWICE, 1, 0 }, [16] = { PLAIN, 1, 0 },	 [17] = { TWICE, 0, 0 },
	[18] = { PLAIN, 0, 0 }, [19] = { ONCE, 0, 0 },	 [20] = { PLAIN, 0, 1 },
	[21] = { PLAIN, 1, 0 },
};

#define KSEG0_WORDS  17
#define KSEG0_DIRECT 15
static const struct row of_kseg0[KSEG0_WORDS] = {
	[0] = { PLAIN, 0, 0 },	 [1] = { ONCE, 0, 0 },	 [2] = { ONCE, 0, 0 },
	[3] = { TWICE, 0, 0 },	 [4] = { TWICE, 0, 0 },	 [5] = { WINDOW, 0, 1 },
	[6] = { WINDOW, 1, 0 },	 [7] = { TWICE, 1, 0 },	 [8] = { PLAIN, 1, 0 },
	[9] = { TWICE, 0, 0 },	 [10] = { PLAIN, 0, 0 }, [11] = { XKPHYS, 0, 1 },
	[12] = { XKPHYS, 1, 0 }, [13] = { PLAIN, 1, 0 }, [14] = { ONCE, 0, 0 },
	[15] = { PLAIN, 0, 1 },	 [16] = { PLAIN, 1, 0 },
};

static const struct layout {
	const struct row *rows;
	u32 words, direct;
} for_linked = { of_linked, LINKED_WORDS, LINKED_DIRECT },
  for_xkphys = { of_xkphys, XKPHYS_WORDS, XKPHYS_DIRECT },
  for_kseg0 = { of_kseg0, KSEG0_WORDS, KSEG0_DIRECT };

static const struct layout *layout_of(const struct tramp *t)
{
	return t->linked ? &for_linked : t->kseg0 ? &for_kseg0 : &for_xkphys;
}

/* From XKPHYS of the attribute to the window, in units of bits 63..48. */
static u16 xkphys_step(const struct tramp *t) { return 0x4000 - (0x8000 | t->attribute << 11); }

static u32 drotr(u32 r, u32 by)
{
	return 1u << 21 | r << 16 | r << 11 | (by & 31) << 6 | (by & 32 ? 0x3e : 0x3a);
}

static u32 dati(u32 r, u16 by) { return 1u << 26 | r << 21 | 0x1eu << 16 | by; }
static u32 daui(u32 r, u16 by) { return 0x1du << 26 | r << 21 | r << 16 | by; }

static u32 bgezc(u32 r, u32 from, u32 to)
{
	return 0x16u << 26 | r << 21 | r << 16 | ((to - from - 1) & 0xffff);
}

static u32 bltzc(u32 r, u32 from, u32 to)
{
	return 0x17u << 26 | r << 21 | r << 16 | ((to - from - 1) & 0xffff);
}

u32 tramp_branch(u64 from, u64 to)
{
	s64 words = (s64)(to - from - 4) >> 2;

	if (words < -(1l << 25) || words >= 1l << 25)
		return 0;
	return 0x32u << 26 | ((u32)words & 0x3ffffff);
}

bool tramp_is_of_lui(const u32 *page, u32 at, u32 base)
{
	for (u32 i = at; i-- > 0 && at - i <= LUI_NEAR;) {
		u32 w = page[i], op = w >> 26;
		bool of_base = (w >> 16 & 31) == base;

		if (op == 0x0f && of_base)
			return !(w >> 21 & 31); /* AUI adds to a register */
		if (((op >= 0x20 && op < 0x28) || op == 0x37) && of_base) /* LB to LWU, LD */
			return false;
	}
	return false;
}

/* ---- branches ---- */

#define RS(w) ((w) >> 21 & 31)
#define RT(w) ((w) >> 16 & 31)
#define RD(w) ((w) >> 11 & 31)

enum form { NONE, CONDITION, JUMP, REGISTER, COMPACT, COMPACT_ZERO };
enum { LINK_NONE = 0, LINK_RA = 31 };

/* How it is made anew elsewhere; *link: the register that it writes. */
static enum form form_of(u32 w, u32 *link)
{
	u32 rs = RS(w), rt = RT(w);

	*link = LINK_NONE;
	switch (w >> 26) {
	case 0x00: /* JALR, and JR as JALR $0 */
		*link = RD(w);
		return (w & 0x1f003f) == 0x09 ? REGISTER : NONE;
	case 0x01: /* BLTZ, BGEZ; BAL */
		*link = rt == 0x11 ? LINK_RA : LINK_NONE;
		return rt < 2 ? CONDITION : rt == 0x11 && !rs ? JUMP : NONE;
	case 0x03: *link = LINK_RA; return JUMP; /* JAL */
	case 0x02: return JUMP;			 /* J */
	case 0x04:				 /* BEQ, BNE */
	case 0x05: return CONDITION;
	case 0x06: /* BLEZ, BGTZ; BGEUC, BLTUC; those that link */
	case 0x07: return !rt ? CONDITION : rs && rs != rt ? COMPACT : NONE;
	case 0x08: /* BEQC, BNEC, BOVC, BNVC; those that link */
	case 0x18: return rs || !rt ? COMPACT : NONE;
	case 0x16: /* BLEZC, BGEZC, BGEC; BGTZC, BLTZC, BLTC */
	case 0x17: return rt ? COMPACT : NONE;
	case 0x36: /* BEQZC, BNEZC; JIC, JIALC */
	case 0x3e: return rs ? COMPACT_ZERO : NONE;
	default: return NONE;
	}
}

bool tramp_slot_of(u32 branch, u32 base, u32 loads, u32 stores, u8 *slot)
{
	u32 link;
	enum form form = form_of(branch, &link);
	bool tests = form == CONDITION || form == REGISTER;

	*slot = form >= COMPACT ? TRAMP_FORBIDDEN : TRAMP_DELAY;
	if (form == NONE)
		return false;
	if (*slot == TRAMP_FORBIDDEN)
		return true;
	if (tests && loads && (loads == RS(branch) || (form == CONDITION && loads == RT(branch))))
		return false;
	return !link || (link != base && link != loads && link != stores &&
			 (form != REGISTER || link != RS(branch)));
}

static s64 signed_bits(u32 w, u32 bits) { return (s64)((u64)w << (64 - bits)) >> (64 - bits); }

static u64 target_of(u32 w, u64 at)
{
	switch (w >> 26) {
	case 0x02:
	case 0x03: return ((at + 4) & ~0xffffffful) | (w & 0x3ffffff) << 2;
	case 0x36:
	case 0x3e: return at + 4 + 4 * signed_bits(w, 21);
	default: return at + 4 + 4 * signed_bits(w, 16);
	}
}

/* The same branch, to a word that many words behind it. */
static u32 moved(u32 w, enum form form, u32 words)
{
	u32 field = form == COMPACT_ZERO ? 0x1fffff : 0xffff;

	return (w & ~field) | ((words - 1) & field);
}

static u32 lui(u32 r, u64 value) { return 0x0fu << 26 | r << 16 | (value >> 16 & 0xffff); }

static u32 ori(u32 r, u64 value) { return 0x0du << 26 | r << 21 | r << 16 | (value & 0xffff); }

/* ---- a trampoline ---- */

#define TAIL  23 /* behind the access: where a branch with a delay slot is made */
#define TAKEN 27 /* the words to the branch's target, if it is taken: the last but FIRST */
#define FIRST 2	 /* words before the access, of a compact branch */

/* The branch and what is around it; false: out of reach. */
static bool build_branch(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS])
{
	u32 link, n = TAIL, taken = TAKEN;
	enum form form = form_of(t->branch, &link);
	u64 target = form == REGISTER ? 0 : target_of(t->branch, place);

	words[taken] = form == REGISTER ? 0 : tramp_branch(at + 4 * taken, target);
	if (form != REGISTER && !words[taken])
		return false;
	if (t->slot == TRAMP_FORBIDDEN) {
		words[0] = moved(t->branch, form, taken);
		words[1] = 0;
		return true;
	}
	if (link) {
		words[n++] = lui(link, place + 8);
		words[n++] = ori(link, place + 8);
	}
	if (form == JUMP) {
		words[n] = tramp_branch(at + 4 * n, target);
		return words[n] != 0;
	}
	words[n] = form == REGISTER ? t->branch & ~(31u << 11) : moved(t->branch, form, taken - n);
	words[n + 1] = 0;
	words[n + 2] = tramp_branch(at + 4 * (n + 2), place + 8);
	return true;
}

/* What is not a BC behind the place. */
static void build_for_linked(const struct tramp *t, u32 *w)
{
	u32 b = t->base;
	u16 step = xkphys_step(t);

	w[0] = bgezc(b, 0, LINKED_DIRECT);
	w[1] = drotr(b, 63);
	w[2] = bltzc(b, 2, 8);
	w[3] = w[8] = drotr(b, 1);
	w[4] = dati(b, step);
	w[5] = w[14] = w[LINKED_DIRECT] = t->insn;
	w[6] = dati(b, -step);
	w[9] = w[11] = daui(b, 0x4000);
	w[10] = bgezc(b, 10, 20);
	w[12] = bltzc(b, 12, 18);
	w[13] = dati(b, 0x4000);
	w[15] = dati(b, 0xc000);
	w[16] = w[18] = daui(b, 0x8000);
	w[19] = tramp_branch(0, 4 * (LINKED_DIRECT - 19));
	w[20] = daui(b, 0xc000);
}

static void build_for_xkphys(const struct tramp *t, u32 *w)
{
	u32 b = t->base;
	u16 step = xkphys_step(t);

	w[0] = bgezc(b, 0, XKPHYS_DIRECT);
	w[1] = dati(b, step);
	w[2] = bltzc(b, 2, 7);
	w[3] = 0;
	w[4] = w[13] = w[XKPHYS_DIRECT] = t->insn;
	w[7] = dati(b, -step);
	w[8] = w[10] = daui(b, 0x4000);
	w[9] = bgezc(b, 9, 19);
	w[11] = bltzc(b, 11, 17);
	w[12] = dati(b, 0x4000);
	w[15] = w[17] = daui(b, 0x8000);
	w[18] = tramp_branch(0, 4 * (XKPHYS_DIRECT - 18));
	w[19] = daui(b, 0xc000);
	if (!t->reload) {
		w[5] = dati(b, -step);
		w[14] = dati(b, 0xc000);
	}
}

static void build_for_kseg0(const struct tramp *t, u32 *w)
{
	u32 b = t->base;
	u16 step = xkphys_step(t);

	w[0] = w[2] = daui(b, 0x4000);
	w[1] = bgezc(b, 1, 14);
	w[3] = bltzc(b, 3, 9);
	w[4] = dati(b, 0x4000);
	w[5] = w[11] = w[KSEG0_DIRECT] = t->insn;
	w[7] = w[9] = daui(b, 0x8000);
	w[10] = dati(b, step);
	w[14] = daui(b, 0xc000);
	if (!t->reload) {
		w[6] = dati(b, 0xc000);
		w[12] = dati(b, -step);
	}
}

bool tramp_begin(u64 place, u64 at, u64 behind, u32 words[TRAMP_WORDS])
{
	for (u32 i = 0; i < TRAMP_WORDS; i++) {
		words[i] = tramp_branch(at + 4 * i, behind);
		if (!words[i])
			return false;
	}
	return tramp_branch(place, at);
}

bool tramp_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS])
{
	u32 first = t->slot == TRAMP_FORBIDDEN ? FIRST : 0;
	u64 behind = t->slot == TRAMP_DELAY	  ? at + 4 * TAIL
		     : t->slot == TRAMP_FORBIDDEN ? place + 8
						  : place + 4;

	if (!tramp_begin(place, at, behind, words))
		return false;
	if (t->slot && !build_branch(t, place, at, words))
		return false;
	if (t->linked)
		build_for_linked(t, words + first);
	else if (t->kseg0)
		build_for_kseg0(t, words + first);
	else
		build_for_xkphys(t, words + first);
	return true;
}

/* A word that is none of the access: of its branch, which tests what the program has in its registers. */
static struct tramp_state leave_branch(const struct tramp *t, u32 word)
{
	if (t->slot == TRAMP_FORBIDDEN) /* TAKEN: the branch is made again */
		return (struct tramp_state){ .valid = word < FIRST || word == TAKEN };
	return (struct tramp_state){ .valid = t->slot && word <= TAKEN, .done = true };
}

struct tramp_state tramp_leave(const struct tramp *t, u32 word, u64 *base)
{
	u32 at = word - (t->slot == TRAMP_FORBIDDEN ? FIRST : 0);
	const struct layout *l = layout_of(t);
	const struct row *row;
	u64 v = *base;

	if (at >= l->words)
		return leave_branch(t, word);
	row = &l->rows[at];
	if (!(row->done && t->reload)) {
		switch (row->made) {
		case ROTATED: v = v >> 1 | v << 63; break;
		case XKPHYS: v -= (u64)xkphys_step(t) << 48; break;
		case ONCE: v -= KSEG_STEP; break;
		case TWICE: v -= 2 * KSEG_STEP; break;
		case WINDOW: v -= (0x4000ul << 48) + 2 * KSEG_STEP; break;
		default: break;
		}
	}
	*base = v;
	return (struct tramp_state){
		.valid = true, .done = row->done, .access = row->access, .direct = at == l->direct
	};
}
