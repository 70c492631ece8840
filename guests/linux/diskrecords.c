/* SPDX-License-Identifier: MIT */
/*
 * Records that must survive a power cut (tests/system/test_power_cut.py, which reads them on the host, knows the format).
 *
 *   diskrecords FOLDER     appends records to FOLDER/records for ever; "record N" is printed when an fsync that covers number N is over
 *   diskrecords FOLDER N   the records up to N are there as they were written; exit status 1 and a line that says which is not
 *
 * Record N is 64 to 9000 bytes: N, then numbers of a generator that begins with N. Every fourth is besides a file of its own,
 * FOLDER/rN: written under another name, renamed, the folder synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_WORDS_MIN 8u
#define RECORD_WORDS_MAX 1125u
#define OWN_FILE	 4u

static uint64_t record[RECORD_WORDS_MAX], found[RECORD_WORDS_MAX];

static void fail(const char *what)
{
	printf("diskrecords: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Fills record with number n; how many bytes it has. */
static size_t make_record(uint64_t n)
{
	uint64_t x = n;
	size_t words;

	x = x * 6364136223846793005ull + 1442695040888963407ull;
	words = RECORD_WORDS_MIN + (x >> 33) % (RECORD_WORDS_MAX - RECORD_WORDS_MIN);
	record[0] = n;
	for (size_t i = 1; i < words; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		record[i] = x;
	}
	return words * sizeof(record[0]);
}

static void write_own_file(int folder, uint64_t n, size_t bytes)
{
	char name[32];
	int fd = openat(folder, "new", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	snprintf(name, sizeof(name), "r%llu", (unsigned long long)n);
	if (fd < 0 || write(fd, record, bytes) != (ssize_t)bytes || fsync(fd) || close(fd))
		fail(name);
	if (renameat(folder, "new", folder, name) || fsync(folder))
		fail(name);
}

static _Noreturn void append_for_ever(int folder)
{
	int fd = openat(folder, "records", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || fsync(folder))
		fail("records");
	for (uint64_t n = 0;; n++) {
		size_t bytes = make_record(n);

		if (write(fd, record, bytes) != (ssize_t)bytes || fsync(fd))
			fail("records");
		if (n % OWN_FILE == 0)
			write_own_file(folder, n, bytes);
		printf("record %llu\n", (unsigned long long)n);
		fflush(stdout);
	}
}

static int differs(int fd, size_t bytes)
{
	return fd < 0 || read(fd, found, bytes) != (ssize_t)bytes || memcmp(found, record, bytes);
}

static int verify(int folder, uint64_t last)
{
	int fd = openat(folder, "records", O_RDONLY);

	for (uint64_t n = 0; n <= last; n++) {
		size_t bytes = make_record(n);
		int bad = differs(fd, bytes);

		if (n % OWN_FILE == 0) {
			char name[32];
			int own;

			snprintf(name, sizeof(name), "r%llu", (unsigned long long)n);
			own = openat(folder, name, O_RDONLY);
			bad |= differs(own, bytes) << 1;
			close(own);
		}
		if (bad) {
			printf("diskrecords: record %llu of %llu is not as it was written: %d\n",
			       (unsigned long long)n, (unsigned long long)last, bad);
			return 1;
		}
	}
	printf("diskrecords: %llu records are right\n", (unsigned long long)last + 1);
	return 0;
}

int main(int argc, char **argv)
{
	int folder = argc > 1 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "diskrecords: found %d words, needed: FOLDER [NUMBER]\n", argc - 1);
		return 2;
	}
	if (folder < 0)
		fail(argv[1]);
	if (argc == 2)
		append_for_ever(folder);
	return verify(folder, strtoull(argv[2], NULL, 0));
}
