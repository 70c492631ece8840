/* SPDX-License-Identifier: MIT */
/* kernel/sched/sched.c with spread=1: on a node counts what VMs have had of the whole machine. */
#include "tests/unit/sched/sched_node.c"

/* spread=1: what a VM has had elsewhere counts here; but a VCPU that cannot go has a slice now and then. */
static void the_whole_machine_counts(void **state)
{
	u64 had;

	(void)state;
	fetch_on = true;
	node.vms.patience = SPREAD_FORGET;
	on(0, 0);
	on(1, 0);
	choose();
	for (unsigned i = 0; i < 100; i++) {
		vm[0].virtual_time += TICK / 2; /* on another node */
		now += TICK;
		tick_comes();
	}
	/* of 150 ticks, 75 each: 25 of these here */
	assert_in_range(vcpu[0][0].stats.run_ticks, 24 * TICK, 26 * TICK);
	had = vcpu[0][0].stats.run_ticks;
	for (unsigned i = 0; i < 500; i++) {
		vm[0].virtual_time += 2 * TICK;
		now += TICK;
		tick_comes();
	}
	assert_in_range(vcpu[0][0].stats.run_ticks - had, 9 * TICK, 10 * TICK);
	fetch_on = false;
}

/* It comes first, and has no more than others that slept. */
static void who_slept_has_its_credit(void **state)
{
	u64 had;

	(void)state;
	fetch_on = true;
	node.vms.patience = SPREAD_FORGET;
	on(0, 0);
	vcpu[1][0].state = VCPU_WAITING;
	choose();
	for (unsigned i = 0; i < 50; i++) {
		now += TICK;
		tick_comes();
	}
	wakes(1, 0);
	assert_true(runs(1, 0));
	had = vcpu[0][0].stats.run_ticks;
	for (unsigned i = 0; i < 100; i++) {
		now += TICK;
		tick_comes();
	}
	assert_in_range(vcpu[0][0].stats.run_ticks - had, 48 * TICK, 52 * TICK);
	fetch_on = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_whole_machine_counts, fill),
		cmocka_unit_test_setup(who_slept_has_its_credit, fill),
	};

	return cmocka_run_group_tests_name("sched_wide", tests, NULL, NULL);
}
