/* SPDX-License-Identifier: MIT */
/*
 * kernel/reloc/cp0move.c: each trampoline is executed word by word by a model of the instructions that it is made of, on a special page, and
 * held against what the move does on the machine, for values of Status of every kind. In front of every word an exception may
 * come: the way out must give the state before the move, or that behind it, or say what the monitor has to do for that.
 */
#include "tests/unit/unit.h"

#include "kernel/abi/disco.h"
#include "kernel/reloc/cp0move.h"
#include "tests/unit/reloc/draw.h"

#define PLACE  0xffffffffc0123458ull
#define AT     0xffffffffc2000000ull
#define ROUNDS 50000

#define STATUS	   (12 * 8)
#define WRITABLE   0x30c0fff7u
#define WITHOUT	   0x10000013u /* what MTC0 may change without the monitor: CU0, KSU, EXL, IE */
#define PENDING	   (DISCO_SP_PENDING / 8)
#define IE	   1u
#define EXL_ERL	   6u
#define KSU	   0x18u
#define TARGET	   (PLACE + 4 + 4 * 100)
#define IS_SLOT(t) ((t)->slot == TRAMP_MOVE_SLOT)

struct state {
	u64 gpr[32], page[512];
};

static u64 word(u64 v) { return (u64)(s64)(s32)v; }

static bool is_kernel(u64 status) { return (status & EXL_ERL) || !(status & KSU); }

static void on_the_machine(u32 w, struct state *s)
{
	u32 rt = w >> 16 & 31, cp0 = (w >> 11 & 31) * 8 + (w & 7);
	u64 status = s->page[STATUS];

	switch (w >> 21 & 31) {
	case 0: s->gpr[rt] = word(s->page[cp0]); break;
	case 1: s->gpr[rt] = s->page[cp0]; break;
	case 4:
		assert_int_equal(cp0, STATUS);
		s->page[cp0] = word((status & ~WRITABLE) | (s->gpr[rt] & WRITABLE));
		break;
	case 5: s->page[cp0] = s->gpr[rt]; break;
	default:
		s->gpr[rt] = word(status);
		s->page[STATUS] = w & 0x20 ? status | IE : status & ~(u64)IE;
	}
	s->gpr[0] = 0;
}

/* ---- what a trampoline is made of ---- */

/* The byte of the special page at the address. */
static u8 *at(struct state *s, u64 base, u32 w, u32 bytes)
{
	u64 offset = base + (u64)(s64)(s16)w - DISCO_SPECIAL_PAGE;

	assert_true(offset < 4096 && offset % bytes == 0);
	return (u8 *)s->page + offset;
}

static void execute(u32 w, struct state *s)
{
	u32 rs = w >> 21 & 31, rt = w >> 16 & 31, rd = w >> 11 & 31;
	u64 *g = s->gpr, imm = (u64)(s64)(s16)w;

	switch (w >> 26) {
	case 0x00:
		if ((w & 63) == 0x26) {
			g[rd] = g[rs] ^ g[rt];
		} else {
			assert_int_equal(w & 0xffe007ff, 0); /* SLL by 0 */
			g[rd] = word(g[rt]);
		}
		break;
	case 0x0c: g[rt] = g[rs] & (w & 0xffff); break;
	case 0x0d: g[rt] = g[rs] | (w & 0xffff); break;
	case 0x0e: g[rt] = g[rs] ^ (w & 0xffff); break;
	case 0x0f: g[rt] = imm << 16; break;
	case 0x19: g[rt] = g[rs] + imm; break;
	case 0x1d:
		assert_int_not_equal(rs, 0);
		g[rt] = g[rs] + (imm << 16);
		break;
	case 0x1f: /* INS */
		assert_int_equal(w & 63, 4);
		for (u32 bit = w >> 6 & 31; bit <= rd; bit++)
			g[rt] = (g[rt] & ~BIT(bit)) | (g[rs] >> (bit - (w >> 6 & 31)) & 1) << bit;
		g[rt] = word(g[rt]);
		break;
	case 0x23: g[rt] = word(*(u32 *)at(s, g[rs], w, 4)); break;
	case 0x24: g[rt] = *at(s, g[rs], w, 1); break;
	case 0x37: g[rt] = *(u64 *)at(s, g[rs], w, 8); break;
	case 0x28: *at(s, g[rs], w, 1) = (u8)g[rt]; break;
	case 0x2b: *(u32 *)at(s, g[rs], w, 4) = (u32)g[rt]; break;
	case 0x3f: *(u64 *)at(s, g[rs], w, 8) = g[rt]; break;
	default: assert_true(false);
	}
	assert_int_equal(g[0], 0);
}

/* ---- the way out ---- */

static void check_way_out(const struct tramp *t, u32 number, const struct state *now,
			  const struct state *before, const struct state *after)
{
	struct state s = *now;
	u32 rt = move_reg(t->insn);

	switch (move_leave(t, number, &s.gpr[t->base])) {
	case MOVE_BEFORE: assert_memory_equal(&s, before, sizeof(s)); return;
	case MOVE_HALF: on_the_machine(t->insn, &s); break;
	case MOVE_STORED: s.gpr[rt] = word(s.page[STATUS]) | IE; break;
	case MOVE_DONE: break;
	default: assert_true(false);
	}
	assert_memory_equal(&s, after, sizeof(s));
}

/* ---- a run ---- */

enum end { CAME_THROUGH, TRAPPED };

/* The address behind a branch with an empty slot that is equal or not equal. */
static u64 behind_branch(const u32 *words, u32 number, u32 w, const struct state *s)
{
	bool equal = s->gpr[w >> 21 & 31] == s->gpr[w >> 16 & 31];

	assert_int_equal(words[number + 1], 0);
	return equal == (w >> 26 == 4) ? number + 1 + (s16)w : number + 2;
}

static bool leaves(u32 w)
{
	u32 op = w >> 26;

	return op == 4 || op == 5 || op == 0x32 || op == 0x36 || op == 0x3e;
}

static enum end run(const struct tramp *t, const u32 *words, struct state *s,
		    const struct state *before, const struct state *after, u64 *pc)
{
	u32 number = 0;

	for (u32 steps = 0;; steps++) {
		u32 w = words[number], op = w >> 26;

		assert_true(steps < TRAMP_WORDS && number < TRAMP_WORDS);
		check_way_out(t, number, s, before, after);
		if (w == t->insn && op == 0x10)
			return TRAPPED;
		if (op == 0x36 || op == 0x3e) { /* BEQZC, BNEZC */
			bool zero = !s->gpr[w >> 21 & 31];

			assert_false(leaves(words[number + 1])); /* in a forbidden slot */
			number += 1 + (zero == (op == 0x36) ? w & 0xffff : 0);
		} else if (op == 4 || op == 5) {
			check_way_out(t, number + 1, s, before, after);
			number = (u32)behind_branch(words, number, w, s);
		} else if (op == 0x32) {
			s64 by = (s64)((u64)w << 38) >> 36;
			u64 to = AT + 4 * number + 4 + (u64)by;

			*pc = to;
			if (to - AT >= TRAMP_BYTES)
				return CAME_THROUGH;
			number = (u32)(to - AT) / 4;
		} else {
			execute(w, s);
			number++;
		}
	}
}

/* ---- what is drawn ---- */

static u32 draw_move(void)
{
	static const u32 kept[] = { 14 * 8, 30 * 8, 31 * 8, 31 * 8 + 2, 31 * 8 + 7 };
	static const u32 shown[] = { STATUS, 13 * 8, 14 * 8, 8 * 8, 4 * 8, 31 * 8 + 2 };
	u32 rt = draw() % 32, cp0;

	switch (draw() % 7) {
	case 0: return 0x41606000;	      /* DI */
	case 1: return 0x41606020;	      /* EI */
	case 2: return 0x41606000 | rt << 16; /* DI rt */
	case 3: return 0x40806000 | rt << 16; /* MTC0 Status */
	case 4:
		cp0 = kept[draw() % ARRAY_SIZE(kept)]; /* DMTC0 */
		return 0x40a00000 | rt << 16 | cp0 / 8 << 11 | cp0 % 8;
	default:
		cp0 = shown[draw() % ARRAY_SIZE(shown)]; /* MFC0, DMFC0 */
		return 0x40000000 | (u32)(draw() % 2) << 21 | rt << 16 | cp0 / 8 << 11 | cp0 % 8;
	}
}

static const u32 wides[] = { 0, 0x80, 0xc0, 0xe0 };

/* Of a kernel, in which the move is. */
static u64 draw_status(u32 wide)
{
	u64 low, status = (draw() % 4 ? 0x1400ff00 : draw() & 0x70c0ff00) | wide;

	do
		low = draw() % 4 ? draw() & 3 : draw() & 0x17;
	while (!is_kernel(low));
	return word(status | low);
}

static u64 draw_known(void)
{
	static const u32 edges[] = { 0,		 0,	     1,		 0x1000001f, 0x7fff,
				     0x8000,	 0xffff8000, 0x80000000, 0x7fffffff, 0x7fff8000,
				     0x7fff7fff, 0x80008000, 0xfffffffe };

	return word(draw() % 2 ? edges[draw() % ARRAY_SIZE(edges)] : (u32)draw());
}

/* The register that the looks find, which holds `value` among others that change. */
static u32 look(u32 place, u32 holds, u64 value, u32 without)
{
	static struct move_seen seen;
	u64 gpr[32];
	u32 found = 0;

	seen.place = 0;
	for (u32 i = 0; i < MOVE_LOOKS; i++) {
		assert_int_equal(found, 0);
		for (u32 r = 0; r < 32; r++)
			gpr[r] = r ? draw() : 0;
		gpr[holds] = value;
		found = move_look(&seen, place, gpr, without);
	}
	return found;
}

static bool draw_tramp(struct tramp *t, u64 *known)
{
	u32 w = draw_move(), source;

	*t = (struct tramp){ .insn = w,
			     .branch = w,
			     .slot = TRAMP_MOVE,
			     .base = (u8)move_reg(w),
			     .wide = (u8)wides[draw() % ARRAY_SIZE(wides)] };
	if (move_kind(w) == MOVE_NONE)
		return false;
	if (!move_wants_register(move_kind(w)))
		return true;
	*known = draw_known();
	source = move_kind(w) == MOVE_SET ? 0 : move_reg(w);
	t->base = (u8)look(8 + (u32)draw() % 1000 * 4, 1 + (u32)draw() % 31, *known, source);
	t->known = (s32)*known;
	if (draw() % 2 && move_lets_slot(w, 0x10000000)) {
		t->slot = TRAMP_MOVE_SLOT;
		t->branch = 0x10000064u | (u32)(draw() % 2) << 26 | (u32)(draw() % 1024) << 16;
	}
	return t->base;
}

static void draw_state(const struct tramp *t, u64 known, struct state *s)
{
	bool wants = move_wants_register(move_kind(t->insn));
	u64 status;

	for (u32 r = 0; r < 32; r++)
		s->gpr[r] = r ? draw() : 0;
	for (u32 i = 0; i < ARRAY_SIZE(s->page); i++)
		s->page[i] = draw();
	status = draw_status(draw() % 8 ? t->wide : wides[draw() % ARRAY_SIZE(wides)]);
	s->page[STATUS] = status;
	s->page[PENDING] = draw() % 4 ? draw() << 32 : 1;
	if (move_kind(t->insn) == MOVE_STATUS && move_reg(t->insn)) {
		u64 changes = draw() % 4 ? draw() & WITHOUT : draw() & draw() & draw();

		s->gpr[move_reg(t->insn)] = (status ^ changes) ^ (draw() % 2 ? draw() << 32 : 0);
	}
	if (wants && (draw() % 8 || !t->base))
		s->gpr[t->base] = known;
}

/* It needs the monitor: what it does counts at once, or an interrupt is taken behind it. */
static bool needs_monitor(const struct tramp *t, const struct state *before,
			  const struct state *after)
{
	u64 now = after->page[STATUS], changed = before->page[STATUS] ^ now;
	bool takes = (now & (EXL_ERL | IE)) == IE && (u32)before->page[PENDING];

	if (!is_kernel(now))
		return true;
	if (move_kind(t->insn) == MOVE_STATUS) {
		u64 asked = before->page[STATUS] ^ before->gpr[move_reg(t->insn)];

		return (u32)asked & ~WITHOUT || takes;
	}
	return takes && changed;
}

static void each_move_does_what_it_did(void **state)
{
	u32 through[MOVE_WRITE + 1] = { 0 }, trapped[MOVE_WRITE + 1] = { 0 }, slots = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		static struct state before, after, now;
		u32 words[TRAMP_WORDS];
		u64 pc = 0, known = 0;
		enum move_kind kind;
		struct tramp t;

		if (!draw_tramp(&t, &known))
			continue;
		kind = move_kind(t.insn);
		draw_state(&t, known, &before);
		after = now = before;
		on_the_machine(t.insn, &after);
		assert_true(move_build(&t, PLACE, AT, words));
		if (run(&t, words, &now, &before, &after, &pc) == TRAPPED) {
			on_the_machine(
				t.insn,
				&now); /* all but what it loads has its value back: it does it again */
			assert_memory_equal(&now, &after, sizeof(now));
			trapped[kind]++;
			continue;
		}
		assert_memory_equal(&now, &after, sizeof(now));
		assert_false(needs_monitor(&t, &before, &after));
		if (IS_SLOT(&t)) {
			bool equal = now.gpr[t.branch >> 21 & 31] == now.gpr[t.branch >> 16 & 31];

			assert_int_equal(pc, equal == (t.branch >> 26 == 4) ? TARGET : PLACE + 8);
		} else {
			assert_int_equal(pc, PLACE + 4);
		}
		slots += IS_SLOT(&t);
		through[kind]++;
	}
	assert_int_equal(trapped[MOVE_READ], 0);
	assert_true(through[MOVE_READ] > ROUNDS / 8 && slots > ROUNDS / 64);
	for (u32 k = MOVE_DI; k <= MOVE_WRITE; k++)
		assert_true(trapped[k] > ROUNDS / 500 && through[k] > ROUNDS / 64);
}

static void others_are_none(void **state)
{
	static const u32 none[] = {
		0x40006000, /* mfc0 $0, Status */
		0x41626020, /* ei $2 */
		0x41600024, /* evp */
		0x41606001, /* di with a select */
		0x40826800, /* mtc0 Cause */
		0x40827000, /* mtc0 EPC */
		0x40a25000, /* dmtc0 EntryHi */
		0x40a2f801, /* dmtc0 31, 1 */
		0x40026008, /* mfc0 with a bit that it does not have */
		0x40422000, /* mfhc0 */
		0x42000018, /* eret */
		0x42000020, /* wait */
		0x42000002, /* tlbwi */
		0x44020000, /* mfc1 */
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(move_kind(none[i]), MOVE_NONE);
	assert_true(move_lets_slot(0x41606000, 0x10400002));
	assert_false(move_lets_slot(0x41606000, 0x04400002)); /* bltz */
	assert_false(move_lets_slot(0x41626000, 0x10400002)); /* di $2 */
}

static void a_place_is_looked_at_anew_and_not_for_ever(void **state)
{
	struct move_seen seen = { 0 };
	u64 gpr[32] = { 0 };
	u32 looks = 0, found = 0;

	(void)state;
	for (u32 r = 1; r < 32; r++)
		gpr[r] = draw();
	gpr[7] = 3;
	gpr[9] = 0;
	for (u32 i = 0; i < MOVE_LOOKS - 1; i++)
		assert_int_equal(move_look(&seen, 64, gpr, 0), 0);
	assert_int_equal(move_look(&seen, 64, gpr, 9), 7); /* once it was the source */
	for (u32 i = 0; i < MOVE_LOOKS; i++)
		found = move_look(&seen, 64, gpr, i == 3 ? 9 : 0);
	assert_int_equal(found, 7);
	for (u32 i = 0; i < MOVE_LOOKS; i++)
		found = move_look(&seen, 64, gpr, 7);
	assert_int_equal(found, 9);
	for (u32 i = 0; i < MOVE_LOOKS; i++) {
		gpr[7] = i, gpr[9] = draw();
		found = move_look(&seen, 64, gpr, 0);
	}
	assert_int_equal(found, 0);
	while (seen.tries < MOVE_TRIES) {
		gpr[9] = 0;
		found = move_look(&seen, 64, gpr, 0);
		looks++;
	}
	assert_int_equal(looks, (MOVE_TRIES - 4) * MOVE_LOOKS);
	assert_int_equal(found, 9);
	for (u32 i = 0; i < 3 * MOVE_LOOKS; i++)
		assert_int_equal(move_look(&seen, 64, gpr, 0), 0);
	for (u32 i = 0; i < MOVE_LOOKS; i++)
		found = move_look(&seen, 68, gpr, 0);
	assert_int_equal(found, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_move_does_what_it_did),
		cmocka_unit_test(others_are_none),
		cmocka_unit_test(a_place_is_looked_at_anew_and_not_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
