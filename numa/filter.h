/* SPDX-License-Identifier: MIT */
/*
 * The last so many lines, or pages, that a processor missed on in its TLB, and what is known of each
 * of them; when there is no place left the least recently used one leaves. A filter stands for the
 * processor's cache, as far as TLB misses can tell what is in a cache. Pure. A filter belongs to one
 * node, and only that node uses it.
 */
#ifndef NUMA_FILTER_H
#define NUMA_FILTER_H

#include "kernel/types.h"

#define FILTER_MAX  8192u
#define FILTER_NONE 0xffffu

struct filter_entry {
	u32 key;
	u32 mark;	  /* for whoever uses the filter; 0 when the key comes in */
	bool written;	  /* the same */
	u16 older, newer; /* in the order of use */
	u16 chain;	  /* same hash */
};

/* entry and hash lie in one piece of memory. */
struct filter {
	u32 max, size; /* a power of two, to be changed by filter_clear; entries in use at most */
	u32 used;
	u16 oldest, newest;
	struct filter_entry *entry;
	u16 *hash;
};

/* max: a power of two up to FILTER_MAX. storage: filter_bytes(max), aligned to 8. */
size_t filter_bytes(u32 max);
void filter_init(struct filter *f, u32 max, void *storage);
void filter_clear(struct filter *f, u32 size); /* empty, and of that size from now on; up to max */
/* NULL: not there. Does not count as use. */
struct filter_entry *filter_find(const struct filter *f, u32 key);
/* The entry as the most recently used one; *in: it was there already. */
struct filter_entry *filter_use(struct filter *f, u32 key, bool *in);

#endif /* NUMA_FILTER_H */
