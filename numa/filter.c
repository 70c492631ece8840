/* SPDX-License-Identifier: MIT */
/* The least recently used page of a filter in constant time: a list in the order of use, and a hash
 * over it. */
#include "numa/filter.h"

static u16 *bucket(struct filter *f, mpn_t mpn) { return &f->hash[mpn.v % FILTER_PAGES]; }

void filter_clear(struct filter *f)
{
	f->used = 0;
	f->oldest = f->newest = FILTER_NONE;
	for (unsigned i = 0; i < FILTER_PAGES; i++)
		f->hash[i] = FILTER_NONE;
}

struct filter_page *filter_find(struct filter *f, mpn_t mpn)
{
	for (u16 i = *bucket(f, mpn); i != FILTER_NONE; i = f->page[i].chain)
		if (f->page[i].mpn == mpn.v)
			return &f->page[i];
	return NULL;
}

static void unhash(struct filter *f, u16 index)
{
	u16 *link = bucket(f, (mpn_t){ f->page[index].mpn });

	while (*link != index)
		link = &f->page[*link].chain;
	*link = f->page[index].chain;
}

static void leave(struct filter *f, u16 index)
{
	struct filter_page *p = &f->page[index];

	if (p->older == FILTER_NONE)
		f->oldest = p->newer;
	else
		f->page[p->older].newer = p->newer;
	if (p->newer == FILTER_NONE)
		f->newest = p->older;
	else
		f->page[p->newer].older = p->older;
}

static void enter(struct filter *f, u16 index)
{
	struct filter_page *p = &f->page[index];

	p->older = f->newest;
	p->newer = FILTER_NONE;
	if (f->newest == FILTER_NONE)
		f->oldest = index;
	else
		f->page[f->newest].newer = index;
	f->newest = index;
}

/* A place for a page that is not there: a new one, else the oldest page's. */
static u16 place(struct filter *f)
{
	u16 index = f->oldest;

	if (f->used < FILTER_PAGES)
		return f->used++;
	leave(f, index);
	unhash(f, index);
	return index;
}

struct filter_page *filter_use(struct filter *f, mpn_t mpn, bool *in)
{
	struct filter_page *p = filter_find(f, mpn);
	u16 index;

	*in = p;
	if (p) {
		index = p - f->page;
		leave(f, index);
	} else {
		u16 *head = bucket(f, mpn);

		index = place(f);
		p = &f->page[index];
		*p = (struct filter_page){ .mpn = mpn.v, .chain = *head };
		*head = index;
	}
	enter(f, index);
	return p;
}
