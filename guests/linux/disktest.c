/* SPDX-License-Identifier: MIT */
/*
 * Disks against a copy of them in memory.
 *
 *   disktest file FILE SEED OPERATIONS        reads, writes, truncates, maps, syncs and drops from the page cache at random, with every
 *                                             length and alignment; compares after each read, and the whole file at the end
 *   disktest sectors DEVICE SEED OPERATIONS   reads, writes, writes zeroes, discards and flushes sectors of the first 4 MB at random,
 *                                             from memory at every sector of a page
 *
 * Exit status 1 and a line that says where, if what is read is not what was written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_MAX   (4u << 20)
#define LENGTH_MAX (160u << 10)
#define SECTOR	   512u
#define PAGE	   4096u

static uint64_t seed;
static unsigned char model[FILE_MAX], buffer[FILE_MAX + PAGE] __attribute__((aligned(4096)));
static size_t size; /* of the file, by the model */

static uint64_t random64(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 17;
}

static void fail(const char *what)
{
	printf("disktest: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void compare(const unsigned char *found, size_t at, size_t length, const char *how)
{
	for (size_t i = 0; i < length; i++)
		if (found[i] != model[at + i]) {
			printf("disktest: %s: byte %zu of the file: found %02x, written %02x\n",
			       how, at + i, found[i], model[at + i]);
			exit(1);
		}
}

/* A length: often small, or whole pages, else anything. */
static size_t length(size_t max)
{
	static const size_t usual[] = { 1, 511, 512, 513, 4095, 4096, 4097, 8192, 65536, 131072 };
	size_t n = random64() % 2 ? usual[random64() % (sizeof(usual) / sizeof(usual[0]))]
				  : random64() % LENGTH_MAX;

	return n < max ? n : max;
}

static size_t place(size_t max)
{
	size_t at = random64() % (max + 1);

	return random64() % 2 ? at & ~(size_t)(PAGE - 1) : at;
}

static void do_read(int fd)
{
	size_t at = place(size), n = length(size - at);

	if (pread(fd, buffer, n, at) != (ssize_t)n)
		fail("read");
	compare(buffer, at, n, "read");
}

static void do_direct_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT);
	size_t at = place(size) & ~(size_t)(SECTOR - 1),
	       n = (length(FILE_MAX) + SECTOR - 1) & ~(size_t)(SECTOR - 1);
	unsigned char *to = buffer + SECTOR * (random64() % 8);
	ssize_t found;

	if (fd < 0)
		fail("open, O_DIRECT");
	found = pread(fd, to, n, at);
	if (found < 0 || (size_t)found != (n < size - at ? n : size - at))
		fail("read, O_DIRECT");
	compare(to, at, found, "read, O_DIRECT");
	close(fd);
}

static void do_write(int fd)
{
	size_t at = place(size < FILE_MAX ? size : FILE_MAX - 1), n = length(FILE_MAX - at);

	for (size_t i = 0; i < n; i++)
		buffer[i] = random64();
	if (pwrite(fd, buffer, n, at) != (ssize_t)n)
		fail("write");
	memcpy(model + at, buffer, n);
	if (at + n > size)
		size = at + n;
}

static void do_truncate(int fd)
{
	size_t to = random64() % FILE_MAX;

	if (ftruncate(fd, to))
		fail("truncate");
	if (to > size)
		memset(model + size, 0, to - size);
	else
		memset(model + to, 0, size - to);
	size = to;
}

static void do_map(int fd)
{
	size_t at = place(size) & ~(size_t)(PAGE - 1), n = length(size - at);
	unsigned char *map;

	if (!n)
		return;
	map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	if (map == MAP_FAILED)
		fail("mmap");
	compare(map, at, n, "mapped");
	for (size_t i = random64() % n; i < n; i += 1 + random64() % 5000)
		map[i] = model[at + i] = random64();
	munmap(map, n);
}

static void do_drop(int fd)
{
	if (fsync(fd))
		fail("fsync");
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int random_file(const char *path, uint64_t operations)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		fail(path);
	for (uint64_t i = 0; i < operations; i++) {
		unsigned what = random64() % 16;

		if (what < 5)
			do_read(fd);
		else if (what < 10)
			do_write(fd);
		else if (what < 12)
			do_map(fd);
		else if (what < 13)
			do_truncate(fd);
		else if (what < 15)
			do_drop(fd);
		else if (!fdatasync(fd))
			do_direct_read(path);
	}
	do_drop(fd);
	if (pread(fd, buffer, FILE_MAX, 0) != (ssize_t)size)
		fail("read of all");
	compare(buffer, 0, size, "read of all");
	printf("disktest: %llu operations, %zu bytes are right\n", (unsigned long long)operations,
	       size);
	return 0;
}

/* ---- a whole disk, without the page cache ---- */

static void zero_or_discard(int fd, const char *what, unsigned long request, size_t at, size_t n)
{
	uint64_t range[2] = { at, n };

	if (ioctl(fd, request, range))
		fail(what);
	if (pread(fd, buffer, n, at) != (ssize_t)n)
		fail("read");
	for (size_t i = 0; request == BLKZEROOUT && i < n; i++)
		if (buffer[i]) {
			printf("disktest: %s: byte %zu: found %02x, allowed 0\n", what, at + i,
			       buffer[i]);
			exit(1);
		}
	memcpy(model + at, buffer,
	       n); /* what was discarded reads as anything, but always the same */
}

static void sectors_once(int fd)
{
	size_t sectors = FILE_MAX / SECTOR,
	       n = 1 + random64() % (random64() % 4 ? 24 : LENGTH_MAX / SECTOR);
	size_t at = random64() % (sectors - n);
	unsigned char *memory =
		buffer +
		SECTOR * (random64() % 8); /* pages of the disk need not be pages of memory */
	unsigned what = random64() % 16;

	at *= SECTOR, n *= SECTOR;
	if (what < 7) {
		if (pread(fd, memory, n, at) != (ssize_t)n)
			fail("read");
		compare(memory, at, n, "read");
	} else if (what < 13) {
		for (size_t i = 0; i < n; i++)
			model[at + i] = random64();
		memcpy(memory, model + at, n);
		if (pwrite(fd, memory, n, at) != (ssize_t)n)
			fail("write");
	} else if (what == 13) {
		zero_or_discard(fd, "write zeroes", BLKZEROOUT, at, n);
	} else if (what == 14) {
		zero_or_discard(fd, "discard", BLKDISCARD, at, n);
	} else if (fsync(fd)) {
		fail("flush");
	}
}

static int random_sectors(const char *path, uint64_t operations)
{
	int fd = open(path, O_RDWR | O_DIRECT);

	if (fd < 0)
		fail(path);
	if (pread(fd, buffer, FILE_MAX, 0) != FILE_MAX)
		fail("read of all");
	memcpy(model, buffer, FILE_MAX);
	for (uint64_t i = 0; i < operations; i++)
		sectors_once(fd);
	if (pread(fd, buffer, FILE_MAX, 0) != FILE_MAX)
		fail("read of all");
	compare(buffer, 0, FILE_MAX, "read of all");
	printf("disktest: %llu operations, %u bytes are right\n", (unsigned long long)operations,
	       FILE_MAX);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && (!strcmp(argv[1], "file") || !strcmp(argv[1], "sectors"))) {
		seed = strtoull(argv[3], NULL, 0);
		return (argv[1][0] == 'f' ? random_file
					  : random_sectors)(argv[2], strtoull(argv[4], NULL, 0));
	}
	fprintf(stderr,
		"disktest: found %d words, needed: file FILE SEED OPERATIONS, or sectors DEVICE SEED OPERATIONS\n",
		argc - 1);
	return 2;
}
