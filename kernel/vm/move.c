/* SPDX-License-Identifier: MIT */
/* VCPUs that move between nodes: the table in move.h. */
#include "arch/mips/arch.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/l2tlb.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

_Static_assert(sizeof(struct l2tlb) + ASID_COUNT * sizeof(u64) == SEAT_PAGES << PAGE_SHIFT &&
		       sizeof(struct l2tlb) == SEAT_ALIGN << PAGE_SHIFT,
	       "a seat is an L2TLB and a map of ASIDs");
_Static_assert(NODE_VCPUS_HOME >= MAX_VMS, "each VM may be loaded by the same node");

/* ---- errands: what a node is to do about VCPUs that move ---- */

#define ERRAND_TAKE    BIT(0) /* one that has LEFT for here */
#define ERRAND_PREPARE BIT(1) /* for one that is ASKED to come here */
#define ERRAND_LET_GO  BIT(2) /* of one here that is PREPARED elsewhere */
#define ERRAND_GIVE    BIT(3) /* one away, to who has asked (kernel/sched/fetch.h) */

static void give_errand(struct node *n, u32 errand)
{
	__atomic_fetch_or(&n->errands, errand, __ATOMIC_SEQ_CST);
	node_resched(n);
}

void move_ask_to_give(struct node *n) { give_errand(n, ERRAND_GIVE); }

static u32 move_of(const struct vcpu *v) { return __atomic_load_n(&v->move, __ATOMIC_ACQUIRE); }

static bool is_for(u32 move, enum move_step step, const struct node *target)
{
	return MOVE_STEP(move) == step && move >> MOVE_TARGET_SHIFT == target->id;
}

static struct node *target_of(u32 move) { return nodes[move >> MOVE_TARGET_SHIFT]; }

/* Whoever has the VCPU now, by the table: nobody else writes the word. */
static void set_step(struct vcpu *v, enum move_step step)
{
	u32 word = step == MOVE_STAYS ? 0 : (move_of(v) & ~3u) | step;

	__atomic_store_n(&v->move, word, __ATOMIC_RELEASE);
}

int vcpu_move(struct vcpu *v, struct node *to, bool told)
{
	u32 stays = MOVE_STAYS;
	u32 asked = MOVE_ASKED | (told ? MOVE_TOLD : 0) | to->id << MOVE_TARGET_SHIFT;

	if (!move_of(v) && v->node == to)
		return 0;
	if (!__atomic_compare_exchange_n(&v->move, &stays, asked, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED))
		return -EBUSY;
	give_errand(to, ERRAND_PREPARE);
	return 0;
}

bool move_never(struct vcpu *v)
{
	u32 stays = MOVE_STAYS;

	return __atomic_compare_exchange_n(&v->move, &stays, MOVE_NEVER, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* ---- who has the node alone ---- */

static bool is_present(const struct share *s) { return s->nvcpus + s->expected; }

/* Large pages of a VM's windows hold in all address spaces of a node that no other VM uses. */
static void update_alone(struct node *n)
{
	u32 present = 0;

	for (u32 i = 0; i < n->nshares; i++)
		present += is_present(&n->shares[i]);
	for (u32 i = 0; i < n->nshares; i++) {
		const struct share *s = &n->shares[i];

		if (pmap_has_view(&s->vm->pmap, n->id))
			pmap_set_alone(&s->vm->pmap, n->id, present == 1 && is_present(s));
	}
}

void moves_start(struct node *n) { update_alone(n); }
void moves_left(struct node *n) { update_alone(n); }

/* ---- seats ---- */

/* On node n, whose it is from now on, empty; false: there is no memory for it. */
static bool take_seat(struct vcpu *v, const struct node *n)
{
	struct l2tlb *l2tlb = v->own_seat.l2tlb;
	mpn_t pages = MPN_NONE;

	if (n->id == v->own_node) {
		v->next_seat = v->own_seat;
		for (unsigned i = 0; i < ASID_COUNT; i++)
			v->next_seat.asid_map[i] = 0;
	} else {
		pages = nodemem_keep(n->id, SEAT_PAGES, SEAT_ALIGN);
		if (!mpn_valid(pages))
			return false;
		l2tlb = mpn_ptr(pages);
		v->next_seat = (struct seat){ l2tlb, (u64 *)(l2tlb + 1), pages };
	}
	l2tlb_flush(l2tlb);
	return true;
}

void move_return_seat(struct seat seat)
{
	if (mpn_valid(seat.pages))
		nodemem_return(seat.pages, SEAT_PAGES);
}

/* ---- the target gets ready ---- */

/* VCPU 0 comes home for the VM to be loaded or its memory to go back: that may not fail. */
static bool has_place(const struct node *n, const struct vcpu *v)
{
	return n->nvcpus + n->nexpected < NODE_VCPUS || (v->id == 0 && n == v->vm->home);
}

/* NULL: it can come, else why not. The share is what moves_tick finds a view by that nobody came for. */
static const char *prepare(struct node *n, struct vcpu *v)
{
	sched_share(n, v->vm);
	if (!has_place(n, v))
		return "that has as many VCPUs as it can have";
	if (pmap_gain_view(v->vm, n->id))
		return "that has no memory left for a view of the VM";
	if (!take_seat(v, n))
		return "that has no memory left for its L2TLB";
	return NULL;
}

/* ready: nodes of VCPUs that can come. */
static void serve_asked(struct node *n, struct vcpu *v, struct nodemask *ready)
{
	u32 move = move_of(v);
	struct node *from = v->node;
	const char *why = NULL;

	if (from != n)
		why = prepare(n, v);
	if (from == n || why) {
		if (why && (move & MOVE_TOLD))
			log_line("vm", "%s/%u stays on node %u, and does not move to node %u: %s",
				 v->vm->name, v->id, from->id, n->id, why);
		set_step(v, MOVE_STAYS);
		return;
	}
	sched_share(n, v->vm)->expected++;
	n->nexpected++;
	update_alone(n);
	set_step(v, MOVE_PREPARED);
	nodemask_add(ready, from->id);
}

/* ---- its node lets go of it ---- */

/* False: not now. */
static bool let_go(struct node *n, struct vcpu *v)
{
	const struct seat seat = v->seat;
	struct node *to = target_of(move_of(v));

	if (vcpu_state(v) == VCPU_BUSY)
		return false;
	v->move_began = count64();
	sched_put_off(v); /* with its translations checked, as long as others take them back */
	v->moved_as = vcpu_state(v);
	if (v->moved_as >=
	    VCPU_READY) /* else it is in no processor, and may be started meanwhile */
		vcpu_change(v, VCPU_MOVING);
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* MOVING is seen before its tables are: mmu_call_flush */
	sched_remove(v);
	v->seat = v->next_seat;
	arch_vcpu_leave(v, v->seat.l2tlb, v->seat.asid_map);
	set_step(v, MOVE_LEFT);
	give_errand(to, ERRAND_TAKE); /* it is theirs from here on */
	move_return_seat(seat);
	update_alone(n);
	return true;
}

/* ---- the target takes it up ---- */

static void take(struct node *n, struct vcpu *v)
{
	struct vm *vm = v->vm;
	enum vm_state state = vm_state(vm);

	v->node = n;
	sched_add(v);
	v->share->expected--;
	n->nexpected--;
	arch_vcpu_arrive(v);
	set_step(v, MOVE_STAYS);
	if (vcpu_state(v) == VCPU_MOVING)
		vcpu_change(v, v->moved_as);
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* the state is seen before lines are read: vcpu_post_irq */
	tick_soon(n);
	vtimer_expire(n);
	v->came = count64();
	v->stats.moves++;
	n->stats.vcpu_moves++;
	n->stats.vcpu_move_ticks += count64() - v->move_began;
	if (v->id == 0 && n != vm->home && (state == VM_LOADING || state == VM_RELEASING))
		node_resched(vm->home); /* it is wanted there */
}

/* ---- all that a node has to do ---- */

struct round {
	u32 errands;
	u32 left;	       /* of them: a VCPU cannot go now */
	struct nodemask ready; /* nodes that are to let VCPUs go */
};

static void serve(struct node *n, struct vcpu *v, struct round *r)
{
	u32 move = move_of(v);

	if ((r->errands & ERRAND_TAKE) && is_for(move, MOVE_LEFT, n))
		take(n, v);
	else if ((r->errands & ERRAND_PREPARE) && is_for(move, MOVE_ASKED, n))
		serve_asked(n, v, &r->ready);
	else if ((r->errands & ERRAND_LET_GO) && MOVE_STEP(move) == MOVE_PREPARED && v->node == n)
		r->left |= let_go(n, v) ? 0 : ERRAND_LET_GO;
}

static void serve_all(struct node *n, struct round *r)
{
	for (u32 i = 0; i < nvms; i++)
		for (u32 k = 0; k < vms[i]->nvcpus; k++)
			serve(n, vms[i]->vcpus[k], r);
}

/*
 * A VCPU that has LEFT runs nowhere. So those that are there are taken up first, and none is let go before this
 * node has got ready for all of them.
 */
void moves_serve(struct node *n)
{
	struct round r = { .left = 0 };

	while ((r.errands = __atomic_exchange_n(&n->errands, 0, __ATOMIC_SEQ_CST))) {
		serve_all(n, &r);
		if (r.errands & ERRAND_GIVE)
			fetch_give(n);
	}
	for_each_node(i, r.ready)
		give_errand(nodes[i], ERRAND_LET_GO);
	__atomic_fetch_or(&n->errands, r.left, __ATOMIC_RELAXED);
	sched_waive(n);
}

void moves_tick(struct node *n)
{
	for (u32 i = 0; i < n->nshares; i++) {
		const struct share *s = &n->shares[i];

		if (!is_present(s) && s->vm->home != n)
			pmap_lose_view_step(s->vm, n->id);
	}
}
