/* SPDX-License-Identifier: MIT */
/* What show.c and map.c share: figures as the prompt shows them. */
#ifndef NUMA_SHOW_H
#define NUMA_SHOW_H

#include "kernel/types.h"

u64 show_misses(u32 from, u32 to);     /* of node from on memory of node to, since the start */
u64 show_percent(u64 part, u64 whole); /* rounded; 100 if there is nothing */
u64 show_guest_pages(u32 node);	       /* in use there */
/* That nobody counts misses, and what to start with; NULL: they are counted. */
const char *show_nobody_counts(void);

/* Who missed on whose memory since the last look. how: "once", or milliseconds, NULL a second:
 * again and again until a key is typed. */
void map_show(const char *how);

#endif /* NUMA_SHOW_H */
