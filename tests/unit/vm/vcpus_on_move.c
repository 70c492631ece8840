/* SPDX-License-Identifier: MIT */
/*
 * The machine of test_vcpu_move.c, which includes this file: four nodes, three VMs, the real run queues and
 * lives of VMs, and guests that do what a table of chances says. What else the monitor has are stand-ins that
 * note who holds what. Where a stand-in is called without a lock other nodes may act: `meanwhile`.
 */
#include <setjmp.h>
#include "drivers/dev.h"
#include "tests/unit/unit.h"

#include "arch/mips/mips.h"

#include "kernel/console/console.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/mem/shootdown.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/hasten.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/make.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define NODES	   4
#define VMS	   3
#define PER	   4 /* VCPUs of a VM */
#define LINES	   3 /* of a VCPU; the timer's is one of them */
#define TIMER	   2
#define PAGES	   100
#define NO_VERSION L2TLB_NOTHING

struct node *nodes[MAX_NODES];
unsigned nnodes = NODES, nvms = VMS;
struct vm *vms[MAX_VMS];
static struct node node[NODES], *here;
static struct vm vm[VMS];
static struct vcpu vcpu[VMS][PER];
/* The clocks of some VMs stand still while they are paused. */
static struct vm_desc desc[2] = {
	{ .name = "vm", .memory_mb = 4 },
	{ .name = "vm", .memory_mb = 4, .time_stops = true, .gang = true }
};
static struct l2tlb own_l2tlb[VMS][PER];
static u64 own_map[VMS][PER][ASID_COUNT];
static u64 now;
static jmp_buf turn_over;
static u32 locks, kept_seats, kept_views, asked_nodes;
static bool has_view[VMS][NODES], is_short, is_calm;

/* The reference: what is to be true of each VCPU, whatever moved meanwhile. */
static struct {
	bool raised[LINES]; /* and not taken by the guest since */
	u64 moves;	    /* when the guest ran last */
	u64 ran;
} want[VMS][PER];
static u64 stood[VMS];	 /* for how long it was PAUSED, since it began */
static u64 version[VMS]; /* of the guest's page tables, when it last flushed */

static void meanwhile(void);
static void guest(struct vcpu *v);

/* ---- chance ---- */

static u64 seed;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(seed >> 33) % n;
}

static u32 vm_of(const struct vm *of) { return (u32)(of - vm); }

/* ---- stand-ins ---- */

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

u64 count64(void) { return now; }
bool option_on(enum option o) { return o < OPTIONS; }
struct node *node_self(void) { return here; }
void node_read_mail(struct node *n) { (void)n; }
void node_kick(struct node *n) { (void)n; }
void node_resched(struct node *n)
{
	n->need_resched = true;
	meanwhile();
}
void lock_take(struct lock *l)
{
	assert_int_equal(l->next++, 0);
	locks++;
}
void lock_release(struct lock *l)
{
	assert_int_equal(l->next--, 1);
	locks--;
}
u32 topology_near(u32 of, u32 i) { return (of + i) % NODES; }
void magic_note_vm(u32 of, u32 id) { (void)of, (void)id; }

/* Memory of nodes: seats and, as a number, views. */
#define SEATS 256
static void *seats[SEATS]; /* by machine page numbers from 1000 on */
void *fake_mpn_ptr(mpn_t mpn) { return seats[mpn.v - 1000]; }
mpn_t nodemem_keep(u32 of, u32 npages, u32 align)
{
	u32 i = 0;

	assert_ptr_equal(&node[of], here);
	assert_int_equal(align, SEAT_ALIGN);
	meanwhile();
	if (is_short && chance(2))
		return MPN_NONE;
	while (seats[i])
		i++;
	assert_int_equal(posix_memalign(&seats[i], (size_t)align << PAGE_SHIFT,
					npages << PAGE_SHIFT),
			 0);
	kept_seats++;
	memset(seats[i], 0, npages << PAGE_SHIFT);
	return (mpn_t){ 1000 + i };
}
void nodemem_return(mpn_t first, u32 npages)
{
	void **seat = &seats[first.v - 1000];

	assert_int_equal(npages, SEAT_PAGES);
	memset(*seat, 0x5a, npages << PAGE_SHIFT); /* others have it */
	free(*seat);
	*seat = NULL;
	kept_seats--;
	meanwhile();
}
int pmap_gain_view(struct vm *of, u32 to)
{
	bool *has = &has_view[vm_of(of)][to];

	assert_ptr_equal(&node[to], here);
	meanwhile();
	if (!*has && is_short && chance(2))
		return -ENOMEM;
	kept_views += !*has;
	*has = true;
	of->node_mask.bits |= 1u << to;
	return 0;
}
bool pmap_lose_view_step(struct vm *of, u32 from)
{
	bool *has = &has_view[vm_of(of)][from];

	assert_ptr_equal(&node[from], here);
	for (u32 i = 0; i < PER; i++)
		assert_false(vcpu_is_on(of->vcpus[i], &node[from]));
	if (*has && chance(2))
		return false;
	kept_views -= *has;
	*has = false;
	of->node_mask.bits &= ~(1u << from);
	return true;
}
bool pmap_has_view(const struct pmap *p, u32 of)
{
	for (u32 i = 0; i < VMS; i++)
		if (p == &vm[i].pmap)
			return has_view[i][of];
	return false;
}
void pmap_set_alone(struct pmap *p, u32 of, bool alone)
{
	assert_ptr_equal(&node[of], here);
	p->view[of].alone = alone;
}

/* The processor. */
void l2tlb_flush(struct l2tlb *l) { l->entry[0].tag = NO_VERSION; }
void arch_vcpu_switch_in(struct vcpu *v) { assert_ptr_equal(v, here->current); }
void arch_vcpu_switch_out(struct vcpu *v)
{
	assert_ptr_equal(v->node, here);
	meanwhile();
}
void arch_vcpu_leave(struct vcpu *v, struct l2tlb *l2tlb, u64 *asid_map)
{
	assert_ptr_equal(v->node, here);
	v->arch.l2tlb = l2tlb;
	v->arch.asid_map = asid_map;
	meanwhile();
}
void arch_vcpu_arrive(struct vcpu *v)
{
	assert_ptr_equal(v->node, here);
	assert_true(has_view[vm_of(v->vm)][here->id]);
	meanwhile();
}
bool arch_vcpu_user(const struct vcpu *v) { return v->id & 1 && !chance(2); }
void arch_vcpu_stolen(struct vcpu *v, u64 ticks) { (void)v, (void)ticks; }
void arch_vcpu_reset(struct vcpu *v, const struct vcpu_boot *boot)
{
	assert_ptr_equal(v->node, here);
	v->arch.pc = boot->pc;
	v->arch.timer_armed = false;
	v->arch.lag = 0;
	l2tlb_flush(v->arch.l2tlb);
	v->arch.asid_map[0] = 0;
}
void arch_vcpu_set_lag(struct vcpu *v, u64 lag)
{
	assert_ptr_equal(v->node, here);
	v->arch.timer += lag - v->arch.lag;
	v->arch.lag = lag;
}
void arch_vcpu_retire(struct vcpu *v)
{
	assert_ptr_equal(v->node, here);
	memset(&want[vm_of(v->vm)][v->id], 0, sizeof(want[0][0]));
	v->arch.timer_armed = false;
	l2tlb_flush(v->arch.l2tlb);
	v->arch.asid_map[0] = 0;
}
bool arch_vcpu_hears(const struct vcpu *v, unsigned line) { return v && line < 8; }
bool arch_vcpu_wakes(const struct vcpu *v) { return v->arch.irq_lines; }
void arch_idle(void) { longjmp(turn_over, 1); }
void arch_irq_poll(struct node *n) { (void)n; }
_Noreturn void arch_run(struct vcpu *v)
{
	guest(v);
	longjmp(turn_over, 1);
}

/* The line goes up; the reference says that the guest must see it. */
static void post(struct vcpu *v, u32 line)
{
	bool is_on = vcpu_state(v) > VCPU_CLAIMED && vcpu_state(v) != VCPU_BUSY;

	vcpu_post_irq(v, line);
	want[vm_of(v->vm)][v->id].raised[line] |= is_on;
}

void vtimer_expire(struct node *n)
{
	assert_ptr_equal(n, here);
	for (u32 i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (!v->arch.timer_armed || v->arch.timer > now || v->arch.lag != v->vm->lag)
			continue;
		v->arch.timer_armed = false;
		post(v, TIMER);
	}
}

void tick_soon(struct node *n) { assert_ptr_equal(n, here); }

/* VMs' lives, with nothing in them. */
/* None is made or destroyed: tests/unit/vm/test_make.c. */
void make_begin(struct vm *of) { (void)of; }
void unmake_begin(struct vm *of) { (void)of; }
void make_serve(struct node *n) { (void)n; }
void devices_reset(struct vm *of) { (void)of; }
void devices_raise_again(struct vcpu *of) { (void)of; }
void devices_shutdown(struct vm *of) { (void)of; }
bool devices_release_step(struct vm *of) { return of; }
bool devices_have_work(const struct vm *of)
{
	(void)of;
	return !is_calm && !chance(8);
}
void devices_work(struct vm *of) { assert_ptr_equal(of->home, here); }
void console_vm_ended(struct vm *of, const char *how, bool again)
{
	(void)of, (void)how, (void)again;
}

/* What is taken back of translations: an L2TLB here has one, of no address. */
static void take_back(struct vcpu *v)
{
	assert_ptr_equal(v->node, here);
	l2tlb_flush(v->arch.l2tlb);
	v->arch.asid_map[0] = 0;
}
void mmu_flush_vcpu(struct vcpu *v) { take_back(v); }
void mmu_drop_asid(struct vcpu *v, u32 asid) { (void)asid, take_back(v); }
void mmu_forget_range(struct vcpu *v, u64 first, u64 pairs, u32 asid, bool global)
{
	(void)first, (void)pairs, (void)asid, (void)global;
	take_back(v);
}
u64 check_flushed(const struct vcpu *v, const struct mmu_flush *f)
{
	(void)f;
	assert_true(v->arch.l2tlb->entry[0].tag == NO_VERSION);
	return 0;
}
void check_report_flush(const struct vm *of, u64 va, u64 v) { (void)of, (void)va, (void)v; }
bool option_forget(void) { return false; }

/* Who is asked runs, but for what others may do in between. */
void shootdown(struct nodemask mask, shootdown_fn ask, const void *what)
{
	struct node *self = here;

	assert_false(nodemask_has(mask, self->id));
	meanwhile();
	for_each_node(i, mask) {
		assert_int_equal(vcpu_state(node[i].current), VCPU_RUNNING);
		here = &node[i];
		ask(here, what);
	}
	here = self;
	asked_nodes += (u32)__builtin_popcount(mask.bits);
}
void shootdown_all(struct nodemask mask) { (void)mask; }
bool pmap_release_step(struct vm *of, u32 *next)
{
	assert_ptr_equal(of->home, here);
	assert_int_equal(of->live, 0);
	return ++*next == 2;
}
u32 pmap_end_promise(struct pmap *p) { return p->npages; }
bool disks_reclaim_step(void) { return false; }
int nodemem_reserve(u64 pages) { return !pages; }
void nodemem_unreserve(u64 pages) { (void)pages; }
u64 nodemem_unreserved(void) { return 0; }
void numa_reclaim_begin(struct numa_reclaim *r) { (void)r; }
bool numa_reclaim_step(struct numa_reclaim *r) { return r; }
void numa_reclaim_end(void) {}
int loader_begin(struct vm *of, struct load *load, char *why, size_t size)
{
	(void)load, (void)why, (void)size;
	assert_ptr_equal(of->home, here);
	stood[vm_of(of)] = 0;
	return 1;
}
int loader_step(struct vm *of, struct load *load, char *why, size_t size)
{
	(void)load, (void)why, (void)size;
	assert_ptr_equal(of->vcpus[0]->node, here);
	return 0;
}
void log_line(const char *module, const char *fmt, ...) { (void)module, (void)fmt; }
void log_passing(const char *module, const char *fmt, ...) { (void)module, (void)fmt; }
/* ---- the machine ---- */

static void fill_vcpu(u32 i, u32 k)
{
	struct vcpu *v = &vcpu[i][k];
	struct node *n = &node[(i + k % 2) % NODES];

	*v = (struct vcpu){ .vm = &vm[i], .node = n, .id = k, .place = n, .own_node = n->id };
	v->own_seat = v->seat = (struct seat){ &own_l2tlb[i][k], own_map[i][k], MPN_NONE };
	v->arch.l2tlb = v->own_seat.l2tlb;
	v->arch.asid_map = v->own_seat.asid_map;
	l2tlb_flush(v->arch.l2tlb);
	vm[i].vcpus[k] = v;
	vm[i].node_mask.bits |= 1u << n->id;
	has_view[i][n->id] = true;
	sched_add(v);
}

static void fill(u64 with)
{
	seed = with;
	now = 1000 * COUNT_MS;
	locks = kept_seats = kept_views = 0;
	is_short = false;
	is_calm = true;
	memset(want, 0, sizeof(want));
	memset(version, 0, sizeof(version));
	memset(has_view, 0, sizeof(has_view));
	memset(node, 0, sizeof(node));
	memset(vm, 0, sizeof(vm));
	memset(own_map, 0, sizeof(own_map));
	for (u32 i = 0; i < NODES; i++) {
		node[i].id = i;
		nodes[i] = &node[i];
	}
	for (u32 i = 0; i < VMS; i++) {
		vms[i] = &vm[i];
		vm[i].id = i;
		vm[i].desc = &desc[i % 2];
		vm[i].home = &node[i % NODES];
		vm[i].state = VM_STOPPED;
		vm[i].pmap.npages = PAGES;
		vm[i].nvcpus = PER;
		for (u32 k = 0; k < PER; k++)
			fill_vcpu(i, k);
	}
	for (u32 i = 0; i < NODES; i++) {
		here = &node[i];
		moves_start(here);
	}
}

static void pass(u64 ticks)
{
	now += ticks;
	for (u32 i = 0; i < VMS; i++)
		stood[i] += vm[i].state == VM_PAUSED ? ticks : 0;
}

/* A node's timer, then it leaves its guest, looks around and enters the next, or idles. */
static void turn(struct node *n)
{
	here = n;
	pass(COUNT_MS / 4);
	vtimer_expire(n);
	if (!chance(4)) {
		moves_tick(n);
		if (fetch_on)
			fetch_tick(n);
		n->slice_over = true;
	}
	if (!setjmp(turn_over))
		sched_switch(n);
}

static void turns(u32 n)
{
	while (n--)
		for (u32 i = 0; i < NODES; i++)
			turn(&node[i]);
}
