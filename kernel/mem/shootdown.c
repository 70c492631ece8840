/* SPDX-License-Identifier: MIT */
/* TLB shootdown, one at a time. */
#include "arch/mips/arch.h"
#include "kernel/lock.h"
#include "kernel/mem/shootdown.h"

static struct lock lock = LOCK_INIT(RANK_SHOOTDOWN);
static u32 unanswered;	      /* nodes that have not flushed yet; set under lock, cleared by each */
static shootdown_fn flush_fn; /* of the one under way; under lock */
static const void *flush_what;

void shootdown_answer(struct node *n)
{
	u32 me = BIT(n->id);

	if (!(__atomic_load_n(&unanswered, __ATOMIC_ACQUIRE) & me))
		return;
	TEXT_HERE(flush_fn)(n, flush_what);
	n->stats.shootdowns++;
	__atomic_fetch_and(&unanswered, ~me, __ATOMIC_RELEASE);
}

void shootdown(u32 node_mask, shootdown_fn flush, const void *what)
{
	struct node *self = node_self();

	if (!node_mask)
		return;
	lock_take(&lock);
	flush_fn = flush;
	flush_what = what;
	__atomic_store_n(&unanswered, node_mask, __ATOMIC_RELEASE);
	for (u32 i = 0; i < nnodes; i++)
		if ((node_mask & BIT(i)) && i != self->id)
			node_post(nodes[i], MAIL_SHOOTDOWN);
	shootdown_answer(self);
	while (__atomic_load_n(&unanswered, __ATOMIC_ACQUIRE))
		arch_yield();
	lock_release(&lock);
}

static void flush_tlb(struct node *n, const void *what)
{
	(void)n, (void)what;
	mmu_flush_node();
}

void shootdown_all(u32 node_mask) { shootdown(node_mask, flush_tlb, NULL); }
