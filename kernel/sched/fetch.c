/* SPDX-License-Identifier: MIT */
/* VCPUs that go where processors are free: who looks, and who asks. */
#include "arch/mips/arch.h"
#include "kernel/log.h"
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

/* It waits for the processor, may be on any node, and has not come just now. */
static bool may_go(const struct node *n, const struct vcpu *v, u64 now)
{
	return vcpu_state(v) == VCPU_READY && v != n->current && !v->vm->desc->nodes.n &&
	       !__atomic_load_n(&v->move, __ATOMIC_RELAXED) &&
	       now - v->came >= SPREAD_STAY_MS * COUNT_MS;
}

void fetch_publish(struct node *n)
{
	struct spread_load load = { 0, 0 };
	u64 now = n->paid_until;

	for (u32 i = 0; i < n->nvcpus; i++) {
		enum vcpu_state state = vcpu_state(n->vcpus[i]);

		if (vm_is_held(n->vcpus[i]->vm))
			continue;
		load.wanting += state == VCPU_READY || state == VCPU_BUSY;
		load.movable += may_go(n, n->vcpus[i], now);
	}
	__atomic_store(&n->load, &load, __ATOMIC_RELAXED);
}

static void look(struct node *n, bool idle)
{
	u32 looks = spread_looks(idle);
	struct spread_load mine;

	__atomic_load(&n->load, &mine, __ATOMIC_RELAXED);
	for (u32 i = 0; i < looks; i++) {
		u32 place = spread_place(&n->spread, idle, i, nnodes);
		struct node *other = nodes[topology_near(n->id, place)];
		struct spread_load load;
		u32 nobody = NOBODY;

		__atomic_load(&other->load, &load, __ATOMIC_RELAXED);
		if (!spread_asks(mine.wanting + n->nexpected, load))
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

void fetch_tick(struct node *n) { look(n, false); }

/* The one that has been here longest. */
void fetch_give(struct node *n)
{
	u32 by = __atomic_exchange_n(&n->wanted_by, NOBODY, __ATOMIC_RELAXED);
	struct vcpu *best = NULL;
	u64 now = count64();

	for (u32 i = 0; by != NOBODY && i < n->nvcpus; i++) {
		struct vcpu *v = n->vcpus[i];

		if (may_go(n, v, now) && (!best || v->came < best->came))
			best = v;
	}
	if (best)
		vcpu_move(best, nodes[by - 1], false);
}
