/* SPDX-License-Identifier: MIT */
/* A hash table of numbers that grows: keys are not 0, and nothing is ever taken out. */
#ifndef TESTS_SIM_TABLE_H
#define TESTS_SIM_TABLE_H

#include <stdlib.h>
#include "kernel/types.h"

struct table_entry {
	u64 key, value;
};

struct table {
	struct table_entry *entry;
	u64 size, used; /* size: a power of two */
};

static inline void table_create(struct table *t)
{
	t->size = 1024;
	t->used = 0;
	t->entry = calloc(t->size, sizeof(*t->entry));
}

static inline void table_destroy(struct table *t) { free(t->entry); }

static inline struct table_entry *table_slot(const struct table *t, u64 key)
{
	u64 i = key * 0x9e3779b97f4a7c15ull >> 20;

	while (t->entry[i & (t->size - 1)].key && t->entry[i & (t->size - 1)].key != key)
		i++;
	return &t->entry[i & (t->size - 1)];
}

/* NULL: not there. */
static inline u64 *table_find(const struct table *t, u64 key)
{
	struct table_entry *e = table_slot(t, key);

	return e->key ? &e->value : NULL;
}

/* There afterwards, 0 if it is new. Values found before have moved. */
static inline u64 *table_put(struct table *t, u64 key)
{
	struct table_entry *e = table_slot(t, key), *old = t->entry;
	u64 size = t->size;

	if (e->key)
		return &e->value;
	if (2 * ++t->used > size) {
		t->size = 4 * size;
		t->entry = calloc(t->size, sizeof(*t->entry));
		for (u64 i = 0; i < size; i++)
			if (old[i].key)
				*table_slot(t, old[i].key) = old[i];
		free(old);
		e = table_slot(t, key);
	}
	e->key = key;
	return &e->value;
}

#endif /* TESTS_SIM_TABLE_H */
