/* SPDX-License-Identifier: MIT */
/*
 * The node of test_sched.c, which includes this file: three VMs of two VCPUs, time that the test passes, and
 * stand-ins of the rest of the monitor.
 */
#include "tests/unit/unit.h"

#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/sched/direct.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/hasten.h"
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
static const struct vm_desc desc = { .name = "vm" };
static struct vm vm[VMS];
static struct vcpu vcpu[VMS][PER];
static u64 now, waits[VMS][PER];
static u64 next_tick;	     /* while vm_work works */
static u32 steps;	     /* that vm_work has left */
static bool works;	     /* the last VM's devices */
static u64 since_when_ready; /* what a node that sees READY sees, too */
static bool line_up[VMS][PER];
static jmp_buf entered;
static u64 idle_for;
static bool has_caps; /* who idles is woken by the node's tick, or when a cap lets somebody run */

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
void node_resched(struct node *n) { n->need_resched = true; }
bool arch_vcpu_user(const struct vcpu *v) { return v->arch.status; }
void mmu_flush_late(struct vcpu *v) { assert_int_equal(v->state, VCPU_RUNNING); }
void arch_vcpu_switch_in(struct vcpu *v) { assert_ptr_equal(v, node.current); }
void arch_vcpu_switch_out(struct vcpu *v) { (void)v; }
bool arch_vcpu_wakes(const struct vcpu *v) { return line_up[v->vm->id][v->id]; }
void arch_idle(void)
{
	if (has_caps) {
		bool is_cap = node.cap_end && node.cap_end < next_tick;

		now = MAX(now, is_cap ? node.cap_end : next_tick);
		next_tick += is_cap ? 0 : TICK;
		sched_waive(&node);
		return;
	}
	mock_assert(idle_for > 0, "idles for ever", __FILE__, __LINE__);
	now += idle_for;
	idle_for = 0;
}
/* Somebody's interrupt ends the idling. */
void arch_irq_poll(struct node *n)
{
	(void)n;
	line_up[0][0] = !has_caps;
}
void vtimer_expire(struct node *n) { (void)n; }
bool option_on(enum option o) { return o == OPTION_DIRECT; }
void tick_soon(struct node *n) { n->tick_rests = false; }
void node_read_mail(struct node *n) { (void)n; }
/* Devices of the last VM, which are never done: a part that takes 0.1 ms. */
void vm_service(struct node *n)
{
	if (!works || !sched_may_work(n, &vm[VMS - 1]))
		return;
	now += MS / 10;
	sched_charge(n, &vm[VMS - 1]);
	n->need_resched = true;
}
void moves_start(struct node *n) { (void)n; }
bool fetch_on;
void fetch_publish(struct node *n) { (void)n; }
void fetch_idle(struct node *n) { (void)n; }
void moves_serve(struct node *n) { (void)n; }
void magic_note_vm(u32 of, u32 id) { (void)of, (void)id; }
void vcpu_catch_up(struct vcpu *v) { assert_false(vm_is_held(v->vm)); }
void vcpu_change(struct vcpu *v, enum vcpu_state to)
{
	if (to == VCPU_READY)
		since_when_ready = v->ready_since;
	v->state = to;
}
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
	works = false;
	for (u32 i = 0; i < VMS; i++)
		for (u32 j = 0; j < PER; j++) {
			vm[i].id = i;
			vm[i].desc = &desc;
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

static inline void current_waits(void)
{
	node.current->state = VCPU_WAITING;
	choose();
}

__attribute__((unused)) static void wakes(u32 i, u32 j)
{
	line_up[i][j] = true;
	sched_interrupted(&node);
	choose();
	line_up[i][j] = false;
}
