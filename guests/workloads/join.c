/* SPDX-License-Identifier: MIT */
/*
 * join THREADS TUPLES: a hash join as databases do it in memory: all threads put their parts of one relation into a hash table
 * that they share, then look up their parts of another one of four times as many tuples. Who uses what of the table nobody knows before.
 */
#include <stdatomic.h>
#include "guests/workloads/parallel.h"

#define PROBES 4 /* tuples that look up for one that is put in */

struct tuple {
	uint64_t key, payload;
	uint32_t next; /* in its bucket: a tuple's number + 1 */
	uint32_t unused;
};

static struct tuple *build;
static uint64_t *probe;
static atomic_uint *bucket;
static uint64_t buckets;
static struct part {
	_Alignas(128) uint64_t sum, found;
} parts[PARALLEL_THREADS];

static uint64_t bucket_of(uint64_t key) { return parallel_hash(key) & (buckets - 1); }

static void work(int thread)
{
	long from = parallel_from(thread, parallel.size),
	     to = parallel_from(thread + 1, parallel.size);
	struct part mine = { .sum = 0 };

	for (long i = from; i < to; i++) {
		atomic_uint *at = &bucket[bucket_of(build[i].key)];
		unsigned head = atomic_load_explicit(at, memory_order_relaxed);

		do
			build[i].next = head;
		while (!atomic_compare_exchange_weak(at, &head, (unsigned)i + 1));
	}
	parallel_barrier();
	for (long i = PROBES * from; i < PROBES * to; i++) {
		unsigned at = bucket[bucket_of(probe[i])];

		for (; at; at = build[at - 1].next)
			if (build[at - 1].key == probe[i]) {
				mine.sum += build[at - 1].payload * (uint64_t)(i + 1);
				mine.found++;
			}
	}
	parts[thread] = mine;
}

int main(int argc, char **argv)
{
	uint64_t sum = 0, found = 0, wanted = 0;

	parallel_start(argc, argv, "join", "tuples", 1, 1 << 24);
	for (buckets = 64; buckets < (uint64_t)parallel.size; buckets *= 2)
		;
	build = parallel_alloc((size_t)parallel.size, sizeof(*build));
	probe = parallel_alloc((size_t)parallel.size * PROBES, sizeof(*probe));
	bucket = parallel_alloc(buckets, sizeof(*bucket));
	/* Keys of build are different; of those of probe every second one is in it. */
	for (long i = 0; i < parallel.size; i++)
		build[i] = (struct tuple){ .key = 2 * (uint64_t)i,
					   .payload = parallel_hash((uint64_t)i) };
	for (long i = parallel.size - 1; i > 0; i--) {
		long j = (long)(parallel_hash((uint64_t)i + 77) % (uint64_t)(i + 1));
		struct tuple one = build[i];

		build[i] = build[j];
		build[j] = one;
	}
	for (long i = 0; i < PROBES * parallel.size; i++) {
		uint64_t key = parallel_hash((uint64_t)i + 999) % (2 * (uint64_t)parallel.size);

		probe[i] = key;
		if (!(key & 1))
			wanted += parallel_hash(key / 2) * (uint64_t)(i + 1);
	}
	parallel_run(work);
	for (int t = 0; t < parallel.threads; t++) {
		sum += parts[t].sum;
		found += parts[t].found;
	}
	if (sum != wanted)
		parallel_fail("found other tuples than match");
	return parallel_report(parallel_add(sum, found));
}
