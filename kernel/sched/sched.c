/* SPDX-License-Identifier: MIT */
/* Who runs on a node, who pays for the node's time, and the node's idle loop. */
#include "arch/mips/arch.h"
#include "kernel/panic.h"
#include "kernel/sched/direct.h"
#include "kernel/sched/fetch.h"
#include "kernel/sched/hasten.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/tick.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

_Static_assert(ACCOUNT_TICKS_MS == COUNT_MS, "account.h counts in Count ticks");

/* ---- virtual time of the machine ---- */

static u64 load_time(const struct vm *vm)
{
	return __atomic_load_n(&vm->virtual_time, __ATOMIC_RELAXED);
}

/* It has had so much at least. */
static void raise_time(struct vm *vm, u64 least)
{
	u64 had = load_time(vm);

	while (had < least && !__atomic_compare_exchange_n(&vm->virtual_time, &had, least, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void sched_welcome(const struct node *n, struct vm *vm)
{
	if (fetch_on)
		raise_time(vm, n->vms.floor);
}

static void charge(struct share *s, u64 ticks, u64 now)
{
	u64 before = s->account.virtual_time;

	account_charge(&s->account, ticks, now);
	if (fetch_on)
		__atomic_fetch_add(&s->vm->virtual_time, s->account.virtual_time - before,
				   __ATOMIC_RELAXED);
}

static bool offer(struct account_choice *c, struct share *s, enum account_role role)
{
	bool is_best;

	if (fetch_on)
		s->account.virtual_time = load_time(s->vm);
	is_best = account_offer(c, &s->account, role);
	if (fetch_on)
		raise_time(s->vm, s->account.virtual_time);
	return is_best;
}

static bool wants_time(const struct vcpu *v);

/* The VCPU wakes: its VM has slept if no other of its VCPUs here wants to run, and this one has not for a while. */
static void wake(struct node *n, struct vcpu *v, u64 now)
{
	struct share *s = v->share;

	if (!fetch_on || now - v->ready_since < ACCOUNT_CREDIT)
		return;
	for (u32 i = s->first; i < s->first + s->nvcpus; i++)
		if (wants_time(n->vcpus[i]))
			return;
	s->account.virtual_time = load_time(s->vm);
	account_wake(&n->vms, &s->account);
	raise_time(s->vm, s->account.virtual_time);
}

/* ---- who pays ---- */

/*
 * The time since the last settlement is charged to whoever pays. While nobody does, that time waits
 * for the next who does: the way from an interrupt or a decision to a guest is that guest's.
 */
static void settle(struct node *n)
{
	struct vcpu *v = n->payer;
	u64 now, ticks;

	if (!v)
		return;
	now = count64();
	ticks = now - n->paid_until;
	n->paid_until = now;
	v->stats.run_ticks += ticks;
	account_charge(&v->account, ticks, now);
	charge(v->share, ticks, now);
}

void sched_pay(struct node *n, struct vcpu *v)
{
	settle(n);
	n->payer = v;
}

void sched_charge(struct node *n, struct vm *vm)
{
	u64 now = count64();

	charge(sched_share(n, vm), now - n->paid_until, now);
	n->paid_until = now;
}

void sched_waive(struct node *n)
{
	settle(n);
	n->paid_until = count64();
}

void sched_interrupted(struct node *n) { sched_pay(n, NULL); }

void sched_resume(struct node *n)
{
	if (!n->need_resched && n->current && vcpu_state(n->current) == VCPU_RUNNING)
		n->payer = n->current;
}

/* ---- states ---- */

/* Other nodes that see READY see since when: hasten.c. */
static void make_ready(struct vcpu *v, u64 since)
{
	__atomic_store_n(&v->ready_since, since, __ATOMIC_RELAXED);
	vcpu_change(v, VCPU_READY);
}

/*
 * Wakes the VCPUs that wait no longer. Notes whether VCPUs of more than one VM are on.
 */
static void update_states(struct node *n)
{
	const struct share *only = NULL;

	n->contended = false;
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* WAITING is seen before lines are read: vcpu_post_irq */
	for (u32 i = 0; i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (vcpu_state(v) < VCPU_BUSY)
			continue;
		if (vcpu_state(v) == VCPU_WAITING && arch_vcpu_wakes(v)) {
			u64 now = count64();

			wake(n, v, now);
			make_ready(v, now);
		}
		n->contended |= only && only != v->share;
		only = v->share;
	}
}

/* ---- choosing ---- */

/* What became of the VCPU that has run until now, as a VM's or a VCPU's account sees it. */
static enum account_role role_of_current(const struct node *n)
{
	if (vcpu_state(n->current) != VCPU_READY)
		return ACCOUNT_OTHER;
	if (n->gives_way)
		return ACCOUNT_GIVES_WAY;
	return n->slice_over ? ACCOUNT_SLICE_ENDS : ACCOUNT_INTERRUPTED;
}

/* It can run, or (BUSY) the monitor has work to do for its VM, which takes its time. */
static bool wants_time(const struct vcpu *v)
{
	return vcpu_state(v) == VCPU_READY || vcpu_state(v) == VCPU_BUSY;
}

/* The next VCPU of a VM, or NULL: none wants time. role: the current VCPU's, which may be one of these. */
static struct vcpu *pick_vcpu(struct node *n, struct share *s, enum account_role role)
{
	struct account_choice c;
	struct vcpu *best = NULL;

	if (s->nvcpus == 1) { /* nobody to be compared with */
		best = n->vcpus[s->first];
		return wants_time(best) ? best : NULL;
	}
	c = account_choose(&s->vcpus);
	for (u32 i = s->first; i < s->first + s->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (wants_time(v) &&
		    account_offer(&c, &v->account, v == n->current ? role : ACCOUNT_OTHER))
			best = v;
	}
	account_chosen(&c);
	return best;
}

/* A VM gives way with its VCPU unless another of its VCPUs there is READY: that goes in its place. */
static enum account_role role_of_share(const struct node *n, const struct vcpu *next,
				       enum account_role role)
{
	if (!n->current || n->current->share != next->share)
		return ACCOUNT_OTHER;
	return role == ACCOUNT_GIVES_WAY && next != n->current ? ACCOUNT_OTHER : role;
}

/* Within its cap, and not held. Or when it may, and the node is to look again, in cap_end. */
static bool may_run(struct node *n, const struct share *s)
{
	if (vm_is_held(s->vm))
		return false;
	if (account_within_cap(&s->account, n->paid_until))
		return true;
	if (!n->cap_end || s->account.within_cap - ACCOUNT_CAP_AHEAD < n->cap_end)
		n->cap_end = s->account.within_cap - ACCOUNT_CAP_AHEAD;
	return false;
}

/*
 * A VM that has had more elsewhere than all here may wait for ever for this node, if its VCPU cannot go: a lock of its may be held here. So it has
 * a slice now and then.
 */
#define STARVED_MS 500

static bool is_starved(const struct node *n, const struct vcpu *v)
{
	return fetch_on && v != n->current && vcpu_state(v) == VCPU_READY &&
	       n->paid_until > v->ready_since + STARVED_MS * COUNT_MS;
}

static bool share_wants_time(const struct node *n, const struct share *s)
{
	for (u32 i = s->first; i < s->first + s->nvcpus; i++)
		if (wants_time(n->vcpus[i]))
			return true;
	return false;
}

bool sched_may_work(struct node *n, struct vm *vm)
{
	const struct share *mine = sched_share(n, vm), *s;
	u64 behind = n->vms.floor - MIN(n->vms.floor, (u64)ACCOUNT_CREDIT), had;

	for (s = n->shares; s < n->shares + n->nshares; s++) {
		had = MAX(s->account.virtual_time, behind) + ACCOUNT_SLICE_OVER;
		if (s != mine && mine->account.virtual_time > had && may_run(n, s) &&
		    share_wants_time(n, s))
			return false;
	}
	return true;
}

static struct vcpu *pick_by_account(struct node *n)
{
	enum account_role role = n->current ? role_of_current(n) : ACCOUNT_OTHER;
	struct account_choice c = account_choose(&n->vms);
	struct vcpu *best = NULL, *starved = NULL;

	n->cap_end = 0;
	for (u32 i = 0; i < n->nshares; i++) {
		struct share *s = &n->shares[i];
		struct vcpu *v = may_run(n, s) ? pick_vcpu(n, s, role) : NULL;

		if (v && offer(&c, s, role_of_share(n, v, role)))
			best = v;
		if (v && is_starved(n, v) && (!starved || v->ready_since < starved->ready_since))
			starved = v;
	}
	account_chosen(&c);
	return starved ? starved : best;
}

/*
 * The preferred VCPU within the slice of its VM, which pays for it: what was whose turn stays so, or
 * two that prefer each other would keep the processor. Else who has had least.
 */
static struct vcpu *pick(struct node *n)
{
	bool again = n->back && !n->slice_over, in_turn;
	struct vcpu *v = n->preferred;

	in_turn = !v || n->slice_over || vcpu_state(v) != VCPU_READY || vm_is_held(v->vm) ||
		  !account_within_cap(&v->share->account, n->paid_until);
	if (in_turn)
		v = pick_by_account(n);
	n->preferred = NULL;
	n->back = 0;
	if (v && n->current &&
	    direct_comes_back(n->gives_way, again, v->share == n->current->share)) {
		n->back = n->paid_until + DIRECT_BACK;
		vtimer_expire(n);
	}
	n->calls_gang = direct_calls_gang(in_turn, n->back != 0);
	n->slice_over = n->gives_way = false;
	return v;
}

void sched_prefer(struct vcpu *v)
{
	struct node *n = node_self();

	if (vcpu_is_on(v, n))
		n->preferred = v;
}

void sched_give_way(struct vcpu *v) { v->node->gives_way = true; }

void sched_slice_over(struct node *n) { n->slice_over = n->need_resched = true; }

/* ---- switching ---- */

static void leave(struct node *n)
{
	struct vcpu *v = n->current;

	sched_pay(n, NULL);
	if (v && vcpu_state(v) == VCPU_RUNNING)
		make_ready(v, n->paid_until);
	else if (v)
		v->ready_since = n->paid_until; /* it sleeps since */
}

/* It is RUNNING. False: it is READY as before, since its VM is held from now on, or ends. */
static bool claim(struct vcpu *v)
{
	vcpu_change(v, VCPU_RUNNING);
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* RUNNING is seen before lines are read: vcpu_post_irq; and before its VM's state: vm_settle */
	if (vm_state(v->vm) == VM_RUNNING)
		return true;
	vcpu_change(v, VCPU_READY);
	return false;
}

static void switch_to(struct node *n, struct vcpu *v)
{
	struct vcpu *old = n->current;
	u64 waited;

	n->payer = v;
	mmu_flush_late(v);
	vcpu_catch_up(v);
	waited = count64() - v->ready_since; /* a VM may have been loaded meanwhile */
	v->stats.waited_ticks += waited;
	arch_vcpu_stolen(v, waited);
	if (v == old)
		return;
	if (old)
		arch_vcpu_switch_out(old);
	v->stats.switches++;
	n->stats.switches++;
	n->current = v;
	magic_note_vm(n->id, v->vm->id);
	arch_vcpu_switch_in(v);
	if (v->vm->desc->gang && n->calls_gang)
		hasten_gang(v);
}

static void idle(struct node *n)
{
	u64 start = count64();

	if (n->cap_end)
		vtimer_expire(n);
	if (fetch_on)
		fetch_idle(n);
	arch_idle();
	sched_waive(n);
	n->stats.idle_ticks += n->paid_until - start;
	arch_irq_poll(n);
}

/* Somebody is to run: from here on the node ticks. */
static void wake_up(struct node *n)
{
	tick_soon(n);
	vtimer_expire(n);
}

/*
 * Again if that made more to do: a VM that ended may be asked to start again, and devices may never be done, so that
 * interrupts have their turn in between.
 */
static void look_around(struct node *n)
{
	do {
		n->need_resched = false;
		__atomic_store_n(&n->looks, n->looks + 1, __ATOMIC_SEQ_CST);
		node_read_mail(n);
		if (__atomic_load_n(&n->errands, __ATOMIC_RELAXED))
			moves_serve(n);
		vm_service(n);
		update_states(n);
		if (__atomic_load_n(&n->hasten, __ATOMIC_RELAXED))
			hasten_serve(n);
		if (fetch_on)
			fetch_publish(n);
		if (n->need_resched)
			arch_irq_poll(n);
	} while (n->need_resched);
}

/*
 * The slice of a BUSY VCPU: its VM is loaded, or its memory given back, one bounded step between two
 * looks at mail and interrupts. The VCPU pays as if it had run.
 */
static void work_for(struct node *n, struct vcpu *v)
{
	bool more;

	do {
		sched_pay(n, v);
		more = vm_work(v->vm);
		sched_pay(n, NULL);
		node_read_mail(n);
		arch_irq_poll(n);
	} while (more && !n->need_resched);
	n->slice_over = false; /* not the slice of the VCPU whose registers are in the processor */
}

_Noreturn void sched_switch(struct node *n)
{
	struct vcpu *v;

	leave(n);
	for (;;) {
		look_around(n);
		v = pick(n);
		if (v && n->tick_rests)
			wake_up(n);
		if (!v)
			idle(n);
		else if (vcpu_state(v) == VCPU_BUSY)
			work_for(n, v);
		else if (claim(v))
			break;
	}
	switch_to(n, v);
	arch_run(v);
}

_Noreturn void sched_start(struct node *n)
{
	/* Not all at once: nodes that fetch pages then wait for the same locks. */
	n->tick_next = count64() + TICK_MS * COUNT_MS + n->id * (TICK_MS * COUNT_MS / nnodes);
	if (fetch_on)
		n->vms.patience = SPREAD_FORGET;
	sched_waive(n);
	moves_start(n);
	vtimer_expire(n);
	sched_switch(n);
}
