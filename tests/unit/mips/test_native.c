/* SPDX-License-Identifier: MIT */
/* arch/mips/native.c: what reaches for KSEG0, KSEG1 and XKPHYS, and what stays an address error. */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "kernel/abi/disco.h"
#include "kernel/vm/hypercall.h"

#define PC	      0xffffffffc0104000ull
#define KSEG0	      0xffffffff80000000ull
#define KSEG1	      0xffffffffa0000000ull
#define XKPHYS	      0x9800000000000000ull
#define XKSEG	      0xc000000000000000ull
#define KSEG3	      0xffffffffe0000000ull
#define AT	      0x3008ull						       /* physical */
#define INSN(op, off) ((u32)(op) << 26 | 4u << 21 | 5u << 16 | ((off)&0xffff)) /* $5, off($4) */
#define LINKED(funct) (0x1fu << 26 | 4u << 21 | 5u << 16 | (funct))
#define LD	      INSN(0x37, 0)
#define SD	      INSN(0x3f, 0)
#define LB	      INSN(0x20, 0)
#define LWC1	      INSN(0x31, 0)
#define SDC1	      INSN(0x3d, 0)
#define LL	      LINKED(0x36)
#define SC	      LINKED(0x26)
#define LLWP	      LINKED(0x76)

static struct vcpu *const v = &fake_vcpu;
static u64 fpr[32];
static enum verdict verdict;

enum verdict hypercall(struct vcpu *of)
{
	(void)of;
	return RESUME;
}

void vcpu_change(struct vcpu *of, enum vcpu_state to) { of->state = to; }
bool arch_vcpu_wakes(const struct vcpu *of) { return vcp0_interrupts(of); }

u64 fpu_register(struct vcpu *of, unsigned int n)
{
	(void)of;
	return fpr[n];
}

void fpu_set_register(struct vcpu *of, unsigned int n, u64 value)
{
	(void)of;
	fpr[n] = value;
}

static int begin(void **state)
{
	(void)state;
	fake_reset();
	v->vm->rewrite = (struct rewrite){ .on = true };
	vcp0(v, Status) = STATUS_UX | STATUS_SX | STATUS_KX;
	v->arch.pc = PC;
	v->arch.cause = 0;
	fake_linked = 0;
	*fake_word(AT) = 0x8182838485868788;
	return 0;
}

/* The instruction with that address in its base register. */
static bool run(u32 insn, u64 va)
{
	v->arch.gpr[4] = va;
	v->arch.badvaddr = va + (u64)(s64)(insn >> 26 == 0x1f ? 0 : (s16)insn);
	v->arch.badinstr = insn;
	return native_resolve(v, &verdict);
}

static void a_load_goes_by_each_segment(void **state)
{
	static const u64 bases[] = { KSEG0, KSEG1, XKPHYS, 0x9000000000000000 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		v->arch.gpr[5] = 0;
		assert_true(run(LD, bases[i] + AT));
		assert_int_equal(verdict, RESUME);
		assert_int_equal(v->arch.gpr[5], 0x8182838485868788);
		assert_int_equal(v->arch.pc, PC + 4 * (i + 1));
	}
	assert_true(run(LB | 1, KSEG0 + AT));
	assert_int_equal(v->arch.gpr[5], ~0x78ull); /* 0x87, with its sign */
	assert_true(run(LB | 0xffff, KSEG0 + AT + 1));
	assert_int_equal(v->arch.gpr[5], ~0x77ull);
	assert_int_equal(v->stats.rewrite.emulated, 6);
}

static void a_store_goes_to_memory(void **state)
{
	(void)state;
	v->arch.gpr[5] = 7;
	assert_true(run(SD, KSEG0 + AT));
	assert_int_equal(*fake_word(AT), 7);
	fpr[5] = 9;
	assert_true(run(SDC1, XKPHYS + AT));
	assert_int_equal(*fake_word(AT), 9);
}

static void memory_shows_again_at_one_and_two_gigabytes(void **state)
{
	(void)state;
	assert_true(run(LD, XKPHYS + 0x40000000 + AT));
	assert_int_equal(v->arch.gpr[5], 0x8182838485868788);
	v->arch.gpr[5] = 0;
	assert_true(run(LD, XKPHYS + 0x80000000 + AT));
	assert_int_equal(v->arch.gpr[5], 0x8182838485868788);
}

static void a_load_in_a_slot_goes_on_behind_the_branch(void **state)
{
	(void)state;
	v->arch.cause = CAUSE_BD;
	v->arch.badinstrp = 0x10000005; /* b */
	assert_true(run(LD, KSEG0 + AT));
	assert_int_equal(v->arch.pc, PC + 24);
}

static void an_fpu_load_keeps_the_upper_half(void **state)
{
	(void)state;
	fpr[5] = 0x1111111122222222;
	assert_true(run(LWC1, KSEG0 + AT));
	assert_int_equal(fpr[5], 0x1111111185868788);
}

static void sc_stores_unless_the_word_has_changed(void **state)
{
	(void)state;
	assert_true(run(LL, KSEG0 + AT));
	assert_int_equal(v->arch.gpr[5], 0xffffffff85868788);
	assert_int_equal(fake_linked, KSEG0 + AT);
	v->arch.gpr[5] = 3;
	assert_true(run(SC, KSEG0 + AT));
	assert_int_equal(v->arch.gpr[5], 1);
	assert_int_equal((u32)*fake_word(AT), 3);
	v->arch.gpr[5] = 4;
	assert_true(run(SC, KSEG0 + AT));
	assert_int_equal(v->arch.gpr[5], 0);
	assert_int_equal((u32)*fake_word(AT), 3);
}

static void a_fetch_goes_on_in_the_window(void **state)
{
	(void)state;
	v->arch.pc = v->arch.badvaddr = KSEG1 + AT;
	assert_true(native_resolve(v, &verdict));
	assert_int_equal(verdict, RESUME);
	assert_int_equal(v->arch.pc, DISCO_CSSEG_BASE + AT);
	v->arch.pc = v->arch.badvaddr = KSEG0 + 0x10000000; /* no window shows it */
	assert_true(native_resolve(v, &verdict));
	assert_int_equal(verdict, INJECT);
	assert_int_equal(v->arch.inject.code, EXC_IBE);
}

static void a_vcpu_goes_on_in_the_window_without_a_trap(void **state)
{
	static const u64 stays[] = { DISCO_CSSEG_BASE + AT, KSEG0 + AT + 2, KSEG0 + 0x10000000,
				     0x4000000000000000 + AT, AT };

	(void)state;
	v->arch.pc = KSEG0 + AT;
	native_enter(v);
	assert_int_equal(v->arch.pc, DISCO_CSSEG_BASE + AT);
	v->arch.pc = XKPHYS + AT;
	native_enter(v);
	assert_int_equal(v->arch.pc, DISCO_CSSEG_BASE + AT);
	for (unsigned i = 0; i < ARRAY_SIZE(stays); i++) {
		v->arch.pc = stays[i];
		native_enter(v);
		assert_int_equal(v->arch.pc, stays[i]);
	}
	vcp0(v, Status) = STATUS_UX | STATUS_KSU_U; /* a user's address error */
	v->arch.pc = KSEG0 + AT;
	native_enter(v);
	assert_int_equal(v->arch.pc, KSEG0 + AT);
}

static void what_is_no_memory_is_a_bus_error(void **state)
{
	(void)state;
	assert_true(run(LD, KSEG1 + 0x1ffffff8));
	assert_int_equal(verdict, INJECT);
	assert_int_equal(v->arch.inject.code, EXC_DBE);
	assert_int_equal(v->arch.pc, PC);
}

static void the_rest_stays_an_address_error(void **state)
{
	(void)state;
	assert_false(run(LD, 0xc001000000000000));	 /* beyond xkseg's addresses */
	assert_false(run(LD, XKPHYS | 1ull << 50 | AT)); /* beyond the addresses */
	assert_false(run(LL, KSEG0 + AT + 2));
	assert_false(run(LLWP, KSEG0 + AT));
	assert_false(run(0, KSEG0 + AT)); /* no access: the base register says nothing */
	v->arch.pc = KSEG0 + AT + 2;
	v->arch.badvaddr = v->arch.pc;
	assert_false(native_resolve(v, &verdict));
	v->arch.pc = PC;
	vcp0(v, Status) = STATUS_UX | STATUS_KSU_U;
	assert_false(run(LD, KSEG0 + AT)); /* a user's */
	vcp0(v, Status) = 0;
	assert_false(run(LD, XKPHYS + AT)); /* KX = 0 */
	assert_false(run(LD, XKSEG + AT));
	assert_int_equal(v->stats.rewrite.emulated, 0);
}

/* The guest maps the page in front of that of AT, and that one for loads only. */
static void map(u64 va, bool global)
{
	u64 bits = ENTRYLO_V | (global ? ENTRYLO_G : 0);

	v->arch.vtlb[7] = (struct vtlb_entry){ .hi = va & ~0x3fff000000001fffull };
	v->arch.vtlb[7].lo[0] = fake_lo(2, bits | ENTRYLO_D);
	v->arch.vtlb[7].lo[1] = fake_lo(AT >> 12, bits);
}

static void mapped_segments_go_by_the_guests_tlb(void **state)
{
	static const u64 segments[] = { XKSEG, KSEG3 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(segments); i++) {
		u64 first = segments[i] + 0x4000;

		map(first, true);
		v->arch.gpr[5] = 0;
		assert_true(run(LD, first + 0x1008));
		assert_int_equal(verdict, RESUME);
		assert_int_equal(v->arch.gpr[5], 0x8182838485868788);
		v->arch.gpr[5] = i + 1;
		assert_true(run(SD, first + 8));
		assert_int_equal(*fake_word(0x2008), i + 1);
		assert_true(run(SD, first + 0x1008));
		assert_int_equal(verdict, INJECT);
		assert_int_equal(v->arch.inject.code, EXC_MOD);
		assert_false(v->arch.inject.refill);
		assert_true(run(SD, first + 0x2008));
		assert_int_equal(verdict, INJECT);
		assert_int_equal(v->arch.inject.code, EXC_TLBS);
		assert_true(v->arch.inject.refill);
		assert_true(run(LD, first + 0x2008));
		assert_int_equal(v->arch.inject.code, EXC_TLBL);
		assert_false(run(LD, first + 0xffc)); /* of two pages */
		v->arch.vtlb[7].lo[1] = fake_lo(0x100000, ENTRYLO_V | ENTRYLO_G);
		assert_true(run(LD, first + 0x1008));
		assert_int_equal(v->arch.inject.code, EXC_DBE);
	}
}

static void an_ll_there_is_one_of_its_address(void **state)
{
	(void)state;
	map(XKSEG + 0x4000, true);
	*fake_word(0x2010) = 0x12345678;
	assert_true(run(LL, XKSEG + 0x4010));
	assert_int_equal(v->arch.gpr[5], 0x12345678);
	assert_int_equal(fake_linked, XKSEG + 0x4010);
	assert_int_equal(fake_translate(XKSEG + 0x4010),
			 0); /* nothing stays in the machine's TLB */
	v->arch.gpr[5] = 3;
	assert_true(run(SC, XKSEG + 0x4010));
	assert_int_equal(v->arch.gpr[5], 1);
	assert_int_equal((u32)*fake_word(0x2010), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_load_goes_by_each_segment, begin),
		cmocka_unit_test_setup(a_store_goes_to_memory, begin),
		cmocka_unit_test_setup(memory_shows_again_at_one_and_two_gigabytes, begin),
		cmocka_unit_test_setup(a_load_in_a_slot_goes_on_behind_the_branch, begin),
		cmocka_unit_test_setup(an_fpu_load_keeps_the_upper_half, begin),
		cmocka_unit_test_setup(sc_stores_unless_the_word_has_changed, begin),
		cmocka_unit_test_setup(a_fetch_goes_on_in_the_window, begin),
		cmocka_unit_test_setup(a_vcpu_goes_on_in_the_window_without_a_trap, begin),
		cmocka_unit_test_setup(what_is_no_memory_is_a_bus_error, begin),
		cmocka_unit_test_setup(the_rest_stays_an_address_error, begin),
		cmocka_unit_test_setup(mapped_segments_go_by_the_guests_tlb, begin),
		cmocka_unit_test_setup(an_ll_there_is_one_of_its_address, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
