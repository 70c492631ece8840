/* SPDX-License-Identifier: MIT */
/*
 * Which pages a processor's second-level cache may hold lines of, as far as TLB misses can tell:
 * the last 256 pages it missed on (1 MB), the least recently used one leaving. Pure; one node's,
 * and no one else's.
 */
#ifndef NUMA_FILTER_H
#define NUMA_FILTER_H

#include "kernel/types.h"

#define FILTER_PAGES 256
#define FILTER_NONE  0xffffu

struct filter_page {
	u64 mpn;
	u32 seen;	  /* page's mark when it came in, or was refreshed */
	u32 tick;	  /* in which it was written last */
	bool written;	  /* since it came in */
	u16 older, newer; /* in the order of use */
	u16 chain;	  /* same hash */
};

struct filter {
	struct filter_page page[FILTER_PAGES];
	u16 hash[FILTER_PAGES];
	u16 oldest, newest, used;
};

void filter_clear(struct filter *f);
/* NULL: not there. Does not count as use. */
struct filter_page *filter_find(struct filter *f, mpn_t mpn);
/* The page as the most recently used one; *in: it was there already. */
struct filter_page *filter_use(struct filter *f, mpn_t mpn, bool *in);

#endif /* NUMA_FILTER_H */
