/* SPDX-License-Identifier: MIT */
/* The paths from an LL to its SCs: the encodings of MD00087, tables A.2 to A.8. */
#include "kernel/reloc/pair.h"

#define WORDS	(PAGE_SIZE / 4)
#define REGION	(2048 / 4) /* LL and SC, and what is between them, lie in as many words */
#define PENDING 8

#define RS(w) ((w) >> 21 & 31)
#define RT(w) ((w) >> 16 & 31)

/* What a word does to a path. */
enum way {
	ON,	/* it goes on behind it */
	FORK,	/* and at a target */
	JUMP,	/* only there; the word behind is executed, too */
	JUMP_C, /* it is not */
	LEAVES, /* to somewhere, or by a call */
	ENDS
};

bool pair_is_ll(u32 w) { return w >> 26 == 0x1f && (w & 0x7e) == 0x36; }
bool pair_is_sc(u32 w) { return w >> 26 == 0x1f && (w & 0x7e) == 0x26; }

static u32 signed_words(u32 w, u32 bits) { return (u32)((s32)(w << (32 - bits)) >> (32 - bits)); }

static enum way way_of_special(u32 w)
{
	switch (w & 0x3f) {
	case 0x09: return LEAVES; /* JALR, JR */
	case 0x0c:		  /* SYSCALL, BREAK */
	case 0x0d: return ENDS;
	default: return ON;
	}
}

static enum way way_of_regimm(u32 w)
{
	switch (RT(w)) {
	case 0x00: /* BLTZ, BGEZ */
	case 0x01: return FORK;
	case 0x10: /* NAL, BAL */
	case 0x11: return LEAVES;
	case 0x1f: return ENDS; /* SYNCI */
	default: return ON;
	}
}

/* BLEZ, BGTZ, and the compact ones in their place, of which some link. */
static enum way way_of_blez(u32 w)
{
	if (!RT(w))
		return FORK;
	return RS(w) && RS(w) != RT(w) ? FORK : LEAVES;
}

/* Loads relative to pc, among what computes addresses. */
static enum way way_of_pcrel(u32 w)
{
	u32 kind = w >> 19 & 3;

	return kind == 1 || kind == 2 || (w >> 18 & 7) == 6 ? ENDS : ON;
}

/* Where it goes: words from the one behind it. */
static enum way way_of(u32 w, u32 *words)
{
	*words = signed_words(w, 16);
	if (w == 0x42000018 || w == 0x42000058) /* ERET, ERETNC */
		return ENDS;
	switch (w >> 26) {
	case 0x00: return way_of_special(w);
	case 0x01: return way_of_regimm(w);
	case 0x02: return JUMP; /* J: its target is another's affair */
	case 0x03: return LEAVES;
	case 0x04: return RS(w) == RT(w) ? JUMP : FORK; /* BEQ */
	case 0x05: return FORK;
	case 0x06:
	case 0x07: return way_of_blez(w);
	case 0x08: /* BEQC, BOVC; those that link */
	case 0x18: return !RS(w) && RT(w) ? LEAVES : FORK;
	case 0x11: return RS(w) == 0x09 || RS(w) == 0x0d ? FORK : ON; /* BC1EQZ, BC1NEZ */
	case 0x16: /* compact branches on one or two registers */
	case 0x17: return FORK;
	case 0x1f: return (w & 0x3f) == 0x35 || (w & 0x3f) == 0x25 ? ENDS : ON; /* PREF, CACHE */
	case 0x32: *words = signed_words(w, 26); return JUMP_C;
	case 0x36: /* BEQZC, BNEZC; JIC, JIALC */
	case 0x3e: *words = signed_words(w, 21); return RS(w) ? FORK : LEAVES;
	case 0x3a: return LEAVES; /* BALC */
	case 0x3b: return way_of_pcrel(w);
	default: return w >> 26 >= 0x20 ? ENDS : ON; /* loads and stores */
	}
}

struct walk {
	const u32 *page;
	u64 gpn;
	struct pair *out;
	u64 seen[WORDS / 64];
	u16 pending[PENDING];
	u32 npending, nseen;
	bool leaves, fails;
};

static void go(struct walk *k, u32 at)
{
	if (at >= WORDS || k->npending == PENDING)
		k->fails = true;
	else
		k->pending[k->npending++] = at;
}

/* A slot that a branch jumps away from: it must not be the SC. */
static bool is_in_slot(const struct walk *k, u32 at)
{
	enum way way;
	u32 words;

	if (!at)
		return true;
	way = way_of(k->page[at - 1], &words);
	return way == FORK || way == JUMP || way == LEAVES;
}

static void found(struct walk *k, u32 at)
{
	u32 base = RS(k->page[at]);

	if (k->out->nscs == PAIR_SCS || !base || base == RT(k->page[at]) || is_in_slot(k, at))
		k->fails = true;
	else
		k->out->sc[k->out->nscs++] = at;
}

/* One word. */
static void look(struct walk *k, u32 at)
{
	u32 w = k->page[at], words;
	enum way way = way_of(w, &words);

	if (pair_is_sc(w)) {
		found(k, at);
		return;
	}
	if (pair_is_ll(w) || way == ENDS)
		return;
	if (w >> 26 == 0x02)
		words = (w & 0x3ffffff) - (u32)(k->gpn * WORDS + at + 1);
	if ((way == JUMP || way == LEAVES) && at + 1 < WORDS && pair_is_sc(k->page[at + 1]))
		k->fails = true;
	if (way == LEAVES)
		k->leaves = true;
	else if (way != ON)
		go(k, at + 1 + words);
	if (way == ON || way == FORK)
		go(k, at + 1);
}

static u32 word(const u32 *const code[3], u32 at)
{
	const u32 *page = code[at / WORDS];

	return page ? page[at % WORDS] : 0;
}

/* at: of three pages. */
static bool is_stray(const u32 *const code[3], u32 at)
{
	for (u32 i = at - MIN(at, (u32)PAIR_NEAR); i < at; i++)
		if (pair_is_ll(word(code, i)))
			return false;
	return true;
}

static bool has_stray(const u32 *const code[3], u32 at)
{
	for (u32 i = at - REGION + 1; i < at + REGION; i++)
		if (pair_is_sc(word(code, i)) && is_stray(code, i))
			return true;
	return false;
}

bool pair_find(const u32 *const code[3], u64 gpn, u32 at, struct pair *out)
{
	struct walk k = { .page = code[1], .gpn = gpn, .out = out };

	out->nscs = 0;
	go(&k, at + 1);
	while (k.npending && !k.fails) {
		u32 next = k.pending[--k.npending];

		if (k.seen[next / 64] & BIT(next % 64))
			continue;
		if (k.nseen++ == PAIR_WORDS)
			return false;
		k.seen[next / 64] |= BIT(next % 64);
		look(&k, next);
	}
	return !k.fails && out->nscs && !(k.leaves && has_stray(code, WORDS + at));
}
