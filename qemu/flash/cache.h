/* SPDX-License-Identifier: MIT */
/*
 * Caches of all processors and the directory that keeps them coherent; pure: which accesses hit, no
 * time and no data. Each processor has two first-level caches (instructions, data) of 64-byte lines
 * and a second-level one of 128-byte lines that includes them, all two-way, least recently used.
 *
 * A line is in no cache; in any number of them, read only; or in one, writable: there is no
 * exclusive clean state, so the first write to a line that was read is an upgrade. A first-level
 * line is writable when its second-level line is. Lines are numbered from the start of RAM; what a
 * processor writes into its own instruction cache's lines stays there, as on the machine.
 */
#ifndef QEMU_FLASH_CACHE_H
#define QEMU_FLASH_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#define CACHE_MAX_CPUS 16
#define LINE_SHIFT     6 /* of the first level */
#define LINE2_SHIFT    7
#define NO_LINE	       (~0ull)

enum access { ACCESS_FETCH, ACCESS_READ, ACCESS_WRITE };
enum outcome { HIT_L1, HIT_L2, MISS, UPGRADE };

/* most recent first; (line + 1) << 1 | writable, 0: empty */
struct cache_set {
	uint64_t way[2];
};

struct cache {
	struct cache_set *l1[2]; /* instructions, data */
	struct cache_set *l2;
	uint64_t last_fetch;	/* line fetched last, still there; or NO_LINE */
	uint64_t invalidations; /* lines taken away by other processors' writes */
	uint64_t writebacks;	/* writable lines replaced */
};

struct cache_line {
	uint16_t sharers; /* processors that have it */
	uint8_t owner;	  /* the one that may write, plus 1 */
};

struct cache_system {
	unsigned cpus;
	uint64_t l1_mask, l2_mask; /* sets less one */
	struct cache cache[CACHE_MAX_CPUS];
	struct cache_line *directory; /* of 128-byte lines */
};

/* Sizes in bytes, powers of two. False: no memory. */
bool cache_init(struct cache_system *s, unsigned cpus, uint64_t l1, uint64_t l2, uint64_t ram);
void cache_free(struct cache_system *s);
/* The processor that alone may have written the 64-byte line, plus 1; 0: memory is good. */
static inline unsigned cache_owner(const struct cache_system *s, uint64_t line)
{
	return s->directory[line >> (LINE2_SHIFT - LINE_SHIFT)].owner;
}
/* An access that cache_hits does not know to hit. */
enum outcome cache_access(struct cache_system *s, unsigned cpu, uint64_t line, enum access access);

/* True: the access to a 64-byte line hits the first level, and is done. */
static inline bool cache_hits(struct cache_system *s, unsigned cpu, uint64_t line,
			      enum access access)
{
	struct cache_set *set = &s->cache[cpu].l1[access != ACCESS_FETCH][line & s->l1_mask];
	uint64_t found = set->way[0];

	if (found >> 1 != line + 1) {
		found = set->way[1];
		if (found >> 1 != line + 1)
			return false;
		set->way[1] = set->way[0];
		set->way[0] = found;
	}
	return access != ACCESS_WRITE || (found & 1);
}

#endif /* QEMU_FLASH_CACHE_H */
