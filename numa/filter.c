/* SPDX-License-Identifier: MIT */
/* The least recently used entry of a filter in constant time: a list in the order of use, and a
 * hash over it. */
#include "numa/filter.h"

static u16 *bucket(const struct filter *f, u32 key)
{
	return &f->hash[(key ^ key >> 13) & (f->max - 1)];
}

size_t filter_bytes(u32 max) { return max * (sizeof(struct filter_entry) + sizeof(u16)); }

void filter_init(struct filter *f, u32 max, void *storage)
{
	f->max = max;
	f->entry = storage;
	f->hash = (u16 *)(f->entry + max);
	filter_clear(f, max);
}

void filter_clear(struct filter *f, u32 size)
{
	f->size = size;
	f->used = 0;
	f->oldest = f->newest = FILTER_NONE;
	for (u32 i = 0; i < f->max; i++)
		f->hash[i] = FILTER_NONE;
}

struct filter_entry *filter_find(const struct filter *f, u32 key)
{
	for (u16 i = *bucket(f, key); i != FILTER_NONE; i = f->entry[i].chain)
		if (f->entry[i].key == key)
			return &f->entry[i];
	return NULL;
}

static void unhash(struct filter *f, u16 index)
{
	u16 *link = bucket(f, f->entry[index].key);

	while (*link != index)
		link = &f->entry[*link].chain;
	*link = f->entry[index].chain;
}

static void leave(struct filter *f, u16 index)
{
	struct filter_entry *p = &f->entry[index];

	if (p->older == FILTER_NONE)
		f->oldest = p->newer;
	else
		f->entry[p->older].newer = p->newer;
	if (p->newer == FILTER_NONE)
		f->newest = p->older;
	else
		f->entry[p->newer].older = p->older;
}

static void enter(struct filter *f, u16 index)
{
	struct filter_entry *p = &f->entry[index];

	p->older = f->newest;
	p->newer = FILTER_NONE;
	if (f->newest == FILTER_NONE)
		f->oldest = index;
	else
		f->entry[f->newest].newer = index;
	f->newest = index;
}

/* A place for what is not there: a new one, else the oldest's. */
static u16 place(struct filter *f)
{
	u16 index = f->oldest;

	if (f->used < f->size)
		return f->used++;
	leave(f, index);
	unhash(f, index);
	return index;
}

struct filter_entry *filter_use(struct filter *f, u32 key, bool *in)
{
	struct filter_entry *p = filter_find(f, key);
	u16 index;

	*in = p;
	if (p) {
		index = p - f->entry;
		leave(f, index);
	} else {
		u16 *head = bucket(f, key);

		index = place(f);
		p = &f->entry[index];
		*p = (struct filter_entry){ .key = key, .chain = *head };
		*head = index;
	}
	enter(f, index);
	return p;
}
