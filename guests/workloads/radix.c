/* SPDX-License-Identifier: MIT */
/*
 * radix THREADS KEYS [own]: sorts integers by radix, in the manner of SPLASH-2's Radix (after Blelloch and
 * others, "A comparison of sorting algorithms for the Connection Machine CM-2", 1991). Each pass over
 * a digit of 10 bits counts the digits of each thread's keys, finds where each thread's keys of each
 * digit go, and moves them there: writes to 1024 places at once, most of them in memory that other
 * threads have filled.
 *
 * main() fills the keys in and checks them, as in the other programs. With `own` each thread does so with
 * its part, before and after it sorts: SPLASH-2's Radix fills them in like that (and checks nothing, if it
 * is not told to). The keys and the sum are the same.
 */
#include <string.h>

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

/* What a thread, or main(), finds of its keys: a line each. */
static struct part {
	_Alignas(128) uint64_t before,
		after;	     /* sums that no order changes: when filled in, when sorted */
	uint64_t sum, power; /* of the sorted keys; what the sum of those before counts in it */
	int unsorted;
} parts[PARALLEL_THREADS];

static void fill_in(struct part *part, long from, long to)
{
	uint64_t before = 0;

	for (long i = from; i < to; i++) {
		keys[0][i] = parallel_hash((uint64_t)i) >> (64 - PASSES * DIGIT_BITS);
		before += parallel_hash(keys[0][i]);
	}
	part->before = before;
}

static void check(struct part *part, long from, long to)
{
	uint64_t after = 0, sum = 0, power = 1;

	for (long i = from; i < to; i++) {
		if (i && keys[0][i] < keys[0][i - 1])
			part->unsorted = 1;
		after += parallel_hash(keys[0][i]);
		sum = parallel_add(sum, keys[0][i]);
		power *= 31;
	}
	part->after = after;
	part->sum = sum;
	part->power = power;
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

static void sort_own(int thread)
{
	long from = parallel_from(thread, parallel.size),
	     to = parallel_from(thread + 1, parallel.size);

	fill_in(&parts[thread], from, to);
	sort(thread);
	check(&parts[thread], from, to);
}

/* Ends the program if the keys are not those that were filled in, in order. */
static uint64_t sum_of(int count)
{
	uint64_t sum = 0, before = 0, after = 0;

	for (int i = 0; i < count; i++) {
		if (parts[i].unsorted)
			parallel_fail("found keys out of order");
		before += parts[i].before;
		after += parts[i].after;
		sum = sum * parts[i].power + parts[i].sum;
	}
	if (before != after)
		parallel_fail("found other keys than there were");
	return sum;
}

static void allocate(void *(*alloc)(size_t count, size_t bytes))
{
	keys[0] = alloc((size_t)parallel.size, sizeof(uint64_t));
	keys[1] = alloc((size_t)parallel.size, sizeof(uint64_t));
	counts = alloc((size_t)parallel.threads * DIGITS, sizeof(uint32_t));
}

int main(int argc, char **argv)
{
	parallel_start(argc, argv, "radix", "keys", 1, 1 << 26);
	if (argc > 3) {
		if (strcmp(argv[3], "own") != 0)
			parallel_fail("the third word: allowed is \"own\"");
		allocate(parallel_alloc_unfilled);
		parallel_run(sort_own);
		return parallel_report(sum_of(parallel.threads));
	}
	allocate(parallel_alloc);
	fill_in(&parts[0], 0, parallel.size);
	parallel_run(sort);
	check(&parts[0], 0, parallel.size);
	return parallel_report(sum_of(1));
}
