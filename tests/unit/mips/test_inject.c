/* SPDX-License-Identifier: MIT */
/* arch/mips/inject.c: what a guest finds in CP0 when it takes an exception or an interrupt
 * (MD00091, chapter 6). */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#define PC    0xffffffffc0104000ull
#define EBASE 0xffffffffc0100000ull

static struct vcpu *const v = &fake_vcpu;

static int fill(void **state)
{
	(void)state;
	fake_reset();
	vcp0_write(v, 15, 1, EBASE);
	vcp0(v, Status) = STATUS_UX | STATUS_SX | STATUS_KX | STATUS_IE;
	v->arch.pc = PC;
	v->arch.cause = EXC_SYS << CAUSE_CODE_SHIFT;
	v->arch.badinstr = 0x1111;
	v->arch.badinstrp = 0x2222;
	return 0;
}

static u32 code(void) { return (vcp0(v, Cause) & CAUSE_CODE) >> CAUSE_CODE_SHIFT; }

static void a_plain_exception(void **state)
{
	(void)state;
	vcp0(v, BadVAddr) = 0x77;
	assert_int_equal(inject_code(v, EXC_SYS), INJECT);
	assert_int_equal(inject(v), RESUME);
	assert_int_equal(v->arch.pc, EBASE + 0x180);
	assert_int_equal(vcp0(v, EPC), PC);
	assert_int_equal(code(), EXC_SYS);
	assert_true(vcp0(v, Status) & STATUS_EXL);
	assert_false(vcp0(v, Cause) & CAUSE_BD);
	assert_int_equal(vcp0(v, BadInstr), 0x1111);
	assert_int_equal(vcp0(v, BadVAddr), 0x77);
}

static void epc_is_an_address_of_kseg0_in_a_rewritten_kernel(void **state)
{
	u64 pc = 0xffffffffc0001000;

	(void)state;
	v->vm->rewrite.on = true;
	v->arch.pc = pc;
	inject_code(v, EXC_SYS);
	inject(v);
	assert_int_equal(vcp0(v, EPC), pc - 0x40000000);
	vcp0(v, Status) = 0;
	v->vm->rewrite.moved = true;
	v->arch.pc = pc;
	inject(v);
	assert_int_equal(vcp0(v, EPC), pc);
	v->vm->rewrite = (struct rewrite){ 0 };
}

static void in_a_delay_slot_epc_is_the_branch(void **state)
{
	(void)state;
	v->arch.cause = CAUSE_BD | EXC_TR << CAUSE_CODE_SHIFT;
	inject_code(v, EXC_TR);
	inject(v);
	assert_int_equal(vcp0(v, EPC), PC);
	assert_int_equal(vcp0(v, Cause) & 0x80000000, 0x80000000);
	assert_int_equal(vcp0(v, Cause), (u64)(s64)(s32)vcp0(v, Cause));
	assert_int_equal(vcp0(v, BadInstrP), 0x2222);
}

static void under_exl_epc_and_bd_stay(void **state)
{
	(void)state;
	vcp0(v, Status) |= STATUS_EXL;
	vcp0(v, EPC) = 0x1234;
	v->arch.cause = CAUSE_BD;
	inject_code(v, EXC_OV);
	inject(v);
	assert_int_equal(vcp0(v, EPC), 0x1234);
	assert_false(vcp0(v, Cause) & CAUSE_BD);
	assert_int_equal(code(), EXC_OV);
	assert_int_equal(v->arch.pc, EBASE + 0x180);
}

static void miss(u64 va, bool refill)
{
	v->arch.pc = PC;
	v->arch.badvaddr = va;
	v->arch.inject = (struct injection){
		.code = EXC_TLBL, .refill = refill, .badvaddr = true, .tlb = true
	};
	assert_int_equal(inject(v), RESUME);
}

static void a_miss_has_its_own_vectors(void **state)
{
	(void)state;
	miss(0x5000, true);
	assert_int_equal(v->arch.pc, EBASE + 0x080);
	miss(0x5000, true); /* EXL is set now */
	assert_int_equal(v->arch.pc, EBASE + 0x180);
	vcp0(v, Status) = STATUS_KX | STATUS_SX;
	miss(0x5000, true);
	assert_int_equal(v->arch.pc, EBASE + 0x000);
	vcp0(v, Status) = STATUS_UX | STATUS_SX;
	miss(0xffffffffd0000000, true);
	assert_int_equal(v->arch.pc, EBASE + 0x000);
	vcp0(v, Status) = STATUS_KX;
	miss(0xffffffffd0000000, true);
	assert_int_equal(v->arch.pc, EBASE + 0x080);
	vcp0(v, Status) = STATUS_UX;
	miss(0x5000, false); /* an invalid entry is no refill */
	assert_int_equal(v->arch.pc, EBASE + 0x180);
}

/* Values as the machine itself showed them for csseg (qemu/README.md), and one for each other
 * segment. */
static void a_miss_leaves_the_page_in_four_registers(void **state)
{
	(void)state;
	vcp0(v, EntryHi) = 0x155;
	vcp0(v, Context) = 0xffffffffff800000;
	miss(0xffffffffd0001234, true);
	assert_int_equal(vcp0(v, BadVAddr), 0xffffffffd0001234);
	assert_int_equal(vcp0(v, EntryHi), 0xc000ffffd0000155);
	assert_int_equal(vcp0(v, XContext), 0x1ffffe80000);
	assert_int_equal(vcp0(v, Context), 0xffffffffff800000 | 0x680000);
	vcp0(v, Status) = STATUS_UX;
	vcp0(v, XContext) = ~0ull << 41;
	miss(0x0000123456789abc, true);
	assert_int_equal(vcp0(v, EntryHi), 0x0000123456788155);
	assert_int_equal(vcp0(v, XContext), ~0ull << 41 | (0x0000123456788000ull >> 13) << 4);
	vcp0(v, Status) = STATUS_SX;
	miss(0x4000000000003000, true);
	assert_int_equal(vcp0(v, EntryHi), 0x4000000000002155);
	assert_int_equal(vcp0(v, XContext) & ((1ull << 41) - 1), 1ull << 39 | 1 << 4);
}

/* The machine's trap, with its BadVAddr and BD, and what the monitor makes of it. */
static void trap(u32 cause, u64 badvaddr, u8 delivered)
{
	vcp0(v, Status) &= ~(u64)STATUS_EXL;
	vcp0(v, BadInstr) = 0x7777;
	vcp0(v, BadInstrP) = 0x8888;
	v->arch.pc = PC;
	v->arch.cause = cause;
	v->arch.badvaddr = badvaddr;
	v->arch.inject = (struct injection){ .code = delivered };
	inject(v);
}

static bool left_alone(void) { return vcp0(v, BadInstr) == 0x7777 && vcp0(v, BadInstrP) == 0x8888; }

/* What the machine's registers hold then may be another VM's. */
static void a_fetch_leaves_badinstr_alone(void **state)
{
	static const u8 codes[] = { EXC_TLBL, EXC_ADEL, EXC_TLBXI };
	u32 bd;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		for (bd = 0; bd < 2; bd++) {
			u32 cause = (u32)codes[i] << CAUSE_CODE_SHIFT | bd * CAUSE_BD;

			trap(cause, PC + 4 * bd, codes[i]);
			assert_true(left_alone());
			trap(cause, PC + 4 * bd, EXC_IBE); /* no memory there */
			assert_true(left_alone());
			trap(cause, PC + 4 * bd, EXC_ADEL);
			assert_true(left_alone());
		}
	}
}

static void a_bus_error_leaves_badinstr_alone(void **state)
{
	(void)state;
	trap(EXC_TLBL << CAUSE_CODE_SHIFT | CAUSE_BD, 0x5000, EXC_DBE);
	assert_true(left_alone());
	trap(EXC_TLBS << CAUSE_CODE_SHIFT, 0x5000, EXC_DBE);
	assert_true(left_alone());
}

static void data_that_is_missed_sets_badinstr(void **state)
{
	static const u8 codes[] = { EXC_MOD, EXC_TLBL, EXC_TLBS, EXC_ADEL, EXC_ADES, EXC_TLBRI };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		trap((u32)codes[i] << CAUSE_CODE_SHIFT, 0x5000, codes[i]);
		assert_int_equal(vcp0(v, BadInstr), 0x1111);
		assert_int_equal(vcp0(v, BadInstrP), 0x8888);
		trap((u32)codes[i] << CAUSE_CODE_SHIFT | CAUSE_BD, 0x5000, codes[i]);
		assert_int_equal(vcp0(v, BadInstr), 0x1111);
		assert_int_equal(vcp0(v, BadInstrP), 0x2222);
	}
	/* a store, or a load without leave, at its own address is no fetch */
	trap(EXC_TLBS << CAUSE_CODE_SHIFT, PC, EXC_TLBS);
	assert_int_equal(vcp0(v, BadInstr), 0x1111);
	trap(EXC_TLBRI << CAUSE_CODE_SHIFT, PC, EXC_TLBRI);
	assert_int_equal(vcp0(v, BadInstr), 0x1111);
}

static void only_coprocessor_unusable_sets_ce(void **state)
{
	(void)state;
	v->arch.inject = (struct injection){ .code = EXC_CPU, .ce = 1 };
	inject(v);
	assert_int_equal(vcp0(v, Cause) & CAUSE_CE, 1u << CAUSE_CE_SHIFT);
	inject_code(v, EXC_BP);
	inject(v);
	assert_int_equal(vcp0(v, Cause) & CAUSE_CE, 1u << CAUSE_CE_SHIFT);
	v->arch.inject = (struct injection){ .code = EXC_CPU, .ce = 0 };
	inject(v);
	assert_int_equal(vcp0(v, Cause) & CAUSE_CE, 0);
}

/* Every line under every combination of IE, EXL, ERL and IM. */
static void interrupts_are_taken_when_all_allow_it(void **state)
{
	static const u64 gates[] = { 0,
				     STATUS_IE,
				     STATUS_IE | STATUS_EXL,
				     STATUS_IE | STATUS_ERL,
				     STATUS_EXL,
				     STATUS_IE | STATUS_EXL | STATUS_ERL };
	unsigned int line, gate, mask;

	(void)state;
	for (line = 0; line < 8; line++) {
		v->arch.irq_lines = BIT(line);
		for (gate = 0; gate < ARRAY_SIZE(gates); gate++) {
			for (mask = 0; mask < 256; mask++) {
				bool want = gates[gate] == STATUS_IE && (mask & BIT(line));

				vcp0(v, Status) = STATUS_UX | gates[gate] | mask << 8;
				assert_int_equal(inject_interrupt(v), want);
			}
		}
	}
}

static void an_interrupt_has_a_vector_of_its_own_with_iv(void **state)
{
	(void)state;
	v->arch.irq_lines = BIT(7);
	v->arch.cause = CAUSE_BD; /* the trap was in a delay slot: the branch runs again */
	vcp0(v, Status) |= 0x8000;
	vcp0(v, BadInstr) = 0x7777;
	assert_true(inject_interrupt(v));
	inject(v);
	assert_int_equal(v->arch.pc, EBASE + 0x180);
	assert_int_equal(code(), EXC_INT);
	assert_int_equal(vcp0(v, EPC), PC);
	assert_false(vcp0(v, Cause) & CAUSE_BD);
	assert_int_equal(vcp0(v, BadInstr), 0x7777);
	fill(NULL);
	v->arch.irq_lines = BIT(7);
	vcp0(v, Status) |= 0x8000;
	vcp0(v, Cause) |= CAUSE_IV;
	assert_true(inject_interrupt(v));
	inject(v);
	assert_int_equal(v->arch.pc, EBASE + 0x200);
}

static void a_guest_without_vectors_is_given_up(void **state)
{
	(void)state;
	vcp0(v, Status) |= STATUS_BEV;
	inject_code(v, EXC_RI);
	assert_int_equal(inject(v), KILL_VM);
	assert_true(strlen(v->arch.why) > 0);
	fill(NULL);
	vcp0(v, Status) |= STATUS_EXL;
	v->arch.pc = v->arch.badvaddr = EBASE + 0x180;
	inject_badvaddr(v, EXC_ADEL);
	assert_int_equal(inject(v), KILL_VM);
	/* linked for KSEG0: the vector was fetched from the window, where no memory is */
	fill(NULL);
	v->vm->rewrite.on = true;
	vcp0(v, EBase) = 0xffffffff8fff0000;
	vcp0(v, Status) |= STATUS_EXL;
	v->arch.pc = 0xffffffffcfff0180;
	inject_code(v, EXC_IBE);
	assert_int_equal(inject(v), KILL_VM);
	v->vm->rewrite.on = false;
	/* one that faults elsewhere in its handler may still get out */
	fill(NULL);
	vcp0(v, Status) |= STATUS_EXL;
	v->arch.pc = EBASE + 0x184;
	v->arch.badvaddr = 8;
	inject_badvaddr(v, EXC_ADEL);
	assert_int_equal(inject(v), RESUME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_plain_exception, fill),
		cmocka_unit_test_setup(epc_is_an_address_of_kseg0_in_a_rewritten_kernel, fill),
		cmocka_unit_test_setup(in_a_delay_slot_epc_is_the_branch, fill),
		cmocka_unit_test_setup(under_exl_epc_and_bd_stay, fill),
		cmocka_unit_test_setup(a_miss_has_its_own_vectors, fill),
		cmocka_unit_test_setup(a_miss_leaves_the_page_in_four_registers, fill),
		cmocka_unit_test_setup(a_fetch_leaves_badinstr_alone, fill),
		cmocka_unit_test_setup(a_bus_error_leaves_badinstr_alone, fill),
		cmocka_unit_test_setup(data_that_is_missed_sets_badinstr, fill),
		cmocka_unit_test_setup(only_coprocessor_unusable_sets_ce, fill),
		cmocka_unit_test_setup(interrupts_are_taken_when_all_allow_it, fill),
		cmocka_unit_test_setup(an_interrupt_has_a_vector_of_its_own_with_iv, fill),
		cmocka_unit_test_setup(a_guest_without_vectors_is_given_up, fill),
	};

	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
