/* SPDX-License-Identifier: MIT */
/*
 * Files of disks. `sum NAME...`: length and sum of each, read in four ways, two of them at the same time. `write`: threads write, cut and
 * read files of their own in /data at random, each with a copy in memory, then names come and go; what is left is for the host to look
 * at. `open NAME`: how that fails.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
#include <utime.h>

#include "tests/thin/check.h"

#define THREADS 4
#define MOST	300000

static uint64_t add(uint64_t sum, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3;
	return sum;
}

/* Reads with parts of that size, or of random ones (0). */
static uint64_t sum_by_read(const char *name, size_t part, size_t *length)
{
	static const size_t room = 1 << 17;
	unsigned char *bytes = malloc(room + 1);
	int file = open(name, O_RDONLY);
	uint64_t sum = 0xcbf29ce484222325, random = part;
	ssize_t n;

	CHECK(file > 2);
	*length = 0;
	while ((n = read(file, bytes + 1, part ? part : 1 + rng(&random) % room)) > 0) {
		sum = add(sum, bytes + 1, n);
		*length += n;
	}
	CHECK(n == 0);
	CHECK(close(file) == 0);
	free(bytes);
	return sum;
}

static uint64_t sum_by_stdio(const char *name, size_t *length)
{
	FILE *f = fopen(name, "r");
	uint64_t sum = 0xcbf29ce484222325;
	int c;

	CHECK(f);
	*length = 0;
	while (f && (c = getc(f)) != EOF) {
		unsigned char byte = c;

		sum = add(sum, &byte, 1);
		++*length;
	}
	if (f)
		fclose(f);
	return sum;
}

struct job {
	const char *name;
	uint64_t sum, seed;
	size_t length;
};

static void *summer(void *arg)
{
	struct job *j = arg;

	j->sum = sum_by_read(j->name, 0, &j->length);
	return NULL;
}

static void sum(const char *name)
{
	struct job other = { .name = name };
	pthread_t thread;
	size_t length, again;
	uint64_t whole;
	struct stat s;

	CHECK(pthread_create(&thread, NULL, summer, &other) == 0);
	whole = sum_by_read(name, 65536, &length);
	pthread_join(thread, NULL);
	CHECK(other.sum == whole && other.length == length);
	CHECK(sum_by_stdio(name, &again) == whole && again == length);
	CHECK(sum_by_read(name, 1000, &again) == whole);
	CHECK(stat(name, &s) == 0 && S_ISREG(s.st_mode) && s.st_size == (off_t)length);
	printf("%s: %zu bytes, sum %016llx\n", name, length, (unsigned long long)whole);
}

/* ---- writing ---- */
static void step(int *file, const char *name, unsigned char *copy, size_t *size, uint64_t *random)
{
	static const size_t sizes[] = { 1, 100, 4096, 5000, 40000 };
	size_t at = rng(random) % (MOST - 40000), n = 1 + rng(random) % sizes[rng(random) % 5];
	unsigned char bytes[40000];

	switch (rng(random) % 8) {
	case 0:
	case 1:
	case 2:
		for (size_t i = 0; i < n; i++)
			bytes[i] = rng(random);
		CHECK(lseek(*file, at, SEEK_SET) == (off_t)at);
		CHECK(write(*file, bytes, n) == (ssize_t)n);
		memcpy(copy + at, bytes, n);
		*size = at + n > *size ? at + n : *size;
		break;
	case 3:
		CHECK(ftruncate(*file, at) == 0);
		if (at < *size)
			memset(copy + at, 0, *size - at);
		*size = at;
		break;
	case 4:
		CHECK(close(*file) == 0);
		*file = open(name, O_RDWR);
		CHECK(*file > 2);
		break;
	default:
		CHECK(lseek(*file, at, SEEK_SET) == (off_t)at);
		n = at < *size ? (n < *size - at ? n : *size - at) : 0;
		CHECK(read(*file, bytes, n) == (ssize_t)n);
		CHECK(!memcmp(bytes, copy + at, n));
		CHECK(lseek(*file, 0, SEEK_END) == (off_t)*size);
	}
}

static void *writer(void *arg)
{
	struct job *j = arg;
	unsigned char *copy = calloc(1, MOST);
	int file = open(j->name, O_RDWR | O_CREAT | O_EXCL, 0644);
	size_t length;

	CHECK(file > 2 && copy);
	for (int i = 0; i < 60; i++)
		step(&file, j->name, copy, &j->length, &j->seed);
	CHECK(close(file) == 0);
	j->sum = add(0xcbf29ce484222325, copy, j->length);
	CHECK(sum_by_read(j->name, 8192, &length) == j->sum && length == j->length);
	printf("%s: %zu bytes, sum %016llx\n", j->name, j->length, (unsigned long long)j->sum);
	free(copy);
	return NULL;
}

static unsigned entries(const char *name)
{
	DIR *d = opendir(name);
	unsigned n = 0;

	CHECK(d);
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* What lay behind a cut does not come back when the file grows again, from whichever block was used last. */
static void cut(void)
{
	char bytes[5000], zero[100] = { 0 };
	int file = open("/data/cut", O_RDWR | O_CREAT, 0644);

	memset(bytes, 'x', sizeof(bytes));
	CHECK(write(file, bytes, sizeof(bytes)) == sizeof(bytes));
	CHECK(lseek(file, 50, SEEK_SET) == 50 && write(file, "y", 1) == 1);
	CHECK(ftruncate(file, 100) == 0 && lseek(file, 200, SEEK_SET) == 200);
	CHECK(write(file, "z", 1) == 1 && lseek(file, 100, SEEK_SET) == 100);
	CHECK(read(file, bytes, 200) == 101 && !memcmp(bytes, zero, 100) && bytes[100] == 'z');
	CHECK(close(file) == 0 && unlink("/data/cut") == 0);
}

/* Names that lead to others, and folders that get another name or place. */
static void moves(void)
{
	static const char text[] =
		"../some/where/that/is/not/there/with/a/name/longer/than/an/inode/has/room";
	char buffer[200] = "";
	struct stat s, t;
	FILE *f;

	CHECK(mkdir("/data/a", 0755) == 0 && mkdir("/data/a/b", 0755) == 0 &&
	      mkdir("/data/c", 0755) == 0);
	f = fopen("/data/a/b/file", "w+");
	CHECK(f && fputs("0123456789", f) >= 0 && fflush(f) == 0);
	CHECK(pread(fileno(f), buffer, 4, 3) == 4 && !memcmp(buffer, "3456", 4));
	CHECK(pwrite(fileno(f), "xy", 2, 20) == 2 && pread(fileno(f), buffer, 100, 9) == 13);
	CHECK(!memcmp(buffer, "9\0\0\0\0\0\0\0\0\0\0xy", 13) && ftell(f) == 10);
	CHECK(pread(fileno(f), buffer, 1, -1) == -1 && errno == EINVAL);
	CHECK(pread(0, buffer, 1, 0) == -1 && errno == ESPIPE);
	CHECK(f && fclose(f) == 0);
	CHECK(rename("/data/a", "/data/a/b/within") == -1 && errno == EINVAL);
	CHECK(rename("/data/a", "/data/a") == 0 && rename("/data/none", "/data/x") == -1 &&
	      errno == ENOENT);
	CHECK(rename("/data/a/b", "/data/a") == -1 && errno == ENOTEMPTY);
	CHECK(rename("/data/a/b", "/data/a/b/file") == -1 && errno == EINVAL);
	CHECK(rename("/data/a/b/file", "/data/c") == -1 && errno == EISDIR);
	CHECK(rename("/data/a/b", "/data/0") == -1 && errno == ENOTDIR);
	CHECK(rename("/data/a/b", "/data/c") == 0); /* in the place of an empty one */
	CHECK(stat("/data/c/file", &s) == 0 && s.st_size == 22 && stat("/data/a", &t) == 0 &&
	      t.st_nlink == 2);
	CHECK(rename("/data/c", "/data/a/d") == 0 && stat("/data/a", &t) == 0 && t.st_nlink == 3);
	CHECK(chdir("/data/a/d/..") == 0 && stat("d/../d/file", &t) == 0 && t.st_ino == s.st_ino);
	CHECK(symlink("d/file", "short") == 0 && symlink(text, "long") == 0);
	CHECK(symlink("d", "short") == -1 && errno == EEXIST && symlink("", "x") == -1 &&
	      errno == ENOENT);
	CHECK(readlink("short", buffer, sizeof(buffer)) == 6 && !memcmp(buffer, "d/file", 6));
	CHECK(readlink("long", buffer, sizeof(buffer)) == sizeof(text) - 1 &&
	      !memcmp(buffer, text, sizeof(text) - 1));
	CHECK(readlink("long", buffer, 5) == 5 && readlink("d", buffer, 5) == -1 &&
	      errno == EINVAL);
	CHECK(stat("short", &t) == 0 && t.st_ino == s.st_ino && S_ISREG(t.st_mode));
	CHECK(lstat("short", &t) == 0 && S_ISLNK(t.st_mode) && stat("long", &t) == -1 &&
	      errno == ENOENT);
	CHECK(lstat("/data", &t) == 0 && S_ISDIR(t.st_mode));
	CHECK(rename("short", "moved") == 0 && lstat("moved", &t) == 0 && S_ISLNK(t.st_mode));
	CHECK(truncate("moved", 3) == 0 && stat("d/file", &t) == 0 && t.st_size == 3);
	CHECK(utime("moved", &(struct utimbuf){ 1, 1000000000 }) == 0 && stat("d/file", &t) == 0 &&
	      t.st_mtime == 1000000000);
	CHECK(unlink("moved") == 0 && stat("d/file", &t) == 0 && rename("long", "d/long") == 0);
}

static void names(void)
{
	char name[60], text[8] = "";
	struct stat s;
	int file;

	CHECK(mkdir("/data/folder", 0755) == 0);
	CHECK(mkdir("/data/folder", 0755) == -1 && errno == EEXIST);
	CHECK(chdir("/data/folder") == 0 && getcwd(name, sizeof(name)) &&
	      !strcmp(name, "/data/folder"));
	for (int i = 0; i < 150; i++) {
		sprintf(name, "a-name-of-some-length-%d", i);
		file = open(name, O_WRONLY | O_CREAT, 0600);
		CHECK(file > 2 && write(file, name, strlen(name)) == (ssize_t)strlen(name));
		CHECK(close(file) == 0);
	}
	CHECK(entries(".") == 152);
	CHECK(rmdir("/data/folder") == -1 && errno == ENOTEMPTY);
	CHECK(rename("a-name-of-some-length-7", "../seven") == 0);
	CHECK(link("../seven", "other") == 0 && stat("other", &s) == 0 && s.st_nlink == 2);
	CHECK(unlink("../seven") == 0 && stat("other", &s) == 0 && s.st_nlink == 1 &&
	      s.st_size == 23);
	file = open("other", O_RDONLY);
	CHECK(unlink("other") == 0 && open("other", O_RDONLY) == -1 && errno == ENOENT);
	CHECK(read(file, text, 6) == 6 && !strcmp(text, "a-name"));
	CHECK(close(file) == 0);
	for (int i = 0; i < 150; i++) {
		sprintf(name, "/data/./folder/../folder/a-name-of-some-length-%d", i);
		CHECK(remove(name) == (i == 7 ? -1 : 0));
	}
	CHECK(entries("/data/folder") == 2);
	CHECK(rmdir("/data/folder") == 0 && entries("/data/folder/..") >= THREADS + 2);
	CHECK(open("/data/none/x", O_WRONLY | O_CREAT, 0644) == -1 && errno == ENOENT);
	CHECK(open("/data", O_WRONLY) == -1 && errno == EISDIR);
	CHECK(open("/data/0/x", O_RDONLY) == -1 && errno == ENOTDIR);
}

static void write_all(uint64_t seed)
{
	static const char *const name[THREADS] = { "/data/0", "/data/1", "/data/2", "/data/3" };
	struct job job[THREADS] = { { 0 } };
	pthread_t thread[THREADS];
	FILE *f;

	for (long i = 0; i < THREADS; i++) {
		job[i].name = name[i];
		job[i].seed = seed + i;
		CHECK(pthread_create(&thread[i], NULL, writer, &job[i]) == 0);
	}
	for (long i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	cut();
	names();
	moves();
	f = fopen("/data/open-at-the-end", "w");
	CHECK(f && fprintf(f, "%s\n", "written by a thin program") > 0); /* exit() is to write it */
}

/*
 * Files of odd sizes until there is no room. What write() took is there; what it did not take is no error of the file's afterwards, and
 * the disk's last block goes back like any other. How many bytes there was room for.
 */
static long fill(void)
{
	char name[20], bytes[3001];
	long total = 0;
	int files = 0;
	ssize_t n = 0;

	for (; n >= 0; files++) {
		long want = 1 + files * 7919 % 60000, size = 0;
		int file;

		snprintf(name, sizeof(name), "/f%d", files);
		file = open(name, O_RDWR | O_CREAT, 0644);
		if (file < 0)
			break;
		memset(bytes, files, sizeof(bytes));
		while (size < want && (n = write(file, bytes, sizeof(bytes))) > 0)
			size += n;
		CHECK(n > 0 || errno == ENOSPC);
		CHECK(lseek(file, 0, SEEK_END) == size && close(file) == 0);
		total += size;
	}
	CHECK(errno == ENOSPC);
	while (files--) {
		snprintf(name, sizeof(name), "/f%d", files);
		CHECK(files % 3 || truncate(name, files) == 0 || errno == ENOENT);
		CHECK(unlink(name) == 0 || errno == ENOENT);
	}
	return total;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "sum"))
		for (int i = 2; i < argc; i++)
			sum(argv[i]);
	if (argc > 1 && !strcmp(argv[1], "write"))
		write_all(word(argc, argv, "seed", 1));
	if (argc > 1 && !strcmp(argv[1], "fill")) {
		long first = fill(), second = fill();

		CHECK(first > 1 << 20 && second > first - (1 << 17));
	}
	if (argc > 2 && !strcmp(argv[1], "open")) {
		FILE *f = fopen(argv[2], argc > 3 ? argv[3] : "r");
		char c;

		if (f && argc > 3)
			fprintf(f, "x"), fclose(f);
		else if (f && fread(&c, 1, 1, f) == 1)
			errno = 0;
		printf("%s: %s\n", argv[2], strerror(errno));
		return errno != 0;
	}
	return verdict("files");
}
