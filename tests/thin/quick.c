/* SPDX-License-Identifier: MIT */
/* How long it takes to create and join a thread, hand over to another and back, and to wait at a barrier: for a clock of instructions. */
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "tests/thin/check.h"

#define TIMES 50

static sem_t there, back;
static pthread_barrier_t barrier;

static long us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void *nothing(void *arg) { return arg; }

static void *partner(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		sem_wait(&there);
		sem_post(&back);
	}
	for (int i = 0; i < TIMES; i++)
		pthread_barrier_wait(&barrier);
	return arg;
}

int main(void)
{
	pthread_t t;
	long start, joins, turns, barriers;

	start = us();
	for (int i = 0; i < TIMES; i++)
		CHECK(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
	joins = us() - start;
	sem_init(&there, 0, 0);
	sem_init(&back, 0, 0);
	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&t, NULL, partner, NULL);
	start = us();
	for (int i = 0; i < TIMES; i++) {
		sem_post(&there);
		sem_wait(&back);
	}
	turns = us() - start;
	start = us();
	for (int i = 0; i < TIMES; i++)
		pthread_barrier_wait(&barrier);
	barriers = us() - start;
	pthread_join(t, NULL);
	printf("us: join %ld, turn %ld, barrier %ld\n", joins / TIMES, turns / TIMES,
	       barriers / TIMES);
	return verdict("quick");
}
