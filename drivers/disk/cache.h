/* SPDX-License-Identifier: MIT */
/*
 * The shared buffer cache: blocks of images in memory, one cache for all images and VMs, and the transfers
 * between it and the images. A block in memory is a shared page (kernel/mem/share.h) that the cache holds.
 *
 *   a block is  its page                            transfer  becomes    by
 *   absent      none                                none      LOADING    a reader, or a writer of a part, needs it
 *                                                             WRITING    a writer of all of it claims it
 *   LOADING     held, being filled by the device    a read    RESIDENT   the transfer ends
 *                                                             absent     it ends with an error
 *   RESIDENT    held, equal to the image            none      WRITING    a writer claims it
 *                                                             absent     eviction (the hand), when the cache or a VM
 *                                                                        that starts wants memory
 *   WRITING     held, newer than the image          a write   RESIDENT   the transfer ends
 *                                                             absent     it ends with an error: nobody knows what
 *                                                                        the image has
 *
 * Readers are served in RESIDENT and WRITING. A writer waits for the transfer of a block that is LOADING or
 * WRITING, so that two writes of one block are never on their way together. A page that
 * others have, guests or what a VM has modified of another disk, is never written (share_is_sole): the writer
 * takes a new page, and the old one is theirs.
 *
 * A transfer has up to CACHE_RUN neighbouring blocks, and a list of the requests that wait for it. When it
 * ends they are woken: moved to a list of their client, which is told. A read of several blocks that fails
 * is no answer yet: who waited asks again for one block at a time, and only a transfer of that one block is
 * an error.
 *
 * Memory: pages beyond what VMs were promised (share_new), and CACHE_KEPT of its own from boot on, so that
 * requests always go on. When there is none, the hand goes round all blocks of all images: a RESIDENT block
 * that was used since the last round stays, another is evicted. A client that found neither memory nor a
 * transfer is starved: told when a transfer ends, and at node 0's tick.
 *
 * Locks: calls of one client are made one at a time (its device's lock). RANK_CACHE, one for all, protects
 * what is here: blocks, transfers, lists. Guest memory is read and written without it, with a hold on the
 * page; a page that is WRITING is filled before its transfer begins by who has claimed it.
 */
#ifndef DRIVERS_DISK_CACHE_H
#define DRIVERS_DISK_CACHE_H

#include "kernel/types.h"

struct cache_transfer;
struct image;

#define BLOCK_SHIFT_BYTES 12
#define BLOCK_BYTES	  4096u
#define CACHE_RUN	  64 /* blocks of a transfer: HOST_BYTES_MAX */
#define CACHE_TRANSFERS	  32 /* at a time, of all clients */
#define CACHE_SHARE	  8  /* of these, one client's */
#define CACHE_KEPT	  32 /* pages */

enum block_state { BLOCK_ABSENT, BLOCK_LOADING, BLOCK_RESIDENT, BLOCK_WRITING };

/* A disk of a VM. */
struct cache_client {
	void (*tell)(
		struct cache_client *c); /* look at cache_woken, or try again; RANK_CACHE is held */
	struct cache_waiter *woken, **woken_end;
	struct cache_client *next; /* of all */
	u32 flying;		   /* transfers under way */
	bool starved;
};

enum cache_result {
	CACHE_OK,
	CACHE_MANY_FAILED, /* a read of several blocks ended with an error */
	CACHE_FAILED,	   /* a read of one */
};

/* A request of a client, in at most one list: of a transfer, or of the client's woken ones. */
struct cache_waiter {
	struct cache_client *client;
	struct cache_waiter *next, **link; /* link NULL: in no list */
	u32 writes;			   /* transfers to the image under way for it */
	bool drains;			   /* it is woken when there are none */
	bool write_failed;
	enum cache_result result; /* of the read that it waited for */
	u64 waited_for; /* the block behind the last one of that read; 0: it never waited */
};

/* An image: made at boot, one for all disks that name it. NULL: no memory. */
struct disk_desc;
struct image *image_of(const struct disk_desc *desc);
u64 image_sectors(const struct image *im); /* 512 bytes each; as it was at boot */

void cache_add_client(struct cache_client *c); /* boot */
/* Of one moment: who wakes one tells afterwards. */
static inline bool cache_has_woken(const struct cache_client *c)
{
	return __atomic_load_n(&c->woken, __ATOMIC_ACQUIRE);
}
/* The next request that was woken; NULL: none. */
struct cache_waiter *cache_woken(struct cache_client *c);
/* The waiter is in no list, and no transfer knows it; those for it go on. */
void cache_forget(struct cache_waiter *w);

/*
 * The page of a block that is in memory. *held: the caller holds it; false: it is never given back. False: the block is
 * not in memory, or on its way, and cache_read says more.
 */
bool cache_find(struct image *im, u64 block, mpn_t *page, bool *held);
/*
 * The page of a block for a reader, held for the caller (share_drop). 1: it is in *page; 0: w waits for a
 * transfer, begun now perhaps, of up to `more` absent blocks from this one on; -ENOMEM: the client is starved.
 * *hit: no transfer was needed.
 */
int cache_read(struct image *im, u64 block, u32 more, struct cache_waiter *w, mpn_t *page);

/*
 * The block is the caller's to fill with bytes [from, from + bytes) of it, and then to send. 1: it is in the
 * run, and its page in *page; 0: w waits; -ENOMEM: the client is starved. After 0 and -ENOMEM what is in
 * *run is to be sent. *run is NULL before the first block of a run, whose blocks are neighbours; a full run
 * is to be sent (cache_run_full).
 */
int cache_claim(struct image *im, u64 block, u32 from, u32 bytes, struct cache_waiter *w,
		struct cache_transfer **run, mpn_t *page);
bool cache_run_full(const struct cache_transfer *run);
/* To the image, if there is any block in it; w->writes says how many are on their way. */
void cache_send(struct cache_transfer *run, struct cache_waiter *w);
/* All that was written to the image before is to last. False: the client is starved. */
bool cache_flush(struct image *im, struct cache_waiter *w);
/* No transfer for w is under way; false: w is woken when there is none any more. */
bool cache_drained(struct cache_waiter *w);

/* A page like share_new's, for what a VM modifies; MPN_NONE: the client is starved. */
mpn_t cache_page(struct cache_client *c);
/* A promise of a page for the same (nodemem_reserve). False: the client is starved. */
bool cache_promise(struct cache_client *c);
/* disks_start, disks_tick and disks_reclaim_step are in drivers/dev.h. */

/* ---- for people ---- */
struct image_stats {
	u64 blocks;	   /* in memory */
	u64 reads, writes; /* transfers, flushes are writes */
	u64 read_blocks, written_blocks, errors, evicted;
	u32 flying;
};
const struct image *image_number(u32 n); /* NULL: there are fewer */
const char *image_name(const struct image *im);
struct image_stats image_stats(const struct image *im);

#endif /* DRIVERS_DISK_CACHE_H */
