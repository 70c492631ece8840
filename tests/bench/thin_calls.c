/* SPDX-License-Identifier: MIT */
/*
 * What the thin OS's calls cost, OPS times each between the marks of a unit (qemu/flash): thin.py has their names. Beside them the least that
 * a call of the monitor can be, and the same of Linux is in `make bench`.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "guests/lib/hypercall.h"

#define OPS 1000

#define MEASURE(unit, call)                                                           \
	do {                                                                          \
		for (int i = 0; i < 2; i++)                                           \
			call;                                                         \
		asm volatile("sltiu $0, $0, %0" : : "i"(0x5100 + (unit)) : "memory"); \
		for (int i = 0; i < OPS; i++)                                         \
			call;                                                         \
		asm volatile("sltiu $0, $0, %0" : : "i"(0x5200 + (unit)) : "memory"); \
	} while (0)

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *nothing(void *arg) { return arg; }

static void create_and_join(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
		exit(1);
}

int main(void)
{
	struct timespec now;
	void *volatile block;

	MEASURE(70, getpid());
	MEASURE(71, hypercall(DISCO_HC_VERSION, 0, 0));
	MEASURE(72, (pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex)));
	MEASURE(73, clock_gettime(CLOCK_MONOTONIC, &now));
	MEASURE(74, (block = malloc(100), free(block)));
	MEASURE(75, create_and_join());
	printf("calls: done\n");
	return 0;
}
