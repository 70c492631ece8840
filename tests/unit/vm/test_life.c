/* SPDX-License-Identifier: MIT */
/*
 * kernel/vm/life.c: VMs from request to end, in a random walk held against a small model, and the
 * cases where somebody asks for something while the VM is on its way to something else. The machine
 * is two nodes, two VMs of two VCPUs, and memory that is enough for one of them and half.
 */
#include "tests/unit/unit.h"

#include "kernel/console/console.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/shootdown.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define PAGES	   100
#define LOAD_STEPS 5
#define FREE_STEPS 4

static struct vm vm[2];
static struct vcpu vcpu[2][2];
static struct node node[2];
static struct vm_desc desc = { .name = "vm0", .memory_mb = 4 };
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
u64 count64(void) { return 1; }
void sched_pay(struct node *n, struct vcpu *v) { (void)n, (void)v; }
void arch_vcpu_reset(struct vcpu *v, const struct vcpu_boot *boot) { v->arch.pc = boot->pc; }
bool arch_vcpu_wakes(const struct vcpu *v) { return v->arch.irq_lines; }
void arch_vcpu_retire(struct vcpu *v) { assert_ptr_equal(v->node, here); }
void pmap_set_alone(struct pmap *p, u32 of, bool alone) { (void)p, (void)of, (void)alone; }
void devices_reset(struct vm *of) { assert_int_equal(vm_state(of), VM_LOADING); }
void devices_shutdown(struct vm *of) { shut[id_of(of)] = true; }
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
	if (image_is_bad) {
		snprintf(why, size, "kernel: bad");
		return -ENOEXEC;
	}
	return 1;
}

int loader_step(struct vm *of, struct load *load)
{
	assert_int_equal(of->live, 0);
	filled[id_of(of)]++;
	return ++load->done < LOAD_STEPS;
}

void log_line(const char *module, const char *fmt, ...)
{
	char line[sizeof(told[0])];
	va_list ap;
	u32 id;

	assert_string_equal(module, "vm");
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	id = line[0] == 'b';
	strcpy(told[id], line + 2);
	told_stopped[id] += !strncmp(line + 2, "stopped", 7);
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
	reclaim_open = image_is_bad = false;
	memset(node, 0, sizeof(node));
	for (u32 i = 0; i < 2; i++) {
		node[i].id = i;
		memset(&vm[i], 0, sizeof(vm[i]));
		vm[i].desc = &desc;
		vm[i].name[0] = 'a' + i;
		vm[i].home = &node[i];
		vm[i].node_mask = nodemask_first(2);
		vm[i].state = VM_STOPPED;
		vm[i].pmap.npages = PAGES;
		vm[i].nvcpus = 2;
		for (u32 k = 0; k < 2; k++) {
			struct node *n = &node[(i + k) % 2];

			vcpu[i][k] = (struct vcpu){ .vm = &vm[i], .node = n, .id = k };
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

/* A node looks around, and does a step of work if it has any. */
static void turn(u32 id)
{
	here = &node[id];
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

/* ---- cases ---- */

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

		alive += vs != VCPU_OFFLINE && vs != VCPU_BUSY;
		assert_true(vs != VCPU_BUSY || i == 0);
		assert_true(vs != VCPU_BUSY || s == VM_LOADING || s == VM_RELEASING);
	}
	assert_int_equal(alive, of->live);
	assert_int_equal(alive > 0, s == VM_RUNNING || s == VM_STOPPING);
	assert_true(s != VM_STOPPED || filled[id] == 0);
	assert_true(s != VM_RUNNING || filled[id] == LOAD_STEPS);
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

/* What a person asks for at last is what the VM comes to, if it can. */
static void whatever_happens(void **state)
{
	(void)state;
	fill(NULL);
	for (u32 i = 0; i < 200000; i++) {
		struct vm *of = &vm[dice(2)];
		bool last_stop = false;

		here = &node[dice(2)];
		flushed[0] &= vm_state(&vm[0]) == VM_RELEASING;
		flushed[1] &= vm_state(&vm[1]) == VM_RELEASING;
		image_is_bad = dice(10) == 0;
		limit = dice(3) ? PAGES * 3 : MAX(reserved, (u64)PAGES);
		switch (dice(8)) {
		case 0: vm_request(of, VM_START); break;
		case 1: vm_request(of, VM_RESET); break;
		case 2:
			vm_request(of, VM_STOP);
			last_stop = dice(4) == 0;
			break;
		case 3: guest_acts(of); break;
		default: turn(dice(2)); break;
		}
		for (u32 k = 0; last_stop && k < 30; k++) {
			turn(k % 2);
			guest_acts(of);
		}
		if (last_stop)
			assert_int_equal(vm_state(of), VM_STOPPED);
		flushed[id_of(of)] &= vm_state(of) == VM_RELEASING;
		check(&vm[0]);
		check(&vm[1]);
		assert_int_equal(reserved,
				 (vm[0].progress.reserved && vm[0].state > VM_STOPPED) * PAGES +
					 (vm[1].progress.reserved && vm[1].state > VM_STOPPED) *
						 PAGES);
	}
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
		cmocka_unit_test_setup(the_last_vcpu_ends_the_vm, fill),
		cmocka_unit_test_setup(a_vcpu_stops_while_its_vm_ends, fill),
		cmocka_unit_test_setup(whatever_happens, fill),
	};

	return cmocka_run_group_tests_name("life", tests, NULL, NULL);
}
