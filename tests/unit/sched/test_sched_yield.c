/* SPDX-License-Identifier: MIT */
/* kernel/sched/sched.c and hasten.c: who gives way, and whom it waits for. */
#include "tests/unit/sched/sched_node.c"

/* The node chooses again soon, until who gave way is behind by more than who runs may be ahead, or the slice ends. */
static void who_gave_way_is_asked_again(void **state)
{
	u32 times = 0;

	(void)state;
	on(0, 0);
	on(1, 0);
	choose();
	assert_true(runs(0, 0));
	assert_int_equal(node.back, 0);
	now += MS / 10;
	sched_give_way(node.current);
	choose();
	for (; runs(1, 0) && times < 20; times++) {
		assert_int_equal(node.back, now + DIRECT_BACK);
		now += DIRECT_BACK;
		node.back = NODE_BACK_DUE; /* vtimer_expire */
		choose();
	}
	assert_in_range(times, 5, 7);
	assert_true(runs(0, 0));
	assert_int_equal(node.back, 0);
	sched_give_way(node.current);
	choose();
	assert_true(runs(1, 0));
	tick_comes();
	assert_int_equal(node.back, 0);
}

/* A VCPU that others wait for goes first, unless its VM is ahead; another name means nothing. */
static void who_is_waited_for_goes_first(void **state)
{
	(void)state;
	on(0, 0);
	on(1, 0);
	choose();
	now += MS / 10;
	node.hasten = HASTEN(1, 1);
	choose();
	assert_true(runs(0, 0));
	assert_int_equal(node.hasten, 0);
	node.hasten = HASTEN(1, 0);
	choose();
	assert_true(runs(1, 0));
	now += 2 * ACCOUNT_CREDIT;
	tick_comes();
	assert_true(runs(0, 0));
	node.hasten = HASTEN(1, 0);
	choose();
	assert_true(runs(0, 0));
}

/* Only one that waits for another node, in its kernel, and has for a while. */
static void who_yields_asks_for_who_waits(void **state)
{
	static struct node far = { .id = 1 };
	struct vcpu *other = &vcpu[0][1];

	(void)state;
	on(0, 0);
	choose();
	vm[0].nvcpus = PER;
	vm[0].vcpus[0] = &vcpu[0][0];
	vm[0].vcpus[1] = other;
	other->node = &far;
	other->state = VCPU_READY;
	other->ready_since = now - DIRECT_WAIT;
	for (u32 i = 0; i < 4; i++) {
		far.hasten = 0;
		other->arch.status = i == 1; /* in user mode */
		other->state = i == 2 ? VCPU_RUNNING : VCPU_READY;
		other->ready_since = i == 3 ? now : now - DIRECT_WAIT;
		hasten_one(node.current);
		assert_int_equal(far.hasten, i ? 0 : HASTEN(0, 1));
		now += DIRECT_LOOK;
	}
	other->node = &node;
	other->state = VCPU_OFFLINE;
}

/* A loop that yields all the time looks at the others' lines at a bounded rate, and all of them have their turn. */
static void who_spins_looks_now_and_then(void **state)
{
	static struct node far = { .id = 1 };
	u32 asked = 0, rounds = 1000, step = DIRECT_LOOK / 10;

	(void)state;
	on(0, 0);
	choose();
	vm[0].nvcpus = PER;
	vm[0].vcpus[0] = &vcpu[0][0];
	vm[0].vcpus[1] = &vcpu[0][1];
	vcpu[0][1].node = &far;
	vcpu[0][1].state = VCPU_READY;
	vcpu[0][1].ready_since = now - DIRECT_WAIT;
	for (u32 i = 0; i < rounds; i++, now += step) {
		far.hasten = 0;
		hasten_one(node.current);
		asked += far.hasten != 0;
	}
	assert_in_range(asked, rounds / 11, rounds / 10);
	vcpu[0][1].node = &node;
	vcpu[0][1].state = VCPU_OFFLINE;
}

/* Not while nobody wants to run. */
static void who_rested_ticks_again_for_whoever_wakes(void **state)
{
	(void)state;
	node.tick_rests = true;
	vcpu[0][0].state = VCPU_WAITING;
	on(1, 0);
	choose();
	assert_false(node.tick_rests);
	node.tick_rests = true;
	idle_for = TICK;
	current_waits(); /* until the line of another VM's VCPU goes up */
	assert_false(node.tick_rests);
}

/* Another node that sees READY sees since when: a VCPU that has slept for long has not waited for as long. */
static void since_when_is_there_before_the_state(void **state)
{
	(void)state;
	on(0, 0);
	choose();
	now += MS;
	tick_comes(); /* RUNNING to READY */
	assert_int_equal(since_when_ready, now);
	idle_for = 5 * TICK; /* until the line of VCPU 0 goes up */
	current_waits();
	assert_int_equal(since_when_ready, now); /* WAITING to READY */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_gave_way_is_asked_again, fill),
		cmocka_unit_test_setup(who_is_waited_for_goes_first, fill),
		cmocka_unit_test_setup(who_yields_asks_for_who_waits, fill),
		cmocka_unit_test_setup(who_spins_looks_now_and_then, fill),
		cmocka_unit_test_setup(who_rested_ticks_again_for_whoever_wakes, fill),
		cmocka_unit_test_setup(since_when_is_there_before_the_state, fill),
	};

	return cmocka_run_group_tests_name("sched_yield", tests, NULL, NULL);
}
