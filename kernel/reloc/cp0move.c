/* SPDX-License-Identifier: MIT */
/* Trampolines of moves to and from CP0, word by word (MD00087). */
#include "kernel/reloc/cp0move.h"

#include "kernel/abi/disco.h"

#define PAGE_HI	 0xe000 /* of the address behind the special page */
#define SP(offs) ((u32)((offs)-4096) & 0xffff)
#define STATUS	 SP(DISCO_SP_REG(12, 0))
#define PENDING	 SP(DISCO_SP_PENDING)
#define CP0_EPC	 (14 * 8)
#define IE	 1u
#define EI	 0x20u

#define RS(w) ((w) >> 21 & 31)
#define RT(w) ((w) >> 16 & 31)

enum { DONE = 19, OTHER = 22, SLOW = 25, INSN = 27, END = 28, BODY = 3 };
#define DI_SAME	  13
#define DI_SLOW	  16
#define DI_STORED 9
#define DI_DONE	  12
#define READ_DONE 2

/* ---- which instructions ---- */

/* Registers that DMTC0 writes whole, and that nothing else depends on: EPC, ErrorEPC, DESAVE, KScratch. */
static bool keeps_all(u32 cp0)
{
	return cp0 == CP0_EPC || cp0 == 30 * 8 || cp0 == 31 * 8 ||
	       (cp0 >= 31 * 8 + 2 && cp0 <= 31 * 8 + 7);
}

enum move_kind move_kind(u32 w)
{
	if (w >> 26 != 0x10)
		return MOVE_NONE;
	if (RS(w) == 0x0b && (w & 0xffdf) == 0x6000) /* DI, EI */
		return !RT(w) ? MOVE_SET : w & EI ? MOVE_NONE : MOVE_DI;
	if (w & 0x7f8)
		return MOVE_NONE;
	switch (RS(w)) {
	case 0x00:
	case 0x01: return RT(w) ? MOVE_READ : MOVE_NONE;
	case 0x04: return move_cp0(w) == 12 * 8 ? MOVE_STATUS : MOVE_NONE;
	case 0x05: return keeps_all(move_cp0(w)) ? MOVE_WRITE : MOVE_NONE;
	default: return MOVE_NONE;
	}
}

bool move_lets_slot(u32 insn, u32 branch)
{
	return move_kind(insn) == MOVE_SET && (branch >> 26 == 0x04 || branch >> 26 == 0x05);
}

static s64 upper(u64 c) { return ((s64)c - (s16)c) >> 16; }

static bool is_known(u64 c)
{
	return (u64)(s64)(s32)c == c && upper(c) > -0x8000 && upper(c) < 0x8000 &&
	       (s16)c != -0x8000;
}

/* ---- which register ---- */

/* The one of those that held the same number, and preferably 0. */
static u32 best_of(const struct move_seen *s)
{
	u32 best = 0;

	for (u32 r = 1; r < 32; r++) {
		if (!(s->same & BIT(r)))
			continue;
		if (!s->value[r])
			return r;
		if (!best)
			best = r;
	}
	return best;
}

static void look_at(struct move_seen *s, const u64 gpr[32])
{
	for (u32 r = 1; r < 32; r++) {
		if (!s->looks) {
			s->value[r] = (s32)gpr[r];
			if (!is_known(gpr[r]))
				s->same &= ~(u32)BIT(r);
		} else if ((u64)(s64)s->value[r] != gpr[r]) {
			s->same &= ~(u32)BIT(r);
		}
	}
}

u32 move_look(struct move_seen *s, u32 place, const u64 gpr[32], u32 without)
{
	if (s->place != place)
		*s = (struct move_seen){ .place = place };
	if (s->tries == MOVE_TRIES)
		return 0;
	if (!s->looks)
		s->same = ~(u32)BIT(0);
	s->same &= ~(u32)BIT(without);
	look_at(s, gpr);
	if (++s->looks < MOVE_LOOKS)
		return 0;
	s->looks = 0;
	s->tries++;
	return best_of(s);
}

/* ---- a trampoline ---- */

static u32 imm(u32 op, u32 s, u32 t, u64 value)
{
	return op << 26 | s << 21 | t << 16 | (value & 0xffff);
}
static u32 lui(u32 r, u64 value) { return imm(0x0f, 0, r, value); }
static u32 ori(u32 r, u64 value) { return imm(0x0d, r, r, value); }
static u32 xori(u32 r, u64 value) { return imm(0x0e, r, r, value); }
static u32 andi(u32 to, u32 r, u64 value) { return imm(0x0c, r, to, value); }
static u32 daddiu(u32 r, u64 value) { return imm(0x19, r, r, value); }
static u32 daui(u32 r, u64 value) { return imm(0x1d, r, r, value); }
static u32 lbu(u32 r, u32 at) { return imm(0x24, r, r, at); }
static u32 lw(u32 r, u32 at) { return imm(0x23, r, r, at); }
static u32 ld(u32 r, u32 at) { return imm(0x37, r, r, at); }
static u32 sb(u32 r, u32 at) { return imm(0x28, r, r, at); }
static u32 sw(u32 r, u32 base, u32 at) { return imm(0x2b, base, r, at); }
static u32 sd(u32 r, u32 base, u32 at) { return imm(0x3f, base, r, at); }
static u32 beqzc(u32 r, u32 from, u32 to) { return 0x36u << 26 | r << 21 | (to - from - 1); }
static u32 bnezc(u32 r, u32 from, u32 to) { return 0x3eu << 26 | r << 21 | (to - from - 1); }
static u32 ins_zero(u32 r, u32 pos, u32 bits)
{
	return 0x1fu << 26 | r << 16 | (pos + bits - 1) << 11 | pos << 6 | 4;
}
static u32 bc(u32 from, u32 to) { return tramp_branch(4ul * from, 4ul * to); }

static void build_read(const struct tramp *t, u32 *w)
{
	u32 r = move_reg(t->insn), at = SP(DISCO_SP_REG(0, 0) + 8 * move_cp0(t->insn));

	w[0] = lui(r, PAGE_HI);
	w[1] = RS(t->insn) ? ld(r, at) : lw(r, at);
}

static void build_di(const struct tramp *t, u32 *w)
{
	u32 r = move_reg(t->insn), off = t->wide;

	w[0] = w[6] = w[DI_STORED] = w[DI_SAME] = lui(r, PAGE_HI);
	w[1] = lbu(r, STATUS);
	w[2] = xori(r, off);
	w[3] = beqzc(r, 3, DI_SAME);
	w[4] = xori(r, IE);
	w[5] = bnezc(r, 5, DI_SLOW);
	w[7] = ori(r, off);
	w[8] = sb(r, STATUS - off);
	w[10] = w[DI_SAME + 1] = lw(r, STATUS);
	w[11] = ori(r, IE);
	w[DI_SLOW] = t->insn;
}

static void build_set(const struct tramp *t, u32 *w)
{
	u32 r = t->base, wanted = t->wide | (t->insn & EI ? IE : 0);

	w[3] = w[9] = lui(r, PAGE_HI);
	w[4] = lbu(r, STATUS);
	w[5] = xori(r, wanted);
	w[6] = beqzc(r, 6, DONE);
	w[7] = xori(r, IE);
	w[8] = bnezc(r, 8, SLOW);
	w[10] = ori(r, wanted);
	w[11] = sb(r, STATUS - wanted);
	w[12] = bc(12, DONE);
	if (t->insn & EI) {
		w[12] = lw(r, PENDING - wanted);
		w[13] = bnezc(r, 13, SLOW);
		w[14] = 0; /* the forbidden slot of that */
		w[15] = bc(15, DONE);
	}
}

static void build_status(const struct tramp *t, u32 *w)
{
	u32 r = t->base, from = move_reg(t->insn);

	w[3] = w[15] = lui(r, PAGE_HI);
	w[4] = lw(r, STATUS);
	w[5] = r << 21 | from << 16 | r << 11 | 0x26;
	w[6] = r << 16 | r << 11; /* SLL by 0 */
	w[7] = ins_zero(r, 0, 2);
	w[8] = ins_zero(r, 4, 1);
	w[9] = ins_zero(r, 28, 1);
	w[10] = bnezc(r, 10, SLOW);
	w[11] = andi(r, from, 0x1e);
	w[12] = beqzc(r, 12, 15);
	w[13] = andi(r, from, 6);
	w[14] = beqzc(r, 14, SLOW);
	w[16] = sw(from, r, STATUS);
	w[17] = lw(r, PENDING);
	w[18] = bnezc(r, 18, SLOW);
}

static void build_write(const struct tramp *t, u32 *w)
{
	w[3] = lui(t->base, PAGE_HI);
	w[4] = sd(move_reg(t->insn), t->base, SP(DISCO_SP_REG(0, 0) + 8 * move_cp0(t->insn)));
	w[5] = bc(5, DONE);
}

static void build_guard(const struct tramp *t, u32 *w)
{
	u64 c = (u64)(s64)(s32)t->known;
	u32 r = t->base;

	w[0] = daui(r, (u64)-upper(c));
	w[1] = daddiu(r, (u64) - (s16)c);
	w[2] = bnezc(r, 2, OTHER);
	w[OTHER] = daddiu(r, c);
	w[OTHER + 1] = daui(r, (u64)upper(c));
	w[OTHER + 2] = bc(OTHER + 2, INSN);
	w[DONE] = w[SLOW] = lui(r, c >> 16);
	w[DONE + 1] = w[SLOW + 1] = ori(r, c);
	w[INSN] = t->insn;
}

/* The branch in whose slot it is, behind all else. */
static bool build_branch(const struct tramp *t, u64 place, u64 at, u32 *w)
{
	u64 target = place + 4 + (u64)((s64)(s16)t->branch * 4);

	w[END] = (t->branch & 0xffff0000) | 2;
	w[END + 1] = 0;
	w[END + 2] = tramp_branch(at + 4 * (END + 2), place + 8);
	w[END + 3] = tramp_branch(at + 4 * (END + 3), target);
	return w[END + 2] && w[END + 3];
}

bool move_build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS])
{
	bool slot = t->slot == TRAMP_MOVE_SLOT;
	u64 behind = slot ? at + 4 * END : place + 4;
	enum move_kind kind = move_kind(t->insn);

	if (!tramp_begin(place, at, behind, words))
		return false;
	switch (kind) {
	case MOVE_READ: build_read(t, words); return true;
	case MOVE_DI: build_di(t, words); return true;
	case MOVE_SET: build_set(t, words); break;
	case MOVE_STATUS: build_status(t, words); break;
	case MOVE_WRITE: build_write(t, words); break;
	default: return false;
	}
	build_guard(t, words);
	return !slot || build_branch(t, place, at, words);
}

/* ---- the way out ---- */

static enum move_state leave_di(u32 word)
{
	if (word == 0)
		return MOVE_BEFORE;
	if (word == DI_DONE || word == DI_SAME + 2 || word == DI_SLOW + 1)
		return MOVE_DONE;
	if (word > DI_SLOW + 1)
		return MOVE_UNUSED;
	return word >= DI_STORED && word < DI_DONE ? MOVE_STORED : MOVE_HALF;
}

/* The first word behind which it is done. */
static u32 stores_at(enum move_kind kind)
{
	return kind == MOVE_SET ? 11 : kind == MOVE_STATUS ? 16 : 4;
}

static enum move_state leave_guarded(const struct tramp *t, u32 word, u64 *base)
{
	u64 c = (u64)(s64)(s32)t->known, high = (u64)upper(c) << 16;

	if (word > END + (t->slot == TRAMP_MOVE_SLOT ? 3 : 0))
		return MOVE_UNUSED;
	if (word == 1 || word == OTHER + 1)
		*base += high;
	else if (word == 2 || word == OTHER)
		*base += c;
	else if ((word >= BODY && word < DONE + 2) || word == SLOW || word == SLOW + 1)
		*base = c;
	if (word >= SLOW && word <= INSN)
		return MOVE_HALF;
	return (word > stores_at(move_kind(t->insn)) && word < OTHER) || word >= END ? MOVE_DONE
										     : MOVE_BEFORE;
}

enum move_state move_leave(const struct tramp *t, u32 word, u64 *base)
{
	enum move_kind kind = move_kind(t->insn);

	if (kind == MOVE_DI)
		return leave_di(word);
	if (kind != MOVE_READ)
		return leave_guarded(t, word, base);
	return word == 0	   ? MOVE_BEFORE
	       : word < READ_DONE  ? MOVE_HALF
	       : word == READ_DONE ? MOVE_DONE
				   : MOVE_UNUSED;
}
