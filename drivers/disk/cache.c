/* SPDX-License-Identifier: MIT */
/* Blocks of images in memory: which there are, their states, and who makes room for them. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "drivers/disk/image.h"
#include "kernel/errno.h"
#include "kernel/mem/share.h"
#include "kernel/panic.h"
#include "numa/numa.h"

/* A block that is in memory or on its way, by a number from 1 on. */
struct block {
	u32 page;
	u32 number; /* within its image; FREE: the next free descriptor */
	u8 image;
	u8 state; /* enum block_state; BLOCK_ABSENT: the descriptor is free */
	u8 used;  /* since the hand passed */
	u8 transfer;
	u32 spare;
};

#define PER_PAGE    (PAGE_SIZE / sizeof(struct block))
#define POOL_MAX    1024 /* pages of descriptors: for 1 GB in blocks */
#define LOOKS_MAX   256	 /* of the hand, at a time */
#define EVICT_TRIES 4

_Static_assert(sizeof(struct block) == 16, "descriptors fill their pages");
_Static_assert(IMAGES_MAX <= 256 && CACHE_TRANSFERS <= 256, "an image and a transfer fit a byte");

static u32 pool[POOL_MAX];	/* pages */
static u32 nblocks, first_free; /* descriptors made; of the free ones */
static u32 hand;
static u32 kept; /* of CACHE_KEPT promises, those that are not in use */

static struct block *block_with(u32 n)
{
	struct block *page = mpn_ptr((mpn_t){ pool[(n - 1) / PER_PAGE] });

	return &page[(n - 1) % PER_PAGE];
}

static struct image *image_of_block(const struct block *b) { return image_with(b->image); }

/* ---- memory ---- */

/* Promises for pages of the cache's own, as far as there are any. */
static void keep_promises(void)
{
	while (kept < CACHE_KEPT && !nodemem_reserve(1))
		kept++;
}

void disks_start(void)
{
	if (image_number(0))
		keep_promises();
}

/* MPN_NONE: nobody has memory to spare, and `own` says that the cache's own must not be taken. */
static mpn_t new_page(bool own)
{
	mpn_t page = share_new(node_self()->id);

	if (mpn_valid(page) || !own || !kept)
		return page;
	page = share_new_promised(node_self()->id);
	if (mpn_valid(page))
		kept--;
	return page;
}

/* The block leaves the cache; its page is its users'. */
static void drop_block(u32 n)
{
	struct block *b = block_with(n);
	struct image *im = image_of_block(b);

	blockmap_set(&im->map, b->number, 0);
	im->stats.blocks--;
	share_drop((mpn_t){ b->page });
	b->state = BLOCK_ABSENT;
	b->number = first_free;
	first_free = n;
	keep_promises();
}

static void evict(u32 n)
{
	image_of_block(block_with(n))->stats.evicted++;
	drop_block(n);
}

/*
 * Moves the hand on to the next block that was not used since it passed the last time; when it has looked at
 * LOOKS_MAX, the first that it passed goes. False: there was none.
 */
static bool evict_one(void)
{
	u32 passed = 0;

	for (u32 i = 0; i < MIN(nblocks, (u32)LOOKS_MAX); i++) {
		struct block *b;

		hand = hand % nblocks + 1;
		b = block_with(hand);
		if (b->state != BLOCK_RESIDENT)
			continue;
		if (!b->used) {
			evict(hand);
			return true;
		}
		b->used = 0;
		if (!passed)
			passed = hand;
	}
	if (passed)
		evict(passed);
	return passed;
}

/*
 * MPN_NONE: there is no memory now, and nothing that can be evicted, or others are faster. own: what the cache
 * keeps for itself may be taken, so that blocks can always be read.
 */
static mpn_t page_locked(bool own)
{
	mpn_t page = new_page(own);

	for (u32 i = 0; i < EVICT_TRIES && !mpn_valid(page) && evict_one(); i++)
		page = new_page(own);
	return page;
}

mpn_t cache_page(struct cache_client *c)
{
	mpn_t page;

	lock_take(&cache_lock);
	page = page_locked(false);
	if (!mpn_valid(page))
		cache_starve_locked(c);
	lock_release(&cache_lock);
	return page;
}

bool cache_promise(struct cache_client *c)
{
	bool got = !numa_reserve_spare();

	if (got)
		return true;
	lock_take(&cache_lock);
	for (u32 i = 0; i < EVICT_TRIES && !got && evict_one(); i++)
		got = !numa_reserve_spare();
	if (!got)
		cache_starve_locked(c);
	lock_release(&cache_lock);
	return got;
}

#define RECLAIM_BLOCKS 64

bool disks_reclaim_step(void)
{
	static u32 barren; /* looks since the last block that went */
	u32 n = 0;
	bool left;

	lock_take(&cache_lock);
	while (n < RECLAIM_BLOCKS && evict_one())
		n++;
	barren = n ? 0 : barren + LOOKS_MAX;
	left = barren < nblocks;
	if (!left)
		barren = 0;
	lock_release(&cache_lock);
	return left;
}

/* ---- maps of images ---- */

static u32 make_map_page(void *owner)
{
	mpn_t page = page_locked(true);

	(void)owner;
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

void cache_map_init(struct blockmap *m, u64 nblocks_of_image)
{
	static const struct blockmap_pages pages = { make_map_page, drop_map_page, map_words,
						     NULL };

	blockmap_init(m, nblocks_of_image, &pages);
}

/* ---- descriptors ---- */

/* More of them; false: no memory. */
static bool make_descriptors(void)
{
	mpn_t page = nblocks / PER_PAGE < POOL_MAX ? page_locked(true) : MPN_NONE;

	if (!mpn_valid(page))
		return false;
	memset(mpn_ptr(page), 0, PAGE_SIZE);
	pool[nblocks / PER_PAGE] = page.v;
	for (u32 i = PER_PAGE; i > 0; i--) {
		block_with(nblocks + i)->number = first_free;
		first_free = nblocks + i;
	}
	nblocks += PER_PAGE;
	return true;
}

/*
 * The block has that page, which this takes over, from now on, and is in the transfer's hands. 0: no memory,
 * and the page is dropped.
 */
static u32 add_block(struct image *im, u64 number, mpn_t page, enum block_state state, u32 transfer)
{
	u32 n;

	if (!first_free && !make_descriptors() && !evict_one())
		goto none;
	n = first_free;
	if (!blockmap_set(&im->map, number, n))
		goto none;
	first_free = block_with(n)->number;
	*block_with(n) = (struct block){ page.v, number, im->id, state, 1, transfer, 0 };
	im->stats.blocks++;
	return n;
none:
	share_drop(page);
	return 0;
}

void transfer_ended_locked(struct cache_transfer *t, bool ok)
{
	for (u32 i = 0; i < t->n; i++) {
		if (ok)
			block_with(t->block[i])->state = BLOCK_RESIDENT;
		else
			drop_block(t->block[i]);
	}
}

/* ---- readers ---- */

/* The page that a block is read into: the archive's own, or a new one; MPN_NONE: no memory. */
static mpn_t page_for(const struct image *im, u64 block)
{
	mpn_t page = image_archive_page(im, block);
	u32 bytes = image_block_bytes(im, block);

	if (mpn_valid(page)) {
		share_hold(page);
		return page;
	}
	page = page_locked(true);
	if (!mpn_valid(page))
		return page;
	if (im->data)
		memcpy(mpn_ptr(page), im->data + block * BLOCK_BYTES, bytes);
	memset((u8 *)mpn_ptr(page) + bytes, 0, PAGE_SIZE - bytes);
	return page;
}

/* One more block for the transfer; false: no memory. */
static bool load(struct cache_transfer *t, u64 block)
{
	struct image *im = t->image;
	mpn_t page = page_for(im, block);
	u32 n = mpn_valid(page) ? add_block(im, block, page, BLOCK_LOADING, t->number) : 0;

	if (!n)
		return false;
	t->pieces[t->n] = (struct host_piece){ mpn_maddr(page), image_block_bytes(im, block) };
	t->block[t->n++] = n;
	return true;
}

/* 0: w waits for the block. */
static int load_run(struct image *im, u64 block, u32 more, struct cache_waiter *w)
{
	struct cache_transfer *t = transfer_begin_locked(im, w->client, HOST_READ);

	if (!t)
		return -ENOMEM;
	t->io.sector = block * BLOCK_SECTORS;
	more = MIN(MAX(more, 1u), (u32)CACHE_RUN);
	while (t->n < more && block < im->blocks && !blockmap_get(&im->map, block) &&
	       load(t, block))
		block++;
	if (!t->n) {
		transfer_cancel_locked(t);
		cache_starve_locked(w->client);
		return -ENOMEM;
	}
	transfer_wait_locked(t, w);
	w->waited_for = block;
	transfer_start_locked(t);
	return 0;
}

/* The page of an image that takes no time; it stays in the archive, or in memory as a copy. */
static mpn_t instant_page(struct image *im, u64 block)
{
	mpn_t page = image_archive_page(im, block);

	if (mpn_valid(page))
		share_hold(page);
	else
		page = page_for(im, block);
	return page;
}

static int read_locked(struct image *im, u64 block, u32 more, struct cache_waiter *w, mpn_t *page)
{
	u32 n = blockmap_get(&im->map, block);
	struct block *b;

	if (!n)
		return load_run(im, block, more, w);
	b = block_with(n);
	b->used = 1;
	if (b->state == BLOCK_LOADING) {
		struct cache_transfer *t = transfer_with(b->transfer);

		transfer_wait_locked(t, w);
		w->waited_for = block_with(t->block[t->n - 1])->number + 1u;
		return 0;
	}
	*page = (mpn_t){ b->page };
	share_hold(*page);
	return 1;
}

bool cache_find(struct image *im, u64 block, mpn_t *page, bool *held)
{
	struct block *b;
	u32 n;

	*held = !image_is_instant(im);
	if (!*held) { /* what is in the archive stays there: no lock */
		*page = image_archive_page(im, block);
		return mpn_valid(*page);
	}
	lock_take(&cache_lock);
	n = blockmap_get(&im->map, block);
	b = n ? block_with(n) : NULL;
	*held = b && b->state != BLOCK_LOADING;
	if (*held) {
		b->used = 1;
		*page = (mpn_t){ b->page };
		share_hold(*page);
	}
	lock_release(&cache_lock);
	return *held;
}

int cache_read(struct image *im, u64 block, u32 more, struct cache_waiter *w, mpn_t *page)
{
	int got;

	lock_take(&cache_lock);
	if (image_is_instant(im)) {
		*page = instant_page(im, block);
		got = mpn_valid(*page) ? 1 : -ENOMEM;
		if (got < 0)
			cache_starve_locked(w->client);
	} else {
		got = read_locked(im, block, more, w, page);
	}
	lock_release(&cache_lock);
	return got;
}

/* ---- writers ---- */

/* The block's page may be written: nobody but the cache has it, or the block has a copy now. */
static bool make_private(struct block *b, bool whole)
{
	mpn_t old = { b->page }, new;

	if (share_is_sole(old))
		return true;
	b->state = BLOCK_WRITING; /* so that it is not evicted for the copy */
	new = page_locked(true);
	b->state = BLOCK_RESIDENT;
	if (!mpn_valid(new))
		return false;
	if (!whole)
		memcpy(mpn_ptr(new), mpn_ptr(old), PAGE_SIZE);
	b->page = new.v;
	share_drop(old);
	return true;
}

/* A block that will be written from end to end, and is not in memory; 0: no memory. */
static u32 add_written(struct cache_transfer *run, u64 block, u32 bytes)
{
	mpn_t page = page_locked(true);

	if (!mpn_valid(page))
		return 0;
	memset((u8 *)mpn_ptr(page) + bytes, 0, PAGE_SIZE - bytes);
	return add_block(run->image, block, page, BLOCK_WRITING, run->number);
}

/* 1: the block is the run's. */
static int claim_locked(struct cache_transfer *run, u64 block, bool whole, u32 bytes,
			struct cache_waiter *w)
{
	struct image *im = run->image;
	u32 n = blockmap_get(&im->map, block);
	struct block *b = n ? block_with(n) : NULL;

	if (!n && !whole)
		return load_run(im, block, 1, w);
	if (n && b->state != BLOCK_RESIDENT) {
		transfer_wait_locked(transfer_with(b->transfer), w);
		return 0;
	}
	if (n ? !make_private(b, whole) : !(n = add_written(run, block, bytes))) {
		cache_starve_locked(w->client);
		return -ENOMEM;
	}
	b = block_with(n);
	b->state = BLOCK_WRITING;
	b->transfer = run->number;
	b->used = 1;
	run->block[run->n] = n;
	return 1;
}

int cache_claim(struct image *im, u64 block, u32 from, u32 bytes, struct cache_waiter *w,
		struct cache_transfer **run, mpn_t *page)
{
	bool whole = bytes == image_block_bytes(im, block);
	int got = -ENOMEM;

	lock_take(&cache_lock);
	if (!*run) {
		*run = transfer_begin_locked(im, w->client, HOST_WRITE);
		if (*run)
			(*run)->io.sector = block * BLOCK_SECTORS + from / HOST_SECTOR;
	}
	if (*run)
		got = claim_locked(*run, block, whole, bytes, w);
	if (got > 0) {
		page->v = block_with((*run)->block[(*run)->n])->page;
		(*run)->pieces[(*run)->n++] =
			(struct host_piece){ { mpn_maddr(*page).v + from }, bytes };
	}
	lock_release(&cache_lock);
	return got;
}

bool cache_run_full(const struct cache_transfer *run) { return run->n == CACHE_RUN; }
