/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/sched.c: who runs next on a node, and who pays. The node's processor is this test:
 * sched_switch ends in arch_run, which comes back here with the VCPU that was chosen; then time
 * passes, and the VCPU does what a guest might.
 */
#include "tests/unit/sched/sched_node.c"

/* ---- rules ---- */

static void a_slice_each(void **state)
{
	u64 ran[VMS] = { 0 };

	(void)state;
	for (u32 i = 0; i < VMS; i++)
		on(i, 0);
	choose();
	for (unsigned i = 0; i < 300; i++) {
		now += TICK;
		ran[node.current->vm->id] += TICK;
		tick_comes();
	}
	for (u32 i = 0; i < VMS; i++)
		assert_int_equal(ran[i], 100 * TICK);
}

/* Two VCPUs are not worth more than one: the node is shared by VMs. */
static void vms_share_the_node_then_vcpus_their_vms_part(void **state)
{
	(void)state;
	on(0, 0);
	on(0, 1);
	on(1, 0);
	choose();
	for (unsigned i = 0; i < 400; i++) {
		now += TICK;
		tick_comes();
	}
	assert_in_range(vcpu[1][0].stats.run_ticks, 199 * TICK, 201 * TICK);
	assert_in_range(vcpu[0][0].stats.run_ticks, 99 * TICK, 101 * TICK);
	assert_in_range(vcpu[0][1].stats.run_ticks, 99 * TICK, 101 * TICK);
}

/* One of VM 0 computes, its other wakes every 48 us: that VM 1 has half all the same. */
static void waking_gains_nothing(void **state)
{
	u64 start = now;

	(void)state;
	on(0, 0);
	vcpu[0][1].state = VCPU_WAITING;
	on(1, 0);
	choose();
	for (u64 next_tick = now + TICK; now < start + 2000 * MS;) {
		now += 8000;
		if (now >= next_tick) {
			next_tick += TICK;
			tick_comes();
		} else if (runs(0, 1)) {
			current_waits();
		} else {
			wakes(0, 1);
		}
	}
	assert_in_range(vcpu[1][0].stats.run_ticks, 990 * MS, 1010 * MS);
}

static void who_wakes_after_a_sleep_runs_at_once(void **state)
{
	(void)state;
	on(0, 0);
	vcpu[1][0].state = VCPU_WAITING;
	choose();
	for (unsigned i = 0; i < 10; i++) {
		now += TICK;
		tick_comes();
		assert_true(runs(0, 0));
	}
	now += MS;
	wakes(1, 0);
	assert_true(runs(1, 0));
	now += MS / 10;
	current_waits();
	assert_true(runs(0, 0));
}

static void giving_way_lets_others_go_first(void **state)
{
	(void)state;
	on(0, 0);
	choose();
	sched_give_way(node.current);
	choose();
	assert_true(runs(0, 0)); /* nobody else is there */
	on(0, 1);
	sched_give_way(node.current);
	choose();
	assert_true(runs(0, 1));
	sched_give_way(node.current);
	choose();
	assert_true(runs(0, 0));
	vcpu[0][1].state = VCPU_WAITING;
	on(1, 0);
	now += MS;
	sched_give_way(node.current);
	choose();
	assert_true(runs(1, 0));
}

/* Within the VM's slice, to and fro; then it is the other VM's turn, which loses nothing. */
static void a_directed_yield_lasts_for_the_slice(void **state)
{
	u64 start;

	(void)state;
	on(0, 0);
	on(0, 1);
	on(1, 0);
	choose();
	start = now;
	for (u64 next_tick = now + TICK; now < start + 1000 * MS;) {
		struct vcpu *v = node.current;

		if (v->vm == &vm[0]) {
			now += MS / 4;
			sched_prefer(&vcpu[0][!v->id]);
			sched_give_way(v);
			if (now < next_tick) {
				choose();
				assert_ptr_equal(node.current, &vcpu[0][!v->id]);
			}
		} else {
			now = next_tick;
		}
		if (now >= next_tick) {
			next_tick += TICK;
			tick_comes();
		}
	}
	assert_in_range(vcpu[1][0].stats.run_ticks, 480 * MS, 520 * MS);
}

/* A VCPU of another node cannot be preferred here. */
static void only_vcpus_of_the_node_are_preferred(void **state)
{
	struct node other;
	struct vcpu far = { .node = &other };

	(void)state;
	sched_prefer(&far);
	assert_null(node.preferred);
}

/* What was used is charged to somebody, or expressly to nobody. */
static void all_time_is_accounted_for(void **state)
{
	u64 start, waived = 0, paid = 0;

	(void)state;
	srand(5);
	for (u32 i = 0; i < VMS; i++)
		on(i, 0);
	choose();
	start = node.paid_until;
	for (unsigned i = 0; i < 20000; i++) {
		now += rand() % TICK;
		switch (rand() % 4) {
		case 0:
			sched_interrupted(&node);
			now += 77;
			waived += now - node.paid_until;
			sched_waive(&node);
			sched_resume(&node);
			break;
		case 1: tick_comes(); break;
		case 2:
			sched_give_way(node.current);
			choose();
			break;
		default: choose(); break;
		}
	}
	sched_pay(&node, NULL);
	for (u32 i = 0; i < VMS; i++)
		paid += vcpu[i][0].stats.run_ticks;
	assert_int_equal(paid + waived, now - start);
}

/* The way from another's interrupt on is for who is woken by it. */
static void who_is_woken_pays_for_the_interrupt(void **state)
{
	(void)state;
	on(0, 0);
	vcpu[1][0].state = VCPU_WAITING;
	choose();
	now += 100 * MS;
	tick_comes();
	now += MS;
	sched_interrupted(&node);
	now += 40; /* in the monitor */
	line_up[1][0] = true;
	choose();
	assert_true(runs(1, 0));
	sched_pay(&node, NULL);
	assert_int_equal(vcpu[1][0].stats.run_ticks, 40);
	assert_int_equal(vcpu[0][0].stats.run_ticks, 101 * MS);
}

/* Loading or releasing takes 2 s of steps: the neighbour has its half meanwhile, and short gaps. */
static void work_for_a_vm_is_its_own_time(void **state)
{
	u64 start, longest = 0;

	(void)state;
	on(0, 0);
	vcpu[1][0].state = VCPU_BUSY;
	steps = 20000;
	next_tick = now + TICK;
	start = now;
	choose();
	while (steps) {
		u64 gap;

		assert_true(runs(0, 0));
		gap = now = next_tick;
		next_tick += TICK;
		tick_comes();
		longest = MAX(longest, now - gap);
	}
	assert_in_range(vcpu[1][0].stats.run_ticks, 1999 * MS, 2001 * MS);
	assert_in_range(vcpu[0][0].stats.run_ticks * 100 / (now - start), 49, 51);
	assert_true(longest <= 2 * TICK + MS);
}

/* As much as another VM has that computes, and no more at once than a slice and what lets it go on. */
static void work_of_devices_is_their_vms_time(void **state)
{
	u64 start = now, longest = 0;

	(void)state;
	on(0, 0);
	works = true;
	choose();
	for (u32 i = 0; i < 400; i++) {
		u64 gap;

		assert_true(runs(0, 0));
		gap = now += TICK;
		tick_comes();
		longest = MAX(longest, now - gap);
	}
	assert_in_range(vcpu[0][0].stats.run_ticks * 100 / (now - start), 45, 55);
	assert_true(longest <= 2 * TICK);
}

static void nobody_pays_for_idling(void **state)
{
	(void)state;
	on(0, 0);
	choose();
	now += MS;
	idle_for = 50 * MS;
	current_waits();
	assert_true(runs(0, 0));
	sched_pay(&node, NULL);
	assert_int_equal(vcpu[0][0].stats.run_ticks, MS);
	assert_int_equal(node.stats.idle_ticks, 50 * MS);
}

static void waiting_is_told_to_who_waited(void **state)
{
	(void)state;
	on(0, 0);
	vcpu[1][0].ready_since = now;
	on(1, 0);
	choose();
	now += TICK;
	tick_comes();
	assert_true(runs(1, 0));
	assert_int_equal(waits[1][0], TICK);
}

static void a_cap_leaves_the_node_idle(void **state)
{
	(void)state;
	on(0, 0);
	on(1, 0);
	node.shares[0].account.cap = 10;
	choose();
	for (unsigned i = 0; i < 500; i++) {
		now += TICK;
		tick_comes();
	}
	assert_in_range(vcpu[0][0].stats.run_ticks, 48 * TICK, 52 * TICK);
}

static void it_is_known_whether_vms_compete(void **state)
{
	(void)state;
	on(0, 0);
	on(0, 1);
	choose();
	assert_false(node.contended);
	vcpu[2][1].state = VCPU_WAITING;
	choose();
	assert_true(node.contended);
}

/* All want to run all the time, for ten seconds: each VM has what it is worth, within 2 %. */
static void a_node_is_shared_by_weights(void **state)
{
	static const u32 weights[][VMS] = { { 0, 0, 0 },	  { 2048, 1024, 1024 },
					    { 64, 16384, 1024 },  { 16384, 64, 64 },
					    { 1000, 1100, 1200 }, { 3000, 0, 512 } };

	for (u32 w = 0; w < ARRAY_SIZE(weights); w++) {
		u64 sum = 0, ran[VMS];

		fill(state);
		for (u32 i = 0; i < VMS; i++) {
			vm[i].weight = weights[w][i];
			sum += weights[w][i] ? weights[w][i] : ACCOUNT_WEIGHT;
			for (u32 k = 0; k <= i % PER; k++) /* however many VCPUs it has */
				on(i, k);
		}
		sched_weigh(&node);
		choose();
		for (u32 t = 0; t < 1000; t++) {
			now += TICK;
			tick_comes();
		}
		sched_pay(&node, NULL);
		for (u32 i = 0; i < VMS; i++) {
			u64 worth = weights[w][i] ? weights[w][i] : ACCOUNT_WEIGHT;
			u64 due = 1000 * TICK * worth / sum;

			ran[i] = vcpu[i][0].stats.run_ticks + vcpu[i][1].stats.run_ticks;
			assert_in_range(ran[i], due - due / 50 - 2 * TICK,
					due + due / 50 + 2 * TICK);
			assert_true(ran[i] > 0);
		}
	}
}

/* Alone and beside another, for ten seconds: no more than its cap, and that if it wants it. */
static void caps_are_held(void **state)
{
	static const u32 caps[] = { 1, 10, 33, 50, 90, 0 };

	for (u32 c = 0; c < 2 * ARRAY_SIZE(caps); c++) {
		u32 cap = caps[c / 2], due = cap ? cap : 100;
		u64 end;

		fill(state);
		vm[0].cap = cap;
		sched_weigh(&node);
		on(0, 0);
		if (c % 2) {
			on(1, 0);
			due = MIN(due, 50u);
		}
		has_caps = true;
		next_tick = now + TICK;
		for (end = now + 1000 * TICK; now < end; next_tick += TICK) {
			choose(); /* whoever is entered runs until the tick */
			now = next_tick;
			sched_slice_over(&node);
		}
		has_caps = false;
		sched_pay(&node, NULL);
		assert_in_range(vcpu[0][0].stats.run_ticks, (due * 10 - 5) * TICK,
				(due * 10 + 5) * TICK);
		if (c % 2)
			assert_in_range(vcpu[1][0].stats.run_ticks, (995 - due * 10) * TICK,
					(1005 - due * 10) * TICK);
	}
}

/* Whoever comes and goes, those of a VM stay together, and no more come than there is room for. */
static void vcpus_come_and_go(void **state)
{
	struct vcpu more[NODE_VCPUS_MAX] = { 0 };

	(void)state;
	for (u32 i = 0; i < NODE_VCPUS_MAX - VMS * PER; i++) {
		more[i] = (struct vcpu){ .vm = &vm[i % VMS], .node = &node, .id = PER + i };
		sched_add(&more[i]);
		if (i % 3 == 0)
			sched_remove(&vcpu[i % VMS][i / 3 % PER]);
		for (u32 s = 0; s < VMS; s++)
			for (u32 k = 0; k < node.shares[s].nvcpus; k++)
				assert_ptr_equal(node.vcpus[node.shares[s].first + k]->share,
						 &node.shares[s]);
		if (i % 3 == 0)
			sched_add(&vcpu[i % VMS][i / 3 % PER]);
	}
	assert_int_equal(node.nvcpus, NODE_VCPUS_MAX);
	more[NODE_VCPUS_MAX - 1].vm = &vm[0];
	more[NODE_VCPUS_MAX - 1].node = &node;
	expect_assert_failure(sched_add(&more[NODE_VCPUS_MAX - 1]));
}

/* What it has had more or less than others goes with it, within bounds. */
static void a_lead_goes_along(void **state)
{
	struct account_queue here = { .floor = 500 * TICK }, there = { .floor = 7 * TICK };
	struct account a = { .virtual_time = here.floor + 2 * MS, .weight = ACCOUNT_WEIGHT };

	(void)state;
	account_part(&a, &here);
	account_join(&a, &there);
	assert_int_equal(a.virtual_time, there.floor + 2 * MS);
	a.virtual_time = 0; /* slept for long */
	account_part(&a, &here);
	account_join(&a, &there);
	assert_int_equal(a.virtual_time, there.floor - ACCOUNT_CARRY);
	a.virtual_time = here.floor + 1000 * MS;
	account_part(&a, &here);
	account_join(&a, &there);
	assert_int_equal(a.virtual_time, there.floor + ACCOUNT_CARRY);
}

/* Nor is what it would have had kept for it beyond what one that slept has. */
static void a_held_vm_gets_no_time(void **state)
{
	u64 before;

	(void)state;
	on(0, 0);
	on(1, 0);
	on(1, 1);
	choose();
	for (unsigned i = 0; i < 20; i++) {
		now += TICK;
		tick_comes();
	}
	vm[0].state = VM_PAUSING;
	sched_prefer(&vcpu[0][0]);
	choose();
	before = vcpu[0][0].stats.run_ticks;
	for (unsigned i = 0; i < 100; i++) {
		assert_ptr_equal(node.current->vm, &vm[1]);
		now += TICK;
		tick_comes();
		vm[0].state = VM_PAUSED;
	}
	assert_int_equal(vcpu[0][0].stats.run_ticks, before);
	vm[0].state = VM_RUNNING;
	for (unsigned i = 0; i < 100; i++) {
		now += TICK;
		tick_comes();
	}
	assert_in_range(vcpu[0][0].stats.run_ticks - before, 49 * TICK, 52 * TICK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_slice_each, fill),
		cmocka_unit_test_setup(vms_share_the_node_then_vcpus_their_vms_part, fill),
		cmocka_unit_test_setup(waking_gains_nothing, fill),
		cmocka_unit_test_setup(who_wakes_after_a_sleep_runs_at_once, fill),
		cmocka_unit_test_setup(giving_way_lets_others_go_first, fill),
		cmocka_unit_test_setup(a_directed_yield_lasts_for_the_slice, fill),
		cmocka_unit_test_setup(only_vcpus_of_the_node_are_preferred, fill),
		cmocka_unit_test_setup(all_time_is_accounted_for, fill),
		cmocka_unit_test_setup(who_is_woken_pays_for_the_interrupt, fill),
		cmocka_unit_test_setup(work_for_a_vm_is_its_own_time, fill),
		cmocka_unit_test_setup(work_of_devices_is_their_vms_time, fill),
		cmocka_unit_test_setup(nobody_pays_for_idling, fill),
		cmocka_unit_test_setup(waiting_is_told_to_who_waited, fill),
		cmocka_unit_test_setup(a_cap_leaves_the_node_idle, fill),
		cmocka_unit_test_setup(it_is_known_whether_vms_compete, fill),
		cmocka_unit_test_setup(a_node_is_shared_by_weights, fill),
		cmocka_unit_test_setup(caps_are_held, fill),
		cmocka_unit_test_setup(vcpus_come_and_go, fill),
		cmocka_unit_test_setup(a_held_vm_gets_no_time, fill),
		cmocka_unit_test(a_lead_goes_along),
	};

	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
