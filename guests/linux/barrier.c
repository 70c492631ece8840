/* SPDX-License-Identifier: MIT */
/*
 * barrier THREADS: a fixed amount of work in 400 phases, shared by so many threads that spin at a barrier
 * between the phases, as the programs of SPLASH do. Prints the milliseconds that it took.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PHASES	    400
#define WORK	    1000000 /* steps of a phase, all threads together */
#define MAX_THREADS 32

static int threads, arrived, phase;
static volatile unsigned long sums[MAX_THREADS][16]; /* a cache line of its own for each */

static void barrier(void)
{
	int mine = __atomic_load_n(&phase, __ATOMIC_ACQUIRE);

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == threads) {
		arrived = 0;
		__atomic_store_n(&phase, mine + 1, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == mine)
		;
}

static void *work(void *argument)
{
	long number = (long)argument;
	unsigned long sum = number;

	for (int i = 0; i < PHASES; i++) {
		for (int j = 0; j < WORK / threads; j++)
			sum = sum * 6364136223846793005ul + 1442695040888963407ul;
		barrier();
	}
	sums[number][0] = sum;
	return NULL;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	pthread_t others[MAX_THREADS];
	long start;

	threads = argc > 1 ? atoi(argv[1]) : 0;
	if (threads < 1 || threads > MAX_THREADS) {
		fprintf(stderr, "barrier: found %s threads, allowed 1 to %d\n",
			argc > 1 ? argv[1] : "no number of", MAX_THREADS);
		return 2;
	}
	start = milliseconds();
	for (long i = 1; i < threads; i++)
		if (pthread_create(&others[i], NULL, work, (void *)i))
			return 1;
	work(NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	printf("barrier: %d threads %ld ms\n", threads, milliseconds() - start);
	return 0;
}
