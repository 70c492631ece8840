/* SPDX-License-Identifier: MIT */
/* Caches and directory: what happens when the first level does not have the line. */
#include <stdlib.h>
#include <string.h>

#include "qemu/flash/cache.h"

#define TAG(line)      (((line) + 1) << 1)
#define WRITABLE       1ull
#define HOLDS(e, line) ((e) >> 1 == (line) + 1)

bool cache_init(struct cache_system *s, unsigned cpus, uint64_t l1, uint64_t l2, uint64_t ram)
{
	uint64_t l1_sets = l1 >> (LINE_SHIFT + 1), l2_sets = l2 >> (LINE2_SHIFT + 1);
	bool ok = true;

	memset(s, 0, sizeof(*s));
	s->cpus = cpus;
	s->l1_mask = l1_sets - 1;
	s->l2_mask = l2_sets - 1;
	for (unsigned i = 0; i < cpus; i++) {
		struct cache *c = &s->cache[i];

		c->l1[0] = calloc(l1_sets, sizeof(struct cache_set));
		c->l1[1] = calloc(l1_sets, sizeof(struct cache_set));
		c->l2 = calloc(l2_sets, sizeof(struct cache_set));
		c->last_fetch = NO_LINE;
		ok = ok && c->l1[0] && c->l1[1] && c->l2;
	}
	s->directory = calloc((ram >> LINE2_SHIFT) + 1, sizeof(struct cache_line));
	return ok && s->directory;
}

void cache_free(struct cache_system *s)
{
	for (unsigned i = 0; i < s->cpus; i++) {
		free(s->cache[i].l1[0]);
		free(s->cache[i].l1[1]);
		free(s->cache[i].l2);
	}
	free(s->directory);
}

/* The line's place in a set, NULL: it is not there. */
static uint64_t *find(struct cache_set *set, uint64_t line)
{
	for (int way = 0; way < 2; way++)
		if (HOLDS(set->way[way], line))
			return &set->way[way];
	return NULL;
}

static uint64_t *first_level(struct cache_system *s, unsigned cpu, int which, uint64_t line)
{
	return find(&s->cache[cpu].l1[which][line & s->l1_mask], line);
}

/* The halves of a second-level line leave the first level. */
static void drop_first_level(struct cache_system *s, unsigned cpu, uint64_t line2)
{
	struct cache *c = &s->cache[cpu];

	for (uint64_t line = line2 * 2; line <= line2 * 2 + 1; line++) {
		for (int which = 0; which < 2; which++) {
			uint64_t *entry = first_level(s, cpu, which, line);

			if (entry)
				*entry = 0;
		}
		if (c->last_fetch == line)
			c->last_fetch = NO_LINE;
	}
}

static void set_writable(struct cache_system *s, unsigned cpu, uint64_t line2, bool on)
{
	uint64_t *entry = find(&s->cache[cpu].l2[line2 & s->l2_mask], line2);

	if (entry)
		*entry = on ? *entry | WRITABLE : *entry & ~WRITABLE;
	for (uint64_t line = line2 * 2; line <= line2 * 2 + 1; line++) {
		entry = first_level(s, cpu, 1, line);
		if (entry)
			*entry = on ? *entry | WRITABLE : *entry & ~WRITABLE;
	}
}

static void invalidate(struct cache_system *s, unsigned cpu, uint64_t line2)
{
	uint64_t *entry = find(&s->cache[cpu].l2[line2 & s->l2_mask], line2);

	if (entry)
		*entry = 0;
	drop_first_level(s, cpu, line2);
	s->cache[cpu].invalidations++;
}

/* The directory's side of a miss or upgrade: nobody else may write, or have, the line. */
static void ask_directory(struct cache_system *s, unsigned cpu, uint64_t line2, bool write)
{
	struct cache_line *d = &s->directory[line2];

	if (write) {
		for (unsigned others = d->sharers & ~(1u << cpu); others; others &= others - 1)
			invalidate(s, __builtin_ctz(others), line2);
		d->sharers = 1u << cpu;
		d->owner = cpu + 1;
		return;
	}
	if (d->owner)
		set_writable(s, d->owner - 1, line2, false);
	d->owner = 0;
	d->sharers |= 1u << cpu;
}

/* Room in the set's first way: the least recently used line goes. */
static void make_room(struct cache_system *s, unsigned cpu, struct cache_set *set)
{
	uint64_t victim = set->way[1];

	if (!set->way[0])
		return;
	if (victim) {
		uint64_t line2 = (victim >> 1) - 1;

		drop_first_level(s, cpu, line2);
		s->directory[line2].sharers &= ~(1u << cpu);
		if (victim & WRITABLE) {
			s->directory[line2].owner = 0;
			s->cache[cpu].writebacks++;
		}
	}
	set->way[1] = set->way[0];
}

static void fill_first_level(struct cache_system *s, unsigned cpu, uint64_t line,
			     enum access access, bool writable)
{
	struct cache_set *set = &s->cache[cpu].l1[access != ACCESS_FETCH][line & s->l1_mask];

	if (!HOLDS(set->way[0], line)) {
		if (set->way[0])
			set->way[1] = set->way[0];
		set->way[0] = TAG(line);
	}
	if (access != ACCESS_FETCH)
		set->way[0] = TAG(line) | writable;
}

enum outcome cache_access(struct cache_system *s, unsigned cpu, uint64_t line, enum access access)
{
	uint64_t line2 = line >> 1;
	struct cache_set *set = &s->cache[cpu].l2[line2 & s->l2_mask];
	uint64_t *entry = find(set, line2);
	bool write = access == ACCESS_WRITE;
	enum outcome outcome = entry ? HIT_L2 : MISS;

	if (entry == &set->way[1]) {
		uint64_t moved = *entry;

		set->way[1] = set->way[0];
		set->way[0] = moved;
	}
	if (!entry || (write && !(set->way[0] & WRITABLE))) {
		if (entry)
			outcome = UPGRADE;
		ask_directory(s, cpu, line2, write);
		if (!entry) {
			make_room(s, cpu, set);
			set->way[0] = TAG(line2);
		}
		if (write)
			set_writable(s, cpu, line2, true);
	}
	fill_first_level(s, cpu, line, access, set->way[0] & WRITABLE);
	return outcome;
}
