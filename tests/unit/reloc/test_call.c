/* SPDX-License-Identifier: MIT */
/*
 * kernel/reloc/call.c and jump.c: each trampoline is executed word by word by a model of the instructions that it is made of, for
 * targets of every segment and slots of every kind, and held against what the call or jump does on the machine. In front of
 * every word an exception may come: the way out must give the state before it, or that behind it.
 */
#include "tests/unit/unit.h"

#include "kernel/abi/disco.h"
#include "kernel/reloc/call.h"
#include "kernel/reloc/jump.h"
#include "kernel/reloc/window.h"
#include "tests/unit/reloc/draw.h"

#define PLACE  0xffffffffc0123458ull
#define AT     0xffffffffc2000000ull
#define ROUNDS 400000

static u64 draw_target(void)
{
	static const u64 edges[] = { 0,
				     0x40000000,
				     0x80000000,
				     0x4000000000000000,
				     0x7fffffff90000000,
				     0x8000000000000000,
				     0x9000000000000000,
				     0xbfffffffffffffff,
				     0xc000000000000000,
				     0xffffffff40000000,
				     0xffffffff80000000,
				     0xffffffff90000000,
				     0xffffffffa0000000,
				     0xffffffffc0000000,
				     0xffffffffd0000000,
				     0xffffffffe0000000 };

	switch (draw() % 3) {
	case 0: return 0xffffffff80000000 + draw() % 0x10000000;
	case 1: return edges[draw() % ARRAY_SIZE(edges)] + draw() % 0x10000 - 0x8000;
	default: return draw();
	}
}

static u32 draw_call(void)
{
	u32 target = draw() % 32;

	switch (draw() % 6) {
	case 0: return 0xf8000000 | target << 16;
	case 1: return 0xd8000000 | target << 16;
	case 2:
	case 3: return target << 21 | 9; /* JR */
	case 4: return target << 21 | (u32)(draw() % 32) << 11 | 9;
	default: return target << 21 | 31u << 11 | 9;
	}
}

/* DADDU, OR, DSRA, DADDIU, ORI, DAUI or NOP, of any registers. */
static u32 draw_slot(void)
{
	u32 s = draw() % 32, t = draw() % 32, d = draw() % 32;

	switch (draw() % 7) {
	case 0: return s << 21 | t << 16 | d << 11 | 0x2d;
	case 1: return s << 21 | t << 16 | d << 11 | 0x25;
	case 2: return t << 16 | d << 11 | (u32)(draw() % 32) << 6 | 0x3b;
	case 3: return 0x19u << 26 | s << 21 | t << 16 | (draw() & 0xffff);
	case 4: return 0x0du << 26 | s << 21 | t << 16 | (draw() & 0xffff);
	case 5: return 0x1du << 26 | s << 21 | t << 16 | (draw() & 0xffff);
	default: return 0;
	}
}

/* One instruction without a jump. */
static void execute(u32 w, u64 gpr[32])
{
	u32 s = w >> 21 & 31, t = w >> 16 & 31, d = w >> 11 & 31;
	s64 imm = (s16)w;

	switch (w >> 26) {
	case 0x00:
		switch (w & 63) {
		case 0x2d: gpr[d] = gpr[s] + gpr[t]; break;
		case 0x25: gpr[d] = gpr[s] | gpr[t]; break;
		case 0x3b: gpr[d] = (u64)((s64)gpr[t] >> (w >> 6 & 31)); break;
		default: assert_int_equal(w, 0);
		}
		break;
	case 0x19: gpr[t] = gpr[s] + (u64)imm; break;
	case 0x0d: gpr[t] = gpr[s] | (w & 0xffff); break;
	case 0x0f:
		assert_int_equal(s, 0);
		gpr[t] = (u64)(imm * 0x10000);
		break;
	case 0x1d:
		assert_int_not_equal(s, 0);
		gpr[t] = gpr[s] + (u64)(imm * 0x10000);
		break;
	default: assert_true(false);
	}
	gpr[0] = 0;
}

/* Where supervisor mode fetches what the program means. */
static u64 shown(u64 target)
{
	return target >= NATIVE_KSEG0 && target < NATIVE_KSEG0 + DISCO_CSSEG_WINDOW
		       ? target + 0x40000000
		       : target;
}

struct state {
	u64 gpr[32], pc;
};

static void on_the_machine(const struct tramp *t, struct state *s)
{
	bool compact = t->slot == TRAMP_CALL_COMPACT || t->slot == TRAMP_JUMP_COMPACT;
	u64 to = s->gpr[t->base];

	if (!tramp_is_jump(t->slot))
		s->gpr[compact ? 31 : t->branch >> 11 & 31] = PLACE + (compact ? 4 : 8);
	if (!compact)
		execute(t->insn, s->gpr);
	s->pc = shown(to);
}

static void check_way_out(const struct tramp *t, u32 word, const u64 gpr[32],
			  const struct state *before, const struct state *after)
{
	const struct state *wanted = word ? after : before;
	struct state s;

	memcpy(s.gpr, gpr, sizeof(s.gpr));
	assert_true(
		(tramp_is_jump(t->slot) ? jump_leave : call_leave)(t, PLACE, word, s.gpr, &s.pc));
	assert_int_equal(s.pc, wanted->pc);
	assert_memory_equal(s.gpr, wanted->gpr, sizeof(s.gpr));
}

static bool make(u32 branch, u32 slot, struct tramp *t)
{
	return call_make(branch, slot, t) || jump_make(branch, slot, t);
}

/* Words that a compact branch skips. */
static u32 skipped(u32 w, const u64 gpr[32])
{
	u64 value = gpr[w >> 21 & 31];

	switch (w >> 26) {
	case 0x3e: return value ? w & 0xffff : 0;	    /* BNEZC */
	case 0x16: return (s64)value >= 0 ? w & 0xffff : 0; /* BGEZC */
	default: return (s64)value < 0 ? w & 0xffff : 0;    /* BLTZC */
	}
}

static void each_call_does_what_it_did(void **state)
{
	u32 made = 0, moved = 0, jumps = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 words[TRAMP_WORDS], at = 0, steps = 0;
		struct state before, after, now;
		struct tramp t;

		if (!make(draw_call(), draw_slot(), &t))
			continue;
		for (u32 r = 0; r < 32; r++)
			before.gpr[r] = r ? draw() : 0;
		before.gpr[t.base] = draw_target();
		before.pc = PLACE;
		after = now = before;
		on_the_machine(&t, &after);
		assert_true(
			(tramp_is_jump(t.slot) ? jump_build : call_build)(&t, PLACE, AT, words));
		for (now.pc = 0; !now.pc; at++) {
			u32 w = words[at];

			assert_true(++steps < 20);
			check_way_out(&t, at, now.gpr, &before, &after);
			if (w >> 26 == 0x3e || w >> 26 == 0x16 || w >> 26 == 0x17) {
				at += skipped(w, now.gpr);
			} else if ((w & 0xfc1fffff) == 9) { /* JR, and its slot */
				u64 to = now.gpr[w >> 21 & 31];

				check_way_out(&t, at + 1, now.gpr, &before, &after);
				execute(words[at + 1], now.gpr);
				now.pc = to;
				break;
			} else {
				execute(w, now.gpr);
			}
		}
		assert_int_equal(now.pc, after.pc);
		assert_memory_equal(now.gpr, after.gpr, sizeof(now.gpr));
		made++;
		jumps += tramp_is_jump(t.slot);
		moved += after.pc != before.gpr[t.base];
	}
	assert_true(made > ROUNDS / 2);
	assert_true(moved > made / 4 && moved < made / 4 * 3);
	assert_true(jumps > made / 4 && jumps < made / 4 * 3);
}

#define JALR(target) ((target) << 21 | 31u << 11 | 9)
#define JR(target)   ((target) << 21 | 9)

static void a_slot_is_refused_that_cannot_come_first(void **state)
{
	static const u32 refused[] = {
		0xdc440000, /* ld $4, 0($2): may trap */
		0xfc440000, /* sd */
		0x00a62020, /* add $4, $5, $6: overflow */
		0x00a6202c, /* dadd */
		0x00430034, /* teq $2, $3 */
		0x0000000c, /* syscall */
		0x0000000d, /* break */
		0x0000000f, /* sync */
		0x40046000, /* mfc0 $4, $12 */
		0x7c03203b, /* rdhwr */
		0x46000000, /* add.s */
		0x00a01009, /* jalr $2, $5 */
		0x10000000, /* b */
		0xc8000000, /* bc */
		0x74040001, /* daui $4, $0: reserved */
		0x03e02025, /* move $4, $31: the link register, read */
		0x0080f825, /* move $31, $4 */
		0x241f0001, /* li $31, 1 */
		0x03e4102d, /* daddu $2, $31, $4 */
		0x00801025, /* move $2, $4: the target's */
		0x64420008, /* daddiu $2, $2, 8 */
		0x00452102, /* srl $4, $5, 4 with RS = 2: reserved, like the next ones */
		0x0045213a, /* dsrl */
		0x0045213e, /* dsrl32 */
		0x00252100, /* sll with RS = 1 */
		0x00252103, /* sra */
		0x00c52086, /* srlv $4, $5, $6 with SA = 2 */
		0x00c52096, /* dsrlv */
		0x00c52047, /* srav with SA = 1 */
		0x00a62061, /* addu */
		0x00a62065, /* or */
		0x00000140, /* pause, in a slot */
	};
	static const u32 allowed[] = {
		0x00000000, /* nop */
		0x000000c0, /* ehb */
		0x00052102, /* srl $4, $5, 4 */
		0x00252102, /* rotr */
		0x0025213a, /* drotr */
		0x0025213e, /* drotr32 */
		0x00c52006, /* srlv $4, $5, $6 */
		0x00c52046, /* rotrv */
		0x00c52056, /* drotrv */
		0x0005213b, /* dsra */
		0x00c52007, /* srav */
		0x00a62021, /* addu $4, $5, $6 */
		0x00a62035, /* seleqz */
	};
	struct tramp t;

	(void)state;
	assert_true(call_make(JALR(2u), 0x00402025, &t)); /* move $4, $2 */
	assert_int_equal(t.slot, TRAMP_CALL);
	for (u32 i = 0; i < ARRAY_SIZE(refused); i++)
		assert_false(call_make(JALR(2u), refused[i], &t));
	for (u32 i = 0; i < ARRAY_SIZE(allowed); i++)
		assert_true(call_make(JALR(2u), allowed[i], &t));
}

static void a_call_is_refused_that_is_none_of_these(void **state)
{
	struct tramp t;

	(void)state;
	assert_false(call_make(0x00400009, 0, &t)); /* jr $2 */
	assert_false(call_make(0x0040fc09, 0, &t)); /* jalr.hb */
	assert_false(call_make(0x03e0f809, 0, &t)); /* jalr $31 */
	assert_false(call_make(0x0000f809, 0, &t)); /* jalr $0 */
	assert_false(call_make(0xf81f0000, 0, &t)); /* jialc $31 */
	assert_false(call_make(0xf8020004, 0, &t)); /* jialc $2, 4 */
	assert_false(call_make(0xd8020000, 0, &t)); /* jic */
	assert_false(call_make(0xf8400001, 0, &t)); /* bnezc */
	assert_false(call_make(0x0c000000, 0, &t)); /* jal */
	assert_true(call_make(0xf8020000, 0x0c000000,
			      &t)); /* jialc $2; what is behind it is not its slot */
	assert_int_equal(t.slot, TRAMP_CALL_COMPACT);
}

static void a_jump_is_refused_that_is_none_of_these(void **state)
{
	struct tramp t;

	(void)state;
	assert_true(jump_make(JR(2u), 0x03e02025, &t)); /* its slot reads $31 */
	assert_int_equal(t.slot, TRAMP_JUMP);
	assert_true(jump_make(JR(31u), 0x67bd0020, &t)); /* jr $31 */
	assert_false(jump_make(JR(2u), 0x64420008, &t)); /* its slot writes the target's register */
	assert_false(jump_make(JR(2u), 0xdfbf0008, &t)); /* ld $31, 8($29) */
	assert_false(jump_make(0x00400409, 0, &t));	 /* jr.hb $2 */
	assert_false(jump_make(0x00000009, 0, &t));	 /* jr $0 */
	assert_false(jump_make(0x00400008, 0, &t));	 /* JR of releases before the sixth */
	assert_false(jump_make(JALR(2u), 0, &t));
	assert_false(jump_make(0xd8020004, 0, &t)); /* jic $2, 4 */
	assert_false(jump_make(0xd8400001, 0, &t)); /* beqzc */
	assert_true(jump_make(0xd8020000, 0x0c000000, &t));
	assert_int_equal(t.slot, TRAMP_JUMP_COMPACT);
}

/* Behind an access, what may lie before its jump and what may not. */
static void a_jump_is_noted_if_the_program_comes_to_it(void **state)
{
	static const u32 leads[] = {
		0x00000000, /* nop */
		0x0043102d, /* daddu $2, $2, $3 */
		0xdc440000, /* ld $4, 0($2) */
		0x14400004, /* bnez $2 */
		0x10430004, /* beq $2, $3 */
		0x04400004, /* bltz $2 */
		0x18400004, /* blez $2 */
		0xf8400004, /* bnezc $2 */
		0x58420004, /* bgezc $2 */
		0x00430034, /* teq $2, $3 */
		0x0000000f, /* sync */
		0x40046000, /* mfc0 $4, $12 */
		0x42000008, /* tlbp */
	};
	static const u32 leaves[] = {
		0x0040f809, /* jalr $2 */
		0x0000000c, /* syscall */
		0x0000000d, /* break */
		0x0000000e, /* sdbbp */
		0x00000034, /* teq $0, $0 */
		0x00420030, /* tge $2, $2 */
		0x00630031, /* tgeu $3, $3 */
		0x04170000, /* sigrie */
		0x04110004, /* bal */
		0x04100000, /* nal */
		0x04010004, /* bgez $0 */
		0x08000000, /* j */
		0x0c000000, /* jal */
		0x10000004, /* b */
		0x10420004, /* beq $2, $2 */
		0x18000004, /* blez $0 */
		0xc8000004, /* bc */
		0xe8000004, /* balc */
		0xd8030004, /* jic $3, 4 */
		0xf8030000, /* jialc $3 */
		0x42000018, /* eret */
		0x03e00009, /* jr $31 */
	};
	u32 page[PAGE_SIZE / 4] = { [100] = 0xdc420000, [104] = JR(2u) };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(leads); i++) {
		page[102] = leads[i];
		assert_int_equal(jump_behind(page, 100), 104);
	}
	for (u32 i = 0; i < ARRAY_SIZE(leaves); i++) {
		page[102] = leaves[i];
		assert_int_equal(jump_behind(page, 100), 0);
		assert_int_equal(jump_behind(page, 103), 104);
	}
	page[102] = 0;
	page[104] = 0xd8190000; /* jic $25 */
	assert_int_equal(jump_behind(page, 100), 104);
	assert_int_equal(jump_behind(page, 104 - JUMP_NEAR), 104);
	assert_int_equal(jump_behind(page, 104 - JUMP_NEAR - 1), 0);
	assert_int_equal(jump_behind(page, 104), 0);
	page[1023] = JR(2u); /* its slot is on another page */
	assert_int_equal(jump_behind(page, 1020), 0);
	page[1022] = JR(2u);
	assert_int_equal(jump_behind(page, 1020), 1022);
	assert_int_equal(jump_behind(page, 1023), 0);
}

static void other_words_are_none_of_it(void **state)
{
	struct tramp t;
	u64 gpr[32] = { 0 }, pc = 1;

	(void)state;
	assert_true(call_make(JALR(2u), 0, &t));
	assert_false(call_leave(&t, PLACE, 13, gpr, &pc));
	assert_false(call_leave(&t, PLACE, TRAMP_WORDS - 1, gpr, &pc));
	assert_true(jump_make(JR(2u), 0, &t));
	assert_false(jump_leave(&t, PLACE, 14, gpr, &pc));
	assert_int_equal(pc, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_does_what_it_did),
		cmocka_unit_test(a_slot_is_refused_that_cannot_come_first),
		cmocka_unit_test(a_call_is_refused_that_is_none_of_these),
		cmocka_unit_test(a_jump_is_refused_that_is_none_of_these),
		cmocka_unit_test(a_jump_is_noted_if_the_program_comes_to_it),
		cmocka_unit_test(other_words_are_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
