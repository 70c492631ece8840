/* SPDX-License-Identifier: MIT */
/*
 * kernel/vm/make.c: VMs are made and taken apart at random by nodes that look around in any order, while memory is short, VCPUs
 * are on the way and others hold pointers to VCPUs until their own next look. The machine is stand-ins that know what is held by
 * whom; memory that goes back is given to the host's allocator, so that who uses it afterwards ends the test.
 */
#include "drivers/dev.h"
#include "tests/unit/unit.h"

#include "kernel/log.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/reloc/patch.h"
#include "kernel/sched/sched.h"
#include "kernel/vm/life.h"
#include "kernel/vm/make.h"
#include "kernel/vm/move.h"
#include "numa/numa.h"

#define NODES 4
#define VMS   3
#define PER   5

struct vm *vms[MAX_VMS];
struct node *nodes[MAX_NODES];
unsigned nvms = VMS, nnodes = NODES;
static struct vm vm[VMS];
static struct node node[NODES], *here;
static struct vm_desc desc[VMS];
static u32 kept, views, queued, refused;
static bool is_short, has_view[VMS][NODES];
/* What a node has found in a loop over all VCPUs, and may use until it looks around again. */
static struct vcpu *found[NODES][PER];
static u64 seed;

static u32 chance(u32 n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(seed >> 33) % n;
}

static u32 vm_of(const struct vm *of) { return (u32)(of - vm); }

/* ---- stand-ins ---- */

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}
struct node *node_self(void) { return here; }
void node_resched(struct node *n) { n->need_resched = true; }
void lock_take(struct lock *l) { assert_int_equal(l->next++, 0); }
void lock_release(struct lock *l) { assert_int_equal(l->next--, 1); }
void log_line(const char *module, const char *fmt, ...)
{
	(void)module;
	refused += strstr(fmt, "not created") != NULL;
}
int ksnprintf(char *to, size_t size, const char *fmt, ...) { return snprintf(to, size, "%s", fmt); }
void magic_note_pmap(const void *at, u64 bytes) { (void)at, (void)bytes; }
void magic_note_l2tlb(const void *at, u64 bytes) { (void)at, (void)bytes; }
void magic_note_guest(const void *at, u64 bytes) { (void)at, (void)bytes; }
void l2tlb_flush(struct l2tlb *l) { l->entry[0].tag = L2TLB_NOTHING; }
u64 nodemem_free_pages(u32 of) { return of; }

#define KEPT 128
static void *memory[KEPT]; /* by machine page numbers, a thousand each */

mpn_t nodemem_keep(u32 of, u32 npages, u32 align)
{
	u32 i = 1;

	assert_ptr_equal(&node[of], here);
	if (is_short && !chance(6))
		return MPN_NONE;
	while (memory[i])
		i++;
	assert_int_equal(posix_memalign(&memory[i], (size_t)align << PAGE_SHIFT,
					(size_t)npages << PAGE_SHIFT),
			 0);
	memset(memory[i], 0, (size_t)npages << PAGE_SHIFT);
	kept += npages;
	return (mpn_t){ i * 1000 };
}
void *fake_mpn_ptr(mpn_t mpn) { return memory[mpn.v / 1000]; }
void nodemem_return(mpn_t first, u32 npages)
{
	void **at = &memory[first.v / 1000];

	assert_non_null(*at);
	free(*at);
	*at = NULL;
	kept -= npages;
}

bool option_on(enum option o) { return o == OPTION_PATCH; }
bool option_check(void) { return false; }
size_t patch_bytes(u32 npages) { return npages * 20ul; }
void patch_init(struct patch *p, void *storage, u32 npages)
{
	memset(storage, 1, patch_bytes(npages));
	p->npages = npages;
}

size_t pmap_bytes(u32 npages) { return npages * 18ul; }
size_t pmap_view_bytes(u32 npages) { return npages * 18ul; }
void pmap_init(struct pmap *p, void *storage, u32 npages)
{
	*p = (struct pmap){ .npages = npages, .page = storage };
}
int pmap_make_view(struct vm *of, u32 at)
{
	assert_ptr_equal(&node[at], here);
	assert_false(has_view[vm_of(of)][at]);
	if (is_short && !chance(6))
		return -1;
	has_view[vm_of(of)][at] = true;
	views++;
	nodemask_add(&of->node_mask, at);
	return 0;
}
bool pmap_has_view(const struct pmap *p, u32 at)
{
	for (u32 i = 0; i < VMS; i++)
		if (p == &vm[i].pmap)
			return nodemask_has(vm[i].node_mask, at);
	return false;
}
bool pmap_lose_view_step(struct vm *of, u32 at)
{
	assert_ptr_equal(&node[at], here);
	for (u32 k = 0; k < node[at].nvcpus; k++)
		assert_true(node[at].vcpus[k]->vm != of);
	if (nodemask_has(of->node_mask, at) && chance(2))
		return false;
	of->node_mask.bits &= ~nodemask_of(at).bits;
	return true;
}
void pmap_unmake_view(struct vm *of, u32 at)
{
	assert_ptr_equal(&node[at], here);
	assert_true(has_view[vm_of(of)][at]);
	has_view[vm_of(of)][at] = false;
	views--;
}

static struct share share;
struct share *sched_share(struct node *n, struct vm *of)
{
	(void)n, (void)of;
	return &share;
}
void sched_add(struct vcpu *v)
{
	v->node->vcpus[v->node->nvcpus++] = v;
	queued++;
}
void sched_put_off(struct vcpu *v) { assert_ptr_equal(v->node, here); }
void sched_remove(struct vcpu *v)
{
	struct node *n = v->node;
	u32 at = 0;

	assert_ptr_equal(n, here);
	assert_int_equal(v->move, MOVE_NEVER);
	while (n->vcpus[at] != v)
		at++;
	for (n->nvcpus--; at < n->nvcpus; at++)
		n->vcpus[at] = n->vcpus[at + 1];
	queued--;
}
bool move_never(struct vcpu *v)
{
	if (v->move)
		return false;
	v->move = MOVE_NEVER;
	return true;
}
void move_return_seat(struct seat seat) { assert_false(mpn_valid(seat.pages)); }
void moves_left(struct node *n) { assert_ptr_equal(n, here); }

/* life.c's, with nothing but the states of this. */
void vm_change_locked(struct vm *of, enum vm_event event)
{
	static const enum vm_state from[] = { VM_ABSENT, VM_MAKING, VM_STOPPED, VM_UNMAKING },
				   to[] = { VM_MAKING, VM_STOPPED, VM_UNMAKING, VM_ABSENT };

	assert_int_equal(of->lock.next, 1);
	assert_true(of->state == from[event] || (event == VM_DESTROYS && of->state == VM_MAKING));
	of->state = to[event];
}
void vm_call_nodes(const struct vm *of)
{
	for_each_node(i, of->node_mask)
		node_resched(&node[i]);
}
void vm_forget_request(struct vm *of, enum vm_request request)
{
	(void)of;
	assert_int_equal(request, VM_CREATE);
}

/* ---- the machine ---- */

static void fill(u64 with)
{
	static const u32 homes[VMS][3] = { { 0, 1, 2 }, { 3, 3, 3 }, { 2, 0, 2 } };

	seed = with;
	kept = views = queued = 0;
	memset(vm, 0, sizeof(vm));
	memset(node, 0, sizeof(node));
	memset(found, 0, sizeof(found));
	for (u32 i = 0; i < NODES; i++) {
		node[i].id = i;
		nodes[i] = &node[i];
	}
	for (u32 i = 0; i < VMS; i++) {
		desc[i] = (struct vm_desc){ .name = "vm",
					    .memory_mb = 1 + i,
					    .vcpus = i == 1 ? 1 : PER };
		desc[i].rewrite = i == 1;
		desc[i].nodes.n = 3;
		memcpy(desc[i].nodes.list, homes[i], sizeof(homes[i]));
		vm[i].desc = &desc[i];
		vm[i].home = &node[homes[i][0]];
		vm[i].state = VM_ABSENT;
		vms[i] = &vm[i];
	}
}

/* What it held it may use to the end; then it finds what there is. */
static void look_around(u32 at)
{
	here = &node[at];
	for (u32 k = 0; k < PER; k++)
		if (found[at][k])
			assert_true(found[at][k]->id < PER);
	memset(found[at], 0, sizeof(found[at]));
	here->looks++;
	here->need_resched = false;
	make_serve(here);
	for (u32 k = 0; k < PER; k++) {
		const struct vm *of = &vm[chance(VMS)];

		found[at][k] = of->nvcpus ? of->vcpus[chance(of->nvcpus)] : NULL;
	}
}

static void check(void)
{
	u32 has = 0;

	for (u32 i = 0; i < VMS; i++) {
		const struct vm *of = &vm[i];
		u32 n = 0;

		for (u32 k = 0; k < PER; k++)
			n += of->vcpus[k] != NULL;
		has += n;
		assert_true(of->state != VM_STOPPED || (n == desc[i].vcpus && of->nvcpus == n));
		assert_true(of->state != VM_STOPPED || !of->patch == !desc[i].rewrite);
		assert_true(of->state != VM_ABSENT ||
			    (!n && !of->nvcpus && !of->pmap.npages && !of->patch));
		assert_true(of->nvcpus == 0 || of->state == VM_STOPPED || of->state == VM_UNMAKING);
	}
	assert_true(queued <= has);
}

/* Only who was asked to looks around. */
static void rest(void)
{
	for (u32 asked = 1, n = 0; asked; n++) {
		assert_true(n < 1000);
		asked = 0;
		for (u32 i = 0; i < NODES; i++) {
			asked += node[i].need_resched;
			if (node[i].need_resched)
				look_around(i);
		}
	}
}

static void ask(struct vm *of)
{
	here = of->home;
	if (of->state == VM_ABSENT)
		make_begin(of);
	else if (of->state == VM_STOPPED)
		unmake_begin(of);
	node_resched(of->home);
}

/* ---- rules ---- */

static void it_comes_and_goes(void **state)
{
	(void)state;
	fill(1);
	is_short = false;
	for (u32 i = 0; i < VMS; i++) {
		ask(&vm[i]);
		rest();
		assert_int_equal(vm[i].state, VM_STOPPED);
		assert_int_equal(vm[i].nvcpus, desc[i].vcpus);
		for (u32 k = 0; k < desc[i].vcpus; k++)
			assert_ptr_equal(vm[i].vcpus[k]->node, &node[desc[i].nodes.list[k % 3]]);
	}
	for (u32 i = 0; i < VMS; i++) {
		ask(&vm[i]);
		rest();
		assert_int_equal(vm[i].state, VM_ABSENT);
	}
	assert_int_equal(kept + views + queued, 0);
}

/* It waits for that; and whoever has found a VCPU before holds the whole of it. */
static void a_vcpu_is_on_its_way(void **state)
{
	(void)state;
	fill(1);
	is_short = false;
	ask(&vm[0]);
	rest();
	vm[0].vcpus[1]->move = 1 | 3u << MOVE_TARGET_SHIFT;
	ask(&vm[0]);
	rest();
	assert_int_equal(vm[0].state, VM_UNMAKING);
	assert_int_equal(vm[0].nvcpus, PER); /* the others of the machine serve the move */
	vm[0].vcpus[1]->move = 0;
	for (u32 k = 0; k < 40; k++) { /* all but node 3 */
		look_around(k % 3);
		assert_true(kept > 0);
	}
	look_around(3);
	rest();
	assert_int_equal(vm[0].state, VM_ABSENT);
	assert_int_equal(kept + views + queued, 0);
}

static void whatever_the_order(void **state)
{
	u32 made = 0;

	(void)state;
	refused = 0;
	for (u32 with = 1; with <= 40; with++) {
		fill(with);
		is_short = with % 2;
		for (u32 i = 0; i < 1500; i++) {
			struct vm *of = &vm[chance(VMS)];

			if (!chance(8))
				ask(of);
			if (!chance(8) && of->nvcpus && of->state == VM_STOPPED &&
			    !of->vcpus[0]->move)
				of->vcpus[0]->move = 1;
			else if (of->nvcpus && of->vcpus[0]->move == 1) {
				of->vcpus[0]->move = 0;
				node_resched(of->vcpus[0]->node); /* as who arrives does */
			}
			look_around(chance(NODES));
			made += of->state == VM_STOPPED;
			check();
		}
		is_short = false;
		for (u32 i = 0; i < VMS; i++) {
			if (vm[i].nvcpus && vm[i].vcpus[0]->move == 1)
				vm[i].vcpus[0]->move = 0;
			for (u32 k = 0; k < 40 && (k < 20 || vm[i].state != VM_ABSENT); k++) {
				if (k >= 20)
					ask(&vm[i]);
				for (u32 at = 0; at < NODES; at++)
					look_around(at);
			}
			assert_int_equal(vm[i].state, VM_ABSENT);
		}
		assert_int_equal(kept + views + queued, 0);
	}
	assert_true(made > 1000 && refused > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_and_goes),
		cmocka_unit_test(a_vcpu_is_on_its_way),
		cmocka_unit_test(whatever_the_order),
	};

	return cmocka_run_group_tests_name("make", tests, NULL, NULL);
}
