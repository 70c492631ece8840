/* SPDX-License-Identifier: MIT */
/* What numa/nodemem.c asks of the rest, for the tests of free pages: locks are nobody else's, and `mem` finds nothing. One .c file includes it. */
#ifndef TESTS_UNIT_NUMA_FREE_PAGES_H
#define TESTS_UNIT_NUMA_FREE_PAGES_H

#include "tests/unit/unit.h"

#include "kernel/lock.h"
#include "kernel/mem/share.h"
#include "kernel/node.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"
#include "numa/magic.h"

struct node *node_self(void) { return NULL; }
void node_read_mail(struct node *n) { (void)n; }
void magic_note_monitor(maddr_t start, maddr_t end) { (void)start, (void)end; }
bool share_is_for_ever(mpn_t page) { return !mpn_valid(page); }
u32 share_users(mpn_t page) { return mpn_valid(page); }
void share_count(u64 *pages, u64 *for_ever) { *pages = *for_ever = 0; }
struct pmap_copies pmap_copies(const struct pmap *p, gpn_t gpn)
{
	(void)p, (void)gpn;
	return (struct pmap_copies){ 0 };
}

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}

void lock_take(struct lock *l) { assert_int_equal(l->next++, 0); }
void lock_assert(const struct lock *l) { assert_int_equal(l->next, 1); }

#endif /* TESTS_UNIT_NUMA_FREE_PAGES_H */
