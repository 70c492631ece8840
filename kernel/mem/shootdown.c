/* SPDX-License-Identifier: MIT */
/* TLB shootdown: each node asks for itself, and answers all who ask it. */
#include "arch/mips/arch.h"
#include "kernel/mem/shootdown.h"
#include "kernel/panic.h"
#include "kernel/sched/sched.h"

static bool all_answered(const struct node *asker)
{
	return !__atomic_load_n(&asker->asks.unanswered.bits, __ATOMIC_ACQUIRE);
}

/* The asker may ask again as soon as this node is no longer in its unanswered. */
static void answer(struct node *n, struct node *asker)
{
	u32 me = nodemask_of(n->id).bits;
	u64 before = count64();

	__atomic_fetch_and(&n->asked_by.bits, ~nodemask_of(asker->id).bits, __ATOMIC_ACQUIRE);
	TEXT_HERE(asker->asks.flush)(n, asker->asks.what);
	n->answered++;
	n->stats.shootdowns++;
	if (n != asker)
		__atomic_fetch_add(&asker->asks.spent, count64() - before, __ATOMIC_RELAXED);
	__atomic_fetch_and(&asker->asks.unanswered.bits, ~me, __ATOMIC_RELEASE);
}

void shootdown_answer(struct node *n)
{
	struct nodemask askers = { __atomic_load_n(&n->asked_by.bits, __ATOMIC_ACQUIRE) };

	if (nodemask_empty(askers))
		return;
	for_each_node(i, askers)
		answer(n, nodes[i]);
	if (!n->payer) /* it came by an interrupt, and is not the doing of who ran */
		sched_waive(n);
}

static void ask(const struct node *self, struct node *n)
{
	line_take(&n->unread);
	__atomic_fetch_or(&n->asked_by.bits, nodemask_of(self->id).bits, __ATOMIC_RELEASE);
	if (n != self)
		node_post(n, MAIL_SHOOTDOWN);
}

void shootdown(struct nodemask targets, shootdown_fn flush, const void *what)
{
	struct node *self = node_self();

	self->asks.spent = 0;
	if (nodemask_empty(targets))
		return;
	if (!all_answered(self))
		panic("a shootdown asks for another");
	self->asks = (struct flush_request){ flush, what, targets, 0 };
	for_each_node(i, targets)
		ask(self, nodes[i]);
	shootdown_answer(self);
	while (!all_answered(self)) {
		node_heed_stop(self);
		arch_yield();
		shootdown_answer(self);
	}
}

static void flush_tlb(struct node *n, const void *what)
{
	(void)n, (void)what;
	mmu_flush_node();
}

void shootdown_all(struct nodemask targets) { shootdown(targets, flush_tlb, NULL); }
