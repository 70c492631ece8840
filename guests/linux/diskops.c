/* SPDX-License-Identifier: MIT */
/*
 * The program of `make bench-disk`: reads of a disk past the page cache.
 *
 *   diskops count DEVICE   what diskops.h names, each kind between the markers of qemu/plugin/count.c; all of it was read before.
 *                          Writes to DEVICE
 *   diskops time DEVICE    sequential and random reads, of 4 KB and 128 KB, one and 32 in flight, twice: prints nanoseconds
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE	   4096u
#define REGION	   (2u << 20) /* what each kind reads when it is timed */
#define AREA	   (4u << 20) /* what is read when it is counted */
#define FLIGHT_MAX 32u
#define BUFFER	   (4u << 20)
#define WRITES	   256u /* blocks of those that are counted */
#define STEP	   367u /* from one counted read to the next: no two can be merged */

#define BEGIN(unit) __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5100 + (unit)) : "memory")
#define END(unit)   __asm__ volatile("sltiu $0, $0, %0" ::"i"(0x5200 + (unit)) : "memory")

static unsigned char buffer[BUFFER + PAGE] __attribute__((aligned(4096)));
static aio_context_t aio;
static int disk;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Waits for at least one of `flying` reads of so many bytes; how many are over. */
static long landed(long flying, size_t bytes)
{
	struct io_event events[FLIGHT_MAX];
	long n = syscall(SYS_io_getevents, aio, 1, flying, events, NULL);

	for (long i = 0; i < n; i++)
		if (events[i].res != (int64_t)bytes)
			fail("read");
	return n < 1 ? (fail("io_getevents"), 0) : n;
}

/* Reads of `bytes` from the region at `start`, one after the other or, with a step, at random; always `flight` of them on their way. */
static void read_all(uint64_t start, uint64_t region, size_t bytes, size_t offset, unsigned flight,
		     unsigned reads, unsigned step)
{
	static struct iocb blocks[FLIGHT_MAX];
	struct iocb *list[FLIGHT_MAX];
	unsigned places = region / bytes, begun = 0, over = 0;

	if (flight == 1) {
		for (unsigned i = 0; i < reads; i++)
			if (pread(disk, buffer + offset, bytes,
				  start + (uint64_t)i * step % places * bytes) != (ssize_t)bytes)
				fail("read");
		return;
	}
	while (over < reads) {
		unsigned n = 0;

		for (; begun < reads && begun - over < flight; begun++, n++) {
			struct iocb *b = &blocks[begun % flight];

			*b = (struct iocb){
				.aio_fildes = disk,
				.aio_lio_opcode = IOCB_CMD_PREAD,
				.aio_buf = (uintptr_t)(buffer + offset + begun % flight * bytes),
				.aio_nbytes = bytes,
				.aio_offset = start + (uint64_t)begun * step % places * bytes
			};
			list[n] = b;
		}
		if (n && syscall(SYS_io_submit, aio, (long)n, list) != (long)n)
			fail("io_submit");
		over = begun; /* a batch is over before the next begins: its blocks are used again */
		for (long flying = n; flying > 0;)
			flying -= landed(flying, bytes);
	}
}

/* Pages of the buffer, other contents in each, to the blocks from `block` on. */
static void write_all(unsigned block, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		if (pwrite(disk, buffer + (size_t)i * PAGE, PAGE, (uint64_t)(block + i) * PAGE) !=
		    PAGE)
			fail("write");
}

static void fill(unsigned salt, unsigned pages)
{
	for (unsigned *word = (unsigned *)buffer, i = 0; i < pages * (PAGE / sizeof(*word)); i++)
		word[i] = salt << 24 | i;
}

/* The blocks get contents twice, then the counted ones; those behind have what salt 1 makes of the same places. */
static void prepare_writes(unsigned salt, unsigned pages)
{
	fill(1, pages);
	write_all(WRITES, pages);
	fill(3, pages);
	write_all(0, pages);
	fill(salt, pages);
}

static void count(void)
{
	for (uint64_t at = 0; at < AREA; at += BUFFER)
		if (pread(disk, buffer, BUFFER, at) != BUFFER)
			fail("read");
#define UNIT(number, name, bytes, offset, flight, reads)            \
	read_all(0, AREA, bytes, offset, flight, 8 * flight, STEP); \
	BEGIN(number);                                              \
	read_all(0, AREA, bytes, offset, flight, reads, STEP);      \
	END(number);
#define WRITE(number, name, salt, writes) \
	prepare_writes(salt, writes);     \
	BEGIN(number);                    \
	write_all(0, writes);             \
	END(number);
#include "guests/linux/diskops.h"
#undef UNIT
#undef WRITE
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Each kind reads a region of its own, so that the first time is the first for its bytes. */
static void time_all(void)
{
	static const struct {
		const char *name;
		size_t bytes;
		unsigned flight, step;
	} kinds[] = {
		{ "seq4k", PAGE, 1, 1 },	   { "seq4k_32", PAGE, 32, 1 },
		{ "random4k", PAGE, 1, 367 },	   { "random4k_32", PAGE, 32, 367 },
		{ "seq128k", 32 * PAGE, 1, 1 },	   { "seq128k_32", 32 * PAGE, 32, 1 },
		{ "random128k", 32 * PAGE, 1, 7 }, { "random128k_32", 32 * PAGE, 32, 7 },
	};

	for (int pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			unsigned reads = REGION / kinds[i].bytes;
			uint64_t begin = now();

			read_all((uint64_t)i * REGION, REGION, kinds[i].bytes, 0, kinds[i].flight,
				 reads, kinds[i].step);
			printf("diskops: %s %s %llu ns, %u reads\n", kinds[i].name,
			       pass ? "warm" : "cold", (unsigned long long)(now() - begin), reads);
		}
}

int main(int argc, char **argv)
{
	if (argc != 3 || (strcmp(argv[1], "count") && strcmp(argv[1], "time"))) {
		fprintf(stderr, "diskops: found %d words, needed: count DEVICE, or time DEVICE\n",
			argc - 1);
		return 2;
	}
	disk = open(argv[2], (argv[1][0] == 'c' ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (disk < 0 || syscall(SYS_io_setup, FLIGHT_MAX, &aio))
		fail(argv[2]);
	memset(buffer, 1, sizeof(buffer));
	(argv[1][0] == 'c' ? count : time_all)();
	return 0;
}
