/* SPDX-License-Identifier: MIT */
/*
 * quick THREADS KEYS: sorts integers by Quicksort; threads put the parts that are to be sorted into stacks of their own, and who has none
 * takes the oldest, which is the largest, of another. Which thread sorts what nobody knows before.
 */
#include <stdatomic.h>
#include "guests/workloads/parallel.h"

#define SMALL 2048 /* keys that are sorted without anybody's help */
#define ROOM  4096

struct stack {
	_Alignas(128) pthread_mutex_t lock;
	long part[ROOM][2], first, count;
};

static struct stack *stacks;
static uint64_t *keys;
static atomic_long left;

static void swap(long i, long j)
{
	uint64_t key = keys[i];

	keys[i] = keys[j];
	keys[j] = key;
}

/* Around the median of three. Returns where its second part begins; neither is empty. */
static long divide(long from, long to)
{
	long middle = from + (to - from) / 2, i = from - 1, j = to;
	uint64_t pivot;

	if (keys[middle] < keys[from])
		swap(middle, from);
	if (keys[to - 1] < keys[middle])
		swap(to - 1, middle);
	if (keys[middle] < keys[from])
		swap(middle, from);
	pivot = keys[middle];
	for (;;) {
		do
			i++;
		while (keys[i] < pivot);
		do
			j--;
		while (keys[j] > pivot);
		if (i >= j)
			return j + 1;
		swap(i, j);
	}
}

static void sort_alone(long from, long to)
{
	while (to - from > 16) {
		long middle = divide(from, to);

		sort_alone(from, middle);
		from = middle;
	}
	for (long i = from + 1; i < to; i++)
		for (long j = i; j > from && keys[j] < keys[j - 1]; j--)
			swap(j, j - 1);
}

static void put(int thread, long from, long to)
{
	struct stack *s = &stacks[thread];

	pthread_mutex_lock(&s->lock);
	if (s->count == ROOM)
		parallel_fail("found more parts than there is room for");
	s->part[(s->first + s->count) % ROOM][0] = from;
	s->part[(s->first + s->count++) % ROOM][1] = to;
	pthread_mutex_unlock(&s->lock);
}

static int take(struct stack *s, int oldest, long part[2])
{
	long at;
	int some = 0;

	pthread_mutex_lock(&s->lock);
	if (s->count) {
		at = oldest ? s->first : (s->first + s->count - 1) % ROOM;
		part[0] = s->part[at][0];
		part[1] = s->part[at][1];
		if (oldest)
			s->first = (s->first + 1) % ROOM;
		s->count--;
		some = 1;
	}
	pthread_mutex_unlock(&s->lock);
	return some;
}

static void work(int thread)
{
	long part[2];

	while (atomic_load(&left)) {
		int some = take(&stacks[thread], 0, part);

		for (int i = 1; !some && i < parallel.threads; i++)
			some = take(&stacks[(thread + i) % parallel.threads], 1, part);
		if (!some)
			continue;
		while (part[1] - part[0] > SMALL) {
			long middle = divide(part[0], part[1]);

			put(thread, part[0], middle);
			part[0] = middle;
		}
		sort_alone(part[0], part[1]);
		atomic_fetch_sub(&left, part[1] - part[0]);
	}
}

int main(int argc, char **argv)
{
	uint64_t sum = 0, before = 0, after = 0;

	parallel_start(argc, argv, "quick", "keys", 1, 1 << 26);
	keys = parallel_alloc((size_t)parallel.size, sizeof(*keys));
	stacks = parallel_alloc((size_t)parallel.threads, sizeof(*stacks));
	for (int t = 0; t < parallel.threads; t++)
		pthread_mutex_init(&stacks[t].lock, NULL);
	for (long i = 0; i < parallel.size; i++) {
		keys[i] = parallel_hash((uint64_t)i);
		before += keys[i];
	}
	atomic_store(&left, parallel.size);
	put(0, 0, parallel.size);
	parallel_run(work);
	for (long i = 0; i < parallel.size; i++) {
		if (i && keys[i] < keys[i - 1])
			parallel_fail("found keys out of order");
		after += keys[i];
		sum = parallel_add(sum, keys[i]);
	}
	if (before != after)
		parallel_fail("found other keys than there were");
	return parallel_report(sum);
}
