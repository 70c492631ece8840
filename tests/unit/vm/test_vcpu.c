/* SPDX-License-Identifier: MIT */
/* kernel/vm/vcpu.c: of those that start a VCPU one does, its own node does the work, and no interrupt
 * posted meanwhile is lost. */
#include "tests/unit/unit.h"

#include "kernel/errno.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"

static unsigned raised_again;

void devices_raise_again(struct vcpu *of)
{
	(void)of;
	raised_again++;
}

static struct node here, there;
static struct vm vm;
static struct vcpu v;
static u32 asked_here, asked_there, kicked_there, resets;
static u32 let_through; /* the VCPU's IM */
static const struct vcpu_boot boot = { 0x1000, 1, 2, 3, 4 };

/* ---- stand-ins of the rest of the monitor ---- */

struct node *node_self(void) { return &here; }

void node_resched(struct node *n)
{
	asked_here += n == &here;
	asked_there += n == &there;
}

void node_kick(struct node *n) { kicked_there += n == &there; }

bool arch_vcpu_hears(const struct vcpu *of, unsigned line)
{
	return of && let_through & 1u << line;
}
bool arch_vcpu_wakes(const struct vcpu *of) { return of->arch.irq_lines & let_through; }

u64 count64(void) { return 77; }

/* As arch/mips: everything but irq_lines. */
void arch_vcpu_reset(struct vcpu *of, const struct vcpu_boot *b)
{
	of->arch.pc = b->pc;
	of->arch.gpr[4] = b->a0;
	of->arch.soft_irq = 0;
	resets++;
}

void arch_vcpu_set_lag(struct vcpu *of, u64 lag) { of->arch.lag = lag; }

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static int fill(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(&v, 0, sizeof(v));
	v.vm = &vm;
	v.node = &there;
	asked_here = asked_there = kicked_there = resets = 0;
	let_through = 0xff;
	return 0;
}

static void only_one_starts_it(void **state)
{
	static const enum vcpu_state taken[] = { VCPU_CLAIMED, VCPU_STARTING, VCPU_READY,
						 VCPU_RUNNING, VCPU_WAITING,  VCPU_BUSY };

	(void)state;
	assert_int_equal(vcpu_start(&v, &boot), 0);
	assert_int_equal(v.state, VCPU_STARTING);
	assert_int_equal(vm.live, 1);
	assert_int_equal(asked_there, 1);
	for (unsigned i = 0; i < ARRAY_SIZE(taken); i++) {
		v.state = taken[i];
		v.arch.irq_lines = 5;
		assert_int_equal(vcpu_start(&v, &(struct vcpu_boot){ 9, 9, 9, 9, 9 }), -EBUSY);
		assert_int_equal(v.state, taken[i]);
		assert_int_equal(v.arch.irq_lines, 5);
		assert_int_equal(v.boot.pc, 0x1000);
		assert_int_equal(vm.live, 1);
	}
	assert_int_equal(asked_there, 1);
}

static void its_own_node_makes_it_ready(void **state)
{
	(void)state;
	vcpu_start(&v, &boot);
	assert_int_equal(resets, 0); /* not here */
	vcpu_serve_start(&v);
	assert_int_equal(resets, 1);
	assert_int_equal(v.state, VCPU_READY);
	assert_int_equal(v.ready_since, 77);
	assert_int_equal(v.arch.pc, 0x1000);
	assert_int_equal(v.arch.gpr[4], 1);
	assert_int_equal(vm.live, 1);
}

static void interrupts_after_the_start_stay(void **state)
{
	(void)state;
	vcpu_post_irq(&v, 1); /* of the time before */
	vcpu_start(&v, &boot);
	assert_int_equal(v.arch.irq_lines, 0);
	vcpu_post_irq(&v, 0);
	vcpu_serve_start(&v);
	assert_int_equal(v.arch.irq_lines, 1);
}

/* Of a VCPU elsewhere in this state, whose lines are down: who hears that one rises. */
static void post(enum vcpu_state now, u32 asked, u32 kicked)
{
	v.node = &there;
	v.state = now;
	v.arch.irq_lines = 0;
	asked_there = kicked_there = 0;
	vcpu_post_irq(&v, 1);
	assert_int_equal(v.arch.irq_lines, 2);
	assert_int_equal(asked_there, asked);
	assert_int_equal(kicked_there, kicked);
}

static void its_node_hears_what_changes_something(void **state)
{
	(void)state;
	post(VCPU_OFFLINE, 0, 0);
	post(VCPU_CLAIMED, 0, 0);
	post(VCPU_STARTING, 0, 0);
	post(VCPU_MOVING, 0, 0);
	post(VCPU_READY, 0, 0);
	post(VCPU_RUNNING, 0, 1); /* the guest is interrupted, nobody need look at anything */
	post(VCPU_WAITING, 1, 0);
	let_through = 1; /* not this line */
	post(VCPU_WAITING, 0, 0);
	post(VCPU_RUNNING, 0, 0);
}

static void a_line_that_is_up_is_no_news(void **state)
{
	(void)state;
	post(VCPU_WAITING, 1, 0);
	for (unsigned i = 0; i < 1000; i++)
		vcpu_post_irq(&v, 1);
	assert_int_equal(asked_there, 1);
	vcpu_post_irq(&v, 0); /* another line is */
	assert_int_equal(asked_there, 2);
	vcpu_clear_irq(&v, 1);
	assert_int_equal(v.arch.irq_lines, 1);
	vcpu_post_irq(&v, 1);
	assert_int_equal(asked_there, 3);
	post(VCPU_RUNNING, 0, 1);
	for (unsigned i = 0; i < 1000; i++)
		vcpu_post_irq(&v, 1);
	assert_int_equal(kicked_there, 1);
}

static void on_this_node_only_one_that_waits_must_be_looked_at(void **state)
{
	(void)state;
	v.node = &here;
	v.state = VCPU_RUNNING;
	vcpu_post_irq(&v, 1);
	assert_int_equal(asked_here, 0);
	v.state = VCPU_WAITING;
	vcpu_post_irq(&v, 2);
	assert_int_equal(asked_here, 1);
	assert_int_equal(v.arch.irq_lines, 6);
}

/* The table of vcpu.h; what it does not have is a mistake of the monitor. OFFLINE to CLAIMED is
 * vcpu_start's alone. */
static void states_change_as_the_table_says(void **state)
{
	static const u32 allowed[VCPU_STATES] = {
		[VCPU_OFFLINE] = 1u << VCPU_BUSY,
		[VCPU_CLAIMED] = 1u << VCPU_STARTING,
		[VCPU_STARTING] = 1u << VCPU_READY,
		[VCPU_MOVING] = 1u << VCPU_READY | 1u << VCPU_WAITING,
		[VCPU_BUSY] = 1u << VCPU_OFFLINE,
		[VCPU_READY] = 1u << VCPU_RUNNING | 1u << VCPU_OFFLINE | 1u << VCPU_MOVING,
		[VCPU_RUNNING] = 1u << VCPU_READY | 1u << VCPU_WAITING | 1u << VCPU_OFFLINE,
		[VCPU_WAITING] = 1u << VCPU_READY | 1u << VCPU_OFFLINE | 1u << VCPU_MOVING,
	};

	(void)state;
	for (u32 from = 0; from < VCPU_STATES; from++) {
		for (u32 to = 0; to < VCPU_STATES; to++) {
			v.state = from;
			if (allowed[from] & 1u << to)
				vcpu_change(&v, to);
			else
				expect_assert_failure(vcpu_change(&v, to));
			assert_int_equal(v.state, allowed[from] & 1u << to ? to : from);
		}
	}
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(vcpu_state_name(VCPU_OFFLINE), "offline");
	assert_string_equal(vcpu_state_name(VCPU_CLAIMED), "claimed");
	assert_string_equal(vcpu_state_name(VCPU_STARTING), "starting");
	assert_string_equal(vcpu_state_name(VCPU_MOVING), "moving");
	assert_string_equal(vcpu_state_name(VCPU_READY), "ready");
	assert_string_equal(vcpu_state_name(VCPU_RUNNING), "running");
	assert_string_equal(vcpu_state_name(VCPU_WAITING), "waiting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_one_starts_it, fill),
		cmocka_unit_test_setup(its_own_node_makes_it_ready, fill),
		cmocka_unit_test_setup(interrupts_after_the_start_stay, fill),
		cmocka_unit_test_setup(its_node_hears_what_changes_something, fill),
		cmocka_unit_test_setup(a_line_that_is_up_is_no_news, fill),
		cmocka_unit_test_setup(on_this_node_only_one_that_waits_must_be_looked_at, fill),
		cmocka_unit_test_setup(states_change_as_the_table_says, fill),
		cmocka_unit_test_setup(states_have_names, fill),
	};

	return cmocka_run_group_tests_name("vcpu", tests, NULL, NULL);
}
