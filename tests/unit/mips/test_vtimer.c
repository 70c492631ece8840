/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/vtimer.c: guests' timers and the node's tick on one Compare. Count goes on by itself,
 * and the machine's timer rises only when Count meets Compare, as QEMU's does.
 */
#include "tests/unit/unit.h"

#include "tests/unit/fake.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"

#define TICK (TICK_MS * COUNT_MS)
#define SOON 200 /* Count ticks; the nearest that the machine's timer is set */

static struct node *n;
static struct vcpu *v;
static unsigned ticks, raised;

/* ---- stand-ins ---- */

void irq_handle(struct node *of, u32 cause)
{
	assert_true(cause & CAUSE_TI);
	if (vtimer_tick_due(of)) {
		ticks++;
		do
			of->tick_next += TICK;
		while (of->tick_next <= count64());
	}
	vtimer_expire(of);
}

void vcpu_post_irq(struct vcpu *of, unsigned line)
{
	assert_int_equal(line, IRQ_TIMER);
	raised += !(of->arch.irq_lines & BIT(line));
	of->arch.irq_lines |= BIT(line);
}

static unsigned events;
void tick_event(void) { events++; }

/* ---- the machine ---- */

static u32 compare(void) { return (u32)fake_cpu.reg[11][0]; }

static void pass(u64 count)
{
	u64 to_compare = (u32)(compare() - (u32)fake_cpu.reg[9][0]);

	if (to_compare && to_compare <= count) { /* Count meets Compare on the way */
		fake_write(9, 0, fake_cpu.reg[9][0] + to_compare);
		irq_handle(n, CAUSE_TI);
		pass(count - to_compare);
		return;
	}
	fake_write(9, 0, fake_cpu.reg[9][0] + count);
	count64();
}

static bool is_up(void) { return v->arch.irq_lines & BIT(IRQ_TIMER); }

/* A node that came up at this Count, with a tick in a while; others are on, too. */
static void begin(u32 count)
{
	fake_reset();
	v = &fake_vcpu;
	n = v->node;
	fake_write(9, 0, count);
	n->cpu.count_last = count;
	n->vcpus[n->nvcpus++] = v;
	n->contended = true;
	n->tick_next = count64() + TICK;
	ticks = raised = 0;
	vtimer_expire(n);
}

/* ---- rules ---- */

static const u32 births[] = { 0, 1, 100, 0x7fffffff, 0x80000000, 0xfffffff0 };

/* From the first moment on: also when Count is less than the distance is behind. */
static void what_has_passed_is_due_at_once(void **state)
{
	static const u32 behind[] = { 0,       1,	   2,	       SOON,	  2000,
				      1000000, 0x7ffffffe, 0x7fffffff, 0x80000000 };

	(void)state;
	for (unsigned b = 0; b < ARRAY_SIZE(births); b++)
		for (unsigned i = 0; i < ARRAY_SIZE(behind); i++) {
			begin(births[b]);
			arch_vcpu_set_timer(v, births[b] - behind[i]);
			assert_true(is_up());
			assert_int_equal((u32)vcp0(v, Compare), births[b] - behind[i]);
		}
}

static void what_is_ahead_is_due_then(void **state)
{
	static const u32 ahead[] = { 1, 2, SOON - 1, SOON, 2000, 3 * TICK, 0x7fffffff };

	(void)state;
	for (unsigned b = 0; b < ARRAY_SIZE(births); b++)
		for (unsigned i = 0; i < ARRAY_SIZE(ahead); i++) {
			begin(births[b]);
			arch_vcpu_set_timer(v, births[b] + ahead[i]);
			pass(ahead[i] - 1);
			assert_false(is_up());
			pass(1 + SOON);
			assert_true(is_up());
			assert_int_equal(raised, 1);
		}
}

/* As the machine's own: one that has passed is a turn away. */
static void compare_of_the_past_is_a_turn_away(void **state)
{
	(void)state;
	begin(1000);
	vtimer_set(v, 999);
	pass(0xfffffffe);
	assert_false(is_up());
	pass(1 + SOON);
	assert_true(is_up());
	begin(1000);
	vtimer_set(v, 1000);
	assert_true(is_up());
	vtimer_set(v, 1000 + 5000);
	assert_false(is_up());
}

static void it_rises_again_a_turn_later(void **state)
{
	(void)state;
	begin(5);
	arch_vcpu_set_timer(v, 10005);
	pass(10000);
	assert_true(is_up());
	v->arch.irq_lines = 0;
	pass(0xfffffff0);
	assert_false(is_up());
	pass(16 + SOON);
	assert_true(is_up());
}

/* Whatever is armed, in the time of some calls: ticks come, each at its time. */
static void nobody_puts_off_the_tick(void **state)
{
	static const u32 distance[] = { 0x7fffffff, 1,	  SOON / 2, 2 * SOON,  5000,
					TICK / 2,   TICK, 0,	    0x80000000 };
	u64 late = 0;

	(void)state;
	srand(1);
	begin(12345);
	for (unsigned i = 0; i < 400000; i++) {
		u32 next = distance[i / 20000 % ARRAY_SIZE(distance)];
		u64 before = n->tick_next;

		if (i % 2)
			vtimer_set(v, (u32)count64() + next);
		else
			arch_vcpu_set_timer(v, (u32)count64() + next);
		pass(1 + rand() % 150);
		if (n->tick_next != before)
			late = MAX(late, count64() - before);
		assert_true(count64() < n->tick_next + 2 * SOON);
	}
	assert_int_equal(ticks, (count64() - 12345) / TICK);
	assert_true(late < 2 * SOON);
}

/* Nobody else is on: a guest's timer takes the tick along, half a tick early or late, no more. */
static void a_lone_guests_timer_takes_the_tick_along(void **state)
{
	(void)state;
	begin(0);
	n->contended = false;
	arch_vcpu_set_timer(v, TICK - TICK / 4);
	pass(TICK - TICK / 4 + 1);
	assert_int_equal(ticks, 1);
	assert_int_equal(n->tick_next, 2 * TICK); /* and the next is where it was */
	arch_vcpu_set_timer(v, 2 * TICK + TICK / 4);
	pass(TICK + TICK / 4);
	assert_int_equal(ticks, 1);
	pass(TICK / 4);
	assert_int_equal(ticks, 2);
	arch_vcpu_set_timer(v, 3 * TICK + TICK / 2 + 1000);
	pass(3 * TICK - 2 * TICK - TICK / 2);
	assert_int_equal(ticks, 2);
	pass(TICK / 2 + 10);
	assert_int_equal(ticks, 3);
}

/* Compare was met, and QEMU has forgotten to say so: the next call finds it out. */
static void a_lost_interrupt_is_found(void **state)
{
	(void)state;
	begin(0);
	fake_write(9, 0, TICK + 50); /* without irq_handle */
	arch_vcpu_set_timer(v, 3 * TICK);
	assert_int_equal(ticks, 1);
	assert_int_equal(compare(), 2 * TICK);
}

/* The nearest of the times that were asked for is exact, and one look is had there. */
static void an_event_has_its_own_time(void **state)
{
	(void)state;
	for (unsigned b = 0; b < ARRAY_SIZE(births); b++) {
		begin(births[b]);
		events = 0;
		vtimer_ask_event(count64() + 7000);
		vtimer_ask_event(count64() + 5000);
		vtimer_ask_event(count64() + 6000);
		pass(4999);
		assert_int_equal(events, 0);
		pass(1);
		assert_int_equal(events, 1);
		pass(3000);
		assert_int_equal(events, 1);
		assert_int_equal(ticks, 0);
		vtimer_ask_event(count64() - 1); /* has passed: soon */
		pass(SOON);
		assert_int_equal(events, 2);
		pass(TICK);
		assert_int_equal(ticks, 1);
	}
}

/* Its Count goes on where it stood, its timer is due when that has come; others' are where they were. */
static void a_clock_that_stood_still_goes_on(void **state)
{
	(void)state;
	for (unsigned b = 0; b < ARRAY_SIZE(births); b++) {
		u64 stood = 3 * TICK + 12345;

		begin(births[b]);
		arch_vcpu_set_timer(v, births[b] + 50000);
		pass(20000);
		v->vm->lag = LAG_STANDS;
		pass(stood);
		assert_false(is_up());
		assert_int_equal(ticks, 3);
		v->vm->lag = stood;
		arch_vcpu_set_lag(v, stood);
		assert_int_equal(vcpu_count(v), births[b] + 20000);
		assert_int_equal((u32)vcp0_read(v, 9, 0), births[b] + 20000);
		pass(29999);
		assert_false(is_up());
		pass(1 + SOON);
		assert_true(is_up());
		vtimer_set(v, vcpu_count(v) + 7000);
		pass(6999);
		assert_false(is_up());
		pass(1 + SOON);
		assert_true(is_up());
		arch_vcpu_set_timer(v, vcpu_count(v) - 1);
		assert_true(is_up());
		v->vm->lag = 0;
	}
}

/* RDHWR of Count comes to the monitor once that is not the machine's. */
static void a_lag_shuts_rdhwr(void **state)
{
	(void)state;
	begin(5);
	vcp0_write(v, 7, 0, HWRENA_GUEST);
	assert_true(fake_cpu.reg[7][0] & HWRENA_CC);
	v->node->current = v;
	v->vm->lag = 77;
	arch_vcpu_set_lag(v, 77);
	assert_int_equal(fake_cpu.reg[7][0] & HWRENA_GUEST, HWRENA_GUEST & ~HWRENA_CC);
	assert_true(vcp0(v, HWREna) & HWRENA_CC);
	vcp0_write(v, 7, 0, HWRENA_GUEST);
	assert_false(fake_cpu.reg[7][0] & HWRENA_CC);
	v->vm->lag = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_has_its_own_time),
		cmocka_unit_test(what_has_passed_is_due_at_once),
		cmocka_unit_test(what_is_ahead_is_due_then),
		cmocka_unit_test(compare_of_the_past_is_a_turn_away),
		cmocka_unit_test(it_rises_again_a_turn_later),
		cmocka_unit_test(nobody_puts_off_the_tick),
		cmocka_unit_test(a_lone_guests_timer_takes_the_tick_along),
		cmocka_unit_test(a_lost_interrupt_is_found),
		cmocka_unit_test(a_clock_that_stood_still_goes_on),
		cmocka_unit_test(a_lag_shuts_rdhwr),
	};

	return cmocka_run_group_tests_name("vtimer", tests, NULL, NULL);
}
