/* SPDX-License-Identifier: MIT */
/*
 * arch/mips/flush.c: who is asked when a guest flushes, and what those do who were not. Then two processors at once, threads of the
 * host: one changes the tables and flushes, the other begins and ends to run in between, and must never use what was flushed.
 */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "arch/mips/mips.h"
#include "kernel/mem/shootdown.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"

#define USER   0x120000000ul
#define KERNEL 0xc000000000100000ul

static struct node node[3];
static struct vm vm;
static struct vcpu vcpu[3];
static struct nodemask asked;

/* What was done to a VCPU, in words. */
static char done[1000];

static void say(const char *what, const struct vcpu *v, u64 va, u64 pairs, u64 asid)
{
	size_t used = strlen(done);

	snprintf(done + used, sizeof(done) - used, "%s %u %llx+%llu/%llu; ", what, v->id,
		 (unsigned long long)va, (unsigned long long)pairs, (unsigned long long)asid);
}

static void (*taken_back)(void); /* of the threads, or NULL */

void mmu_flush_vcpu(struct vcpu *v)
{
	if (taken_back)
		taken_back();
	else
		say("all", v, 0, 0, 0);
}
void mmu_drop_asid(struct vcpu *v, u32 asid)
{
	if (taken_back)
		taken_back();
	else
		say("asid", v, 0, 0, asid);
}
void mmu_forget_range(struct vcpu *v, u64 first, u64 pairs, u32 asid, bool global)
{
	if (taken_back)
		taken_back();
	else
		say(global ? "global" : "range", v, first, pairs, asid);
}
u64 check_flushed(const struct vcpu *v, const struct mmu_flush *f) { return v->id > 2 ? f->va : 0; }
void check_report_flush(const struct vm *of, u64 va, u64 v)
{
	fail_msg("%s/%u keeps %llx", of->name, (unsigned)v, (unsigned long long)va);
}
bool option_forget(void) { return false; }

static void (*ask_other)(shootdown_fn flush, const void *what); /* of the threads, or NULL */

void shootdown(struct nodemask mask, shootdown_fn flush, const void *what)
{
	asked.bits |= mask.bits;
	if (ask_other) {
		ask_other(flush, what);
		return;
	}
	for_each_node(i, mask)
		flush(&node[i], what);
}

static int fill(void **state)
{
	(void)state;
	memset(vcpu, 0, sizeof(vcpu));
	vm = (struct vm){ .name = "vm", .nvcpus = 3 };
	for (u32 i = 0; i < 3; i++) {
		node[i].id = i;
		vcpu[i].vm = &vm;
		vcpu[i].id = i;
		vcpu[i].node = &node[i];
		vcpu[i].state = VCPU_RUNNING;
		vm.vcpus[i] = &vcpu[i];
	}
	asked = NODEMASK_NONE;
	done[0] = 0;
	taken_back = NULL;
	ask_other = NULL;
	return 0;
}

static const char *flush(u64 va, u64 bytes, u64 mask, u64 asid)
{
	done[0] = 0;
	asked = NODEMASK_NONE;
	assert_int_equal(mmu_call_flush(&vcpu[0], va, bytes, mask, asid), 0);
	return done;
}

static const char *run(u32 i)
{
	done[0] = 0;
	vcpu[i].state = VCPU_RUNNING;
	mmu_flush_late(&vcpu[i]);
	return done;
}

static void those_that_run_are_asked(void **state)
{
	(void)state;
	assert_string_equal(flush(USER, PAGE_SIZE, 7, 5),
			    "range 0 120000000+1/5; range 1 120000000+1/5; range 2 120000000+1/5; ");
	assert_int_equal(asked.bits, 6);
	assert_string_equal(flush(USER, PAGE_SIZE, 4, 5), "range 2 120000000+1/5; ");
	assert_int_equal(asked.bits, 4);
}

static void those_that_do_not_run_flush_before_they_do(void **state)
{
	static const enum vcpu_state idle[] = { VCPU_READY, VCPU_WAITING };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(idle); i++) {
		vcpu[1].state = idle[i];
		assert_string_equal(flush(USER, 3 * PAGE_SIZE, 2, 5), "");
		assert_string_equal(flush(USER, 3 * PAGE_SIZE, 2, 5), ""); /* once is enough */
		assert_string_equal(flush(KERNEL, PAGE_SIZE, 2, DISCO_ALL_ASIDS), "");
		assert_string_equal(flush(0, 0, 2, 6), "");
		assert_true(nodemask_empty(asked));
		vcpu[1].arch.clear_ll = 0;
		assert_string_equal(
			run(1),
			"range 1 120000000+2/5; global 1 c000000000100000+1/1023; asid 1 0+0/6; ");
		assert_int_equal(vcpu[1].arch.clear_ll, 1);
		assert_string_equal(run(1), "");
	}
	assert_int_equal(vcpu[1].stats.late_flushes, 2);
}

/* The longest range, the highest ASID, and what is not taken by pairs. */
static void what_is_noted_is_what_was_named(void **state)
{
	(void)state;
	vcpu[2].state = VCPU_WAITING;
	flush(USER + PAGE_SIZE, 63 * PAGE_SIZE, 4, 0x3ff);
	flush(0xffffffffffffe000ul, PAGE_SIZE, 4, 0);
	flush(0, 0, 4, DISCO_ALL_ASIDS);
	assert_string_equal(run(2),
			    "range 2 120000000+32/1023; range 2 c000ffffffffe000+1/0; all 2 0+0/0; ");
}

static void more_than_there_is_room_for_takes_all(void **state)
{
	(void)state;
	vcpu[1].state = VCPU_READY;
	for (u32 i = 0; i <= LATE_FLUSHES; i++)
		flush(USER + (i << 13), PAGE_SIZE, 2, 5);
	assert_string_equal(run(1), "all 1 0+0/0; ");
	vcpu[1].state = VCPU_READY;
	flush(USER, PAGE_SIZE, 2, 5);
	assert_string_equal(run(1), "range 1 120000000+1/5; ");
}

static void those_that_have_nothing_are_left_alone(void **state)
{
	(void)state;
	for (enum vcpu_state s = VCPU_OFFLINE; s < VCPU_READY; s++) {
		vcpu[1].state = s;
		assert_string_equal(flush(USER, PAGE_SIZE, 2, 5), "");
		assert_int_equal(vcpu[1].arch.late_any, 0);
	}
	assert_true(nodemask_empty(asked));
}

static void those_of_the_same_node_flush_at_once(void **state)
{
	(void)state;
	vcpu[1].node = &node[0];
	vcpu[1].state = VCPU_READY;
	assert_string_equal(flush(USER, PAGE_SIZE, 2, 5), "range 1 120000000+1/5; ");
	assert_true(nodemask_empty(asked));
	assert_int_equal(vcpu[1].arch.late_any, 0);
}

/* ---- two processors at once ---- */

#define CHANGES 200000u

static u64 tables, flushed, cached; /* versions; cached: 0, or what VCPU 1 has of the tables */
static u64 wrong, flushes, runs;
static const void *request;
static shootdown_fn requested;
static bool over;

static void drop(void)
{
	cached = 0;
	flushes++;
}

/* The other thread answers, whether its VCPU runs or not. */
static void answer(void)
{
	const void *what = __atomic_load_n(&request, __ATOMIC_ACQUIRE);

	if (!what)
		return;
	requested(&node[1], what);
	__atomic_store_n(&request, NULL, __ATOMIC_RELEASE);
}

static void ask(shootdown_fn f, const void *what)
{
	requested = f;
	__atomic_store_n(&request, what, __ATOMIC_RELEASE);
	while (__atomic_load_n(&request, __ATOMIC_ACQUIRE))
		sched_yield();
}

/* A guest that looks at a page: by what is cached, else by the tables. */
static void look(void)
{
	u64 least = __atomic_load_n(&flushed, __ATOMIC_ACQUIRE);

	if (!cached)
		cached = __atomic_load_n(&tables, __ATOMIC_RELAXED);
	wrong += cached < least;
}

static void *runner(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&vcpu[1].state, VCPU_RUNNING, __ATOMIC_RELEASE);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		mmu_flush_late(&vcpu[1]);
		for (u32 i = 0; i < 1 + runs % 3; i++) {
			look();
			answer();
		}
		__atomic_store_n(&vcpu[1].state, runs & 1 ? VCPU_READY : VCPU_WAITING,
				 __ATOMIC_RELEASE);
		answer();
		runs++;
	}
	return NULL;
}

static void nobody_uses_what_was_flushed(void **state)
{
	pthread_t thread;
	u32 shot = 0;

	(void)state;
	taken_back = drop;
	ask_other = ask;
	vcpu[0].node = &node[0];
	assert_int_equal(pthread_create(&thread, NULL, runner, NULL), 0);
	for (u64 i = 1; i <= CHANGES; i++) {
		__atomic_store_n(&tables, i, __ATOMIC_RELAXED);
		asked = NODEMASK_NONE;
		mmu_call_flush(&vcpu[0], USER + (i % 7 << 13), PAGE_SIZE, 2, 1);
		__atomic_store_n(&flushed, i, __ATOMIC_RELEASE);
		shot += !nodemask_empty(asked);
		if (i % 64 == 0)
			sched_yield();
	}
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	print_message("%u changes, %u asked, %llu runs, %llu flushes\n", CHANGES, shot,
		      (unsigned long long)runs, (unsigned long long)flushes);
	assert_int_equal(wrong, 0);
	assert_true(shot > 0 && shot < CHANGES);
	assert_true(vcpu[1].stats.late_flushes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(those_that_run_are_asked, fill),
		cmocka_unit_test_setup(those_that_do_not_run_flush_before_they_do, fill),
		cmocka_unit_test_setup(what_is_noted_is_what_was_named, fill),
		cmocka_unit_test_setup(more_than_there_is_room_for_takes_all, fill),
		cmocka_unit_test_setup(those_that_have_nothing_are_left_alone, fill),
		cmocka_unit_test_setup(those_of_the_same_node_flush_at_once, fill),
		cmocka_unit_test_setup(nobody_uses_what_was_flushed, fill),
	};

	return cmocka_run_group_tests_name("flush", tests, NULL, NULL);
}
