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

enum { FILL_IN, COUNT_1, COUNT_2, PLACES, MOVE_1, MOVE_2, BARRIERS, CHECK }; /* phases */

static uint64_t *keys[2];
static uint32_t *counts; /* by thread and digit; then where the next one goes */
static uint64_t totals[PARALLEL_THREADS * 16]; /* of a thread's slice of digits; a line each */

static unsigned digit(uint64_t key, int pass) { return key >> (pass * DIGIT_BITS) & (DIGITS - 1); }

static void wait_for_all(int thread)
{
	PARALLEL_BEGIN(BARRIERS, thread);
	parallel_barrier();
	PARALLEL_END(BARRIERS, thread);
}

/* From numbers of keys to places: each thread for a slice of the digits, over all threads' counts. */
static void find_places(int thread)
{
	long from = parallel_from(thread, DIGITS), to = parallel_from(thread + 1, DIGITS);
	uint64_t total = 0, before = 0;

	PARALLEL_BEGIN(PLACES, thread);
	for (long d = from; d < to; d++)
		for (int t = 0; t < parallel.threads; t++)
			total += counts[t * DIGITS + d];
	totals[thread * 16] = total;
	PARALLEL_END(PLACES, thread);
	wait_for_all(thread);
	PARALLEL_BEGIN(PLACES, thread);
	for (int t = 0; t < thread; t++)
		before += totals[t * 16];
	for (long d = from; d < to; d++)
		for (int t = 0; t < parallel.threads; t++) {
			uint32_t count = counts[t * DIGITS + d];

			counts[t * DIGITS + d] = (uint32_t)before;
			before += count;
		}
	PARALLEL_END(PLACES, thread);
	wait_for_all(thread);
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

static void count(uint32_t *mine, const uint64_t *source, int pass, long from, long to)
{
	for (int d = 0; d < DIGITS; d++)
		mine[d] = 0;
	for (long i = from; i < to; i++)
		mine[digit(source[i], pass)]++;
}

static void move(uint32_t *mine, const uint64_t *source, uint64_t *target, int pass, long from,
		 long to)
{
	for (long i = from; i < to; i++)
		target[mine[digit(source[i], pass)]++] = source[i];
}

static void sort(int thread)
{
	long from = parallel_from(thread, parallel.size),
	     to = parallel_from(thread + 1, parallel.size);
	uint32_t *mine = &counts[thread * DIGITS];

	PARALLEL_BEGIN(COUNT_1, thread);
	count(mine, keys[0], 0, from, to);
	PARALLEL_END(COUNT_1, thread);
	wait_for_all(thread);
	find_places(thread);
	PARALLEL_BEGIN(MOVE_1, thread);
	move(mine, keys[0], keys[1], 0, from, to);
	PARALLEL_END(MOVE_1, thread);
	wait_for_all(thread);
	PARALLEL_BEGIN(COUNT_2, thread);
	count(mine, keys[1], 1, from, to);
	PARALLEL_END(COUNT_2, thread);
	wait_for_all(thread);
	find_places(thread);
	PARALLEL_BEGIN(MOVE_2, thread);
	move(mine, keys[1], keys[0], 1, from, to);
	PARALLEL_END(MOVE_2, thread);
	wait_for_all(thread);
}

static void fill_in_marked(int thread, long from, long to)
{
	PARALLEL_BEGIN(FILL_IN, thread);
	fill_in(&parts[thread], from, to);
	PARALLEL_END(FILL_IN, thread);
}

static void check_marked(int thread, long from, long to)
{
	PARALLEL_BEGIN(CHECK, thread);
	check(&parts[thread], from, to);
	PARALLEL_END(CHECK, thread);
}

static void sort_own(int thread)
{
	long from = parallel_from(thread, parallel.size),
	     to = parallel_from(thread + 1, parallel.size);

	fill_in_marked(thread, from, to);
	sort(thread);
	check_marked(thread, from, to);
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
	fill_in_marked(0, 0, parallel.size);
	parallel_run(sort);
	check_marked(0, 0, parallel.size);
	return parallel_report(sum_of(1));
}
