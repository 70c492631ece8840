/* SPDX-License-Identifier: MIT */
/*
 * malloc: random sizes, alignments, growth and shrinking by several threads, which free each other's blocks. Each block is
 * full of its own number as long as it is somebody's. Then all memory is asked for until there is none, given back, and there again.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "tests/thin/check.h"

#define THREADS_MAX 16
#define HELD	    60

struct block {
	unsigned char *at;
	size_t n;
	unsigned char mark;
};

static uint64_t seed;
static unsigned turns;

/* Blocks that nobody holds: any thread takes one from here and leaves another. */
static struct block market[64];
static pthread_mutex_t market_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t some_size(uint64_t r)
{
	switch (r % 8) {
	case 0: return (r >> 8) % 70000;
	case 1: return (r >> 8) % 20000;
	case 2: return 1 + (r >> 8) % 17;
	default: return (r >> 8) % 700;
	}
}

static void verify(const struct block *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->at[i] != b->mark) {
			CHECK(!"a block has been written to");
			return;
		}
}

static struct block make(uint64_t *state)
{
	uint64_t r = rng(state);
	struct block b = { .n = some_size(r), .mark = (unsigned char)(r >> 56) };

	if (r >> 40 & 1) {
		b.at = calloc(b.n, 1);
		b.mark = 0;
		verify(&b);
	} else if (r >> 41 & 1) {
		size_t align = 16ul << (r >> 42) % 8;

		b.at = aligned_alloc(align, b.n);
		CHECK(((uintptr_t)b.at & (align - 1)) == 0);
	} else {
		b.at = malloc(b.n);
		CHECK(((uintptr_t)b.at & 15) == 0);
	}
	CHECK(b.at && malloc_usable_size(b.at) >= b.n);
	memset(b.at, b.mark, b.n);
	return b;
}

static void resize(struct block *b, uint64_t r)
{
	size_t n = 1 + some_size(r), keep = n < b->n ? n : b->n;
	unsigned char *at = realloc(b->at, n);

	CHECK(at != NULL);
	b->at = at;
	b->n = keep;
	verify(b);
	b->n = n;
	memset(b->at, b->mark, n);
}

static void exchange(struct block *b, uint64_t r)
{
	struct block other;

	pthread_mutex_lock(&market_lock);
	other = market[r % 64];
	market[r % 64] = *b;
	pthread_mutex_unlock(&market_lock);
	*b = other;
}

static void *trader(void *arg)
{
	uint64_t state = seed + (uintptr_t)arg;
	struct block held[HELD] = { { 0 } };

	for (unsigned i = 0; i < turns; i++) {
		uint64_t r = rng(&state);
		struct block *b = &held[r % HELD];

		if (!b->at)
			*b = make(&state);
		else if (r >> 8 & 3)
			exchange(b, r >> 16);
		else if (r >> 10 & 1)
			resize(b, r >> 16);
		if (b->at && (r >> 12 & 3) == 0) {
			verify(b);
			free(b->at);
			b->at = NULL;
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].at) {
			verify(&held[i]);
			free(held[i].at);
		}
	return arg;
}

static void trade(unsigned threads)
{
	pthread_t t[THREADS_MAX];

	for (unsigned i = 0; i < threads; i++)
		CHECK(pthread_create(&t[i], NULL, trader, (void *)(uintptr_t)i) == 0);
	for (unsigned i = 0; i < threads; i++)
		pthread_join(t[i], NULL);
	for (unsigned i = 0; i < 64; i++)
		if (market[i].at) {
			verify(&market[i]);
			free(market[i].at);
			market[i].at = NULL;
		}
}

/* Until there is no more, three sizes; how much there was. */
static size_t exhaust(size_t n)
{
	void *first = NULL, *p;
	size_t sum = 0;

	errno = 0;
	while ((p = malloc(n))) {
		*(void **)p = first;
		first = p;
		sum += n;
	}
	CHECK(errno == ENOMEM);
	while (first) {
		p = first;
		first = *(void **)p;
		free(p);
	}
	return sum;
}

static void all_of_it(void)
{
	size_t free_bytes = (size_t)sysconf(_SC_AVPHYS_PAGES) * 4096;

	for (unsigned i = 0; i < 2; i++) {
		CHECK(exhaust(60000) > free_bytes / 10 * 6);
		CHECK(exhaust(48) > free_bytes / 10 * 8);
		CHECK(exhaust(5000) > free_bytes / 10 * 7);
	}
	CHECK((size_t)sysconf(_SC_AVPHYS_PAGES) * 4096 + (1 << 20) > free_bytes);
}

static void *nothing(void *arg) { return arg; }

static void threads_without_memory(void)
{
	void *first = NULL, *p;
	pthread_t t;

	while ((p = malloc(60000))) {
		*(void **)p = first;
		first = p;
	}
	CHECK(pthread_create(&t, NULL, nothing, NULL) == EAGAIN);
	while (first) {
		p = first;
		first = *(void **)p;
		free(p);
	}
	CHECK(pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0);
}

static void rules(void)
{
	void *p = NULL;
	char *text;
	volatile size_t many = 1ul << 33;

	CHECK(posix_memalign(&p, 24, 100) == EINVAL && posix_memalign(&p, 4096, 100) == 0);
	CHECK(((uintptr_t)p & 4095) == 0);
	free(p);
	CHECK(posix_memalign(&p, 1 << 20, 100) == 0 && ((uintptr_t)p & ((1 << 20) - 1)) == 0);
	free(p);
	CHECK(calloc(many, many) == NULL && errno == ENOMEM);
	CHECK(malloc(many << 7) == NULL);
	CHECK((p = malloc(0)) != NULL);
	free(p);
	free(NULL);
	text = strdup("a copy");
	CHECK(!strcmp(text, "a copy"));
	text = realloc(text, 100000);
	CHECK(!strcmp(text, "a copy"));
	free(text);
}

int main(int argc, char **argv)
{
	uint64_t state = seed = word(argc, argv, "seed", 1);
	unsigned laps = (unsigned)word(argc, argv, "laps", 2);

	turns = (unsigned)word(argc, argv, "turns", 300);
	printf("seed %lu, %ld VCPUs\n", (unsigned long)seed, sysconf(_SC_NPROCESSORS_ONLN));
	rules();
	all_of_it();
	for (unsigned i = 0; i < laps; i++) {
		seed = rng(&state);
		trade(1 + rng(&state) % THREADS_MAX);
	}
	threads_without_memory();
	all_of_it();
	return verdict("heap");
}
