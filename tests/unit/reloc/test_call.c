/* SPDX-License-Identifier: MIT */
/*
 * kernel/reloc/call.c: each trampoline is executed word by word by a model of the instructions that it is made of, for
 * targets of every segment and slots of every kind, and held against what the call does on the machine. In front of
 * every word an exception may come: the way out must give the state before the call, or that behind it.
 */
#include "tests/unit/unit.h"

#include "kernel/abi/disco.h"
#include "kernel/reloc/call.h"
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

	switch (draw() % 3) {
	case 0: return 0xf8000000 | target << 16;
	case 1: return target << 21 | (u32)(draw() % 32) << 11 | 9;
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
	bool compact = t->slot == TRAMP_CALL_COMPACT;
	u64 to = s->gpr[t->base];

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
	assert_true(call_leave(t, PLACE, word, s.gpr, &s.pc));
	assert_int_equal(s.pc, wanted->pc);
	assert_memory_equal(s.gpr, wanted->gpr, sizeof(s.gpr));
}

static void each_call_does_what_it_did(void **state)
{
	u32 made = 0, moved = 0;

	(void)state;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 words[TRAMP_WORDS], at = 0, steps = 0;
		struct state before, after, now;
		struct tramp t;

		if (!call_make(draw_call(), draw_slot(), &t))
			continue;
		for (u32 r = 0; r < 32; r++)
			before.gpr[r] = r ? draw() : 0;
		before.gpr[t.base] = draw_target();
		before.pc = PLACE;
		after = now = before;
		on_the_machine(&t, &after);
		assert_true(call_build(&t, PLACE, AT, words));
		for (now.pc = 0; !now.pc; at++) {
			u32 w = words[at];

			assert_true(++steps < 20);
			check_way_out(&t, at, now.gpr, &before, &after);
			if (w >> 26 == 0x3e) { /* BNEZC */
				if (now.gpr[w >> 21 & 31])
					at += w & 0xffff;
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
		moved += after.pc != before.gpr[t.base];
	}
	assert_true(made > ROUNDS / 2);
	assert_true(moved > made / 4 && moved < made / 4 * 3);
}

#define JALR(target) ((target) << 21 | 31u << 11 | 9)

static void a_slot_is_refused_that_cannot_come_first(void **state)
{
	static const u32 refused[] = {
		0xdc440000, /* ld $4, 0($2): may trap */
		0xfc440000, /* sd */
		0x00a62020, /* add $4, $5, $6: overflow */
		0x00a6202c, /* dadd */
		0x00000034, /* teq $0, $0 */
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

static void other_words_are_none_of_it(void **state)
{
	struct tramp t;
	u64 gpr[32] = { 0 }, pc = 1;

	(void)state;
	assert_true(call_make(JALR(2u), 0, &t));
	assert_false(call_leave(&t, PLACE, 13, gpr, &pc));
	assert_false(call_leave(&t, PLACE, TRAMP_WORDS - 1, gpr, &pc));
	assert_int_equal(pc, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_does_what_it_did),
		cmocka_unit_test(a_slot_is_refused_that_cannot_come_first),
		cmocka_unit_test(a_call_is_refused_that_is_none_of_these),
		cmocka_unit_test(other_words_are_none_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
