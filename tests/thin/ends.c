/* SPDX-License-Identifier: MIT */
/* Ways for a program to end, one at a time: its first word says which. */
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "tests/thin/check.h"

static volatile long zero, seven = 7;
static void *some; /* of malloc */
static volatile char *volatile nowhere;
static void (*volatile give)(void *) = free; /* which the compiler knows nothing of */

static __attribute__((noinline)) void deep(unsigned levels)
{
	volatile char room[1000];

	room[0] = 1;
	if (levels)
		deep(levels - 1);
	room[999] = room[0];
}

static void *too_deep(void *arg)
{
	(void)arg;
	deep(1000000);
	return NULL;
}

static void *a_little_too_deep(void *arg)
{
	(void)arg;
	deep(66);
	return NULL;
}

static void *sleeper(void *arg)
{
	(void)arg;
	sleep(1);
	return NULL;
}

/* Each takes one of these, and then the other's. */
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both_have_one;

static __attribute__((noinline)) void *crosswise(void *arg)
{
	pthread_mutex_lock(arg ? &first : &second);
	pthread_barrier_wait(&both_have_one);
	pthread_mutex_lock(arg ? &second : &first);
	return NULL;
}

static __attribute__((noinline)) void store_at(volatile char *p) { *p = 1; }

static void *other_thread(void *arg)
{
	store_at((volatile char *)arg);
	return NULL;
}

static void late(void) { printf("a function of atexit()\n"); }
static void handler(int number) { printf("handled signal %d\n", number); }
static void __attribute__((constructor)) early(void) { zero = 0; }

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pthread_t t;

	printf("%s, without a newline", how);
	if (!strcmp(how, "return"))
		return 42;
	atexit(late);
	if (!strcmp(how, "exit"))
		exit(300);
	if (!strcmp(how, "last")) {
		pthread_create(&t, NULL, sleeper, NULL);
		pthread_detach(t);
	}
	if (!strcmp(how, "thread")) {
		pthread_create(&t, NULL, other_thread, &some);
		pthread_exit(NULL); /* the other is the last, and its end the program's */
	}
	if (!strcmp(how, "environment"))
		return getenv("COLOUR") && !strcmp(getenv("COLOUR"), "dark blue") && argc == 4 &&
				       !strcmp(argv[3], "two words")
			       ? 7
			       : 8;
	if (!strcmp(how, "handled")) {
		signal(SIGUSR1, handler);
		return raise(SIGUSR1) ? 8 : 9;
	}
	fflush(stdout);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "assert"))
		assert(zero == 1);
	if (!strcmp(how, "null"))
		return *nowhere;
	if (!strcmp(how, "wild")) {
		pthread_create(&t, NULL, other_thread, (void *)0x123456789abcul);
		pthread_join(t, NULL);
	}
	if (!strcmp(how, "beyond"))
		store_at((volatile char *)(0x4000000000000000ul + (1ul << 31)));
	if (!strcmp(how, "jump"))
		((void (*)(void))(uintptr_t)(zero + 0x1000))();
	if (!strcmp(how, "divide"))
		return (int)(seven / zero);
	if (!strcmp(how, "instruction"))
		asm volatile(".word 0x7fffffff");
	if (!strcmp(how, "deadlock")) {
		pthread_barrier_init(&both_have_one, NULL, 2);
		pthread_create(&t, NULL, crosswise, &some);
		crosswise(NULL);
	}
	if (!strcmp(how, "alone")) {
		pthread_mutex_lock(&first);
		pthread_mutex_lock(&first);
	}
	if (!strcmp(how, "stack")) {
		pthread_create(&t, NULL, too_deep, NULL);
		pthread_join(t, NULL);
	}
	if (!strcmp(how, "main-stack"))
		deep(1000000);
	if (!strcmp(how, "own-stack")) {
		pthread_attr_t attr;

		pthread_attr_init(&attr);
		pthread_attr_setstack(&attr, (char *)malloc(1 << 18) + (1 << 16), 1 << 16);
		pthread_create(&t, &attr, a_little_too_deep, NULL);
		pthread_join(t, NULL);
	}
	if (!strcmp(how, "free")) {
		some = (char *)malloc(100) + seven + 1;
		free(some);
	}
	if (!strcmp(how, "twice")) {
		some = malloc(100);
		give(some);
		give(some);
	}
	if (!strcmp(how, "memory"))
		for (;;)
			memset(malloc(1 << 20), 1, 1 << 20);
	return 0;
}
