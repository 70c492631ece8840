/* SPDX-License-Identifier: MIT */
/*
 * radix THREADS KEYS: sorts integers by radix, in the manner of SPLASH-2's Radix (after Blelloch and
 * others, "A comparison of sorting algorithms for the Connection Machine CM-2", 1991). Each pass over
 * a digit of 10 bits counts the digits of each thread's keys, finds where each thread's keys of each
 * digit go, and moves them there: writes to 1024 places at once, most of them in memory that other
 * threads have filled.
 */
#include "guests/workloads/parallel.h"

#define DIGIT_BITS 10
#define DIGITS	   (1 << DIGIT_BITS)
#define PASSES	   2 /* keys of 20 bits */

static uint64_t *keys[2];
static uint32_t *counts; /* by thread and digit; then where the next one goes */
static uint64_t totals[PARALLEL_THREADS * 16]; /* of a thread's slice of digits; a line each */

static unsigned digit(uint64_t key, int pass) { return key >> (pass * DIGIT_BITS) & (DIGITS - 1); }

/* From numbers of keys to places: each thread for a slice of the digits, over all threads' counts. */
static void find_places(int thread)
{
	long from = parallel_from(thread, DIGITS), to = parallel_from(thread + 1, DIGITS);
	uint64_t total = 0, before = 0;

	for (long d = from; d < to; d++)
		for (int t = 0; t < parallel.threads; t++)
			total += counts[t * DIGITS + d];
	totals[thread * 16] = total;
	parallel_barrier();
	for (int t = 0; t < thread; t++)
		before += totals[t * 16];
	for (long d = from; d < to; d++)
		for (int t = 0; t < parallel.threads; t++) {
			uint32_t count = counts[t * DIGITS + d];

			counts[t * DIGITS + d] = (uint32_t)before;
			before += count;
		}
	parallel_barrier();
}

static void sort(int thread)
{
	long from = parallel_from(thread, parallel.size),
	     to = parallel_from(thread + 1, parallel.size);
	uint32_t *mine = &counts[thread * DIGITS];

	for (int pass = 0; pass < PASSES; pass++) {
		const uint64_t *source = keys[pass & 1];
		uint64_t *target = keys[~pass & 1];

		for (int d = 0; d < DIGITS; d++)
			mine[d] = 0;
		for (long i = from; i < to; i++)
			mine[digit(source[i], pass)]++;
		parallel_barrier();
		find_places(thread);
		for (long i = from; i < to; i++)
			target[mine[digit(source[i], pass)]++] = source[i];
		parallel_barrier();
	}
}

int main(int argc, char **argv)
{
	uint64_t sum = 0, before = 0, after = 0;

	parallel_start(argc, argv, "radix", "keys", 1, 1 << 26);
	keys[0] = parallel_alloc((size_t)parallel.size, sizeof(uint64_t));
	keys[1] = parallel_alloc((size_t)parallel.size, sizeof(uint64_t));
	counts = parallel_alloc((size_t)parallel.threads * DIGITS, sizeof(uint32_t));
	for (long i = 0; i < parallel.size; i++) {
		keys[0][i] = parallel_hash((uint64_t)i) >> (64 - PASSES * DIGIT_BITS);
		before += parallel_hash(keys[0][i]);
	}
	parallel_run(sort);
	for (long i = 0; i < parallel.size; i++) {
		if (i && keys[0][i] < keys[0][i - 1])
			parallel_fail("found keys out of order");
		after += parallel_hash(keys[0][i]);
		sum = parallel_add(sum, keys[0][i]);
	}
	if (before != after)
		parallel_fail("found other keys than there were");
	return parallel_report(sum);
}
