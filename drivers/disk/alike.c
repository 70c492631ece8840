/* SPDX-License-Identifier: MIT */
/* The table of blocks that disks of one image may have alike: a place for each of some blocks. */
#include "drivers/disk/alike.h"
#include "kernel/lock.h"
#include "kernel/mem/share.h"
#include "numa/numa.h"

#define ENTRIES 8192 /* 32 MB of blocks, in 96 KB */

struct entry {
	u32 page; /* 0: absent */
	u32 block, image;
};

static struct lock lock = LOCK_INIT(RANK_ALIKE);
static struct entry *table; /* fixed after boot; NULL: nothing is alike */

void alike_init(void)
{
	if (!table)
		table = nodemem_boot_alloc(0, ENTRIES * sizeof(*table), 8);
}

/* Neighbouring blocks have neighbouring places, images are apart. */
static struct entry *place_of(u32 image, u64 block)
{
	return &table[(block + image * 0x9e3u) % ENTRIES];
}

/* That place, locked. */
static struct entry *take(u32 image, u64 block)
{
	lock_take(&lock);
	return place_of(image, block);
}

static bool is_of(const struct entry *e, u32 image, u64 block)
{
	return e->page && e->block == (u32)block && e->image == image;
}

mpn_t alike_find(u32 image, u64 block)
{
	mpn_t page = MPN_NONE;
	const struct entry *e;

	if (!table)
		return page;
	e = take(image, block);
	if (is_of(e, image, block)) {
		page.v = e->page;
		share_hold(page);
	}
	lock_release(&lock);
	return page;
}

/* The first who has the block stays, or the next ones would compare with each other's passing versions. */
void alike_put(u32 image, u64 block, mpn_t page)
{
	struct entry *e;

	if (!table)
		return;
	e = take(image, block);
	if (!is_of(e, image, block))
		*e = (struct entry){ (u32)page.v, (u32)block, image };
	lock_release(&lock);
}

void alike_forget(u32 image, u64 block, mpn_t page)
{
	struct entry *e;

	if (!table)
		return;
	e = take(image, block);
	if (is_of(e, image, block) && e->page == page.v)
		e->page = 0;
	lock_release(&lock);
}
