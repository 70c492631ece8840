/* SPDX-License-Identifier: MIT */
/*
 * kernel/sched/sched.c: who runs next on a node, and who pays. The node's processor is this test:
 * sched_switch ends in arch_run, which comes back here with the VCPU that was chosen; then time
 * passes, and the VCPU does what a guest might.
 */
#include "tests/unit/unit.h"

#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define MS   COUNT_MS
#define TICK (TICK_MS * MS)
#define VMS  3
#define PER  2 /* VCPUs of each VM */

struct node *nodes[MAX_NODES];
unsigned nnodes = 2;

static struct node node;
static struct vm vm[VMS];
static struct vcpu vcpu[VMS][PER];
static u64 now, waits[VMS][PER];
static u64 next_tick; /* while vm_work works */
static u32 steps;     /* that vm_work has left */
static bool line_up[VMS][PER];
static jmp_buf entered;
static u64 idle_for;

/* ---- stand-ins ---- */

u64 count64(void) { return now; }
struct node *node_self(void) { return &node; }
_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}
_Noreturn void arch_run(struct vcpu *v)
{
	assert_ptr_equal(v, node.current);
	assert_int_equal(v->state, VCPU_RUNNING);
	longjmp(entered, 1);
}
void arch_vcpu_stolen(struct vcpu *v, u64 ticks) { waits[v->vm->id][v->id] += ticks; }
void arch_vcpu_switch_in(struct vcpu *v) { assert_ptr_equal(v, node.current); }
void arch_vcpu_switch_out(struct vcpu *v) { (void)v; }
bool arch_vcpu_wakes(const struct vcpu *v) { return line_up[v->vm->id][v->id]; }
void arch_idle(void)
{
	mock_assert(idle_for > 0, "idles for ever", __FILE__, __LINE__);
	now += idle_for;
	idle_for = 0;
}
/* Somebody's interrupt ends the idling. */
void arch_irq_poll(struct node *n)
{
	(void)n;
	line_up[0][0] = true;
}
void vtimer_expire(struct node *n) { (void)n; }
void node_read_mail(struct node *n) { (void)n; }
void vm_service(struct node *n) { (void)n; }
void moves_start(struct node *n) { (void)n; }
void moves_serve(struct node *n) { (void)n; }
void magic_note_vm(u32 of, u32 id) { (void)of, (void)id; }
void vcpu_change(struct vcpu *v, enum vcpu_state to) { v->state = to; }
/* One step for a VM that is loaded or released. */
bool vm_work(struct vm *of)
{
	now += MS / 10;
	if (now >= next_tick) { /* the timer, between two steps */
		next_tick += TICK;
		sched_waive(&node);
		sched_slice_over(&node);
	}
	if (--steps)
		return true;
	vcpu[of->id][0].state = VCPU_OFFLINE;
	return false;
}

/* ---- the node ---- */

/* All VCPUs are OFFLINE; on(vm, id) makes one READY. */
static int fill(void **state)
{
	(void)state;
	memset(&node, 0, sizeof(node));
	memset(vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(waits, 0, sizeof(waits));
	memset(line_up, 0, sizeof(line_up));
	nodes[0] = &node;
	now = 1000 * MS;
	idle_for = 0;
	for (u32 i = 0; i < VMS; i++)
		for (u32 j = 0; j < PER; j++) {
			vm[i].id = i;
			vm[i].state = VM_RUNNING;
			vcpu[i][j] = (struct vcpu){ .vm = &vm[i], .node = &node, .id = j };
			sched_add(&vcpu[i][j]);
		}
	sched_waive(&node);
	return 0;
}

static void on(u32 i, u32 j) { vcpu[i][j].state = VCPU_READY; }

static void choose(void)
{
	if (!setjmp(entered))
		sched_switch(&node);
}

static bool runs(u32 i, u32 j) { return node.current == &vcpu[i][j]; }

static void tick_comes(void)
{
	sched_interrupted(&node);
	sched_slice_over(&node);
	choose();
}

static void current_waits(void)
{
	node.current->state = VCPU_WAITING;
	choose();
}

static void wakes(u32 i, u32 j)
{
	line_up[i][j] = true;
	sched_interrupted(&node);
	choose();
	line_up[i][j] = false;
}

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
	struct account_queue here = { 500 * TICK }, there = { 7 * TICK };
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
		cmocka_unit_test_setup(nobody_pays_for_idling, fill),
		cmocka_unit_test_setup(waiting_is_told_to_who_waited, fill),
		cmocka_unit_test_setup(a_cap_leaves_the_node_idle, fill),
		cmocka_unit_test_setup(it_is_known_whether_vms_compete, fill),
		cmocka_unit_test_setup(vcpus_come_and_go, fill),
		cmocka_unit_test(a_lead_goes_along),
	};

	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
