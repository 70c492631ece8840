/* SPDX-License-Identifier: MIT */
/*
 * Threads: where they run, what is each one's own, through slices that end anywhere; their lives; time; kinds of mutexes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <threads.h>
#include <time.h>

#include "tests/thin/many.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- a thread's own: variables, keys, errno, floating point ---- */
static __thread unsigned own = 11;
static __thread char own_text[100] __attribute__((aligned(64)));
static _Thread_local double own_double;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static once_flag c11_once = ONCE_FLAG_INIT;
static unsigned onces, c11_onces, destroyed;

static void once_only(void)
{
	usleep(50);
	onces++;
}

static void c11_once_only(void) { c11_onces++; }

static void destroy(void *value)
{
	CHECK(value != NULL);
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
	/* One that sets it again is called again. */
	if ((uintptr_t)value & 1)
		pthread_setspecific(key, (void *)((uintptr_t)value & ~1ul));
}

static void *loner(void *arg)
{
	uintptr_t id = (uintptr_t)arg;
	uint64_t state = seed + id;
	double sum = (double)id, expected = (double)id;
	unsigned mode = id & 1 ? 2 : 0; /* of rounding, in FCSR */

	pthread_once(&once, once_only);
	call_once(&c11_once, c11_once_only);
	CHECK(onces == 1 && c11_onces == 1);
	CHECK(own == 11 && own_text[99] == 0 && own_double == 0 && ((uintptr_t)own_text & 63) == 0);
	CHECK(pthread_getspecific(key) == NULL);
	pthread_setspecific(key, (void *)(2 * id + 3));
	own = (unsigned)id;
	own_double = (double)id / 4;
	snprintf(own_text, sizeof(own_text), "thread %lu", (unsigned long)id);
	asm volatile("ctc1 %0, $31" : : "r"(mode));
	for (unsigned i = 0; i < turns; i++) {
		char text[40];
		unsigned fcsr;
		double step = (double)(i % 16) * 0.25;

		errno = (int)id + 1000;
		sum += step;
		pause_some(&state);
		expected += step;
		asm volatile("cfc1 %0, $31" : "=r"(fcsr));
		CHECK((fcsr & 3) == mode);
		snprintf(text, sizeof(text), "thread %lu", (unsigned long)id);
		CHECK(own == id && own_double == (double)id / 4 && !strcmp(text, own_text) &&
		      errno == (int)id + 1000 && sum == expected);
		CHECK(pthread_getspecific(key) == (void *)(2 * id + 3));
	}
	asm volatile("ctc1 $0, $31");
	return arg;
}

static void owns(void)
{
	destroyed = 0;
	CHECK(pthread_key_create(&key, destroy) == 0);
	run(loner, threads);
	CHECK(destroyed == 2 * threads);
	CHECK(pthread_key_delete(key) == 0 && pthread_setspecific(key, &key) == EINVAL);
}

/* ---- a variable that another thread sets: with one VCPU the two must be interrupted for each other ---- */
static volatile unsigned turn;

static void *spinner(void *arg)
{
	unsigned id = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < 3; i++) {
		while (turn != 3 * i + id)
			;
		turn = turn + 1;
	}
	return arg;
}

static void spinning(void)
{
	turn = 0;
	run(spinner, 3);
	CHECK(turn == 9);
}

/* ---- registers of the FPU, through slices that end in the middle of a loop ---- */
static double series(unsigned start)
{
	double a = start, b = 1, c = 0.5, d = 3;

	for (unsigned i = 1; i < 60000; i++) {
		a = a * 0.999 + b / i;
		b += c * 0.001 - d * 0.0001;
		c = c * 1.00001 + a * 1e-6;
		d -= a * 1e-5;
	}
	return a + b + c + d;
}

static void *calculator(void *arg)
{
	static double results[THREADS_MAX];
	unsigned id = (unsigned)(uintptr_t)arg;

	results[id] = series(id);
	for (unsigned i = 0; i < 3; i++)
		CHECK(series(id) == results[id]);
	return arg;
}

/* ---- lives: many, short, joined or detached; results; stacks of one's own ---- */
static unsigned lives;
static sem_t ended;

static void *short_life(void *arg)
{
	volatile char room[3000];

	room[0] = room[2999] = 1;
	__atomic_fetch_add(&lives, room[0], __ATOMIC_RELAXED);
	sem_post(&ended);
	if ((uintptr_t)arg & 1)
		pthread_exit(arg);
	return arg;
}

static int c11_life(void *arg) { return -(int)(uintptr_t)arg; }

static void lives_of_threads(void)
{
	uint64_t state = seed;
	pthread_attr_t attr;
	char *stack = aligned_alloc(4096, 65536);
	unsigned n = turns;

	lives = 0;
	sem_init(&ended, 0, 0);
	pthread_attr_init(&attr);
	CHECK(pthread_attr_setstacksize(&attr, 100) == EINVAL);
	CHECK(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN) == 0);
	for (unsigned i = 0; i < n; i++) {
		bool detached = rng(&state) % 2;
		void *result = NULL;
		pthread_t t;

		pthread_attr_setdetachstate(&attr, detached ? PTHREAD_CREATE_DETACHED
							    : PTHREAD_CREATE_JOINABLE);
		CHECK(pthread_create(&t, &attr, short_life, (void *)(uintptr_t)i) == 0);
		if (detached) {
			sem_wait(&ended);
			continue;
		}
		if (rng(&state) % 4 == 0) {
			CHECK(pthread_detach(t) == 0);
			sem_wait(&ended);
			continue;
		}
		CHECK(pthread_join(t, &result) == 0 && result == (void *)(uintptr_t)i);
		sem_wait(&ended);
	}
	CHECK(lives == n);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, 65536);
	for (unsigned i = 0; i < 3; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, &attr, short_life, NULL) == 0 &&
		      pthread_join(t, NULL) == 0);
	}
	CHECK(pthread_join(pthread_self(), NULL) == EDEADLK);
	thrd_t t;
	int result;
	CHECK(thrd_create(&t, c11_life, (void *)7) == thrd_success &&
	      thrd_join(t, &result) == thrd_success && result == -7);
	free(stack);
}

/* ---- time ---- */
static long ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

static void after(struct timespec *t, clockid_t clock, long ms)
{
	long ns;

	clock_gettime(clock, t);
	ns = t->tv_nsec + ms * 1000000;

	if (ns < 0) {
		t->tv_sec--;
		ns += 1000000000;
	}
	t->tv_sec += ns / 1000000000;
	t->tv_nsec = ns % 1000000000;
}

static sem_t enough;

static void *holder(void *arg)
{
	pthread_mutex_lock(&mutex);
	sem_post(&ended);
	sem_wait(&enough);
	pthread_mutex_unlock(&mutex);
	return arg;
}

static void times(void)
{
	pthread_cond_t never;
	pthread_condattr_t attr;
	struct timespec start, until;
	pthread_t t;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &start);
	usleep(5000);
	ms = ms_since(&start);
	CHECK(ms >= 5);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&never, &attr);
	pthread_mutex_lock(&mutex);
	clock_gettime(CLOCK_MONOTONIC, &start);
	after(&until, CLOCK_MONOTONIC, 5);
	CHECK(pthread_cond_timedwait(&never, &mutex, &until) == ETIMEDOUT);
	CHECK(ms_since(&start) >= 5);
	after(&until, CLOCK_REALTIME, -5);
	pthread_cond_init(&never, NULL);
	CHECK(pthread_cond_timedwait(&never, &mutex, &until) == ETIMEDOUT);
	until.tv_nsec = -1;
	CHECK(pthread_cond_timedwait(&never, &mutex, &until) == EINVAL);
	pthread_mutex_unlock(&mutex);

	sem_init(&ended, 0, 0);
	after(&until, CLOCK_REALTIME, 3);
	CHECK(sem_timedwait(&ended, &until) == -1 && errno == ETIMEDOUT);
	sem_init(&enough, 0, 0);
	CHECK(pthread_create(&t, NULL, holder, NULL) == 0);
	sem_wait(&ended);
	after(&until, CLOCK_REALTIME, 2);
	CHECK(pthread_mutex_timedlock(&mutex, &until) == ETIMEDOUT);
	sem_post(&enough);
	after(&until, CLOCK_REALTIME, 10000);
	CHECK(pthread_mutex_timedlock(&mutex, &until) == 0);
	pthread_mutex_unlock(&mutex);
	pthread_join(t, NULL);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &until);
	CHECK(until.tv_sec > 0 || until.tv_nsec > 0);
	CHECK(time(NULL) > 1577836799 && clock() > 0);
}

/* ---- kinds of mutexes ---- */
static pthread_mutex_t checked;

static void *stranger(void *arg)
{
	CHECK(pthread_mutex_unlock(&checked) == EPERM && pthread_mutex_trylock(&checked) == EBUSY);
	return arg;
}

static void kinds(void)
{
	pthread_mutexattr_t attr;
	mtx_t m;

	pthread_mutexattr_init(&attr);
	CHECK(pthread_mutexattr_settype(&attr, 9) == EINVAL);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&checked, &attr);
	CHECK(pthread_mutex_lock(&checked) == 0 && pthread_mutex_lock(&checked) == EDEADLK);
	run(stranger, 1);
	CHECK(pthread_mutex_destroy(&checked) == EBUSY);
	CHECK(pthread_mutex_unlock(&checked) == 0 && pthread_mutex_unlock(&checked) == EPERM);
	CHECK(pthread_mutex_destroy(&checked) == 0);
	mtx_init(&m, mtx_recursive);
	CHECK(mtx_lock(&m) == thrd_success && mtx_trylock(&m) == thrd_success);
	CHECK(mtx_unlock(&m) == thrd_success && mtx_unlock(&m) == thrd_success &&
	      mtx_unlock(&m) == thrd_error);
}

/* ---- where they are ---- */
static pthread_barrier_t barrier;
static unsigned on_vcpu[64];

static void *placed(void *arg)
{
	int first = sched_getcpu();

	for (unsigned i = 0; i < 20; i++) {
		sched_yield();
		CHECK(sched_getcpu() == first);
	}
	__atomic_fetch_add(&on_vcpu[first], 1, __ATOMIC_RELAXED);
	pthread_barrier_wait(&barrier);
	return arg;
}

static void places(void)
{
	long vcpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = (unsigned)(2 * vcpus - 1) < THREADS_MAX ? (unsigned)(2 * vcpus - 1)
							     : (unsigned)vcpus - 1;

	memset(on_vcpu, 0, sizeof(on_vcpu));
	if (!n)
		return;
	pthread_barrier_init(&barrier, NULL, n);
	run(placed, n);
	on_vcpu[sched_getcpu()]++; /* this thread */
	for (long i = 0; i < vcpus; i++)
		CHECK(on_vcpu[i] == (n + 1) / vcpus);
}

static void lap(void)
{
	owns();
	lives_of_threads();
}

int main(int argc, char **argv)
{
	seed = word(argc, argv, "seed", 1);
	printf("seed %lu, %ld VCPUs\n", (unsigned long)seed, sysconf(_SC_NPROCESSORS_ONLN));
	places();
	kinds();
	times();
	spinning();
	run(calculator, 3 * (unsigned)sysconf(_SC_NPROCESSORS_ONLN) / 2 + 1);
	laps(argc, argv, lap);
	return verdict("threads");
}
