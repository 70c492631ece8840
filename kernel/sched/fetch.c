/* SPDX-License-Identifier: MIT */
/* VCPUs that go where processors are free: who looks, and who asks. */
#include "arch/mips/arch.h"
#include "kernel/log.h"
#include "kernel/options.h"
#include "kernel/sched/fetch.h"
#include "kernel/vm/move.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"
#include "numa/numa.h"

#define NOBODY 0 /* of wanted_by: else 1 + the number of the node that asks */

bool fetch_on;

void fetch_configure(const char *words)
{
	fetch_on = words_have(words, "spread=1");
	if (fetch_on)
		log_line("sched", "spread=1: VCPUs go where processors are free");
}

static bool is_free(const struct vcpu *v) { return !v->vm->desc->nodes.n; }

/* It wants the processor, may be on any node, and has not come just now. */
static bool may_go(const struct vcpu *v, u64 now)
{
	return vcpu_state(v) == VCPU_READY && is_free(v) &&
	       !__atomic_load_n(&v->move, __ATOMIC_RELAXED) &&
	       now - v->came >= SPREAD_STAY_MS * COUNT_MS;
}

/* What its VM is worth, of that VCPU alone. */
static u32 weight_of(const struct vcpu *v)
{
	u32 weight = __atomic_load_n(&v->vm->weight, __ATOMIC_RELAXED);

	return MAX((weight ? weight : ACCOUNT_WEIGHT) / v->vm->nvcpus, 1u);
}

static void count(const struct vcpu *v, struct spread_load *load)
{
	load->wanting++;
	load->weight += weight_of(v);
	load->least = MIN(load->least, __atomic_load_n(&v->vm->virtual_time, __ATOMIC_RELAXED));
}

/* It may be given away, if it may go at all. */
static void offer(const struct node *n, const struct vcpu *v, struct spread_load *load)
{
	u64 had = __atomic_load_n(&v->vm->virtual_time, __ATOMIC_RELAXED);

	if (!may_go(v, n->paid_until))
		return;
	load->movable++;
	if (had < load->behind)
		load->light = weight_of(v);
	load->behind = MIN(load->behind, had);
}

/* Field by field: a reader may have some that are a moment older. */
static void copy(struct spread_load *to, const struct spread_load *from)
{
	__atomic_store_n(&to->wanting, __atomic_load_n(&from->wanting, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&to->movable, __atomic_load_n(&from->movable, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&to->weight, __atomic_load_n(&from->weight, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&to->light, __atomic_load_n(&from->light, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&to->floor, __atomic_load_n(&from->floor, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&to->least, __atomic_load_n(&from->least, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&to->behind, __atomic_load_n(&from->behind, __ATOMIC_RELAXED),
			 __ATOMIC_RELAXED);
}

/*
 * Of those that want the processor, only the one that has had it until now may ever go elsewhere. Where it is one of two, it is that one whenever
 * the node looks around and the other's turn has come.
 */
static bool only_current_may_go(const struct node *n)
{
	for (u32 i = 0; i < n->nvcpus; i++) {
		const struct vcpu *v = n->vcpus[i];

		if (v != n->current && vcpu_state(v) == VCPU_READY && is_free(v))
			return false;
	}
	return n->current;
}

void fetch_publish(struct node *n)
{
	struct spread_load load = { .floor = n->vms.floor,
				    .least = SPREAD_NOBODY,
				    .behind = SPREAD_NOBODY };

	for (u32 i = 0; i < n->nvcpus; i++) {
		const struct vcpu *v = n->vcpus[i];
		enum vcpu_state state = vcpu_state(v);

		if ((state == VCPU_READY || state == VCPU_BUSY) && !vm_is_held(v->vm) &&
		    account_within_cap(&v->share->account, n->paid_until)) {
			count(v, &load);
			if (v != n->current)
				offer(n, v, &load);
		}
	}
	if (!load.movable && load.wanting > 1 && only_current_may_go(n))
		offer(n, n->current, &load);
	copy(&n->load, &load);
}

static void look(struct node *n, bool idle)
{
	u32 looks = spread_looks(idle);
	struct spread_load mine;

	copy(&mine, &n->load);
	mine.wanting += n->nexpected;
	for (u32 i = 0; i < looks; i++) {
		u32 place = spread_place(&n->spread, idle, i, nnodes);
		struct node *other = nodes[topology_near(n->id, place)];
		struct spread_load load;
		u32 nobody = NOBODY;

		copy(&load, &other->load);
		n->vms.floor = spread_floor(n->vms.floor, load.floor);
		if (!spread_asks(mine, load))
			continue;
		if (__atomic_compare_exchange_n(&other->wanted_by, &nobody, 1 + n->id, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			move_ask_to_give(other);
			return;
		}
	}
}

#define IDLE_MS 1 /* at most so often */

void fetch_idle(struct node *n)
{
	u64 now = n->paid_until;

	if (now < n->fetch_next)
		return;
	n->fetch_next = now + IDLE_MS * COUNT_MS;
	look(n, true);
}

void fetch_tick(struct node *n)
{
	if (n->current)
		affinity_tick(&n->current->affinity);
	look(n, false);
}

/* ---- to its memory ---- */

void fetch_vote(struct node *n, u32 home, u32 pages)
{
	if (n->current)
		affinity_vote(&n->current->affinity, home, pages);
}

bool fetch_follows(struct node *n, u64 page_ns)
{
	struct vcpu *v = n->current;
	struct spread_load mine, there;
	struct node *to;

	if (!v || !is_free(v) || !option_on(OPTION_AFFINITY))
		return false;
	to = nodes[v->affinity.node];
	copy(&mine, &n->load);
	copy(&there, &to->load);
	switch (affinity_decide(&v->affinity, n->id, mine, there, (count64() - v->came) / COUNT_MS,
				page_ns)) {
	case AFFINITY_PAGES: return false;
	case AFFINITY_NOTHING: return true;
	default: return !vcpu_move(v, to, false);
	}
}

/* ---- to who has asked ---- */

/* Rather than the other, or nobody, to that node. */
static bool rather(const struct node *n, const struct vcpu *v, const struct vcpu *than, u32 to)
{
	return !than || affinity_rather(&v->affinity, v->vm->virtual_time, &than->affinity,
					than->vm->virtual_time, n->id, to);
}

void fetch_give(struct node *n)
{
	u32 by = __atomic_exchange_n(&n->wanted_by, NOBODY, __ATOMIC_RELAXED);
	struct vcpu *best = NULL;
	u64 now = count64();

	for (u32 i = 0; by != NOBODY && i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (v != n->current && may_go(v, now) && rather(n, v, best, by - 1))
			best = v;
	}
	if (by != NOBODY && !best && only_current_may_go(n) && may_go(n->current, now))
		best = n->current;
	if (best)
		vcpu_move(best, nodes[by - 1], false);
}
