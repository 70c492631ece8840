/* SPDX-License-Identifier: MIT */
/* What the tests' programs share: assertions that any thread may make, the seed of random numbers, the verdict. */
#ifndef TESTS_THIN_CHECK_H
#define TESTS_THIN_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned check_count, check_failures;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		__atomic_fetch_add(&check_count, 1, __ATOMIC_RELAXED);                             \
		if (!(condition) && __atomic_fetch_add(&check_failures, 1, __ATOMIC_RELAXED) < 20) \
			printf("check failed: %s:%d: %s\n", __func__, __LINE__, #condition);       \
	} while (0)

/* The number behind NAME= among the program's words. */
static inline uint64_t word(int argc, char **argv, const char *name, uint64_t otherwise)
{
	size_t n = strlen(name);

	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], name, n) && argv[i][n] == '=')
			return strtoull(argv[i] + n + 1, NULL, 10);
	return otherwise;
}

static inline uint64_t rng(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline int verdict(const char *name)
{
	if (!check_count)
		printf("check failed: nothing was checked\n");
	printf("%s %s: %u checks\n", check_failures || !check_count ? "FAIL" : "PASS", name,
	       check_count);
	return check_failures || !check_count;
}

#endif /* TESTS_THIN_CHECK_H */
