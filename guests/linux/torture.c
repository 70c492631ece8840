/* SPDX-License-Identifier: MIT */
/*
 * torture: what Linux asks of memory management, exceptions and timers, all at once, with every
 * byte and every result checked. The only program of its guest: it is /init, and powers off.
 * Environment (kernel command line): TORTURE=seconds, SEED=number. The last line says ok or FAIL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/reboot.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guests/linux/torture.h"

struct job {
	const char *name;
	void (*round)(void);
	int copies;
};

/* What a job counts, in memory that all processes share. */
static struct shared {
	_Atomic unsigned long rounds[16];
	_Atomic int failed;
} * shared;

static const char *job = "init";
static uint64_t state; /* of the random numbers of this process */

uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 31) * 0x9e3779b97f4a7c15;
	return v ^ v >> 29;
}

uint64_t random64(void)
{
	state += 0x9e3779b97f4a7c15;
	return mix(mix(state));
}

unsigned below(unsigned n) { return (unsigned)(random64() % n); }

_Noreturn void fail(const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	shared->failed = 1;
	fprintf(stderr, "torture: FAIL %s[%d]: %s (errno %d)\n", job, getpid(), text, errno);
	_exit(1);
}

static void reap(pid_t child, int wanted)
{
	int status;

	CHECK(child > 0);
	while (waitpid(child, &status, 0) < 0)
		CHECK(errno == EINTR);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
		fail("child %d ended with %x, wanted exit %d", child, status, wanted);
}

/* ---- the jobs ---- */

/* Copy on write: neither sees what the other writes. */
static void round_fork(void)
{
	size_t bytes = (1 + below(64)) * PAGE;
	uint64_t key = random64(), other = random64();
	char *m = anonymous(bytes), *common;
	pid_t child;

	common = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	fill(m, bytes, key);
	child = fork();
	if (!child) {
		verify(m, bytes, key, "the child's copy");
		fill(m, bytes, other);
		verify(m, bytes, other, "what the child wrote");
		fill(common, PAGE, other);
		_exit(33);
	}
	if (below(2))
		fill(m, bytes / 2 & ~7ul, key);
	reap(child, 33);
	verify(m, bytes, key, "the parent's copy");
	verify(common, PAGE, other, "shared memory");
	munmap(m, bytes);
	munmap(common, PAGE);
}

/* A tree of processes, each with its own page tables. */
static void tree(int depth, uint64_t key)
{
	uint64_t stack[256];
	pid_t child[2];

	fill(stack, sizeof(stack), key);
	for (int i = 0; depth && i < 2; i++) {
		child[i] = fork();
		if (!child[i]) {
			tree(depth - 1, key + (unsigned)i + 1);
			_exit(depth);
		}
	}
	for (int i = 0; depth && i < 2; i++)
		reap(child[i], depth);
	verify(stack, sizeof(stack), key, "stack");
}

static void round_tree(void) { tree(3, random64()); }

/* /init child KEY: a new image; its status says that data, bss and stack are as they should be. */
static uint64_t data[512] = { 0x1234567812345678 };
static uint64_t bss[4096];

static int exec_child(const char *text)
{
	uint64_t key = strtoul(text, NULL, 16), stack[1024];

	if (data[0] != 0x1234567812345678 || data[511])
		return 1;
	for (unsigned i = 0; i < 4096; i++)
		if (bss[i])
			return 2;
	fill(bss, sizeof(bss), key);
	fill(stack, sizeof(stack), key + 1);
	fill(data, sizeof(data), key + 2);
	verify(bss, sizeof(bss), key, "bss");
	verify(stack, sizeof(stack), key + 1, "stack");
	verify(data, sizeof(data), key + 2, "data");
	return 40 + (int)(key & 31);
}

static void round_exec(void)
{
	uint64_t key = random64();
	char text[20];
	pid_t child;

	snprintf(text, sizeof(text), "%lx", key);
	child = below(2) ? fork() : vfork();
	if (!child) {
		execl("/init", "/init", "child", text, (char *)NULL);
		_exit(9);
	}
	reap(child, 40 + (int)(key & 31));
}

/* Signals that come at any instruction change nothing the program sees. */
static volatile sig_atomic_t ticks;

static void on_tick(int signal)
{
	volatile double d = ticks;

	(void)signal;
	d = d * 1.5 + 0.25; /* the FPU is used here, too */
	ticks++;
}

static void round_signals(void)
{
	struct sigaction action = { .sa_handler = on_tick };
	struct itimerval timer = { { 0, 3000 }, { 0, 1000 + below(2000) } }, off = { 0 };
	uint64_t seed = random64(), a = 0, b = 0;
	double x, y;
	int start = ticks;

	action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int turn = 0; turn < 30 && ticks - start < 5; turn++) {
		a = b = seed;
		x = y = 1.0 + (double)(seed & 1023);
		for (int i = 0; i < 20000; i++) {
			a = mix(a + (unsigned)i);
			x = x * 0.999 + (double)(i & 15);
		}
		kill(getpid(), SIGALRM);
		for (int i = 0; i < 20000; i++) {
			b = mix(b + (unsigned)i);
			y = y * 0.999 + (double)(i & 15);
		}
		CHECK(a == b);
		CHECK(x == y);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK(ticks > start);
}

/* Threads: atomics, a mutex and thread-local storage. */
#define THREADS 4
static _Atomic uint64_t atomic_sum;
static uint64_t locked_sum;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread uint64_t own;

static void *thread(void *argument)
{
	own = (uintptr_t)argument;
	for (int i = 0; i < 400; i++) {
		atomic_fetch_add(&atomic_sum, own);
		pthread_mutex_lock(&lock);
		locked_sum += own;
		pthread_mutex_unlock(&lock);
		if (i % 100 == 0)
			sched_yield();
	}
	CHECK(own == (uintptr_t)argument);
	return (void *)(own + 1);
}

static void round_threads(void)
{
	pthread_t threads[THREADS];
	uint64_t wanted = 0;

	atomic_sum = locked_sum = 0;
	for (uintptr_t i = 0; i < THREADS; i++) {
		CHECK(!pthread_create(&threads[i], NULL, thread, (void *)(i * 7 + 1)));
		wanted += 400 * (i * 7 + 1);
	}
	for (uintptr_t i = 0; i < THREADS; i++) {
		void *result;

		CHECK(!pthread_join(threads[i], &result));
		CHECK((uintptr_t)result == i * 7 + 2);
	}
	CHECK(atomic_sum == wanted);
	CHECK(locked_sum == wanted);
}

/* Bytes through a pipe, from one process to another. */
static void round_pipe(void)
{
	static uint64_t buffer[8192];
	uint64_t key = random64();
	int ends[2];
	pid_t child;

	CHECK(!pipe(ends));
	child = fork();
	if (!child) {
		close(ends[0]);
		for (unsigned i = 0; i < 4; i++) {
			for (unsigned j = 0; j < 8192; j++)
				buffer[j] = mix(key + i * 8192 + j);
			for (size_t done = 0; done < sizeof(buffer);) {
				size_t some = 1 + below(20000);
				ssize_t n = write(ends[1], (char *)buffer + done,
						  MIN(sizeof(buffer) - done, some));

				CHECK(n > 0);
				done += (size_t)n;
			}
		}
		_exit(5);
	}
	close(ends[1]);
	for (unsigned i = 0; i < 4; i++) {
		for (size_t done = 0; done < sizeof(buffer);) {
			ssize_t n = read(ends[0], (char *)buffer + done, sizeof(buffer) - done);

			CHECK(n > 0);
			done += (size_t)n;
		}
		for (unsigned j = 0; j < 8192; j++)
			CHECK(buffer[j] == mix(key + i * 8192 + j));
	}
	close(ends[0]);
	reap(child, 5);
}

static const struct job jobs[] = {
	{ "fork", round_fork, 2 },	   { "tree", round_tree, 1 },
	{ "exec", round_exec, 2 },	   { "mmap", round_mmap, 2 },
	{ "mprotect", round_mprotect, 2 }, { "signals", round_signals, 1 },
	{ "threads", round_threads, 1 },   { "pipe", round_pipe, 1 },
	{ "code", round_code, 1 },	   { "pressure", round_pressure, 1 },
};
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void run_job(unsigned n, uint64_t seed, long end)
{
	job = jobs[n].name;
	state = seed;
	do {
		jobs[n].round();
		shared->rounds[n]++;
	} while (now() < end && !shared->failed);
	_exit(0);
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 0) : otherwise;
}

static void torture(long seconds, uint64_t seed)
{
	long end = now() + seconds * 1000;
	int status;

	for (unsigned i = 0; i < JOBS; i++)
		for (int j = 0; j < jobs[i].copies; j++)
			if (!fork())
				run_job(i, mix(seed + i * 100 + (unsigned)j), end);
	while (wait(&status) > 0 || errno == EINTR)
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			printf("torture: FAIL a process ended with %x\n", status);
			shared->failed = 1;
		}
}

int main(int argc, char **argv)
{
	long seconds = number("TORTURE", 20), seed = number("SEED", 1);

	shared = map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	if (argc == 3 && !strcmp(argv[1], "child"))
		return exec_child(argv[2]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("torture: %ld s, seed %ld\n", seconds, seed);
	torture(seconds, (uint64_t)seed);
	for (unsigned i = 0; i < JOBS; i++) {
		printf("torture: %s %lu rounds\n", jobs[i].name, shared->rounds[i]);
		if (!shared->rounds[i])
			shared->failed = 1;
	}
	printf("torture: %s\n", shared->failed ? "FAIL" : "ok");
	reboot(RB_POWER_OFF);
	return 1;
}
