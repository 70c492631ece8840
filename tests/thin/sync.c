/* SPDX-License-Identifier: MIT */
/*
 * What threads wait on, with random numbers of threads, turns and pauses. Each part keeps a sum or an order that is wrong if a lock let two
 * in, or a wake-up was lost.
 */
#include <errno.h>
#include <semaphore.h>
#include <threads.h>

#include "tests/thin/many.h"

/* ---- mutexes ---- */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static mtx_t c11_mutex;
static pthread_spinlock_t spin;
static unsigned long count, c11_count, spin_count;
static volatile unsigned inside;

static void *adder(void *arg)
{
	uint64_t state = seed + (uintptr_t)arg;

	for (unsigned i = 0; i < turns; i++) {
		if (rng(&state) % 4)
			pthread_mutex_lock(&mutex);
		else
			while (pthread_mutex_trylock(&mutex))
				sched_yield();
		CHECK(inside++ == 0);
		count++;
		pause_some(&state);
		CHECK(--inside == 0);
		pthread_mutex_unlock(&mutex);
		mtx_lock(&c11_mutex);
		c11_count += 3;
		mtx_unlock(&c11_mutex);
		pthread_spin_lock(&spin);
		spin_count += 5;
		pthread_spin_unlock(&spin);
	}
	return arg;
}

static void mutexes(void)
{
	unsigned long n = threads * turns;

	count = c11_count = spin_count = 0;
	mtx_init(&c11_mutex, mtx_plain);
	pthread_spin_init(&spin, 0);
	run(adder, threads);
	CHECK(count == n && c11_count == 3 * n && spin_count == 5 * n);
}

/* ---- a bounded buffer with conditions, and one with semaphores ---- */
#define ROOM 4

static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER, not_empty = PTHREAD_COND_INITIALIZER;
static struct buffer {
	unsigned long item[ROOM];
	unsigned in, out;
} buffer, sem_buffer;
static sem_t empty, full, guard;
static unsigned long taken, sem_taken;

static void put(unsigned long item)
{
	pthread_mutex_lock(&mutex);
	while (buffer.in - buffer.out == ROOM)
		pthread_cond_wait(&not_full, &mutex);
	buffer.item[buffer.in++ % ROOM] = item;
	CHECK(buffer.in - buffer.out <= ROOM);
	pthread_cond_signal(&not_empty);
	pthread_mutex_unlock(&mutex);
	sem_wait(&empty);
	sem_wait(&guard);
	sem_buffer.item[sem_buffer.in++ % ROOM] = item;
	sem_post(&guard);
	sem_post(&full);
}

static void *producer(void *arg)
{
	uint64_t state = seed ^ (uintptr_t)arg;

	for (unsigned i = 1; i <= turns; i++) {
		put(i);
		pause_some(&state);
	}
	return arg;
}

static void *consumer(void *arg)
{
	uint64_t state = seed ^ ~(uintptr_t)arg;

	for (unsigned i = 0; i < turns; i++) {
		pthread_mutex_lock(&mutex);
		while (buffer.in == buffer.out)
			pthread_cond_wait(&not_empty, &mutex);
		taken += buffer.item[buffer.out++ % ROOM];
		pthread_cond_broadcast(&not_full);
		pthread_mutex_unlock(&mutex);
		sem_wait(&full);
		sem_wait(&guard);
		sem_taken += sem_buffer.item[sem_buffer.out++ % ROOM];
		sem_post(&guard);
		sem_post(&empty);
		pause_some(&state);
	}
	return arg;
}

static void *either(void *arg) { return (uintptr_t)arg & 1 ? producer(arg) : consumer(arg); }

static void buffers(void)
{
	unsigned pairs = threads / 2 ? threads / 2 : 1;
	int left;

	taken = sem_taken = 0;
	sem_init(&empty, 0, ROOM);
	sem_init(&full, 0, 0);
	sem_init(&guard, 0, 1);
	run(either, 2 * pairs);
	CHECK(taken == (unsigned long)pairs * turns * (turns + 1) / 2 && sem_taken == taken);
	CHECK(sem_getvalue(&empty, &left) == 0 && left == ROOM);
}

/* ---- barriers: nobody is in another round than the others ---- */
static pthread_barrier_t barrier;
static unsigned rounds[THREADS_MAX], serial;

static void *walker(void *arg)
{
	uint64_t state = seed + 77 * (uintptr_t)arg;

	for (unsigned i = 1; i <= turns / 4; i++) {
		int last;

		rounds[(uintptr_t)arg] = i;
		pause_some(&state);
		last = pthread_barrier_wait(&barrier);
		CHECK(last == 0 || last == PTHREAD_BARRIER_SERIAL_THREAD);
		if (last)
			__atomic_fetch_add(&serial, 1, __ATOMIC_RELAXED);
		for (unsigned j = 0; j < threads; j++)
			CHECK(rounds[j] == i);
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

static void barriers(void)
{
	serial = 0;
	CHECK(pthread_barrier_init(&barrier, NULL, 0) == EINVAL);
	CHECK(pthread_barrier_init(&barrier, NULL, threads) == 0);
	run(walker, threads);
	CHECK(serial == turns / 4);
	CHECK(pthread_barrier_destroy(&barrier) == 0);
}

/* ---- read-write locks ---- */
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned long left, right;
static unsigned writes;

static void *reader_or_writer(void *arg)
{
	uint64_t state = seed + 5 * (uintptr_t)arg;

	for (unsigned i = 0; i < turns; i++) {
		if (rng(&state) % 8) {
			pthread_rwlock_rdlock(&rwlock);
			CHECK(left == right);
		} else {
			pthread_rwlock_wrlock(&rwlock);
			left++;
			pause_some(&state);
			right++;
			__atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
		}
		pthread_rwlock_unlock(&rwlock);
	}
	return arg;
}

static void read_write(void)
{
	left = right = writes = 0;
	run(reader_or_writer, threads);
	CHECK(left == writes && right == writes);
	CHECK(pthread_rwlock_tryrdlock(&rwlock) == 0 && pthread_rwlock_trywrlock(&rwlock) == EBUSY);
	pthread_rwlock_unlock(&rwlock);
	CHECK(pthread_rwlock_trywrlock(&rwlock) == 0 && pthread_rwlock_tryrdlock(&rwlock) == EBUSY);
	pthread_rwlock_unlock(&rwlock);
}

static void lap(void)
{
	mutexes();
	buffers();
	barriers();
	read_write();
}

int main(int argc, char **argv)
{
	seed = word(argc, argv, "seed", 1);
	printf("seed %lu, %ld VCPUs\n", (unsigned long)seed, sysconf(_SC_NPROCESSORS_ONLN));
	laps(argc, argv, lap);
	return verdict("sync");
}
