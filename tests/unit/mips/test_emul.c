/* SPDX-License-Identifier: MIT */
/* arch/mips/emul.c: privileged instructions of guest kernels, alone and behind branches, and words
 * that are none. */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

#include "kernel/abi/disco.h"
#include "kernel/vm/hypercall.h"

#define PC		      0xffffffffc0104000ull
#define COP0(rs)	      (0x10u << 26 | (u32)(rs) << 21)
#define MOVE(rs, rt, rd, sel) (COP0(rs) | (u32)(rt) << 16 | (u32)(rd) << 11 | (sel))
#define MFC0(rt, rd, sel)     MOVE(0, rt, rd, sel)
#define DMFC0(rt, rd, sel)    MOVE(1, rt, rd, sel)
#define MTC0(rt, rd, sel)     MOVE(4, rt, rd, sel)
#define DMTC0(rt, rd, sel)    MOVE(5, rt, rd, sel)
#define RDHWR(rt, rd)	      (0x1fu << 26 | (u32)(rt) << 16 | (u32)(rd) << 11 | 0x3b)
#define DI(rt)		      (0x41606000u | (u32)(rt) << 16)
#define EI(rt)		      (DI(rt) | 0x20)
#define ERET		      0x42000018u
#define ERETNC		      0x42000058u
#define DERET		      0x4200001fu
#define WAIT		      0x42000020u
#define BEQ(rs, rt, off)      (0x04u << 26 | (u32)(rs) << 21 | (u32)(rt) << 16 | ((off)&0xffff))
#define JALR(rd, rs)	      ((u32)(rs) << 21 | (u32)(rd) << 11 | 9)

static struct vcpu *const v = &fake_vcpu;
static int hypercalls;

/* ---- stand-ins ---- */

enum verdict hypercall(struct vcpu *of)
{
	(void)of;
	hypercalls++;
	return RESUME;
}

void vcpu_change(struct vcpu *of, enum vcpu_state to) { of->state = to; }

u64 fpu_register(struct vcpu *of, unsigned int n)
{
	(void)of;
	return n; /* odd registers are "true" */
}

bool arch_vcpu_wakes(const struct vcpu *of) { return vcp0_interrupts(of); }

static int fill(void **state)
{
	int i;

	(void)state;
	fake_reset();
	vcp0(v, Status) = STATUS_UX | STATUS_SX | STATUS_KX;
	for (i = 1; i < 32; i++)
		v->arch.gpr[i] = 0x1111111100000000ull * i + i;
	v->arch.pc = PC;
	v->arch.cause = 0;
	hypercalls = 0;
	return 0;
}

static enum verdict run(u32 insn)
{
	v->arch.badinstr = insn;
	return emul_coprocessor0(v);
}

static enum verdict run_behind(u32 branch, u32 insn)
{
	v->arch.cause |= CAUSE_BD;
	v->arch.badinstrp = branch;
	return run(insn);
}

static void moves_have_their_width(void **state)
{
	(void)state;
	vcp0(v, EPC) = 0x123456789abcdef0;
	assert_int_equal(run(DMFC0(2, 14, 0)), RESUME);
	assert_int_equal(v->arch.gpr[2], 0x123456789abcdef0);
	assert_int_equal(v->arch.pc, PC + 4);
	run(MFC0(3, 14, 0));
	assert_int_equal(v->arch.gpr[3], 0xffffffff9abcdef0);
	v->arch.gpr[4] = 0x1280000001;
	run(MTC0(4, 14, 0));
	assert_int_equal(vcp0(v, EPC), 0xffffffff80000001);
	run(DMTC0(4, 14, 0));
	assert_int_equal(vcp0(v, EPC), 0x1280000001);
	run(DMFC0(0, 14, 0));
	assert_int_equal(v->arch.gpr[0], 0);
	assert_int_equal(v->arch.pc, PC + 20);
}

static void di_and_ei_return_the_old_status(void **state)
{
	u64 before = vcp0(v, Status);

	(void)state;
	run(EI(2));
	assert_int_equal(v->arch.gpr[2], before);
	assert_int_equal(vcp0(v, Status), before | STATUS_IE);
	run(DI(0));
	assert_int_equal(vcp0(v, Status), before);
	assert_int_equal(v->arch.gpr[0], 0);
}

static void eret_goes_back(void **state)
{
	(void)state;
	vcp0(v, Status) |= STATUS_EXL;
	vcp0(v, EPC) = 0x120000000;
	vcp0(v, ErrorEPC) = 0x130000000;
	assert_int_equal(run(ERET), RESUME);
	assert_int_equal(v->arch.pc, 0x120000000);
	assert_false(vcp0(v, Status) & STATUS_EXL);
	assert_true(v->arch.clear_ll);
	v->arch.clear_ll = 0;
	vcp0(v, Status) |= STATUS_EXL | STATUS_ERL;
	run(ERETNC);
	assert_int_equal(v->arch.pc, 0x130000000);
	assert_int_equal(vcp0(v, Status) & (STATUS_EXL | STATUS_ERL), STATUS_EXL);
	assert_false(v->arch.clear_ll);
}

static void wait_gives_the_processor_away(void **state)
{
	(void)state;
	v->state = VCPU_RUNNING;
	assert_int_equal(run(WAIT), RESCHEDULE);
	assert_int_equal(v->state, VCPU_WAITING);
	assert_int_equal(v->arch.pc, PC + 4); /* an interrupt's EPC is behind it */
	v->state = VCPU_RUNNING;
	v->arch.irq_lines = BIT(7);
	vcp0(v, Status) |= 0x8000; /* enabled in IM; IE does not matter */
	assert_int_equal(run(WAIT), RESUME);
	assert_int_equal(v->state, VCPU_RUNNING);
}

static void calls_are_the_hypcall_instruction(void **state)
{
	(void)state;
	assert_int_equal(run(DISCO_HYPCALL_INSN), RESUME);
	assert_int_equal(hypercalls, 1);
	assert_int_equal(v->arch.pc, PC + 4);
}

static void what_the_machine_lacks_is_reserved(void **state)
{
	static const u32 words[] = { DERET,
				     COP0(2),
				     COP0(3),
				     COP0(6),
				     COP0(16) | 0x3f,
				     COP0(16),
				     0x4a000000 /* cop2 */,
				     ERET | 1 << 11 };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(run(words[i]), INJECT);
		assert_int_equal(v->arch.inject.code, EXC_RI);
		assert_int_equal(v->arch.pc, PC);
	}
}

static void in_a_delay_slot_execution_goes_where_the_branch_goes(void **state)
{
	(void)state;
	vcp0(v, EPC) = 77;
	assert_int_equal(run_behind(BEQ(0, 0, 16), DMFC0(2, 14, 0)), RESUME);
	assert_int_equal(v->arch.pc, PC + 4 + 64);
	assert_int_equal(v->arch.gpr[2], 77);
	assert_false(v->arch.cause & CAUSE_BD);
	v->arch.pc = PC;
	run_behind(BEQ(0, 4, 16), DMFC0(2, 14, 0));
	assert_int_equal(v->arch.pc, PC + 8);
	v->arch.pc = PC;
	run_behind(JALR(31, 9), DMFC0(2, 14, 0));
	assert_int_equal(v->arch.pc, v->arch.gpr[9]);
	assert_int_equal(v->arch.gpr[31], PC + 8);
}

/* Linux' tlbex: bnez k1 / dmfc0 k1, KScratch. The branch looks at k1 as it was before its slot. */
static void a_slot_that_writes_the_branchs_register_comes_after_it(void **state)
{
	(void)state;
	vcp0(v, KScratch1) = 0;
	v->arch.gpr[27] = 5;
	run_behind(0x05u << 26 | 27u << 21 | 8, DMFC0(27, 31, 2)); /* bnez */
	assert_int_equal(v->arch.pc, PC + 4 + 32);
	assert_int_equal(v->arch.gpr[27], 0);
	v->arch.pc = PC;
	v->arch.gpr[9] = 0xffffffffc0200000;
	vcp0(v, EPC) = 1;
	run_behind(JALR(31, 9), DMFC0(9, 14, 0));
	assert_int_equal(v->arch.pc, 0xffffffffc0200000);
	v->arch.pc = PC;
	run_behind(JALR(31, 9), DMFC0(31, 14, 0)); /* the slot's value wins */
	assert_int_equal(v->arch.gpr[31], 1);
}

static void a_branch_on_an_fpu_register_is_followed(void **state)
{
	(void)state;
	run_behind(0x11u << 26 | 0x0du << 21 | 3u << 16 | 8, DMFC0(2, 14, 0)); /* bc1nez f3 */
	assert_int_equal(v->arch.pc, PC + 4 + 32);
	v->arch.pc = PC;
	run_behind(0x11u << 26 | 0x09u << 21 | 3u << 16 | 8, DMFC0(2, 14, 0)); /* bc1eqz f3 */
	assert_int_equal(v->arch.pc, PC + 8);
}

static void in_a_forbidden_slot_it_goes_on_behind(void **state)
{
	(void)state;
	assert_int_equal(run_behind(0xf8200001, DMFC0(2, 14, 0)), RESUME); /* bnezc, not taken */
	assert_int_equal(v->arch.pc, PC + 8);
}

static void eret_and_wait_have_no_place_in_a_slot(void **state)
{
	(void)state;
	assert_int_equal(run_behind(BEQ(0, 0, 16), ERET), INJECT);
	assert_int_equal(v->arch.inject.code, EXC_RI);
	assert_int_equal(v->arch.pc, PC);
	assert_true(v->arch.cause & CAUSE_BD);
	assert_int_equal(run_behind(BEQ(0, 0, 16), WAIT), INJECT);
}

static enum verdict run_rdhwr(u32 hwr)
{
	v->arch.pc = PC;
	v->arch.badinstr = RDHWR(2, hwr);
	return emul_reserved(v);
}

static void hardware_registers_obey_hwrena(void **state)
{
	u32 hwr;

	(void)state;
	v->id = 3;
	vcp0(v, UserLocal) = 0x5555;
	/* kernel mode may read all there are */
	assert_int_equal(run_rdhwr(0), RESUME);
	assert_int_equal(v->arch.gpr[2], 3);
	assert_int_equal(run_rdhwr(29), RESUME);
	assert_int_equal(v->arch.gpr[2], 0x5555);
	assert_int_equal(run_rdhwr(4), INJECT);
	assert_int_equal(run_rdhwr(31), INJECT);
	/* user mode what is enabled */
	vcp0(v, Status) |= STATUS_KSU_U;
	for (hwr = 0; hwr < 32; hwr++) {
		bool exists = hwr < 4 || hwr == 29;

		vcp0_write(v, 7, 0, 0);
		assert_int_equal(run_rdhwr(hwr), INJECT);
		assert_int_equal(v->arch.inject.code, EXC_RI);
		vcp0_write(v, 7, 0, BIT(hwr));
		assert_int_equal(run_rdhwr(hwr), exists ? RESUME : INJECT);
	}
	v->id = 0;
}

/* Words a guest may execute: each goes on behind itself, or raises an exception at itself; nothing
 * else happens. */
static void survives_any_word(void **state)
{
	u64 random = 4;
	int i;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		enum verdict verdict;
		bool eret;
		u32 w;

		random = random * 6364136223846793005 + 1442695040888963407;
		w = (u32)(random >> 32);
		if (i % 4)
			w = (w & 0x03ffffff) | 0x10u << 26;
		v->arch.pc = PC;
		v->arch.cause = 0;
		vcp0(v, Status) &= ~(u64)STATUS_ERL;
		vcp0(v, EPC) = PC + 4;
		eret = (w & 0xffffffbf) == ERET;
		verdict = i % 8 == 0 ? (v->arch.badinstr = w, emul_reserved(v)) : run(w);
		assert_int_equal(v->arch.gpr[0], 0);
		if (verdict == INJECT)
			assert_int_equal(v->arch.pc, PC);
		else if (!eret)
			assert_int_equal(v->arch.pc, PC + 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(moves_have_their_width, fill),
		cmocka_unit_test_setup(di_and_ei_return_the_old_status, fill),
		cmocka_unit_test_setup(eret_goes_back, fill),
		cmocka_unit_test_setup(wait_gives_the_processor_away, fill),
		cmocka_unit_test_setup(calls_are_the_hypcall_instruction, fill),
		cmocka_unit_test_setup(what_the_machine_lacks_is_reserved, fill),
		cmocka_unit_test_setup(in_a_delay_slot_execution_goes_where_the_branch_goes, fill),
		cmocka_unit_test_setup(a_slot_that_writes_the_branchs_register_comes_after_it,
				       fill),
		cmocka_unit_test_setup(a_branch_on_an_fpu_register_is_followed, fill),
		cmocka_unit_test_setup(in_a_forbidden_slot_it_goes_on_behind, fill),
		cmocka_unit_test_setup(eret_and_wait_have_no_place_in_a_slot, fill),
		cmocka_unit_test_setup(hardware_registers_obey_hwrena, fill),
		cmocka_unit_test_setup(survives_any_word, fill),
	};

	return cmocka_run_group_tests_name("emul", tests, NULL, NULL);
}
