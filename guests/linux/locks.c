/* SPDX-License-Identifier: MIT */
/*
 * locks SECONDS [plug]: threads that lock, wait, interrupt and free, all at once, each checking what its kind of lock promises, while
 * they go from processor to processor; with `plug` processors go off and come back meanwhile. What the kernel's own locktorture and
 * rcutorture do for its locks is asked here of what programs see of them. The last line says ok or FAIL, and how often each was done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COPIES	    3 /* threads of a kind, at least two */
#define FAILED(...) failed_at(__LINE__, __VA_ARGS__)

struct kind {
	const char *name;
	void (*round)(unsigned copy); /* once */
	_Atomic unsigned long rounds;
	_Atomic uint64_t longest; /* ns of a round */
};

static _Atomic bool over, failed;
static unsigned processors;

static void failed_at(int line, const char *what)
{
	if (!atomic_exchange(&failed, true))
		printf("locks: FAIL line %d: %s (errno %d)\n", line, what, errno);
	over = true;
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static _Thread_local uint64_t state;

static unsigned below(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static void hold(unsigned rounds)
{
	for (volatile unsigned i = 0; i < rounds; i++)
		;
}

/* ---- one holder at a time: a futex, and a lock that spins and yields ---- */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned long under_mutex[2], under_ticket[2];
static _Atomic unsigned ticket, served;

static void change(volatile unsigned long *both)
{
	unsigned long was = both[0];

	both[0] = was + 1;
	hold(below(300));
	if (both[1] != was)
		FAILED("two hold one lock");
	both[1] = was + 1;
}

static void round_mutex(unsigned copy)
{
	(void)copy;
	pthread_mutex_lock(&mutex);
	change(under_mutex);
	pthread_mutex_unlock(&mutex);
}

static void round_ticket(unsigned copy)
{
	unsigned mine = atomic_fetch_add(&ticket, 1);

	(void)copy;
	while (served != mine)
		sched_yield();
	change(under_ticket);
	served = mine + 1;
}

/* ---- readers beside each other, writers alone ---- */
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static volatile unsigned long under_rwlock[2];

static void round_rwlock(unsigned copy)
{
	if (copy == 0) {
		pthread_rwlock_wrlock(&rwlock);
		change(under_rwlock);
	} else {
		pthread_rwlock_rdlock(&rwlock);
		if (under_rwlock[0] != under_rwlock[1])
			FAILED("a reader beside a writer");
	}
	pthread_rwlock_unlock(&rwlock);
}

/* ---- a token that each passes to the next, who sleeps until then ---- */
static sem_t turns[COPIES];
static volatile unsigned holder;

static void round_token(unsigned copy)
{
	struct timespec limit;

	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_sec += 30;
	while (sem_timedwait(&turns[copy], &limit))
		if (errno != EINTR) {
			FAILED("a token did not come in 30 s");
			return;
		}
	if (over)
		return;
	if (holder != copy)
		FAILED("the token came to somebody else");
	holder = (copy + 1) % COPIES;
	sem_post(&turns[holder]);
}

/* ---- atomic operations: nothing is lost; the sum is looked at in the end ---- */
#define ADDS 200
static _Atomic unsigned long sum, slots[4], wanted;

static void round_atomic(unsigned copy)
{
	(void)copy;
	for (unsigned i = 0; i < ADDS; i++) {
		unsigned long was = slots[i & 3];

		while (!atomic_compare_exchange_weak(&slots[i & 3], &was, was + 1))
			;
		atomic_fetch_add(&sum, 1);
	}
	atomic_fetch_add(&wanted, ADDS);
}

/* ---- interrupts: membarrier() orders the accesses of threads on other processors, who do nothing for it ---- */
#define TURNS 64
static _Atomic unsigned long flag[2][TURNS], saw[2][TURNS], done[2];

static void barrier_for_all(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		FAILED("membarrier");
}

/* Each of two sets its own flag and looks at the other's; the second has a barrier between. One of them sees the other's. */
static void round_interrupt(unsigned copy)
{
	unsigned long turn, seen;

	if (copy > 1) {
		barrier_for_all();
		return;
	}
	turn = done[copy] + 1;
	atomic_store_explicit(&flag[copy][turn % TURNS], turn, memory_order_relaxed);
	if (copy == 0)
		atomic_signal_fence(memory_order_seq_cst);
	else
		barrier_for_all();
	seen = atomic_load_explicit(&flag[!copy][turn % TURNS], memory_order_relaxed) == turn;
	saw[copy][turn % TURNS] = seen;
	done[copy] = turn;
	while (done[!copy] < turn) {
		if (over)
			return;
		sched_yield();
	}
	if (!saw[0][turn % TURNS] && !saw[1][turn % TURNS])
		FAILED("a barrier for all processors left one out");
}

/* ---- what is freed behind readers: a file that is replaced all the time is always there, and whole ---- */
#define FREED "/tmp/locks"
static _Atomic uint64_t longest_grace;

static void longer(_Atomic uint64_t *longest, uint64_t ns)
{
	uint64_t was = *longest;

	while (ns > was && !atomic_compare_exchange_weak(longest, &was, ns))
		;
}

static void replace(void)
{
	static unsigned long number;
	uint64_t start;
	FILE *f = fopen(FREED ".new", "w");

	if (!f || fprintf(f, "%lu %lu", number, number) < 0 || fclose(f) ||
	    rename(FREED ".new", FREED))
		FAILED("cannot replace a file");
	if (number++ % 8)
		return;
	start = now(); /* until all processors have been seen outside of what they read */
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		FAILED("membarrier");
	longer(&longest_grace, now() - start);
}

static void round_free(unsigned copy)
{
	char text[64] = "";
	unsigned long one, two;
	int fd;

	if (copy == 0) {
		replace();
		return;
	}
	fd = open(FREED, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		FAILED("a file is gone while it is replaced");
	else if (sscanf(text, "%lu %lu", &one, &two) != 2 || one != two)
		FAILED("a file is half replaced");
	close(fd);
}

/* ---- time does not go back from one processor to another ---- */
static _Atomic uint64_t latest;

static void round_time(unsigned copy)
{
	uint64_t seen = latest, read;

	(void)copy;
	read = now();
	if (read < seen)
		FAILED("time went back");
	longer(&latest, read);
	if (below(256) == 0)
		sched_yield();
}

/* ---- processors go and come back ---- */
static unsigned long plugged;

static void set_online(unsigned cpu, const char *how)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, how, 1) != 1)
		FAILED(*how == '0' ? "a processor does not go" : "a processor does not come");
	close(fd);
}

static void *plug(void *unused)
{
	state = 1;
	while (!over) {
		unsigned cpu = 1 + below(processors - 1);

		set_online(cpu, "0");
		usleep(below(3000));
		set_online(cpu, "1");
		plugged++;
	}
	return unused;
}

/* ---- */
static struct kind kinds[] = {
	{ "mutex", round_mutex, 0, 0 },	  { "ticket", round_ticket, 0, 0 },
	{ "rwlock", round_rwlock, 0, 0 }, { "token", round_token, 0, 0 },
	{ "atomic", round_atomic, 0, 0 }, { "interrupt", round_interrupt, 0, 0 },
	{ "free", round_free, 0, 0 },	  { "time", round_time, 0, 0 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void *thread(void *arg)
{
	unsigned number = (unsigned)(uintptr_t)arg, copy = number % COPIES;
	struct kind *kind = &kinds[number / COPIES];

	state = number;
	while (!over) {
		uint64_t start = now();

		kind->round(copy);
		longer(&kind->longest, now() - start);
		kind->rounds++;
	}
	sem_post(&turns[(copy + 1) % COPIES]); /* nobody waits for who has gone */
	return NULL;
}

static void begin(pthread_t *t, void *(*what)(void *), uintptr_t arg)
{
	if (pthread_create(t, NULL, what, (void *)arg))
		FAILED("no thread");
}

int main(int argc, char **argv)
{
	bool plugs = argc > 2 && !strcmp(argv[2], "plug");
	pthread_t threads[KINDS * COPIES], plugger;

	processors = (unsigned)sysconf(_SC_NPROCESSORS_CONF);
	if (argc < 2 || syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		FAILED("usage: locks SECONDS [plug], on a kernel with membarrier()");
	for (unsigned i = 0; i < COPIES; i++)
		sem_init(&turns[i], 0, i == 0);
	replace();
	for (unsigned i = 0; i < KINDS * COPIES; i++)
		begin(&threads[i], thread, i);
	if (plugs)
		begin(&plugger, plug, 0);
	for (uint64_t end = now() + strtoul(argv[1], NULL, 10) * 1000000000; !over && now() < end;)
		usleep(10000);
	over = true;
	for (unsigned i = 0; i < KINDS * COPIES; i++)
		pthread_join(threads[i], NULL);
	if (plugs)
		pthread_join(plugger, NULL);
	if (sum != wanted || slots[0] + slots[1] + slots[2] + slots[3] != wanted)
		FAILED("an addition was lost");
	for (unsigned i = 0; i < KINDS; i++) {
		if (!kinds[i].rounds)
			FAILED(kinds[i].name);
		printf("locks: %s %lu times, %lu ms at most\n", kinds[i].name, kinds[i].rounds,
		       (unsigned long)(kinds[i].longest / 1000000));
	}
	printf("locks: waited for readers %lu ms at most; processors went %lu times\n",
	       (unsigned long)(longest_grace / 1000000), plugged);
	if (plugs && !plugged)
		FAILED("no processor went");
	printf("locks: %s\n", failed ? "FAIL" : "ok");
	return failed;
}
