/* SPDX-License-Identifier: MIT */
/*
 * What parallel programs share: one C file each, compiled unchanged for a Linux guest, for this
 * host and for a thin operating system. So there is C11, POSIX threads, malloc, printf and
 * clock_gettime here, and nothing of any one system.
 *
 * They have the shape of SPLASH-2's programs, and of NAS's. main() alone allocates and fills in all data, knowing
 * nothing of nodes; parallel_run() starts the threads, which meet at barriers; when they have ended,
 * main() alone checks the result and sums it up. What lies between start and end of the threads is
 * timed, and marked for the timing model (docs/flash.md) where the program runs on its machine.
 *
 * The sum must be equal for any number of threads, and on any machine: a number is always computed
 * from the same others in the same order, floating-point operations are +, -, *, / and sqrt(), which
 * IEEE 754 defines to the last bit, and no compiler may join them (-ffp-contract=off).
 */
#ifndef PARALLEL_H
#define PARALLEL_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PARALLEL_THREADS 64

/* Written by main() before the threads start. */
static struct {
	const char *name, *what; /* of the program, and of what it has `size` of */
	int threads;
	long size;
	void (*work)(int thread);
	pthread_barrier_t barrier;
	uint64_t nanoseconds;
} parallel;

__attribute__((noreturn)) static inline void parallel_fail(const char *why)
{
	fprintf(stderr, "%s: %s\n", parallel.name, why);
	exit(1);
}

static inline long parallel_number(const char *text, const char *what, long low, long high)
{
	char *end = NULL;
	long value = text ? strtol(text, &end, 10) : 0;

	if (!text || end == text || *end || value < low || value > high) {
		fprintf(stderr, "%s: %s: found %s, allowed %ld to %ld\nusage: %s THREADS %s\n",
			parallel.name, what, text ? text : "none", low, high, parallel.name,
			parallel.what);
		exit(2);
	}
	return value;
}

/* The arguments THREADS and SIZE, which is low to high of `what`; ends the program if they are not those. */
static inline void parallel_start(int argc, char **argv, const char *name, const char *what,
				  long low, long high)
{
	parallel.name = name;
	parallel.what = what;
	parallel.threads =
		(int)parallel_number(argc > 1 ? argv[1] : NULL, "threads", 1, PARALLEL_THREADS);
	parallel.size = parallel_number(argc > 2 ? argv[2] : NULL, what, low, high);
}

/* Memory for count things of so many bytes, at the beginning of a line; ends the program if there is none. */
static inline void *parallel_alloc_unfilled(size_t count, size_t bytes)
{
	unsigned char *memory = malloc(count * bytes + 128);

	if (!memory)
		parallel_fail("found no memory for so much");
	return memory + 128 - ((uintptr_t)memory & 127);
}

/* The same, zeroed by who asks. */
static inline void *parallel_alloc(size_t count, size_t bytes)
{
	unsigned char *memory = parallel_alloc_unfilled(count, bytes);

	for (size_t i = 0; i < count * bytes; i++)
		memory[i] = 0;
	return memory;
}

static inline void parallel_barrier(void) { pthread_barrier_wait(&parallel.barrier); }

/* Where the part of a thread begins if `count` things are dealt out in pieces; that of the next one is its end. */
static inline long parallel_from(int thread, long count)
{
	return (long)((int64_t)count * thread / parallel.threads);
}

static inline uint64_t parallel_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline void *parallel_thread(void *number)
{
	parallel.work((int)(intptr_t)number);
	return NULL;
}

/* The region of interest of the timing model; any processor ignores these. */
static inline void parallel_mark_begin(void)
{
#ifdef __mips__
	__asm__ volatile("addiu $0, $0, 0x5101" : : : "memory");
#endif
}

static inline void parallel_mark_end(void)
{
#ifdef __mips__
	__asm__ volatile("addiu $0, $0, 0x5102" : : : "memory");
#endif
}

/*
 * From BEGIN to END of it thread 0 .. 7 is in a phase of its work: unit 80 + 8 * phase + thread of the model, phases 0 .. 9.
 * tests/bench/thin.py knows their names.
 */
#ifdef __mips__
#define PARALLEL_MARK(number) __asm__ volatile("sltiu $0, $0, %0" : : "i"(number) : "memory")
#define PARALLEL_PHASE(what, phase, thread)                 \
	do {                                                \
		enum { FIRST = (what) + 80 + 8 * (phase) }; \
		switch (thread) {                           \
		case 0: PARALLEL_MARK(FIRST); break;        \
		case 1: PARALLEL_MARK(FIRST + 1); break;    \
		case 2: PARALLEL_MARK(FIRST + 2); break;    \
		case 3: PARALLEL_MARK(FIRST + 3); break;    \
		case 4: PARALLEL_MARK(FIRST + 4); break;    \
		case 5: PARALLEL_MARK(FIRST + 5); break;    \
		case 6: PARALLEL_MARK(FIRST + 6); break;    \
		case 7: PARALLEL_MARK(FIRST + 7); break;    \
		}                                           \
	} while (0)
#else
#define PARALLEL_PHASE(what, phase, thread) ((void)(thread))
#endif
#define PARALLEL_BEGIN(phase, thread) PARALLEL_PHASE(0x5100, phase, thread)
#define PARALLEL_END(phase, thread)   PARALLEL_PHASE(0x5200, phase, thread)

/* work(0) here, and in other threads work(1) and so on, until all have ended. */
static inline void parallel_run(void (*work)(int thread))
{
	pthread_t others[PARALLEL_THREADS];
	uint64_t start;

	parallel.work = work;
	if (pthread_barrier_init(&parallel.barrier, NULL, (unsigned)parallel.threads))
		parallel_fail("found no barrier");
	start = parallel_now();
	parallel_mark_begin();
	for (int i = 1; i < parallel.threads; i++)
		if (pthread_create(&others[i], NULL, parallel_thread, (void *)(intptr_t)i))
			parallel_fail("found no room for so many threads");
	work(0);
	for (int i = 1; i < parallel.threads; i++)
		pthread_join(others[i], NULL);
	parallel_mark_end();
	parallel.nanoseconds = parallel_now() - start;
	pthread_barrier_destroy(&parallel.barrier);
}

/* A number as good as random that depends on n alone. */
static inline uint64_t parallel_hash(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

/* The same in [-1, 1). */
static inline double parallel_real(uint64_t n)
{
	return (double)((int64_t)parallel_hash(n) >> 11) / (double)(1l << 52);
}

static inline uint64_t parallel_add(uint64_t sum, uint64_t word) { return sum * 31 + word; }

static inline uint64_t parallel_add_real(uint64_t sum, double number)
{
	union {
		double number;
		uint64_t word;
	} same = { .number = number };

	return parallel_add(sum, same.word);
}

/* The last line. Returns the status of the program. */
static inline int parallel_report(uint64_t sum)
{
	printf("%s: %d threads, %ld %s, sum %016llx, %llu us\n", parallel.name, parallel.threads,
	       parallel.size, parallel.what, (unsigned long long)sum,
	       (unsigned long long)(parallel.nanoseconds / 1000));
	return 0;
}

#endif
