/* SPDX-License-Identifier: MIT */
/* Spin locks with a checked order. */
#include "arch/mips/arch.h"
#include "kernel/lock.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "kernel/mem/shootdown.h"

#define IMPATIENCE 10000 /* yields */

/* LIFO use only: the top of the stack of held ranks is the highest. */
static void push_rank(struct lock *l)
{
	struct node *n = node_self();

	if (n->lock_depth && n->lock_ranks[n->lock_depth - 1] >= l->rank)
		panic("lock of rank %u taken while one of rank %u is held", l->rank,
		      n->lock_ranks[n->lock_depth - 1]);
	if (n->lock_depth == ARRAY_SIZE(n->lock_ranks))
		panic("%u locks held", n->lock_depth);
	n->lock_ranks[n->lock_depth++] = l->rank;
}

static bool is_served(const struct lock *l, u32 ticket)
{
	return __atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) == ticket;
}

void lock_take(struct lock *l)
{
	u32 ticket;

	push_rank(l);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	while (!is_served(l, ticket)) {
		shootdown_answer(node_self());
		arch_yield();
	}
}

void lock_release(struct lock *l)
{
	node_self()->lock_depth--;
	__atomic_store_n(&l->serving, l->serving + 1, __ATOMIC_RELEASE);
}

bool lock_take_impatient(struct lock *l)
{
	u32 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < IMPATIENCE; i++) {
		if (is_served(l, ticket))
			return true;
		arch_yield();
	}
	return false;
}
