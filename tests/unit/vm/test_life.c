/* SPDX-License-Identifier: MIT */
/*
 * kernel/vm/life.c: VMs from request to end, in a random walk held against a small model, and the
 * cases where somebody asks for something while the VM is on its way to something else. The machine
 * is two nodes, two VMs of two VCPUs, and memory that is enough for one of them and half.
 */
#include "tests/unit/vm/life_vm.c"

/* ---- cases ---- */

bool devices_have_work(const struct vm *vm)
{
	(void)vm;
	return false;
}

void devices_work(struct vm *vm) { (void)vm; }

static void it_loads_runs_and_goes(void **state)
{
	(void)state;
	start(&vm[0]);
	assert_string_equal(told[0], "started: 4 MB, 2 VCPUs");
	assert_int_equal(vcpu[0][0].arch.pc, 0x1000);
	assert_int_equal(reserved, PAGES);
	as(&vcpu[0][0]);
	vm_poweroff(&vm[0], 3);
	vm_kill(&vm[0], "too late");
	expect_stopped(&vm[0], "powered off, code 3");
	assert_int_equal(reserved, 0);
}

static void one_turn_is_one_step(void **state)
{
	u32 before;

	(void)state;
	vm_request(&vm[0], VM_START);
	for (u32 i = 0; vm_state(&vm[0]) != VM_RUNNING; i++) {
		before = filled[0];
		turn(0);
		assert_true(filled[0] <= before + 1);
		assert_true(i < 20);
	}
}

static void a_guest_resets_itself(void **state)
{
	(void)state;
	start(&vm[0]);
	as(&vcpu[0][0]);
	vcpu_start(&vcpu[0][1], &(struct vcpu_boot){ .pc = 5 });
	turns(1);
	as(&vcpu[0][1]);
	vm_reset(&vm[0]);
	assert_int_equal(vm_state(&vm[0]), VM_STOPPING);
	turns(30);
	assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
	assert_int_equal(vcpu_state(&vcpu[0][1]), VCPU_OFFLINE);
	assert_string_equal(told[0], "started: 4 MB, 2 VCPUs");
}

/* Whatever the guest does before, at the same time, or after. */
static void a_stop_is_a_stop(void **state)
{
	(void)state;
	for (u32 reset_turns = 0; reset_turns < 25; reset_turns++) {
		fill(NULL);
		start(&vm[0]);
		as(&vcpu[0][0]);
		vm_reset(&vm[0]);
		turns(reset_turns);
		vm_request(&vm[0], VM_STOP);
		turn(0);
		if (vcpu_state(&vcpu[0][0]) >= VCPU_READY)
			vm_reset(&vm[0]); /* it has not seen its mail yet */
		expect_stopped(&vm[0], "stopped");
		assert_int_equal(told_stopped[0], 1);
		assert_int_equal(reserved, 0);
	}
}

static void a_reset_after_the_stop_counts_no_more(void **state)
{
	(void)state;
	start(&vm[0]);
	vcpu_start(&vcpu[0][1], &(struct vcpu_boot){ .pc = 5 });
	turns(1);
	vm_request(&vm[0], VM_STOP);
	turn(0); /* VCPU 1's node has not looked */
	as(&vcpu[0][1]);
	vm_reset(&vm[0]);
	expect_stopped(&vm[0], "stopped");
}

static void an_end_and_a_stop_are_both_told(void **state)
{
	(void)state;
	start(&vm[0]);
	as(&vcpu[0][0]);
	vm_poweroff(&vm[0], 7);
	vm_request(&vm[0], VM_STOP);
	expect_stopped(&vm[0], "stopped (powered off, code 7)");
}

static void a_start_waits_for_the_end(void **state)
{
	(void)state;
	start(&vm[0]);
	as(&vcpu[0][0]);
	vm_poweroff(&vm[0], 0);
	turns(2);
	vm_request(&vm[0], VM_START);
	turns(30);
	assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
}

static void it_is_stopped_before_it_runs(void **state)
{
	(void)state;
	for (u32 n = 0; n < 8; n++) {
		fill(NULL);
		limit = n % 2 ? PAGES * 2 : PAGES / 2; /* while replicas are taken back, too */
		vm_request(&vm[0], VM_START);
		turns(n / 2);
		vm_request(&vm[0], VM_STOP);
		expect_stopped(&vm[0], "stopped");
		assert_false(reclaim_open);
		assert_int_equal(reserved, 0);
	}
}

static void there_is_no_room(void **state)
{
	(void)state;
	start(&vm[0]);
	vm_request(&vm[1], VM_START);
	expect_stopped(
		&vm[1],
		"not started: disco.dtb: /vms/vm0: memory-mb: found 4, allowed 4..0 (left for VMs)");
	assert_false(reclaim_open);
	assert_int_equal(reserved, PAGES);
	assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
}

static void a_bad_image_is_told_once(void **state)
{
	(void)state;
	image_is_bad = true;
	vm_request(&vm[0], VM_START);
	expect_stopped(&vm[0], "not started: disco.dtb: /vms/vm0: kernel: bad");
	assert_int_equal(reserved, 0);
}

static struct vcpu *start_two(void)
{
	start(&vm[0]);
	vcpu_start(&vcpu[0][1], &(struct vcpu_boot){ .pc = 5 });
	turns(1);
	return &vcpu[0][1]; /* on the other node */
}

static void a_pause_waits_for_those_that_run(void **state)
{
	struct vcpu *v = start_two();

	(void)state;
	enter(1, claim(1));
	vm_request(&vm[0], VM_PAUSE);
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_PAUSING);
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_PAUSING);
	assert_int_equal(vcpu_state(v), VCPU_RUNNING);
	node[0].need_resched = false;
	turn(1);
	assert_true(node[0].need_resched); /* home hears of it */
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_PAUSED);
	assert_string_equal(told[0], "paused");
	enter(1, claim(1));
	assert_null(node[1].current);
	vm_request(&vm[0], VM_RESUME);
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
	enter(1, claim(1));
	assert_ptr_equal(node[1].current, v);
	assert_int_equal(v->arch.lag, stood[0]);
	assert_true(stood[0] > 0);
}

/* One that says RUNNING just then has home wait, or sees that it may not. */
static void a_pause_at_the_door(void **state)
{
	struct vcpu *v = start_two();

	(void)state;
	vm_request(&vm[0], VM_PAUSE);
	claim(1);
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_PAUSING);
	enter(1, v);
	assert_null(node[1].current);
	turns(1);
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_PAUSED);
}

static void it_ends_while_it_is_paused(void **state)
{
	(void)state;
	for (u32 n = 0; n < 6; n++) {
		fill(NULL);
		start_two();
		enter(1, claim(1));
		vm_request(&vm[0], VM_PAUSE);
		turn(0);
		if (n % 2)
			turns(2);
		if (n < 2) {
			vm_kill(&vm[0], "it did wrong");
			expect_stopped(&vm[0], "killed: it did wrong");
		} else if (n < 4) {
			vm_request(&vm[0], VM_STOP);
			expect_stopped(&vm[0], "stopped");
		} else {
			vm_request(&vm[0], VM_RESET);
			turns(30);
			assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
			assert_int_equal(vm[0].lag, 0);
		}
	}
}

/* A stop or a reset that is asked for is not forgotten over a pause. */
static void a_pause_takes_no_other_requests_place(void **state)
{
	(void)state;
	start_two();
	vm_request(&vm[0], VM_STOP);
	vm_request(&vm[0], VM_PAUSE);
	expect_stopped(&vm[0], "stopped");
	fill(NULL);
	start_two();
	vm_request(&vm[0], VM_PAUSE);
	as(&vcpu[0][1]);
	vm_reset(&vm[0]);
	turns(30);
	assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
	vm_request(&vm[0], VM_PAUSE);
	vm_request(&vm[0], VM_RESUME);
	turns(3);
	assert_int_equal(vm_state(&vm[0]), VM_RUNNING);
}

/* From any state; and it can be made again, which starts it unless its description says otherwise. */
static void it_is_destroyed_and_created(void **state)
{
	(void)state;
	for (u32 n = 0; n < 30; n++) {
		fill(NULL);
		desc[0].manual = n % 2;
		vm_request(&vm[0], VM_START);
		turns(n / 3);
		if (n % 3 == 1)
			vm_request(&vm[0], VM_PAUSE);
		if (n % 3 == 2)
			vm_request(&vm[0], VM_RESET);
		turns(n % 5);
		vm_request(&vm[0], VM_DESTROY);
		turns(20);
		assert_int_equal(vm_state(&vm[0]), VM_ABSENT);
		assert_int_equal(vm_requested(&vm[0]), VM_NOTHING);
		assert_int_equal(reserved, 0);
		vm_request(&vm[0], VM_START);
		turns(2);
		assert_int_equal(vm_state(&vm[0]), VM_ABSENT);
		assert_int_equal(vm_requested(&vm[0]), VM_NOTHING);
		vm_request(&vm[0], VM_CREATE);
		turns(20);
		assert_int_equal(vm_state(&vm[0]), n % 2 ? VM_STOPPED : VM_RUNNING);
		desc[0].manual = false;
	}
}

/* To stop it is a part of that. */
static void it_is_stopped_while_it_is_to_be_destroyed(void **state)
{
	(void)state;
	for (u32 n = 0; n < 12; n++) {
		fill(NULL);
		start(&vm[0]);
		vm_request(&vm[0], VM_DESTROY);
		turns(n / 2);
		if (vm_requested(&vm[0]) != VM_NOTHING)
			vm_request(&vm[0], VM_STOP);
		turns(40);
		assert_int_equal(vm_state(&vm[0]), VM_ABSENT);
	}
}

static void one_that_is_refused_stays_absent(void **state)
{
	(void)state;
	vm[0].state = VM_ABSENT;
	image_is_bad = true; /* here: no room */
	vm_request(&vm[0], VM_CREATE);
	turns(5);
	assert_int_equal(vm_state(&vm[0]), VM_ABSENT);
	assert_int_equal(vm_requested(&vm[0]), VM_NOTHING);
}

static void the_last_vcpu_ends_the_vm(void **state)
{
	(void)state;
	start(&vm[0]);
	vcpu_start(&vcpu[0][1], &(struct vcpu_boot){ .pc = 5 });
	turns(1);
	as(&vcpu[0][0]);
	assert_true(vm_stop_vcpu(&vcpu[0][0]));
	as(&vcpu[0][1]);
	assert_false(vm_stop_vcpu(&vcpu[0][1]));
	vm_poweroff(&vm[0], 0);
	expect_stopped(&vm[0], "powered off, code 0");
}

static void a_vcpu_stops_while_its_vm_ends(void **state)
{
	(void)state;
	start(&vm[0]);
	vcpu_start(&vcpu[0][1], &(struct vcpu_boot){ .pc = 5 });
	turns(1);
	as(&vcpu[0][0]);
	vm_kill(&vm[0], "it did wrong");
	turn(0);
	assert_int_equal(vm_state(&vm[0]), VM_STOPPING);
	as(&vcpu[0][1]);
	if (!vm_stop_vcpu(&vcpu[0][1]))
		vm_poweroff(&vm[0], 0);
	expect_stopped(&vm[0], "killed: it did wrong");
}

/* ---- a random walk ---- */

static u64 seed = 1;

static u32 dice(u32 n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(seed >> 33) % n;
}

static void check(const struct vm *of)
{
	enum vm_state s = vm_state(of);
	u32 alive = 0, id = id_of(of);

	for (u32 i = 0; i < of->nvcpus; i++) {
		enum vcpu_state vs = vcpu_state(of->vcpus[i]);

		assert_true(vs != VCPU_RUNNING || s != VM_PAUSED ||
			    of->vcpus[i]->node->current != of->vcpus[i]); /* at the door */
		alive += vs != VCPU_OFFLINE && vs != VCPU_BUSY;
		assert_true(vs != VCPU_BUSY || i == 0);
		assert_true(vs != VCPU_BUSY || s == VM_LOADING || s == VM_RELEASING);
	}
	assert_int_equal(alive, of->live);
	assert_int_equal(alive > 0, vm_is_up(of) || s == VM_STOPPING);
	assert_true(s != VM_PAUSED || !of->desc->time_stops || of->lag == LAG_STANDS);
	assert_true(s != VM_RUNNING || of->lag != LAG_STANDS);
	assert_true(s != VM_STOPPED || filled[id] == 0);
	assert_true(!vm_is_up(of) || filled[id] == LOAD_STEPS);
}

static void guest_acts(struct vm *of)
{
	struct vcpu *v = of->vcpus[dice(2)];

	if (vcpu_state(v) < VCPU_READY)
		return;
	as(v);
	switch (dice(7)) {
	case 0: vm_reset(of); break;
	case 1: vm_poweroff(of, 1); break;
	case 2: vm_kill(of, "it did wrong"); break;
	case 3:
		if (!vm_stop_vcpu(v))
			vm_poweroff(of, 0);
		break;
	default: vcpu_start(of->vcpus[dice(2)], &(struct vcpu_boot){ .pc = 5 });
	}
}

/* The guest of a node that has one sees its clock. */
static void check_clock(u32 id)
{
	const struct vcpu *v = node[id].current;

	if (v && vcpu_state(v) == VCPU_RUNNING && vm_is_up(v->vm))
		assert_int_equal(v->arch.lag, v->vm->desc->time_stops ? stood[id_of(v->vm)] : 0);
}

/* What a person asks for at last is what the VM comes to, if it can. */
static void whatever_happens(void **state)
{
	struct vcpu *claimed[2] = { NULL, NULL };
	u32 seen = 0;

	(void)state;
	fill(NULL);
	for (u32 i = 0; i < 300000; i++) {
		struct vm *of = &vm[dice(2)];
		bool last_stop = false;

		here = &node[dice(2)];
		flushed[0] &= vm_state(&vm[0]) == VM_RELEASING;
		flushed[1] &= vm_state(&vm[1]) == VM_RELEASING;
		image_is_bad = dice(10) == 0;
		limit = dice(3) ? PAGES * 3 : MAX(reserved, (u64)PAGES);
		switch (dice(14)) {
		case 12: vm_request(of, VM_CREATE); break;
		case 13: vm_request(of, VM_DESTROY); break;
		case 8: vm_request(of, VM_PAUSE); break;
		case 9: vm_request(of, VM_RESUME); break;
		case 10:
		case 11: {
			u32 id = dice(2);

			if (claimed[id])
				enter(id, claimed[id]);
			claimed[id] = claimed[id] || node[id].current ? NULL : claim(id);
			break;
		}
		case 0: vm_request(of, VM_START); break;
		case 1: vm_request(of, VM_RESET); break;
		case 2:
			vm_request(of, VM_STOP);
			last_stop = dice(4) == 0;
			break;
		case 3: guest_acts(of); break;
		default: {
			u32 id = dice(2);

			enter(id, claimed[id]);
			claimed[id] = NULL;
			turn(id);
			break;
		}
		}
		for (u32 k = 0; last_stop && k < 30; k++) {
			enter(k % 2, claimed[k % 2]);
			claimed[k % 2] = NULL;
			turn(k % 2);
			guest_acts(of);
		}
		if (last_stop)
			assert_true(vm_state(of) <= VM_STOPPED);
		flushed[id_of(of)] &= vm_state(of) == VM_RELEASING;
		check(&vm[0]);
		check(&vm[1]);
		check_clock(0);
		check_clock(1);
		seen += vm[0].state == VM_PAUSED;
		assert_int_equal(reserved,
				 (vm[0].progress.reserved && vm[0].state > VM_STOPPED) * PAGES +
					 (vm[1].progress.reserved && vm[1].state > VM_STOPPED) *
						 PAGES);
	}
	assert_true(seen > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_loads_runs_and_goes, fill),
		cmocka_unit_test_setup(one_turn_is_one_step, fill),
		cmocka_unit_test_setup(a_guest_resets_itself, fill),
		cmocka_unit_test_setup(a_stop_is_a_stop, fill),
		cmocka_unit_test_setup(a_reset_after_the_stop_counts_no_more, fill),
		cmocka_unit_test_setup(an_end_and_a_stop_are_both_told, fill),
		cmocka_unit_test_setup(a_start_waits_for_the_end, fill),
		cmocka_unit_test_setup(it_is_stopped_before_it_runs, fill),
		cmocka_unit_test_setup(there_is_no_room, fill),
		cmocka_unit_test_setup(a_bad_image_is_told_once, fill),
		cmocka_unit_test_setup(a_pause_waits_for_those_that_run, fill),
		cmocka_unit_test_setup(a_pause_at_the_door, fill),
		cmocka_unit_test_setup(it_ends_while_it_is_paused, fill),
		cmocka_unit_test_setup(a_pause_takes_no_other_requests_place, fill),
		cmocka_unit_test_setup(it_is_destroyed_and_created, fill),
		cmocka_unit_test_setup(it_is_stopped_while_it_is_to_be_destroyed, fill),
		cmocka_unit_test_setup(one_that_is_refused_stays_absent, fill),
		cmocka_unit_test_setup(the_last_vcpu_ends_the_vm, fill),
		cmocka_unit_test_setup(a_vcpu_stops_while_its_vm_ends, fill),
		cmocka_unit_test_setup(whatever_happens, fill),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
