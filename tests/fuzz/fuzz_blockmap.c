/* SPDX-License-Identifier: MIT */
/* Any order of sets, looks and takes, with memory that may end at any of them: what is in the map is what
 * was put there, and an emptied map has no pages. */
#include <stdlib.h>
#include <string.h>

#include "drivers/disk/blockmap.h"

#define PAGES  8
#define BLOCKS 64 /* that the input can name */
#define BYTES  64 /* of an input that count: emptying a map takes long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t *page[PAGES];
static uint32_t npages, limit;

static uint32_t make(void *owner)
{
	(void)owner;
	for (uint32_t i = 1; i < PAGES && npages < limit; i++) {
		if (page[i])
			continue;
		page[i] = calloc(BLOCKMAP_FAN, sizeof(uint32_t));
		npages++;
		return i;
	}
	return 0;
}

static void drop(void *owner, uint32_t n)
{
	(void)owner;
	free(page[n]);
	page[n] = NULL;
	npages--;
}

static uint32_t *words(void *owner, uint32_t n)
{
	(void)owner;
	return page[n];
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* Blocks of which every eighth is far away. */
static uint64_t block_of(uint8_t n)
{
	return (uint64_t)(n % 8) + ((uint64_t)(n / 8 % 8) * 1021 << (n / 8 % 8 * 3));
}

static void empty(struct blockmap *m, uint32_t look)
{
	uint64_t from = 0;
	uint32_t word;

	while (blockmap_take(m, &from, look, &word) >= 0)
		;
	check(npages == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct blockmap_pages pages = { make, drop, words, NULL };
	uint32_t model[BLOCKS] = { 0 };
	struct blockmap m;

	if (size < 4)
		return 0;
	size = MIN(size, (size_t)BYTES);
	blockmap_init(&m, 1 + ((uint64_t)data[0] << (data[1] % 28)), &pages);
	for (size_t i = 2; i + 1 < size; i += 2) {
		uint8_t n = data[i] % BLOCKS;

		limit = data[i + 1] % PAGES;
		check(blockmap_get(&m, block_of(n)) == model[n]);
		if (data[i] == 0xff && i < 8) {
			empty(&m, data[i + 1] + 1);
			memset(model, 0, sizeof(model));
		} else if (blockmap_set(&m, block_of(n), data[i + 1])) {
			check(block_of(n) < m.nblocks || !data[i + 1]);
			model[n] = data[i + 1];
		}
	}
	if (data[0] % 8 == 0)
		empty(&m, 1000);
	for (uint32_t i = 1; i < PAGES; i++)
		if (page[i])
			drop(NULL, i);
	return 0;
}
