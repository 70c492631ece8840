/* SPDX-License-Identifier: MIT */
/* Copy-on-write disks: the blocks that a VM has modified, which are its own. */
#include <string.h>
#include "drivers/disk/alike.h"
#include "drivers/disk/image.h"
#include "drivers/disk/own.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/share.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define RELEASE_LOOKS 1024 /* words, and */
#define RELEASE_PAGES 64   /* pages of a step */

static u32 make_map_page(void *owner)
{
	struct vm_disk *disk = owner;
	mpn_t page = cache_page(&disk->client);

	if (mpn_valid(page))
		memset(mpn_ptr(page), 0, PAGE_SIZE);
	return page.v;
}

static void drop_map_page(void *owner, u32 page)
{
	(void)owner;
	share_drop((mpn_t){ page });
}

static u32 *map_words(void *owner, u32 page)
{
	(void)owner;
	return mpn_ptr((mpn_t){ page });
}

void own_init(struct vm_disk *disk)
{
	disk->own_pages = (struct blockmap_pages){ make_map_page, drop_map_page, map_words, disk };
	blockmap_init(&disk->own,
		      (image_sectors(disk->image) * DISK_SECTOR + BLOCK_BYTES - 1) / BLOCK_BYTES,
		      &disk->own_pages);
}

static bool is_page(u32 word) { return word > OWN_ZERO; }

static int no_space(struct vm_disk *disk)
{
	if (!disk->told)
		log_line("disk",
			 "%s: %s: the VM has modified %u MB, which is limit-mb: writes are errors from now on",
			 disk->vm->name, disk->desc->name, disk->desc->limit_mb);
	disk->told = true;
	return -ENOSPC;
}

/* What the block is now goes into the new page. 1, or what disk_base_page says. */
static int copy_block(struct vm_disk *disk, struct disk_request *r, u64 block, u32 word, mpn_t to)
{
	mpn_t from = { word };
	int got = 1;

	if (word == OWN_ZERO) {
		memset(mpn_ptr(to), 0, PAGE_SIZE);
		return 1;
	}
	if (!word)
		got = disk_base_page(disk, r, block, &from);
	if (got <= 0)
		return got;
	memcpy(mpn_ptr(to), mpn_ptr(from), PAGE_SIZE);
	if (!word)
		share_drop(from);
	return 1;
}

/* A block is something else from now on than the page, which nobody finds any more. */
static void drop_page(mpn_t page)
{
	alike_forget(page);
	share_drop(page);
}

/* With so many more blocks that have a page. */
static bool at_limit(const struct vm_disk *disk, u32 more)
{
	return disk->limit && disk->modified + more >= disk->limit;
}

/* The block, whose word is that, has the page, which the caller holds, from now on. 1, or -ENOMEM. */
static int set_page(struct vm_disk *disk, u64 block, u32 word, mpn_t page)
{
	if (!blockmap_set(&disk->own, block, page.v)) {
		share_drop(page);
		return -ENOMEM;
	}
	if (is_page(word))
		drop_page((mpn_t){ word });
	else
		disk->modified++;
	return 1;
}

/* Promises for as many of the n blocks as may have a page: 1..n, or what stopped the first. */
static int promise(struct vm_disk *disk, u64 block, u32 n)
{
	u32 more = 0;

	for (u32 i = 0; i < n; i++) {
		bool new = !is_page(blockmap_get(&disk->own, block + i));

		if (new &&at_limit(disk, more))
			return i ? (int)i : no_space(disk);
		if (!cache_promise(&disk->client))
			return i ? (int)i : -ENOMEM;
		more += new;
	}
	return n;
}

/*
 * The guest's page, which was lent to be a block: if another block has the same in it, that one's page is both, and
 * stands behind the guest's and those of other guests that had it, as long as they have not written it.
 */
static void merge(struct vm_disk *disk, struct share_at *at, u32 hash)
{
	mpn_t page = alike_find(at->page, hash);

	if (!mpn_valid(page))
		return;
	dma_replace(at->page, page);
	share_drop(at->page);
	at->page = page;
	disk->stats.alike++;
}

/* The page that was lent, or one that is equal, is the block from now on. 1, or -ENOMEM: it was dropped. */
static int set_lent(struct vm_disk *disk, u64 block, struct share_at *at)
{
	u32 hash = alike_hash(at->page);
	int got;

	merge(disk, at, hash);
	got = set_page(disk, block, blockmap_get(&disk->own, block), at->page);
	if (got > 0)
		alike_put(at->page, hash);
	return got;
}

int own_lend(struct vm_disk *disk, u64 block, struct share_at *at, u32 n)
{
	int got = promise(disk, block, n), lent;
	bool stopped = false;

	if (got < 0)
		return got;
	dma_lend(disk->vm, at, got);
	for (lent = 0; lent < got && !stopped; lent += !stopped) {
		if (!mpn_valid(at[lent].page))
			break;
		stopped = set_lent(disk, block + lent, &at[lent]) < 0;
	}
	for (int i = lent + stopped; i < got; i++) {
		if (mpn_valid(at[i].page))
			share_drop(at[i].page);
		else
			nodemem_unreserve(1);
	}
	return lent || !stopped ? lent : -ENOMEM;
}

int own_page(struct vm_disk *disk, struct disk_request *r, u64 block, bool whole, mpn_t *page)
{
	u32 word = blockmap_get(&disk->own, block);
	mpn_t new;
	int got = 1;

	*page = (mpn_t){ word };
	if (is_page(word)) /* it may be written where it is: nobody must come upon it */
		alike_forget(*page);
	if (is_page(word) && share_is_sole(*page))
		return 1;
	if (!is_page(word) && at_limit(disk, 0))
		return no_space(disk);
	new = cache_page(&disk->client);
	if (!mpn_valid(new))
		return -ENOMEM;
	if (!whole)
		got = copy_block(disk, r, block, word, new);
	if (got <= 0) {
		share_drop(new);
		return got;
	}
	*page = new;
	return set_page(disk, block, word, new);
}

int own_zero(struct vm_disk *disk, u64 block)
{
	u32 word = blockmap_get(&disk->own, block);

	if (!blockmap_set(&disk->own, block, OWN_ZERO))
		return -ENOMEM;
	if (is_page(word)) {
		drop_page((mpn_t){ word });
		disk->modified--;
	}
	return 1;
}

bool disk_release(struct vm_disk *disk)
{
	u32 word;
	int got = 0;

	for (u32 i = 0; i < RELEASE_PAGES && got >= 0; i++) {
		got = blockmap_take(&disk->own, &disk->release_from, RELEASE_LOOKS / RELEASE_PAGES,
				    &word);
		if (got > 0 && is_page(word)) {
			drop_page((mpn_t){ word });
			disk->modified--;
		}
	}
	if (got >= 0)
		return false;
	disk->release_from = 0;
	disk->told = false;
	return true;
}
