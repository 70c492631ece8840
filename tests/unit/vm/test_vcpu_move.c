/* SPDX-License-Identifier: MIT */
/*
 * kernel/vm/move.c with the real run queues, VCPU states and lives of VMs: VCPUs move at random while their
 * guests run, wait, interrupt, flush, start and stop each other, set timers, reset and end, and while memory is
 * short. Held against the reference in vcpus_on_move.c: whatever happens meanwhile, each VCPU is in one place,
 * sees each interrupt and each timer, uses no translation that was taken back, and leaves nothing behind.
 */
#include "tests/unit/vm/vcpus_on_move.c"

/* ---- what others do at any time ---- */

static struct vcpu *any_vcpu(void) { return &vcpu[chance(VMS)][chance(PER)]; }

static u32 depth;

static void act(void)
{
	struct vcpu *v = any_vcpu();

	switch (chance(8)) {
	case 4: /* what it misses on is somewhere */
		fetch_vote(here, chance(NODES), chance(100));
		if (fetch_on)
			fetch_follows(here, 1 + chance(100000));
		break;
	case 0: vcpu_move(v, &node[chance(NODES)], chance(2)); break;
	case 1: vm_request(v->vm, chance(8) ? VM_START : VM_RESET); break;
	case 2:
		if (!chance(40))
			vm_request(v->vm, VM_STOP);
		break;
	case 3:
		if (!chance(3))
			vm_request(v->vm, chance(3) ? VM_RESUME : VM_PAUSE);
		break;
	default: post(v, chance(TIMER)); break;
	}
}

/* Another node acts while this one is between two steps. */
static void meanwhile(void)
{
	struct node *self = here;

	if (is_calm || locks || depth || chance(4))
		return;
	depth++;
	here = &node[chance(NODES)];
	act();
	here = self;
	depth--;
}

/* ---- guests ---- */

/* By more names than there is room for, so that some take all. */
static void flush(struct vcpu *v)
{
	version[vm_of(v->vm)]++;
	assert_int_equal(mmu_call_flush(v, chance(2 * LATE_FLUSHES) << 13, PAGE_SIZE, ~0ull, 1), 0);
}

static void see_lines(struct vcpu *v)
{
	bool *raised = want[vm_of(v->vm)][v->id].raised;

	for (u32 line = 0; line < LINES; line++) {
		if (raised[line])
			assert_true(v->arch.irq_lines & 1u << line);
		raised[line] = false;
		vcpu_clear_irq(v, line);
	}
}

/* What it has of the address space is of a flush that was the last, and made on this node. */
static void see_memory(struct vcpu *v)
{
	u32 i = vm_of(v->vm);
	u64 *tag = &v->arch.l2tlb->entry[0].tag;

	if (want[i][v->id].moves != v->stats.moves) {
		assert_true(*tag == NO_VERSION);
		assert_int_equal(v->arch.asid_map[0], 0);
	}
	want[i][v->id].moves = v->stats.moves;
	assert_true(*tag == NO_VERSION || *tag == version[i]);
	*tag = version[i];
	v->arch.asid_map[0] = here->id + 1;
}

static void guest(struct vcpu *v)
{
	static const struct vcpu_boot boot = { .pc = 1 };

	assert_ptr_equal(v->node, here);
	assert_ptr_equal(v, here->current);
	assert_true(vcpu_is_on(v, here));
	assert_int_equal(v->arch.lag, v->vm->desc->time_stops ? stood[vm_of(v->vm)] : 0);
	assert_true(v->ready_since <= now);
	see_lines(v);
	see_memory(v);
	want[vm_of(v->vm)][v->id].ran++;
	switch (is_calm ? 0 : chance(16)) {
	case 0:
	case 1: vcpu_change(v, VCPU_WAITING); break;
	case 2:
	case 3: vcpu_start(v->vm->vcpus[chance(PER)], &boot); break;
	case 4: flush(v); break;
	case 5:
		v->arch.timer = now + chance(4) * COUNT_MS;
		v->arch.timer_armed = true;
		break;
	case 6:
		if (!chance(8) && !vm_stop_vcpu(v))
			vm_poweroff(v->vm, 0);
		break;
	case 7:
		if (!chance(20))
			vm_kill(v->vm, "of chance");
		break;
	case 8: sched_prefer(v->vm->vcpus[chance(PER)]); break;
	case 9:
		hasten_one(v);
		sched_give_way(v);
		break;
	default: post(v->vm->vcpus[chance(PER)], chance(TIMER)); break;
	}
}

/* ---- what is true between any two turns ---- */

static u32 times_queued(const struct vcpu *v)
{
	u32 times = 0;

	for (u32 i = 0; i < NODES; i++)
		for (u32 k = 0; k < node[i].nvcpus; k++)
			times += node[i].vcpus[k] == v;
	return times;
}

static void check_vcpu(const struct vcpu *v)
{
	enum move_step step = MOVE_STEP(v->move);
	enum vcpu_state state = vcpu_state(v);

	assert_int_equal(times_queued(v), step != MOVE_LEFT);
	assert_true(state != VCPU_RUNNING || v->vm->state != VM_PAUSED);
	assert_true(state != VCPU_MOVING || step == MOVE_LEFT);
	if (step != MOVE_LEFT)
		assert_true(has_view[vm_of(v->vm)][v->node->id]);
	assert_ptr_equal(v->arch.l2tlb, v->seat.l2tlb);
	assert_ptr_equal(v->arch.asid_map, v->seat.asid_map);
	assert_int_equal(mpn_valid(v->seat.pages), v->seat.l2tlb != v->own_seat.l2tlb);
}

static void check_node(const struct node *n)
{
	u32 sum = 0, expected = 0, coming = 0;

	for (u32 i = 0; i < n->nshares; i++) {
		const struct share *s = &n->shares[i];

		sum += s->nvcpus;
		expected += s->expected;
		for (u32 k = s->first; k < s->first + s->nvcpus; k++) {
			assert_ptr_equal(n->vcpus[k]->share, s);
			assert_ptr_equal(n->vcpus[k]->vm, s->vm);
			assert_ptr_equal(n->vcpus[k]->node, n);
		}
	}
	for (u32 i = 0; i < VMS; i++)
		for (u32 k = 0; k < PER; k++)
			coming += MOVE_STEP(vcpu[i][k].move) >= MOVE_PREPARED &&
				  vcpu[i][k].move >> MOVE_TARGET_SHIFT == n->id;
	assert_int_equal(sum, n->nvcpus);
	assert_int_equal(expected, n->nexpected);
	assert_int_equal(coming, n->nexpected);
}

static void check(void)
{
	u32 seats = 0;

	for (u32 i = 0; i < VMS; i++)
		for (u32 k = 0; k < PER; k++) {
			const struct vcpu *v = &vcpu[i][k];
			bool is_prepared = MOVE_STEP(v->move) == MOVE_PREPARED;

			check_vcpu(v);
			seats += mpn_valid(v->seat.pages);
			seats += is_prepared && mpn_valid(v->next_seat.pages);
		}
	for (u32 i = 0; i < NODES; i++)
		check_node(&node[i]);
	assert_int_equal(seats, kept_seats);
	assert_int_equal(locks, 0);
}

/* Nobody acts any more: whatever was raised or fell due is seen, whatever was on its way has arrived. */
static void come_to_rest(void)
{
	is_calm = true;
	is_short = false;
	turns(1); /* what was asked for before is carried out */
	for (u32 i = 0; i < VMS; i++)
		vm_request(&vm[i], VM_RESUME);
	turns(60);
	pass(10 * COUNT_MS); /* the last timers */
	turns(20);
	for (u32 i = 0; i < VMS; i++)
		for (u32 k = 0; k < PER; k++) {
			struct vcpu *v = &vcpu[i][k];
			enum vcpu_state state = vcpu_state(v);

			assert_int_equal(v->move, 0);
			assert_true(state == VCPU_OFFLINE || state == VCPU_WAITING);
			for (u32 line = 0; line < LINES; line++)
				assert_false(want[i][k].raised[line]);
			assert_false(v->arch.timer_armed);
		}
	check();
}

static void go_home(void)
{
	for (u32 i = 0; i < VMS; i++) {
		vm_request(&vm[i], VM_STOP);
		for (u32 k = 0; k < PER; k++)
			vcpu_move(&vcpu[i][k], &node[vcpu[i][k].own_node], true);
	}
	turns(200);
	assert_int_equal(kept_seats, 0);
	assert_int_equal(kept_views, 0);
	for (u32 i = 0; i < VMS; i++) {
		assert_int_equal(vm_state(&vm[i]), VM_STOPPED);
		assert_int_equal(vm[i].live, 0);
	}
}

static void nothing_is_lost_on_the_way(void **state)
{
	u64 ran = 0, moves = 0, late = 0;

	(void)state;
	asked_nodes = 0;
	for (u32 with = 1; with <= 60; with++) {
		fill(with);
		for (u32 i = 0; i < VMS; i++)
			vm_request(&vm[i], VM_START);
		is_calm = false;
		is_short = with % 3 == 0;
		fetch_configure(with % 2 ? "spread=1" : "");
		for (u32 i = 0; i < 1500; i++) {
			here = &node[chance(NODES)];
			if (!chance(3))
				act();
			turn(&node[chance(NODES)]);
			check();
		}
		come_to_rest();
		for (u32 i = 0; i < VMS; i++)
			for (u32 k = 0; k < PER; k++)
				ran += want[i][k].ran, moves += vcpu[i][k].stats.moves,
					late += vcpu[i][k].stats.late_flushes;
		go_home();
	}
	print_message("%llu moves, %llu flushes later, %u nodes asked\n", (unsigned long long)moves,
		      (unsigned long long)late, asked_nodes);
	assert_true(ran > 1000 && moves > 1000 && late > 1000 && asked_nodes > 1000);
}

/* ---- single moves ---- */

static struct vcpu *start_one(void)
{
	fill(1);
	vm_request(&vm[0], VM_START);
	turns(20);
	assert_int_equal(vcpu[0][0].state, VCPU_WAITING);
	return &vcpu[0][0];
}

static void a_vcpu_that_waits_goes_on_waiting(void **state)
{
	struct vcpu *v = start_one();
	u64 ran = want[0][0].ran;

	(void)state;
	vcpu_move(v, &node[3], true);
	assert_int_equal(vcpu_move(v, &node[2], true), -EBUSY);
	turns(3);
	assert_ptr_equal(v->node, &node[3]);
	assert_int_equal(v->state, VCPU_WAITING);
	assert_int_equal(want[0][0].ran, ran);
	post(v, 0);
	turns(1);
	assert_int_equal(want[0][0].ran, ran + 1);
	go_home();
}

static void a_timer_falls_due_on_the_way(void **state)
{
	struct vcpu *v = start_one();
	u64 ran = want[0][0].ran;

	(void)state;
	v->arch.timer = now + 1;
	v->arch.timer_armed = true;
	vcpu_move(v, &node[3], true);
	here = &node[3];
	moves_serve(here);
	here = &node[0];
	moves_serve(here);
	assert_int_equal(MOVE_STEP(v->move), MOVE_LEFT);
	pass(COUNT_MS);
	turn(&node[0]);
	assert_int_equal(v->state, VCPU_MOVING);
	turn(&node[3]);
	assert_int_equal(want[0][0].ran, ran + 1);
	go_home();
}

/* What it has waited for is as far away as it was; of a VM whose clock goes on it has passed. */
static void a_vm_is_paused_with_a_vcpu_on_the_way(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		struct vcpu *v = &vcpu[i][0];

		start_one();
		vm_request(&vm[i], VM_START);
		turns(20);
		v->arch.timer = now + 5 * COUNT_MS;
		v->arch.timer_armed = true;
		vcpu_move(v, &node[3], true);
		here = &node[3];
		moves_serve(here);
		here = v->node;
		moves_serve(here);
		assert_int_equal(MOVE_STEP(v->move), MOVE_LEFT);
		vm_request(&vm[i], VM_PAUSE);
		turn(vm[i].home);
		assert_int_equal(vm[i].state, VM_PAUSED);
		turns(10);
		assert_ptr_equal(v->node, &node[3]);
		assert_int_equal(v->state, i ? VCPU_WAITING : VCPU_READY);
		assert_int_equal(want[i][0].raised[TIMER], !i);
		vm_request(&vm[i], VM_RESUME);
		turns(2);
		assert_false(want[i][0].raised[TIMER]);
		assert_int_equal(v->arch.timer_armed, i);
		turns(6);
		assert_false(v->arch.timer_armed);
		assert_false(want[i][0].raised[TIMER]);
		go_home();
	}
}

static void a_vcpu_is_started_on_the_way(void **state)
{
	static const struct vcpu_boot boot = { .pc = 77 };
	struct vcpu *v = &vcpu[0][1];

	(void)state;
	start_one();
	vcpu_move(v, &node[3], true);
	here = &node[3];
	moves_serve(here);
	here = v->node;
	moves_serve(here);
	assert_int_equal(MOVE_STEP(v->move), MOVE_LEFT);
	assert_int_equal(vcpu_start(v, &boot), 0);
	turn(&node[1]);
	assert_int_equal(v->state, VCPU_STARTING);
	turn(&node[3]);
	assert_int_equal(v->state, VCPU_WAITING);
	assert_int_equal(v->arch.pc, 77);
	go_home();
}

/* It is READY again before its old node chooses, which has been told to prefer it. */
static void one_that_has_left_is_not_preferred(void **state)
{
	static const struct vcpu_boot boot = { .pc = 77 };
	struct vcpu *v = &vcpu[0][2];

	(void)state;
	start_one();
	vcpu_start(v, &boot);
	turns(2);
	vcpu_change(v, VCPU_READY);
	vcpu_move(v, &node[3], true);
	here = &node[3];
	moves_serve(here);
	here = &node[0];
	moves_serve(here);
	sched_prefer(v);
	here = &node[3];
	moves_serve(here);
	assert_int_equal(v->state, VCPU_READY);
	here = &node[0];
	if (!setjmp(turn_over)) /* who is entered is there: guest() */
		sched_switch(here);
	assert_int_equal(v->state, VCPU_READY);
	go_home();
}

static void a_vm_is_killed_on_the_way(void **state)
{
	struct vcpu *v = start_one();

	(void)state;
	vcpu_move(v, &node[3], true);
	here = &node[3];
	moves_serve(here);
	here = &node[0];
	moves_serve(here);
	vm_kill(&vm[0], "on the way");
	turns(1);
	assert_int_equal(vm[0].live, 0);
	turns(20);
	assert_int_equal(vm[0].state, VM_STOPPED);
	assert_ptr_equal(v->node, &node[0]); /* it gave the memory back at home */
	assert_int_equal(kept_seats, 0);
	go_home();
}

static void vcpu_0_goes_back_to_its_place(void **state)
{
	struct vcpu *v = start_one();

	(void)state;
	v->place = &node[2];
	vcpu_move(v, v->place, true);
	turns(5);
	vm_request(&vm[0], VM_RESET);
	turns(30);
	assert_int_equal(vm[0].state, VM_RUNNING);
	assert_ptr_equal(v->node, &node[2]);
	go_home();
}

static void without_memory_it_stays(void **state)
{
	struct vcpu *v = start_one();

	(void)state;
	is_short = true;
	for (u32 i = 0; i < 100 && v->node == &node[0]; i++) {
		vcpu_move(v, &node[3], true);
		turns(2);
		assert_int_equal(v->move, 0);
		check();
	}
	assert_ptr_equal(v->node, &node[3]);
	is_short = false;
	go_home();
}

static void a_vm_has_a_node_alone_or_not(void **state)
{
	(void)state;
	fill(1);
	assert_true(vm[2].pmap.view[3].alone); /* the only one there */
	assert_false(vm[2].pmap.view[2].alone);
	assert_false(vm[1].pmap.view[2].alone);
	vcpu_move(&vcpu[0][0], &node[3], true);
	turns(4);
	assert_false(vm[2].pmap.view[3].alone);
	assert_false(vm[0].pmap.view[3].alone);
	for (u32 k = 0; k < PER; k++)
		vcpu_move(&vcpu[2][k], &node[0], true);
	turns(4);
	assert_true(vm[0].pmap.view[3].alone);
	go_home();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vcpu_that_waits_goes_on_waiting),
		cmocka_unit_test(a_timer_falls_due_on_the_way),
		cmocka_unit_test(a_vm_is_paused_with_a_vcpu_on_the_way),
		cmocka_unit_test(a_vcpu_is_started_on_the_way),
		cmocka_unit_test(one_that_has_left_is_not_preferred),
		cmocka_unit_test(a_vm_is_killed_on_the_way),
		cmocka_unit_test(vcpu_0_goes_back_to_its_place),
		cmocka_unit_test(without_memory_it_stays),
		cmocka_unit_test(a_vm_has_a_node_alone_or_not),
		cmocka_unit_test(nothing_is_lost_on_the_way),
	};

	return cmocka_run_group_tests_name("vcpu_move", tests, NULL, NULL);
}
