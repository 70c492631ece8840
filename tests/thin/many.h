/* SPDX-License-Identifier: MIT */
/* What the random tests of threads share: how many there are, how often each does its thing, pauses of random length. */
#ifndef TESTS_THIN_MANY_H
#define TESTS_THIN_MANY_H

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "tests/thin/check.h"

#define THREADS_MAX 25

static uint64_t seed;
static unsigned threads, turns;

static inline void pause_some(uint64_t *state)
{
	uint64_t r = rng(state);

	if (r % 16 == 0)
		sched_yield();
	else if (r % 64 == 1)
		usleep(r >> 32 & 127);
	else
		for (volatile unsigned i = 0; i < (r >> 40 & 63); i++)
			;
}

/* All get their number and give it back. */
static inline void run(void *(*routine)(void *), unsigned n)
{
	pthread_t t[THREADS_MAX];

	for (unsigned i = 0; i < n; i++)
		CHECK(pthread_create(&t[i], NULL, routine, (void *)(uintptr_t)i) == 0);
	for (unsigned i = 0; i < n; i++) {
		void *result;

		CHECK(pthread_join(t[i], &result) == 0 && result == (void *)(uintptr_t)i);
	}
}

/* Laps of fn, each with other numbers: as many threads as there are VCPUs, fewer, more. */
static inline void laps(int argc, char **argv, void (*fn)(void))
{
	uint64_t state = seed;
	unsigned n = (unsigned)word(argc, argv, "laps", 2),
		 most = (unsigned)word(argc, argv, "turns", 30);

	for (unsigned i = 0; i < n; i++) {
		threads = 1 + rng(&state) % (i % 2 ? THREADS_MAX : 6);
		turns = 8 + rng(&state) % most;
		seed = rng(&state);
		fn();
	}
}

#endif /* TESTS_THIN_MANY_H */
