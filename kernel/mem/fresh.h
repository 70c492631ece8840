/* SPDX-License-Identifier: MIT */
/*
 * Window translations that are soon wanted again: of guest pages behind which another machine page was put, where the guest
 * had one of what was there. Who puts the page tells the node of the view, which fills its L2TLB with all of them before the next
 * interrupt that it delivers, or at the next miss (arch/mips/mmu.c), in place of a miss for each. A list of a few, in each view. It is a hint: it may lose some, and what it
 * names is looked up in the view as anything.
 *
 * Producers are any nodes, each under the lock of its page's range; the view's node alone takes. No LL and SC there: they would
 * end a reservation that the guest has (kernel/lock.h).
 */
#ifndef KERNEL_MEM_FRESH_H
#define KERNEL_MEM_FRESH_H

#include "kernel/types.h"

#define FRESH_TAGS 64 /* those of three frames */

struct fresh {
	u64 tag[FRESH_TAGS]; /* of the L2TLB; 0: taken */
	u32 put, got;
	u64 unused[15]; /* whole lines of the cache: the entries of a view follow (pmap_view.c) */
};
_Static_assert(sizeof(struct fresh) % 128 == 0, "the entries of PMAP_NEAR pages share a line");

static inline void fresh_put(struct fresh *f, u64 tag)
{
	u32 at = __atomic_fetch_add(&f->put, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&f->tag[at % FRESH_TAGS], tag, __ATOMIC_RELAXED);
}

/* The next one, in the order that they were put; 0: there is none. */
static inline u64 fresh_take(struct fresh *f)
{
	u32 put = __atomic_load_n(&f->put, __ATOMIC_RELAXED);
	u64 tag = 0;

	if (put - f->got > FRESH_TAGS)
		f->got = put - FRESH_TAGS;
	while (!tag && f->got != put) {
		u64 *at = &f->tag[f->got++ % FRESH_TAGS];

		tag = __atomic_load_n(at, __ATOMIC_RELAXED);
		__atomic_store_n(at, 0, __ATOMIC_RELAXED);
	}
	return tag;
}

#endif /* KERNEL_MEM_FRESH_H */
