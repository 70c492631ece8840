/* SPDX-License-Identifier: MIT */
/* torture: the jobs that change the memory map of their own process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/cachectl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "guests/linux/torture.h"

/* ---- memory with known contents: a function of key and place ---- */

void fill(void *at, size_t bytes, uint64_t key)
{
	uint64_t *p = at;

	for (size_t i = 0; i < bytes / 8; i += 1 + (i & 7) * 5)
		p[i] = mix(key + i);
}

void verify(const void *at, size_t bytes, uint64_t key, const char *what)
{
	const uint64_t *p = at;

	for (size_t i = 0; i < bytes / 8; i += 1 + (i & 7) * 5)
		if (p[i] != mix(key + i))
			fail("%s: word %zu of %zu at %p is %lx, wanted %lx", what, i, bytes / 8,
			     (void *)&p[i], p[i], mix(key + i));
}

void *map(size_t bytes, int prot, int flags, int fd)
{
	void *at = mmap(NULL, bytes, prot, flags, fd, 0);

	if (at == MAP_FAILED)
		fail("mmap of %zu", bytes);
	return at;
}

void *anonymous(size_t bytes)
{
	return map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* Maps, unmaps, moves, punches holes. */
#define REGIONS 24
static struct region {
	char *at;
	size_t bytes;
	uint64_t key;
	int fd;
} regions[REGIONS];

static void region_drop(struct region *r)
{
	verify(r->at, r->bytes, r->key, r->fd >= 0 ? "a file's memory" : "memory");
	if (r->fd >= 0) {
		uint64_t first;

		CHECK(pread(r->fd, &first, 8, 0) == 8);
		CHECK(first == mix(r->key));
		close(r->fd);
	}
	CHECK(!munmap(r->at, r->bytes));
	r->at = NULL;
}

static void region_make(struct region *r)
{
	r->bytes = (1 + below(48)) * PAGE;
	r->key = random64();
	r->fd = -1;
	if (below(3) == 0) {
		r->fd = memfd_create("torture", 0);
		CHECK(r->fd >= 0);
		CHECK(!ftruncate(r->fd, (long)r->bytes));
	}
	r->at = map(r->bytes, PROT_READ | PROT_WRITE,
		    r->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, r->fd);
	fill(r->at, r->bytes, r->key);
}

static void region_change(struct region *r)
{
	size_t half = (r->bytes / 2) & ~(PAGE - 1);

	switch (below(4)) {
	case 0: /* the end goes away */
		if (half) {
			CHECK(!munmap(r->at + half, r->bytes - half));
			r->bytes = half;
		}
		break;
	case 1: /* elsewhere */
		if (r->fd < 0) {
			size_t more = r->bytes + (1 + below(8)) * PAGE;
			char *at = mremap(r->at, r->bytes, more, MREMAP_MAYMOVE);

			CHECK(at != MAP_FAILED);
			verify(at, r->bytes, r->key, "moved memory");
			r->at = at;
			r->bytes = more;
			fill(at, more, r->key);
		}
		break;
	case 2: /* given back, zero again */
		if (r->fd < 0) {
			CHECK(!madvise(r->at, r->bytes, MADV_DONTNEED));
			for (size_t i = 0; i < r->bytes; i += PAGE)
				CHECK(r->at[i] == 0);
			fill(r->at, r->bytes, r->key);
		}
		break;
	default: r->key = random64(); fill(r->at, r->bytes, r->key);
	}
}

void round_mmap(void)
{
	for (int i = 0; i < 20; i++) {
		struct region *r = &regions[below(REGIONS)];

		if (!r->at)
			region_make(r);
		else if (below(3))
			region_change(r);
		else
			region_drop(r);
	}
}

/* Protections: each access that must fault does, at its address, and succeeds when allowed. */
static char *guarded;
static volatile sig_atomic_t faults;
static uintptr_t expected;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	(void)signal, (void)context;
	if (at != expected)
		fail("fault at %lx, expected at %lx", (long)at, (long)expected);
	faults++;
	if (mprotect((void *)(at & ~(PAGE - 1)), PAGE, PROT_READ | PROT_WRITE))
		fail("mprotect in the handler");
}

void round_mprotect(void)
{
	enum { PAGES = 32 };
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	uint64_t key = random64();

	sigaction(SIGSEGV, &action, NULL);
	guarded = anonymous(PAGES * PAGE);
	fill(guarded, PAGES * PAGE, key);
	for (int i = 0; i < 40; i++) {
		static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE };
		unsigned page = below(PAGES), kind = below(3);
		volatile uint64_t *at = (void *)(guarded + page * PAGE + (below(512) & ~7u) * 8);
		bool write = below(2);
		uint64_t old;

		CHECK(!mprotect(guarded + page * PAGE, PAGE, PROT_READ));
		old = *at;
		CHECK(!mprotect(guarded + page * PAGE, PAGE, prots[kind]));
		faults = 0;
		expected = (uintptr_t)at;
		if (write)
			*at = old;
		else
			CHECK(*at == old);
		CHECK(faults == (kind == 0 || (kind == 1 && write)));
	}
	expected = 0;
	CHECK(!mprotect(guarded, PAGES * PAGE, PROT_READ));
	verify(guarded, PAGES * PAGE, key, "guarded memory");
	munmap(guarded, PAGES * PAGE);
}

/* Code that was just written, at an address that held other code before. */
void round_code(void)
{
	uint32_t *code =
		map(2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	for (int i = 0; i < 20; i++) {
		uint32_t *at = code + below(2 * PAGE / 4 - 4);
		uint16_t value = (uint16_t)random64() & 0x7fff;

		at[0] = 0x24020000u | value; /* addiu v0, zero, value */
		at[1] = 0x03e00009;	     /* jr ra */
		at[2] = 0;
		cacheflush(at, 12, BCACHE);
		CHECK(((int (*)(void))(uintptr_t)at)() == value);
	}
	munmap(code, 2 * PAGE);
}

/* Takes a part of what is free and gives it back. */
void round_pressure(void)
{
	struct sysinfo info;
	uint64_t key = random64();
	size_t bytes;
	char *m;

	sysinfo(&info);
	bytes = info.freeram * info.mem_unit / 4 & ~(PAGE - 1);
	if (bytes < PAGE)
		return;
	m = anonymous(bytes);
	for (size_t i = 0; i < bytes; i += PAGE)
		*(uint64_t *)(m + i) = mix(key + i);
	usleep(20000);
	for (size_t i = 0; i < bytes; i += PAGE)
		CHECK(*(uint64_t *)(m + i) == mix(key + i));
	munmap(m, bytes);
}
