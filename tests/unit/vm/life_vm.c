/* SPDX-License-Identifier: MIT */
/*
 * The machine of test_life.c, which includes this file: two nodes, two VMs of two VCPUs, and stand-ins
 * of the rest of the monitor that note what life.c does with them.
 */
#include "drivers/dev.h"
#include "tests/unit/unit.h"

#include "kernel/console/console.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/shootdown.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/life.h"
#include "kernel/vm/make.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define PAGES	   100
#define LOAD_STEPS 5
#define FREE_STEPS 4

static struct vm vm[2];
static struct vcpu vcpu[2][2];
static struct node node[2];
/* The first one's clock stands still while it is paused. */
static struct vm_desc desc[2] = { { .name = "vm0", .memory_mb = 4, .time_stops = true },
				  { .name = "vm0", .memory_mb = 4 } };
static u64 now, stood[2]; /* for how long it was PAUSED, since it began */
struct vm *vms[MAX_VMS] = { &vm[0], &vm[1] };
unsigned nvms = 2, nnodes = 2;
struct node *nodes[MAX_NODES] = { &node[0], &node[1] };
static struct node *here;
static struct vm *working; /* whose step this is */

/* what happened */
static u64 reserved, limit;
static bool reclaim_open, image_is_bad;
static u32 filled[2]; /* steps of images in the memory of each VM */
static bool flushed[2], shut[2];
static char told[2][VMDESC_ERROR_BYTES + 40]; /* the last line of each */
static u32 told_stopped[2];
static bool locked[2];

/* ---- stand-ins of the rest of the monitor ---- */

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

static u32 id_of(const struct vm *of) { return of == &vm[1]; }

void lock_take(struct lock *l)
{
	bool *is = &locked[l == &vm[1].lock];

	assert_false(*is);
	*is = true;
}

void lock_release(struct lock *l) { locked[l == &vm[1].lock] = false; }

struct node *node_self(void) { return here; }
void node_resched(struct node *n) { n->need_resched = true; }
void node_kick(struct node *n) { n->need_resched = true; }
u64 count64(void) { return now; }
void node_read_mail(struct node *n) { (void)n; }
void sched_pay(struct node *n, struct vcpu *v) { (void)n, (void)v; }
void arch_vcpu_reset(struct vcpu *v, const struct vcpu_boot *boot)
{
	v->arch.pc = boot->pc;
	v->arch.lag = 0;
}
void arch_vcpu_set_lag(struct vcpu *v, u64 lag)
{
	assert_ptr_equal(v->node, here);
	v->arch.lag = lag;
}
bool arch_vcpu_hears(const struct vcpu *v, unsigned line) { return v && line < 8; }
bool arch_vcpu_wakes(const struct vcpu *v) { return v->arch.irq_lines; }
void arch_vcpu_retire(struct vcpu *v) { assert_ptr_equal(v->node, here); }
/* In the middle of a start: another node that looks now must not think that all have ended, and switch the machine off. */
void sched_welcome(const struct node *n, struct vm *of)
{
	assert_ptr_equal(of->home, n);
	assert_false(vms_all_ended());
}

bool sched_may_work(struct node *n, struct vm *of)
{
	(void)n, (void)of;
	return true;
}
void sched_charge(struct node *n, struct vm *of) { (void)n, (void)of; }
int vcpu_move(struct vcpu *v, struct node *to, bool told)
{
	assert_true(v->node == to && told); /* they stay here: tests/unit/vm/test_vcpu_move.c */
	return 0;
}
void devices_reset(struct vm *of) { assert_int_equal(vm_state(of), VM_LOADING); }
void devices_raise_again(struct vcpu *of) { (void)of; }
void devices_shutdown(struct vm *of) { shut[id_of(of)] = true; }

/* Every other time there is more. */
bool devices_release_step(struct vm *of)
{
	static bool last;

	assert_true(shut[id_of(of)]);
	last = !last;
	return last;
}
void console_vm_ended(struct vm *of, const char *how, bool again)
{
	assert_int_equal(vm_state(of), strncmp(how, "not started", 11) ? VM_RELEASING : VM_LOADING);
	assert_int_equal(again, vm_requested(of) == VM_RESET && how == of->end);
}

void shootdown_all(struct nodemask mask)
{
	assert_int_equal(mask.bits, working->node_mask.bits);
	flushed[id_of(working)] = true;
}

/* kernel/vm/make.c, all of it at once, or refused. */
static void step(struct vm *of, enum vm_event event)
{
	lock_take(&of->lock);
	vm_change_locked(of, event);
	lock_release(&of->lock);
}

void make_begin(struct vm *of)
{
	assert_ptr_equal(of->home, here);
	step(of, VM_CREATES);
}

void unmake_begin(struct vm *of)
{
	assert_ptr_equal(of->home, here);
	assert_int_equal(filled[id_of(of)], 0);
	step(of, VM_DESTROYS);
}

void make_serve(struct node *n)
{
	for (u32 i = 0; i < 2; i++) {
		if (vm[i].home != n)
			continue;
		if (vm[i].state == VM_MAKING && image_is_bad) {
			vm_forget_request(&vm[i], VM_CREATE);
			step(&vm[i], VM_DESTROYS);
		} else if (vm[i].state == VM_MAKING) {
			step(&vm[i], VM_MADE);
		} else if (vm[i].state == VM_UNMAKING) {
			step(&vm[i], VM_GONE);
		}
	}
}

bool pmap_release_step(struct vm *of, u32 *next)
{
	u32 id = id_of(of);

	assert_true(flushed[id] && shut[id]); /* nobody can reach the pages any more */
	assert_int_equal(of->live, 0);
	if (++*next < FREE_STEPS)
		return false;
	filled[id] = 0;
	return true;
}

u32 pmap_end_promise(struct pmap *p) { return p->npages; }
bool disks_reclaim_step(void) { return false; }

int nodemem_reserve(u64 pages)
{
	if (reserved + pages > limit)
		return -ENOMEM;
	reserved += pages;
	return 0;
}

void nodemem_unreserve(u64 pages)
{
	assert_true(pages <= reserved);
	reserved -= pages;
}

u64 nodemem_unreserved(void) { return limit - reserved; }

void numa_reclaim_begin(struct numa_reclaim *r)
{
	assert_false(reclaim_open);
	reclaim_open = true;
	*r = (struct numa_reclaim){ 0 };
}

bool numa_reclaim_step(struct numa_reclaim *r)
{
	assert_true(reclaim_open);
	return ++r->page == 3;
}

void numa_reclaim_end(void)
{
	assert_true(reclaim_open);
	reclaim_open = false;
}

int loader_begin(struct vm *of, struct load *load, char *why, size_t size)
{
	assert_true(of->progress.reserved);
	*load = (struct load){ .entry = 0x1000 };
	stood[id_of(of)] = 0;
	if (image_is_bad) {
		snprintf(why, size, "kernel: bad");
		return -ENOEXEC;
	}
	return 1;
}

int loader_step(struct vm *of, struct load *load, char *why, size_t size)
{
	assert_int_equal(of->live, 0);
	why[size - 1] = '\0'; /* it may be written to its end */
	filled[id_of(of)]++;
	return ++load->done < LOAD_STEPS;
}

static void tell(const char *module, const char *fmt, va_list ap)
{
	char line[sizeof(told[0])];
	u32 id;

	assert_string_equal(module, "vm");
	vsnprintf(line, sizeof(line), fmt, ap);
	id = line[0] == 'b';
	strcpy(told[id], line + 2);
	told_stopped[id] += !strncmp(line + 2, "stopped", 7);
}

void log_line(const char *module, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(module, fmt, ap);
	va_end(ap);
}

void log_passing(const char *module, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(module, fmt, ap);
	va_end(ap);
}

int ksnprintf(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(to, size, fmt, ap);
	va_end(ap);
	return n;
}

/* ---- the machine ---- */

static int fill(void **state)
{
	(void)state;
	reserved = 0;
	limit = PAGES + PAGES / 2;
	now = 1000;
	reclaim_open = image_is_bad = false;
	memset(node, 0, sizeof(node));
	for (u32 i = 0; i < 2; i++) {
		node[i].id = i;
		memset(&vm[i], 0, sizeof(vm[i]));
		vm[i].desc = &desc[i];
		vm[i].name[0] = 'a' + i;
		vm[i].home = &node[i];
		vm[i].node_mask = nodemask_first(2);
		vm[i].state = VM_STOPPED;
		vm[i].pmap.npages = PAGES;
		vm[i].nvcpus = 2;
		for (u32 k = 0; k < 2; k++) {
			struct node *n = &node[(i + k) % 2];

			vcpu[i][k] = (struct vcpu){ .vm = &vm[i], .node = n, .place = n, .id = k };
			vm[i].vcpus[k] = &vcpu[i][k];
			n->vcpus[n->nvcpus++] = &vcpu[i][k];
		}
		filled[i] = told_stopped[i] = 0;
		flushed[i] = shut[i] = locked[i] = false;
		told[i][0] = 0;
	}
	here = &node[0];
	return 0;
}

static void pass(u64 ticks)
{
	now += ticks;
	for (u32 i = 0; i < 2; i++)
		stood[i] += vm[i].state == VM_PAUSED ? ticks : 0;
}

/* The first half of the way to a guest (kernel/sched/sched.c, claim): which VCPU it is. */
static struct vcpu *claim(u32 id)
{
	for (u32 i = 0; i < node[id].nvcpus; i++)
		if (vcpu_state(node[id].vcpus[i]) == VCPU_READY) {
			vcpu_change(node[id].vcpus[i], VCPU_RUNNING);
			return node[id].vcpus[i];
		}
	return NULL;
}

/* The second: it runs, or is as before. */
static void enter(u32 id, struct vcpu *v)
{
	here = &node[id];
	if (!v || vcpu_state(v) != VCPU_RUNNING)
		return;
	if (vm_state(v->vm) != VM_RUNNING) {
		vcpu_change(v, VCPU_READY);
		return;
	}
	vcpu_catch_up(v);
	here->current = v;
}

static void leave(u32 id)
{
	struct vcpu *v = node[id].current;

	node[id].current = NULL;
	if (v && vcpu_state(v) == VCPU_RUNNING)
		vcpu_change(v, VCPU_READY);
}

/* A node looks around, and does a step of work if it has any. */
static void turn(u32 id)
{
	here = &node[id];
	leave(id);
	pass(3);
	vm_service(here);
	for (u32 i = 0; i < here->nvcpus; i++) {
		if (vcpu_state(here->vcpus[i]) != VCPU_BUSY)
			continue;
		working = here->vcpus[i]->vm;
		vm_work(working);
	}
	vm_service(here);
}

static void turns(u32 n)
{
	while (n--)
		for (u32 id = 0; id < 2; id++)
			turn(id);
	here = &node[0];
}

static void start(struct vm *of)
{
	vm_request(of, VM_START);
	turns(20);
	assert_int_equal(vm_state(of), VM_RUNNING);
	assert_int_equal(filled[id_of(of)], LOAD_STEPS);
	assert_int_equal(of->live, 1);
}

/* A guest acts, on the node of its VCPU. */
static void as(const struct vcpu *v)
{
	assert_true(vcpu_state(v) >= VCPU_READY);
	here = v->node;
}

static void expect_stopped(struct vm *of, const char *line)
{
	turns(20);
	assert_int_equal(vm_state(of), VM_STOPPED);
	assert_int_equal(vm_requested(of), VM_NOTHING);
	assert_string_equal(told[id_of(of)], line);
	assert_int_equal(filled[id_of(of)], 0);
	for (u32 i = 0; i < of->nvcpus; i++)
		assert_int_equal(vcpu_state(of->vcpus[i]), VCPU_OFFLINE);
}
