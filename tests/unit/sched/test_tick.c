/* SPDX-License-Identifier: MIT */
/* kernel/sched/tick.c: when a node's tick is due, and whom it wakes. The table is tick.h's. */
#include "tests/unit/unit.h"

#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define TICK (TICK_MS * COUNT_MS)
#define PER  3

struct node *nodes[MAX_NODES];
unsigned nnodes = 2;
bool fetch_on, latency_on;

static struct node node[2];
static struct vcpu vcpu[PER];
static u64 now, begun;
static u32 polls, woken, weighed;

/* ---- stand-ins ---- */

u64 count64(void) { return now; }
u64 arch_node_due(const struct node *n) { return n->cpu.compare; }
void node_post(struct node *n, u32 mail)
{
	assert_ptr_equal(n, &node[0]);
	assert_int_equal(mail, MAIL_RESCHED);
	woken++;
}
void console_tick(void) { polls++; }
void host_disks_tick(void) {}
void disks_tick(void) {}
void disks_event(void) {}
void uplink_tick(void) {}
void balloons_tick(void) {}
void map_tick(void) {}
void latency_tick(struct node *n) { (void)n; }
void shuffle_tick(const struct node *n) { (void)n; }
void moves_tick(struct node *n) { (void)n; }
void sched_weigh(struct node *n) { (void)n, weighed++; }
void fetch_tick(struct node *n) { (void)n; }
void numa_tick(struct node *n) { (void)n; }
void sched_waive(struct node *n) { (void)n; }
void sched_slice_over(struct node *n) { (void)n; }

/* ---- the nodes: VCPUs on node 1 ---- */

static int fill(void **state)
{
	(void)state;
	memset(node, 0, sizeof(node));
	memset(vcpu, 0, sizeof(vcpu));
	fetch_on = latency_on = false;
	now = begun = 1000 * TICK + 12345;
	woken = polls = weighed = 0;
	for (u32 i = 0; i < 2; i++) {
		nodes[i] = &node[i];
		node[i].id = i;
		node[i].up = 1;
		node[i].tick_next = begun + TICK;
		node[i].cpu.compare = 1ul << 62; /* never late */
	}
	for (u32 i = 0; i < PER; i++) {
		vcpu[i].state = VCPU_WAITING;
		node[1].vcpus[node[1].nvcpus++] = &vcpu[i];
	}
	return 0;
}

static struct node *far(void) { return &node[1]; }

/* The time comes, and `late` more. How long after that the next is due. */
static u64 tick_comes(struct node *n, u64 late)
{
	now = n->tick_next + late;
	tick(n);
	assert_true(n->tick_next > now);
	assert_int_equal((n->tick_next - begun) % TICK, 0);
	return n->tick_next - now;
}

/* ---- rules ---- */

static void who_wants_to_run_has_every_tick(void **state)
{
	(void)state;
	for (u32 s = 0; s < VCPU_STATES; s++) {
		bool wants = s == VCPU_BUSY || s == VCPU_READY || s == VCPU_RUNNING;

		vcpu[1].state = s;
		assert_int_equal(tick_comes(far(), 0), wants ? TICK : REST_TICKS * TICK);
		assert_int_equal(far()->tick_rests, !wants);
	}
}

static void node_0_and_policies_of_nodes_have_every_tick(void **state)
{
	(void)state;
	assert_int_equal(tick_comes(&node[0], 0), TICK);
	assert_int_equal(polls, 1);
	for (u32 i = 0; i < 4; i++) {
		fetch_on = i & 1;
		latency_on = i & 2;
		assert_int_equal(tick_comes(far(), 0), i ? TICK : REST_TICKS * TICK);
	}
	far()->nvcpus = 0; /* nobody whom that would be for */
	assert_int_equal(tick_comes(far(), 0), REST_TICKS * TICK);
	assert_int_equal(polls, 1);
	assert_int_equal(weighed, 6);
}

/* Whenever somebody wakes, the tick is as near as if the node had never rested. */
static void who_wakes_has_the_next_one(void **state)
{
	(void)state;
	for (u64 after = 0; after < REST_TICKS * TICK; after += TICK / 7) {
		fill(state);
		tick_comes(far(), 0);
		assert_true(far()->tick_rests);
		now += after;
		tick_soon(far());
		assert_false(far()->tick_rests);
		assert_int_equal(far()->tick_next, now + TICK - (now - begun) % TICK);
		tick_soon(far()); /* it does not come again and again */
		assert_int_equal(far()->tick_next, now + TICK - (now - begun) % TICK);
	}
}

/* One that is due, and has not come yet, stays due. */
static void what_is_due_is_not_put_off(void **state)
{
	u64 due;

	(void)state;
	tick_comes(far(), 0);
	due = far()->tick_next;
	now = due + TICK / 2;
	tick_soon(far());
	assert_int_equal(far()->tick_next, due);
}

/* The host had the processor for a while: the node is back on its times, and rests from there on. */
static void a_late_tick_is_one_tick(void **state)
{
	(void)state;
	assert_int_equal(tick_comes(far(), 25 * TICK + TICK / 3), REST_TICKS * TICK - TICK / 3);
	vcpu[0].state = VCPU_RUNNING;
	assert_int_equal(tick_comes(far(), 2 * TICK + 5), TICK - 5);
}

/* The neighbour's timer is long past what it was set for, be that its tick or a guest's: it was forgotten. */
static void a_lost_timer_is_missed(void **state)
{
	(void)state;
	tick_comes(far(), 0);
	node[0].cpu.compare = far()->tick_next - 2 * TICK;
	tick_comes(far(), 0);
	assert_int_equal(woken, 0);
	node[0].cpu.compare = far()->tick_next - 4 * TICK;
	tick_comes(far(), 0);
	assert_int_equal(woken, 1);
	node[0].up = 0;
	tick_comes(far(), 0);
	assert_int_equal(woken, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_wants_to_run_has_every_tick, fill),
		cmocka_unit_test_setup(node_0_and_policies_of_nodes_have_every_tick, fill),
		cmocka_unit_test_setup(who_wakes_has_the_next_one, fill),
		cmocka_unit_test_setup(what_is_due_is_not_put_off, fill),
		cmocka_unit_test_setup(a_late_tick_is_one_tick, fill),
		cmocka_unit_test_setup(a_lost_timer_is_missed, fill),
	};

	return cmocka_run_group_tests_name("tick", tests, NULL, NULL);
}
