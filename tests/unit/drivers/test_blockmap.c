/* SPDX-License-Identifier: MIT */
/* drivers/disk/blockmap.c against a list of what was set, with memory that ends now and then. */
#include "tests/unit/unit.h"

#include "drivers/disk/blockmap.h"

#define PAGES 64
#define WORDS 512
#define STEPS 1000000
#define FEW   8

static u32 *page[PAGES];
static u32 npages, limit;
static struct blockmap map;

static u32 make(void *owner)
{
	assert_ptr_equal(owner, page);
	for (u32 i = 1; i < PAGES && npages < limit; i++) {
		if (page[i])
			continue;
		page[i] = calloc(BLOCKMAP_FAN, sizeof(u32));
		npages++;
		return i;
	}
	return 0;
}

static void drop(void *owner, u32 n)
{
	(void)owner;
	for (u32 i = 0; i < BLOCKMAP_FAN; i++)
		assert_int_equal(page[n][i], 0);
	free(page[n]);
	page[n] = NULL;
	npages--;
}

static u32 *words(void *owner, u32 n)
{
	(void)owner;
	assert_non_null(page[n]);
	return page[n];
}

static const struct blockmap_pages pages = { make, drop, words, page };

/* The model. */
static struct {
	u64 block;
	u32 word;
} set[WORDS];

static u32 *model_of(u64 block)
{
	for (u32 i = 0; i < WORDS; i++)
		if (set[i].word && set[i].block == block)
			return &set[i].word;
	for (u32 i = 0; i < WORDS; i++)
		if (!set[i].word) {
			set[i].block = block;
			return &set[i].word;
		}
	return NULL;
}

static u64 random64(void)
{
	static u64 x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

/* Blocks near each other, at the ends of pages, and anywhere. */
static u64 random_block(u64 nblocks)
{
	switch (random64() % 4) {
	case 0: return random64() % MIN(nblocks, 64ul);
	case 1: return nblocks - 1 - random64() % MIN(nblocks, 4ul);
	case 2:
		return (random64() % 3 + 1) * BLOCKMAP_FAN * (random64() % 2 ? 1 : BLOCKMAP_FAN) -
		       random64() % 2;
	default: return random64() % (nblocks + nblocks / 8 + 1);
	}
}

static void take_all(void)
{
	u64 from = 0;
	u32 word, got;
	int left;

	while ((left = blockmap_take(&map, &from, random64() % 300 + 1, &word)) >= 0) {
		if (!left)
			continue;
		for (got = 0; got < WORDS && (set[got].word != word || set[got].block != from - 1);
		     got++)
			;
		assert_in_range(got, 0, WORDS - 1);
		set[got].word = 0;
	}
	for (u32 i = 0; i < WORDS; i++)
		assert_int_equal(set[i].word, 0);
	assert_int_equal(npages, 0);
}

static void one_step(u64 nblocks)
{
	u64 block = random_block(nblocks);
	u32 *model = model_of(block), word = random64() % 4 ? (u32)random64() | 1 : 0;
	bool done;

	limit = random64() % 16 ? FEW * 4 : 2;
	assert_int_equal(blockmap_get(&map, block), model ? *model : 0);
	if (!model)
		return;
	done = blockmap_set(&map, block, word);
	if (!done)
		assert_true(block >= nblocks || (!*model && word));
	if (block >= nblocks)
		assert_false(done);
	if (done)
		*model = word;
	assert_int_equal(blockmap_get(&map, block), *model);
}

static void random_steps(void **state)
{
	static const u64 sizes[] = { 1,	   7,	    1023,	   1024,	   1025,
				     5000, 1 << 20, (1 << 20) + 1, BLOCKMAP_BLOCKS };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		blockmap_init(&map, sizes[i], &pages);
		for (u32 n = 0; n < STEPS / 20; n++) {
			one_step(sizes[i]);
			if (random64() % 4000 == 0)
				take_all();
		}
		take_all();
	}
}

static void a_failed_set_changes_nothing(void **state)
{
	(void)state;
	blockmap_init(&map, BLOCKMAP_BLOCKS, &pages);
	limit = 2;
	assert_false(blockmap_set(&map, 5, 1));
	assert_int_equal(blockmap_get(&map, 5), 0);
	limit = 3;
	assert_true(blockmap_set(&map, 5, 1));
	assert_true(blockmap_set(&map, 6, 2));
	assert_false(blockmap_set(&map, BLOCKMAP_FAN, 3));
	assert_true(blockmap_set(&map, BLOCKMAP_FAN, 0));
	assert_int_equal(blockmap_get(&map, 5), 1);
	set[0].block = 5, set[0].word = 1;
	set[1].block = 6, set[1].word = 2;
	take_all();
}

static void an_empty_disk_has_no_blocks(void **state)
{
	u64 from = 0;
	u32 word;

	(void)state;
	blockmap_init(&map, 0, &pages);
	assert_false(blockmap_set(&map, 0, 1));
	assert_int_equal(blockmap_get(&map, 0), 0);
	assert_int_equal(blockmap_take(&map, &from, 1, &word), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_set_changes_nothing),
		cmocka_unit_test(an_empty_disk_has_no_blocks),
		cmocka_unit_test(random_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
