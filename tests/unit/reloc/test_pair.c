/* SPDX-License-Identifier: MIT */
/*
 * kernel/reloc/pair.c: pages of random code, on which a model goes random ways from an LL: each SC that it comes to must be
 * among those found, and none in a slot; and what kernels are made of, of which it is known whether it is a pair.
 * Branches with a delay slot are arch/mips/branch.c's.
 */
#include "tests/unit/unit.h"

#include "arch/mips/branch.h"
#include "kernel/reloc/pair.h"
#include "tests/unit/reloc/draw.h"

#define WORDS  1024u
#define GPN    0x123u
#define ROUNDS 300000
#define WAYS   40

enum kind { PLAIN, LINK, STORE, DELAYED, COMPACT, ALWAYS, GONE, END };

static const struct {
	u32 word;
	enum kind kind;
} words[] = {
	{ 0x7c820036, LINK },	 /* ll $2, 0($4) */
	{ 0x7c820037, LINK },	 /* lld */
	{ 0x7c830026, STORE },	 /* sc $3, 0($4) */
	{ 0x7c830027, STORE },	 /* scd */
	{ 0x00451821, PLAIN },	 /* addu */
	{ 0x0000000f, PLAIN },	 /* sync */
	{ 0x40026000, PLAIN },	 /* mfc0 */
	{ 0xec600001, PLAIN },	 /* addiupc */
	{ 0x10600000, DELAYED }, /* beqz $3 */
	{ 0x14460000, DELAYED }, /* bne */
	{ 0x10000000, DELAYED }, /* b */
	{ 0x04600000, DELAYED }, /* bltz */
	{ 0x18600000, DELAYED }, /* blez */
	{ 0x08000000, DELAYED }, /* j */
	{ 0x58600000, COMPACT }, /* blezc $0.. bgezc family */
	{ 0x20430000, COMPACT }, /* beqc */
	{ 0x60430000, COMPACT }, /* bnec */
	{ 0xd8600000, COMPACT }, /* beqzc */
	{ 0xf8600000, COMPACT }, /* bnezc */
	{ 0xc8000000, ALWAYS },	 /* bc */
	{ 0x03e00009, GONE },	 /* jr $31 */
	{ 0x0c000000, GONE },	 /* jal */
	{ 0xd81f0000, GONE },	 /* jrc */
	{ 0xe8000001, GONE },	 /* balc */
	{ 0xdc820000, END },	 /* ld */
	{ 0xac820000, END },	 /* sw */
	{ 0xc4820000, END },	 /* lwc1 */
	{ 0xec680001, END },	 /* lwpc */
	{ 0x7c800025, END },	 /* cache */
	{ 0x7c800035, END },	 /* pref */
	{ 0x42000018, END },	 /* eret */
	{ 0x0000000c, END },	 /* syscall */
};

static u32 page[WORDS], around[2][WORDS];
static u8 kind[WORDS];
static u32 with_target(u32 w, s32 by, u32 at)
{
	switch (w >> 26) {
	case 0x02: return w | ((GPN * WORDS + at + 1 + by) & 0x3ffffff);
	case 0x32: return w | ((u32)by & 0x3ffffff);
	case 0x36:
	case 0x3e: return w | ((u32)by & 0x1fffff);
	default: return w | ((u32)by & 0xffff);
	}
}

static void draw_word(u32 at)
{
	u32 i = draw() % 3 ? 2 + draw() % 14 : draw() % ARRAY_SIZE(words);
	s32 by = (s32)(draw() % 12) - 6;

	kind[at] = words[i].kind;
	page[at] = kind[at] >= DELAYED && kind[at] <= ALWAYS ? with_target(words[i].word, by, at)
							     : words[i].word;
}

static s32 compact_by(u32 w)
{
	u32 bits = w >> 26 == 0x32 ? 26 : w >> 26 == 0x36 || w >> 26 == 0x3e ? 21 : 16;

	return (s32)(w << (32 - bits)) >> (32 - bits);
}

/* Where a branch with a slot goes; the slot is looked at as a part of the way. */
static u32 go_delayed(u32 at)
{
	u64 pc = 0xffffffffc0000000 + (((u64)GPN * WORDS + at) << 2), gpr[32];
	struct branch b;

	for (u32 i = 1; i < 32; i++)
		gpr[i] = draw() % 3 - 1;
	gpr[0] = 0;
	assert_int_equal(branch_decode(page[at], pc, gpr, &b), 0);
	assert_int_not_equal(kind[at + 1], STORE);
	if (kind[at + 1] != PLAIN) /* a branch there is none, an LL or a load ends the way */
		return WORDS;
	return (u32)((b.next - 0xffffffffc0000000) >> 2) - GPN * WORDS;
}

static bool is_found(const struct pair *p, u32 at)
{
	for (u32 i = 0; i < p->nscs; i++)
		if (p->sc[i] == at)
			return true;
	return false;
}

static void go_one_way(const struct pair *p, u32 at)
{
	for (u32 steps = 0; steps < 200; steps++) {
		if (at >= WORDS)
			return;
		switch (kind[at]) {
		case PLAIN: at++; break;
		case STORE: assert_true(is_found(p, at)); return;
		case DELAYED: at = go_delayed(at); break;
		case COMPACT: at = draw() % 2 ? at + 1 + (u32)compact_by(page[at]) : at + 1; break;
		case ALWAYS: at = at + 1 + (u32)compact_by(page[at]); break;
		default: return;
		}
	}
}

static void each_sc_is_found_that_a_way_comes_to(void **state)
{
	const u32 *const code[3] = { around[0], page, around[1] };
	u32 pairs = 0, many = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 at = 30 + draw() % 40;
		struct pair p;

		for (u32 j = at - 20; j < at + 30; j++)
			draw_word(j);
		page[at] = words[0].word;
		kind[at] = LINK;
		if (!pair_find(code, GPN, at, &p))
			continue;
		pairs++;
		many += p.nscs > 1;
		for (u32 j = 0; j < p.nscs; j++)
			assert_int_equal(kind[p.sc[j]], STORE);
		for (u32 j = 0; j < WAYS; j++)
			go_one_way(&p, at + 1);
	}
	assert_true(pairs > ROUNDS / 50 && many > 100);
}

/* ---- what kernels are made of ---- */

#define ADDU	  0x00451821u
#define LL	  0x7c820036u
#define SC	  0x7c830026u
#define NOP	  0u
#define JR	  0x03e00009u
#define JRC	  0xd81f0000u
#define LW	  0x8c820000u
#define BNE(by)	  (0x14460000u | ((by)&0xffff))
#define BEQZ(by)  (0x10600000u | ((by)&0xffff))
#define BEQZC(by) (0xd8600000u | ((by)&0x1fffff))
#define BC(by)	  (0xc8000000u | ((by)&0x3ffffff))

struct shape {
	bool pair;
	u32 nscs, sc[2];
	u32 at;	       /* of the page: where the LL is */
	u32 code[12];  /* from there on */
	u32 elsewhere; /* where an SC without an LL is, as an index of three pages; 0: nowhere */
};

static const struct shape shapes[] = {
	{ true, 1, { 2 }, 8, { LL, ADDU, SC, BEQZ(-4), NOP, JR }, 0 },
	/* compare and swap, whose way out returns: unless its SC might be another */
	{ true, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, 0 },
	{ false, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, WORDS + 600 + 511 },
	{ false, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, WORDS + 600 - 511 },
	{ true, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, WORDS + 600 + 512 },
	{ true, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, WORDS + 600 - 512 },
	{ false, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, 2 * WORDS + 87 },
	{ false, 1, { 3 }, 400, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JR, NOP }, WORDS - 111 },
	/* the same, loading before it returns */
	{ true, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, LW, JR }, WORDS + 650 },
	/* two SCs; one in a slot; none */
	{ true, 2, { 3, 6 }, 8, { LL, BEQZ(4), NOP, SC, JR, NOP, SC, JR }, 0 },
	{ false, 0, { 0 }, 8, { LL, BEQZC(4), SC, NOP, JR, NOP, SC, JR }, 0 },
	{ false, 0, { 0 }, 8, { LL, ADDU, BEQZ(2), SC, NOP, JR }, 0 },
	{ false, 0, { 0 }, 8, { LL, BEQZ(3), NOP, SC, NOP, JR, SC }, 0 },
	/* a compact return */
	{ false, 0, { 0 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JRC, LW }, WORDS + 650 },
	{ true, 1, { 3 }, 600, { LL, BNE(4), NOP, SC, BEQZ(-5), NOP, JRC, LW }, 0 },
	{ false, 0, { 0 }, 8, { LL, ADDU, LW, SC, JR }, 0 },
	{ false, 0, { 0 }, 8, { LL, ADDU, LL, SC, JR }, 0 },
	/* a store of its own base */
	{ false, 0, { 0 }, 8, { LL, ADDU, 0x7c840026, JR }, 0 },
	/* an endless loop; over the end of the page */
	{ false, 0, { 0 }, 8, { LL, ADDU, BC(-2) }, 0 },
	{ false, 0, { 0 }, WORDS - 2, { LL, ADDU }, 0 },
	{ true, 1, { 2 }, WORDS - 3, { LL, ADDU, SC }, 0 },
};

static void what_kernels_are_made_of(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		static u32 pages[3 * WORDS];
		const u32 *const code[3] = { pages, pages + WORDS, pages + 2 * WORDS };
		const struct shape *s = &shapes[i];
		struct pair p;

		memset(pages, 0, sizeof(pages));
		for (u32 j = 0; j < 12 && s->at + j < WORDS; j++)
			pages[WORDS + s->at + j] = s->code[j];
		if (s->elsewhere)
			pages[s->elsewhere] = SC;
		if (pair_find(code, GPN, s->at, &p) != s->pair)
			fail_msg("shape %u", i);
		if (!s->pair)
			continue;
		assert_int_equal(p.nscs, s->nscs);
		for (u32 j = 0; j < p.nscs; j++)
			assert_true(is_found(&p, s->at + s->sc[j]));
	}
}

static void pages_without_memory_have_no_code(void **state)
{
	const u32 *const code[3] = { NULL, page, NULL };
	struct pair p;

	(void)state;
	memset(page, 0, sizeof(page));
	page[0] = LL;
	page[1] = BNE(3);
	page[3] = SC;
	page[5] = JR;
	page[1010] = LL;
	page[1012] = SC;
	page[1013] = JR;
	assert_true(pair_find(code, GPN, 0, &p));
	assert_true(pair_find(code, GPN, 1010, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_sc_is_found_that_a_way_comes_to),
		cmocka_unit_test(what_kernels_are_made_of),
		cmocka_unit_test(pages_without_memory_have_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
