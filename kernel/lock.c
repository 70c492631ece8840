/* SPDX-License-Identifier: MIT */
/* Spin locks with a checked order. */
#include "arch/mips/arch.h"
#include "kernel/lock.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "kernel/mem/shootdown.h"

#define IMPATIENCE 10000 /* yields */

/* A rank is held once at most. */
_Static_assert(RANKS <= ARRAY_SIZE(((struct node *)NULL)->locks),
	       "more ranks than a node can hold");

/* Apart from lock_take, which needs no stack then. */
static __attribute__((noinline)) _Noreturn void refuse(const struct node *n, const struct lock *l)
{
	panic("lock of rank %u taken while one of rank %u is held", l->rank,
	      n->locks[n->lock_depth - 1]->rank);
}

/* LIFO use only: the last lock taken has the highest rank. */
static void push(struct node *n, const struct lock *l)
{
	u64 depth = n->lock_depth;

	if (depth && n->locks[depth - 1]->rank >= l->rank)
		refuse(n, l);
	n->locks[depth] = l;
	n->lock_depth = depth + 1;
}

void lock_assert(const struct lock *l)
{
	const struct node *n = node_self();

	for (u64 i = n->lock_depth; i--;)
		if (n->locks[i] == l)
			return;
	panic("the lock of rank %u is wanted, and not held", l->rank);
}

_Noreturn void lock_left_held(const struct node *n)
{
	panic("a guest is entered while the lock of rank %u is held",
	      n->locks[n->lock_depth - 1]->rank);
}

static bool is_served(const struct lock *l, u32 ticket)
{
	return __atomic_load_n(&l->serving, __ATOMIC_ACQUIRE) == ticket;
}

static __attribute__((noinline)) void wait_for(struct node *n, const struct lock *l, u32 ticket)
{
	while (!is_served(l, ticket)) {
		shootdown_answer(n);
		node_heed_stop(n);
		arch_yield();
	}
}

void lock_take(struct lock *l)
{
	struct node *n = node_self();
	u32 ticket;

	line_take(&l->unread);
	push(n, l);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	if (!is_served(l, ticket))
		wait_for(n, l, ticket);
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
