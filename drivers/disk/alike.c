/* SPDX-License-Identifier: MIT */
/* The table of pages that are blocks, by what is in them: buckets of a few, the one that was put last at the front. */
#include "arch/mips/arch.h"
#include "drivers/disk/alike.h"
#include "kernel/lock.h"
#include "kernel/mem/share.h"
#include "numa/numa.h"

#define BUCKETS 2048
#define WAYS	4 /* 8192 pages, 32 MB of blocks, in 64 KB */
#define LOOKS \
	64 /* words of a page that count: one of each 64 bytes, each time another of the eight */

struct entry {
	u32 page; /* 0: absent */
	u32 hash;
};

struct bucket {
	struct entry entry[WAYS];
};

static struct lock lock = LOCK_INIT(RANK_ALIKE);
static struct bucket *table; /* fixed after boot; NULL: nothing is alike */

void alike_init(void)
{
	if (!table)
		table = nodemem_boot_alloc(0, BUCKETS * sizeof(*table), 8);
}

_Static_assert(LOOKS * 8 * sizeof(u64) == PAGE_SIZE, "the words are spread over the page");

u32 alike_hash(mpn_t page)
{
	const u64 *word = mpn_ptr(page);
	u64 hash = 0;

	for (u32 i = 0; i < LOOKS; i++)
		hash = ((hash >> 29 | hash << 35) ^ word[i * 8 + i % 8]) * 0x9e3779b97f4a7c15;
	return hash >> 32;
}

/* The bucket, locked. */
static struct bucket *take(u32 hash)
{
	lock_take(&lock);
	return &table[hash % BUCKETS];
}

/* Five instructions a word; the library's memcmp has eight. */
static bool is_equal(mpn_t one, mpn_t other)
{
	const u64 *a = mpn_ptr(one), *b = mpn_ptr(other), *end = a + PAGE_SIZE / sizeof(*a);
	u64 differs = 0;

	for (; a != end && !differs; a += 4, b += 4)
		differs = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
	return !differs;
}

/* The page that was put last of those with the hash, held. */
static mpn_t candidate(mpn_t but, u32 hash)
{
	const struct bucket *b = take(hash);
	mpn_t found = MPN_NONE;

	for (u32 i = 0; i < WAYS && !mpn_valid(found); i++)
		if (b->entry[i].page && b->entry[i].hash == hash && b->entry[i].page != but.v)
			found.v = b->entry[i].page;
	if (mpn_valid(found))
		share_hold(found);
	lock_release(&lock);
	return found;
}

mpn_t alike_find(mpn_t page, u32 hash)
{
	mpn_t found = table ? candidate(page, hash) : MPN_NONE;

	if (!mpn_valid(found) || is_equal(found, page))
		return found;
	share_drop(found);
	return MPN_NONE;
}

/* The page's place in the bucket; WAYS: it has none. */
static u32 place_of(const struct bucket *b, mpn_t page)
{
	u32 i = 0;

	while (i < WAYS && b->entry[i].page != page.v)
		i++;
	return i;
}

void alike_put(mpn_t page, u32 hash)
{
	struct bucket *b;

	if (!table)
		return;
	b = take(hash);
	for (u32 i = MIN(place_of(b, page), (u32)WAYS - 1); i; i--)
		b->entry[i] = b->entry[i - 1];
	b->entry[0] = (struct entry){ (u32)page.v, hash };
	lock_release(&lock);
}

void alike_forget(mpn_t page)
{
	struct bucket *b;
	u32 i;

	if (!table)
		return;
	b = take(alike_hash(page));
	i = place_of(b, page);
	if (i < WAYS)
		b->entry[i].page = 0;
	lock_release(&lock);
}
