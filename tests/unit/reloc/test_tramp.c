/* SPDX-License-Identifier: MIT */
/*
 * kernel/reloc/tramp.c: each trampoline is executed word by word by a model of the instructions that it is made of,
 * for bases of every segment, and held against what the one access does on the machine, and the branch that it may
 * be in the slot of. In front of every word an exception may come: the way out must give the state of the place, or of
 * the one behind it. Branches are arch/mips/branch.c's, which has tests of its own.
 */
#include "tests/unit/unit.h"

#include "arch/mips/branch.h"
#include "kernel/reloc/tramp.h"
#include "kernel/reloc/window.h"
#include "tests/unit/reloc/draw.h"

#define PLACE  0xffffffffc0123458ull
#define AT     0xffffffffc2000000ull
#define MEMORY 0x04000000ull /* bytes of the VM */
#define BASE   7
#define OTHER  9
#define LOADED 0x1122334455667788ull /* by any load */
#define ROUNDS 400000

/* A base register of a segment that matters, near its edges or within. */
static u64 draw_base(u32 attribute)
{
	static const u64 edges[] = { 0,
				     0x80000000,
				     0x0000ffffffffffff,
				     0x4000000000000000,
				     0x8000000000000000,
				     0x9800000000000000,
				     0xbfffffffffffffff,
				     0xc000000000000000,
				     0xffffffff80000000,
				     0xffffffffa0000000,
				     0xffffffffc0000000,
				     0xffffffffe0000000 };
	u64 near = draw() % 0x10000 - 0x8000, within = draw() % MEMORY;

	switch (draw() % 6) {
	case 0: return edges[draw() % ARRAY_SIZE(edges)] + near;
	case 1: return 0x8000000000000000 + ((u64)attribute << 59) + within;
	case 2: return 0x8000000000000000 + (draw() % 8 << 59) + within;
	case 3: return 0xffffffff80000000 + within;
	case 4: return edges[draw() % ARRAY_SIZE(edges)] + within;
	default: return draw();
	}
}

/* What the address means where supervisor mode reaches it: in the window (1), as it is (2), or nothing (0). */
static int reached(u64 va, u64 *gpa)
{
	if (va >> 62 == 1) {
		*gpa = va - 0x4000000000000000;
		return *gpa < MEMORY;
	}
	if (va < 1ull << 48 || (va >= 0xffffffffc0000000 && va < 0xffffffffe0000000))
		return 2;
	return 0;
}

/* What it means on the machine: memory (1) or something else. */
static int meant(u64 va, u64 *gpa)
{
	*gpa = window_of_direct(va);
	if (*gpa == NO_WINDOW) {
		if (va >> 62 != 2 || (va & 0x07ff000000000000))
			return 0;
		*gpa = va & 0xffffffffffff;
	}
	return *gpa < MEMORY;
}

struct run {
	struct tramp t;
	u32 words[TRAMP_WORDS];
	u64 before[32], gpr[32]; /* registers at the place, and now */
	s16 offset;
	bool load, taken; /* taken: the compact branch was, and is done */
	u32 accesses;
	u64 reached; /* the address of the access */
};

#define NOWHERE 0x7777ul

static void check_way_out(const struct run *r, u32 word)
{
	u64 base = r->gpr[BASE];
	struct tramp_state s = tramp_leave(&r->t, word, &base);

	assert_true(s.valid);
	assert_int_equal(s.done, r->accesses != 0);
	assert_int_equal(base, s.done && r->t.reload ? LOADED : r->before[BASE]);
	assert_int_equal(s.access, r->words[word] == r->t.insn);
}

/* False: it is an exception, and has not happened. */
static bool access_memory(struct run *r, u32 word)
{
	u64 va = r->gpr[BASE] + (s64)r->offset, wanted = r->before[BASE] + (s64)r->offset, gpa,
	    want;
	u64 base = r->gpr[BASE];
	struct tramp_state s = tramp_leave(&r->t, word, &base);
	int got = reached(va, &gpa);

	if (s.direct) {
		assert_int_equal(va, wanted);
		if (!got)
			return false;
	} else {
		if (!got) /* native.c carries it out, or it is an address error */
			return false;
		assert_int_equal(got, 1);
		assert_int_equal(meant(wanted, &want), 1);
		assert_int_equal(gpa, want);
	}
	r->accesses++;
	r->reached = va;
	if (!r->load && r->t.linked)
		r->gpr[OTHER] = 1;
	if (r->t.reload)
		r->gpr[BASE] = LOADED;
	else if (r->load)
		r->gpr[OTHER] = LOADED;
	return true;
}

/* One of the instructions that change a register. */
static void compute(struct run *r, u32 w)
{
	u32 op = w >> 26, rs = w >> 21 & 31, rt = w >> 16 & 31, imm = w & 0xffff;

	if (!w)
		return;
	if (op == 0x0f) {
		r->gpr[rt] = (u64)(s64)(s32)(imm << 16);
	} else if (op == 0x0d) {
		r->gpr[rt] = r->gpr[rs] | imm;
	} else if (op == 0) {
		u32 by = (w >> 6 & 31) + ((w & 63) == 0x3e ? 32 : 0);

		assert_true((w & 63) == 0x3e || (w & 63) == 0x3a);
		assert_int_equal(rs, 1);
		assert_int_equal(rt, BASE);
		r->gpr[BASE] = r->gpr[BASE] >> by | r->gpr[BASE] << (64 - by);
	} else if (op == 1) {
		assert_int_equal(rt, 0x1e);
		assert_int_equal(rs, BASE);
		r->gpr[BASE] += (u64)imm << 48;
	} else {
		assert_int_equal(op, 0x1d);
		assert_int_equal(rs, BASE);
		r->gpr[BASE] += (u64)(s64)(s16)imm << 16;
	}
}

static bool is_compact(u32 w)
{
	u32 op = w >> 26, rs = w >> 21 & 31, rt = w >> 16 & 31;

	return op == 0x16 || op == 0x17 || op == 0x36 || op == 0x3e || op == 8 || op == 0x18 ||
	       ((op == 6 || op == 7) && rt && rs && rs != rt);
}

/* Of the compact branch: branch.c only knows those that are not taken. */
static bool is_taken(const struct run *r, u32 w)
{
	u64 a = r->gpr[w >> 21 & 31], b = r->gpr[w >> 16 & 31];

	switch (w >> 26) {
	case 0x16: return (w >> 21 & 31) == (w >> 16 & 31) ? (s64)b >= 0 : (s64)a >= (s64)b;
	case 0x17: return (w >> 21 & 31) == (w >> 16 & 31) ? (s64)b < 0 : (s64)a < (s64)b;
	case 0x06: return a >= b;
	case 0x07: return a < b;
	case 0x36: return a == 0;
	case 0x3e: return a != 0;
	case 0x08: return a == b; /* BEQC, of registers in order */
	default: return a != b;
	}
}

static s64 compact_words(u32 w)
{
	return w >> 26 == 0x36 || w >> 26 == 0x3e ? (s64)((u64)w << 43) >> 43 : (s16)w;
}

/* Returns the address where it leaves; NOWHERE: by an exception of the access. */
static u64 run(struct run *r)
{
	u64 to;

	for (u32 at = 0, steps = 0;; at = (to - AT) / 4) {
		u32 w = r->words[at];

		assert_true(at < TRAMP_WORDS);
		assert_true(++steps < 40);
		check_way_out(r, at);
		to = AT + 4 * at + 4;
		if (w == r->t.insn) {
			/* behind a compact branch the exception would be the branch's */
			assert_false(at && is_compact(r->words[at - 1]));
			if (!access_memory(r, at))
				return NOWHERE;
		} else if (w >> 26 == 0x32) {
			to += (s64)((u64)w << 38) >> 36;
		} else if (is_compact(w)) {
			assert_int_not_equal(r->words[at + 1] >> 26,
					     0x32); /* its slot is no branch */
			if (is_taken(r, w)) {
				r->taken |= at == 0 && r->t.slot == TRAMP_FORBIDDEN;
				to += 4 * compact_words(w);
			}
		} else if ((w >> 26 && w >> 26 < 8 && (w & 0xfc1f0000) != 0x041e0000) ||
			   (w & 0xfc00003f) == 9) { /* DATI is none */
			struct branch b;

			assert_int_equal(r->words[at + 1], 0); /* its slot */
			assert_int_equal(branch_decode(w, AT + 4 * at, r->gpr, &b), 0);
			assert_int_equal(b.link, 0);
			check_way_out(r, at + 1);
			to = b.next;
		} else {
			compute(r, w);
		}
		if (to < AT || to >= AT + TRAMP_BYTES)
			return to;
	}
}

/* What the branch and the access in its slot come to on the machine: where to go on. */
static u64 expected(const struct run *r, u64 gpr[32])
{
	u64 next = PLACE + 4;
	struct branch b;

	memcpy(gpr, r->before, sizeof(r->before));
	if (r->t.slot == TRAMP_FORBIDDEN) {
		const struct run at = *r;

		next = PLACE + 8;
		memcpy((void *)at.gpr, r->before, sizeof(at.gpr));
		if (is_taken(&at, r->t.branch))
			return PLACE + 4 + 4 * compact_words(r->t.branch);
	} else if (r->t.slot) {
		assert_int_equal(branch_decode(r->t.branch, PLACE, gpr, &b), 0);
		next = b.next;
		if (b.link)
			gpr[b.link] = b.link_value;
	}
	if (r->load)
		gpr[r->t.reload ? BASE : OTHER] = LOADED;
	else if (r->t.linked)
		gpr[OTHER] = 1;
	return next;
}

static u32 draw_branch(void)
{
	static const u32 list[] = {
		0x10000000, 0x14000000, 0x18000000, 0x1c000000, /* BEQ, BNE, BLEZ, BGTZ */
		0x04000000, 0x04010000, 0x04110000,		/* BLTZ, BGEZ, BAL */
		0x08000000, 0x0c000000,				/* J, JAL */
		0x00000009, 0x00000009,				/* JALR */
		0x58000000, 0x5c000000, 0xd8000000, 0xf8000000, /* POP26, 27, 66, 76 */
		0x18000000, 0x1c000000, 0x20000000, 0x60000000, /* BGEUC, BLTUC, BEQC, BNEC */
	};
	static const u8 registers[] = { 0, BASE, OTHER, 11, 12, 31 };
	u32 i = draw() % ARRAY_SIZE(list), w = list[i];
	u32 rs = registers[draw() % 6], rt = registers[draw() % 6];

	if (i >= 17 && rs > rt) { /* the order says which branch it is */
		u32 other = rs;

		rs = rt, rt = other;
	}
	if (i == 9 || i == 10)
		return w | rs << 21 | (i == 9 ? 0 : registers[draw() % 6]) << 11;
	if (i == 7 || i == 8)
		return w | (PLACE >> 2 & 0x3f00000) | draw() % 0x8000;
	if (i == 13 || i == 14)
		return w | (rs ? rs : 11) << 21 | (draw() & 0x1fffff);
	if (i < 6 && i > 1)
		rt = w >> 16 & 31;
	return w | (i == 6 ? 0 : rs << 21) | rt << 16 | (draw() & 0xffff);
}

/* LL or SC of OTHER. */
static u32 linked(bool load, s16 offset)
{
	return 0x1fu << 26 | BASE << 21 | OTHER << 16 | (offset & 0x1ffu) << 7 |
	       (load ? 0x36 : 0x26);
}

/* A place with registers, and its trampoline. False: there can be none. */
static bool draw_run(struct run *r, bool branches)
{
	u32 sign, reg;

	*r = (struct run){ .t = { .base = BASE, .attribute = draw() % 8, .kseg0 = draw() % 2 },
			   .load = draw() % 2,
			   .offset = draw() % 4 ? (s16)(draw() % 512) : (s16)draw() };
	for (u32 i = 1; i < 32; i++)
		r->before[i] = draw() % 4 ? draw() % 3 - 1
					  : (u64)(s64)(s32)(0xc0000000 + draw() % 0x10000 * 4);
	r->before[BASE] = draw_base(r->t.attribute);
	r->t.linked = draw() % 4 == 0 && (r->load || !branches); /* no SC is patched in a slot */
	r->t.reload = r->load && !r->t.linked && draw() % 3 == 0;
	reg = r->t.reload ? BASE : OTHER;
	r->t.insn = (r->load ? 0x37u : 0x3fu) << 26 | BASE << 21 | reg << 16 | (u16)r->offset;
	if (r->t.linked) {
		r->offset = (s16)(r->offset * 128) >> 7;
		r->t.insn = linked(r->load, r->offset);
	}
	assert_int_equal(tramp_offset(&r->t), r->offset);
	if (branches) {
		r->t.branch = draw_branch();
		if (!tramp_slot_of(r->t.branch, BASE, r->load ? reg : 0, r->load ? 0 : reg,
				   &r->t.slot))
			return false;
	}
	sign = tramp_build(&r->t, PLACE, AT, r->words);
	memcpy(r->gpr, r->before, sizeof(r->gpr));
	return sign;
}

static void each_branch_is_made_with_the_access_in_its_slot(void **state)
{
	u32 slots[3] = { 0 };

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 gpr[32], left, want;
		struct run r;

		if (!draw_run(&r, true))
			continue;
		left = run(&r);
		want = expected(&r, gpr);
		if (left == NOWHERE) {
			assert_int_equal(r.accesses, 0);
			continue;
		}
		assert_int_equal(left, want);
		assert_memory_equal(r.gpr, gpr, sizeof(gpr));
		assert_int_equal(r.accesses, !r.taken);
		slots[r.t.slot]++;
	}
	assert_true(slots[TRAMP_DELAY] > ROUNDS / 50 && slots[TRAMP_FORBIDDEN] > ROUNDS / 50);
}

static void a_branch_is_refused_that_needs_what_the_slot_does(void **state)
{
	u8 slot;

	(void)state;
	assert_false(tramp_slot_of(0x11200000, BASE, OTHER, 0, &slot)); /* beqz $9 */
	assert_true(tramp_slot_of(0x11200000, BASE, 0, OTHER, &slot));
	assert_false(tramp_slot_of(0x01200009, BASE, OTHER, 0, &slot)); /* jr $9 */
	assert_false(tramp_slot_of(0x0c000000, BASE, 0, 31, &slot)); /* jal, and a store of $31 */
	assert_false(tramp_slot_of(0x0c000000, 31, 0, OTHER, &slot));
	assert_false(tramp_slot_of(0x04100000, BASE, 0, 0, &slot)); /* nal */
	assert_false(tramp_slot_of(0x45200000, BASE, 0, 0, &slot)); /* bc1eqz */
	assert_false(tramp_slot_of(0x20090000, BASE, 0, 0, &slot)); /* beqzalc */
	assert_false(tramp_slot_of(0xd8090000, BASE, 0, 0, &slot)); /* jic */
	assert_false(tramp_slot_of(0x00000000, BASE, 0, 0, &slot));
	assert_true(tramp_slot_of(0xd9200000, BASE, OTHER, 0, &slot)); /* beqzc $9 */
	assert_int_equal(slot, TRAMP_FORBIDDEN);
}

static void each_access_is_the_one_that_was_meant(void **state)
{
	u32 converted = 0, fallen = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 gpr[32], gpa, wanted, left;
		struct run r;

		assert_true(draw_run(&r, false));
		wanted = r.before[BASE] + (s64)r.offset;
		left = run(&r);
		if (left != NOWHERE) {
			assert_int_equal(left, expected(&r, gpr));
			assert_int_equal(r.accesses, 1);
			assert_memory_equal(r.gpr, gpr, sizeof(gpr));
			converted += meant(wanted, &gpa) == 1;
		} else {
			assert_int_equal(r.accesses, 0);
			fallen += meant(wanted, &gpa) == 1;
		}
	}
	assert_true(converted > ROUNDS / 5); /* KSEG0, and XKPHYS of the attribute */
	assert_true(fallen < converted);
}

static void memory_of_the_usual_kind_never_falls(void **state)
{
	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		u64 at = draw() % (MEMORY - 4096);
		struct run r;

		assert_true(draw_run(&r, false));
		if (r.t.linked)
			continue;
		r.offset = draw() % 2048;
		r.before[BASE] = draw() % 2 ? 0xffffffff80000000 + at
					    : 0x8000000000000000 + ((u64)r.t.attribute << 59) + at;
		r.t.insn = (r.t.insn & 0xffff0000) | (u16)r.offset;
		assert_true(tramp_build(&r.t, PLACE, AT, r.words));
		memcpy(r.gpr, r.before, sizeof(r.gpr));
		assert_int_equal(run(&r), PLACE + 4);
	}
}

/* SC finds where its LL was only if both went to the same address, or the LL to none. */
static void an_sc_goes_where_its_ll_went(void **state)
{
	u32 both = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		struct run ll = { .t = { .linked = true,
					 .base = BASE,
					 .attribute = draw() % 8,
					 .kseg0 = draw() % 2 },
				  .load = true,
				  .offset = (s16)(draw() % 512) - 256 };
		struct run sc;

		ll.before[BASE] = ll.gpr[BASE] = draw_base(ll.t.attribute);
		sc = ll;
		sc.load = false;
		sc.t.kseg0 = draw() % 2;
		ll.t.insn = linked(true, ll.offset);
		sc.t.insn = linked(false, sc.offset);
		assert_true(tramp_build(&ll.t, PLACE, AT, ll.words));
		assert_true(tramp_build(&sc.t, PLACE + 8, AT, sc.words));
		if (run(&ll) == NOWHERE)
			continue;
		assert_int_equal(run(&sc), PLACE + 12);
		assert_int_equal(sc.reached, ll.reached);
		both++;
	}
	assert_true(both > ROUNDS / 5);
}

static void a_base_of_a_lui_is_recognized(void **state)
{
	u32 page[PAGE_SIZE / 4] = { [20] = 0x3c078034, /* lui $7, 0x8034 */
				    [21] = 0x64e70008, /* daddiu $7, $7, 8 */
				    [22] = 0x00e9382d /* daddu $7, $7, $9 */ };

	(void)state;
	assert_true(tramp_is_of_lui(page, 23, BASE));
	assert_true(tramp_is_of_lui(page, 28, BASE));
	assert_false(tramp_is_of_lui(page, 29, BASE)); /* too far */
	assert_false(tramp_is_of_lui(page, 20, BASE));
	assert_false(tramp_is_of_lui(page, 0, BASE));
	assert_false(tramp_is_of_lui(page, 23, OTHER));
	page[22] = 0xdce70008; /* ld $7, 8($7) */
	assert_false(tramp_is_of_lui(page, 23, BASE));
	page[22] = 0xdce90008; /* ld $9, 8($7) */
	assert_true(tramp_is_of_lui(page, 23, BASE));
	page[20] = 0x3d278034; /* aui $7, $9, 0x8034 */
	assert_false(tramp_is_of_lui(page, 23, BASE));
}

static void far_is_out_of_reach(void **state)
{
	const struct tramp t = { .insn = 0xdce90000, .base = BASE };
	u32 words[TRAMP_WORDS];

	(void)state;
	assert_true(tramp_build(&t, AT - 0x7ffff00, AT, words));
	assert_false(tramp_build(&t, AT - 0x8000004, AT, words));
	assert_false(tramp_build(&t, AT + 0x8000000, AT, words));
	assert_true(tramp_build(&t, AT + 0x7ffff00, AT, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_access_is_the_one_that_was_meant),
		cmocka_unit_test(each_branch_is_made_with_the_access_in_its_slot),
		cmocka_unit_test(a_branch_is_refused_that_needs_what_the_slot_does),
		cmocka_unit_test(memory_of_the_usual_kind_never_falls),
		cmocka_unit_test(an_sc_goes_where_its_ll_went),
		cmocka_unit_test(a_base_of_a_lui_is_recognized),
		cmocka_unit_test(far_is_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
