/* SPDX-License-Identifier: MIT */
/* arch/mips/fpu.c: the processor's one set of FPU registers goes from VCPU to VCPU, and no VCPU sees
 * another's. */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"

static struct fpu_state machine; /* the registers in the processor */
static unsigned saves, loads;

/* ---- entry.S: both need the FPU on ---- */

void fpu_save(struct fpu_state *s)
{
	assert_true(fake_cpu.reg[12][0] & STATUS_CU1);
	*s = machine;
	saves++;
}

void fpu_load(const struct fpu_state *s)
{
	assert_true(fake_cpu.reg[12][0] & STATUS_CU1);
	machine = *s;
	loads++;
}

static int fill(void **state)
{
	(void)state;
	fake_reset();
	memset(&machine, 0xee, sizeof(machine)); /* what whoever was here before left */
	saves = loads = 0;
	return 0;
}

static void set(u64 val)
{
	for (unsigned i = 0; i < 32; i++)
		machine.reg[i] = val + i;
	machine.fcsr = (u32)val;
}

static void check_set(u64 val)
{
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(machine.reg[i], val + i);
	assert_int_equal(machine.fcsr, (u32)val);
}

static void the_first_use_loads_its_own(void **state)
{
	(void)state;
	fpu_acquire(&fake_vcpu);
	assert_int_equal(saves, 0); /* nobody's were there */
	assert_int_equal(loads, 1);
	assert_int_equal(machine.reg[7], 0);
	assert_ptr_equal(fake_vcpu.node->cpu.fpu_owner, &fake_vcpu);
	fpu_acquire(&fake_vcpu);
	assert_int_equal(loads, 1);
	assert_false(fake_cpu.reg[12][0] & STATUS_CU1); /* off again in the monitor */
}

static void each_finds_what_it_left(void **state)
{
	(void)state;
	fpu_acquire(&fake_vcpu);
	set(100);
	fpu_acquire(&fake_other);
	assert_int_equal(machine.reg[3], 0); /* nothing of the first's */
	assert_int_equal(machine.fcsr, 0);
	set(200);
	for (unsigned i = 0; i < 10; i++) {
		fpu_acquire(&fake_vcpu);
		check_set(100 + i);
		set(101 + i);
		fpu_acquire(&fake_other);
		check_set(200 + i);
		set(201 + i);
	}
}

static void a_retired_one_leaves_nothing(void **state)
{
	(void)state;
	fpu_acquire(&fake_vcpu);
	set(300);
	fpu_forget(&fake_other); /* not the owner's */
	assert_ptr_equal(fake_vcpu.node->cpu.fpu_owner, &fake_vcpu);
	fpu_forget(&fake_vcpu);
	assert_null(fake_vcpu.node->cpu.fpu_owner);
	fpu_acquire(&fake_other);
	assert_int_equal(saves, 0); /* nobody wants them back */
	assert_int_equal(machine.reg[0], 0);
}

/* Branches on FPU registers are decided by the monitor: by those in the processor, or the saved. */
static void a_register_is_found_wherever_it_is(void **state)
{
	(void)state;
	fpu_acquire(&fake_vcpu);
	set(400);
	assert_int_equal(fpu_register(&fake_vcpu, 5), 405);
	assert_ptr_equal(fake_vcpu.node->cpu.fpu_owner, &fake_vcpu);
	fpu_acquire(&fake_other);
	set(500);
	assert_int_equal(fpu_register(&fake_vcpu, 31), 431);
	assert_int_equal(fpu_register(&fake_other, 31), 531);
	check_set(500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_use_loads_its_own, fill),
		cmocka_unit_test_setup(each_finds_what_it_left, fill),
		cmocka_unit_test_setup(a_retired_one_leaves_nothing, fill),
		cmocka_unit_test_setup(a_register_is_found_wherever_it_is, fill),
	};

	return cmocka_run_group_tests_name("fpu", tests, NULL, NULL);
}
