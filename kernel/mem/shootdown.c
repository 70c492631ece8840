/* SPDX-License-Identifier: MIT */
/* TLB shootdown, one at a time. */
#include "arch/mips/arch.h"
#include "kernel/lock.h"
#include "kernel/mem/shootdown.h"
#include "kernel/sched/sched.h"

static struct lock lock = LOCK_INIT(RANK_SHOOTDOWN);
static struct nodemask unanswered; /* have not flushed yet; set under lock, cleared by each */
static shootdown_fn flush_fn;	   /* of the one under way; under lock */
static const void *flush_what;

void shootdown_answer(struct node *n)
{
	u32 me = nodemask_of(n->id).bits;

	if (!(__atomic_load_n(&unanswered.bits, __ATOMIC_ACQUIRE) & me))
		return;
	TEXT_HERE(flush_fn)(n, flush_what);
	if (!n->payer) /* it came by an interrupt, and is not the doing of who ran */
		sched_waive(n);
	n->answered++;
	n->stats.shootdowns++;
	__atomic_fetch_and(&unanswered.bits, ~me, __ATOMIC_RELEASE);
}

void shootdown(struct nodemask targets, shootdown_fn flush, const void *what)
{
	struct node *self = node_self();

	if (nodemask_empty(targets))
		return;
	lock_take(&lock);
	flush_fn = flush;
	flush_what = what;
	__atomic_store_n(&unanswered.bits, targets.bits, __ATOMIC_RELEASE);
	for_each_node(i, targets)
		if (i != self->id)
			node_post(nodes[i], MAIL_SHOOTDOWN);
	shootdown_answer(self);
	while (__atomic_load_n(&unanswered.bits, __ATOMIC_ACQUIRE)) {
		node_heed_stop(self);
		arch_yield();
	}
	lock_release(&lock);
}

static void flush_tlb(struct node *n, const void *what)
{
	(void)n, (void)what;
	mmu_flush_node();
}

void shootdown_all(struct nodemask targets) { shootdown(targets, flush_tlb, NULL); }
