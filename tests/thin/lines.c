/* SPDX-License-Identifier: MIT */
/* stdio: what threads print stays whole, formats, strings, mathematics; and lines that are typed. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <time.h>

#include "tests/thin/check.h"

#define THREADS 6
#define LINES	20

static void *writer(void *arg)
{
	for (int i = 0; i < LINES; i++)
		printf("thread %d line %d of %d: %s\n", (int)(intptr_t)arg, i, LINES, "whole");
	return arg;
}

static void formats(void)
{
	char text[200];
	long double third = 1.0L / 3;
	int a, n;
	double d;
	char word[20];

	snprintf(text, sizeof(text), "%5d|%-6s|%+.3f|%e|%lld|%zu|%x|%c|%%", 42, "ab", 2.5,
		 12345.678, 1ll << 60, sizeof(text), 255, 'z');
	CHECK(!strcmp(text, "   42|ab    |+2.500|1.234568e+04|1152921504606846976|200|ff|z|%"));
	snprintf(text, sizeof(text), "%.17g %a %" PRIu64 " %hhd %.6Lf", 0.1, 1.0, UINT64_MAX, 300,
		 third);
	CHECK(!strcmp(text, "0.10000000000000001 0x1p+0 18446744073709551615 44 0.333333"));
	CHECK(sscanf("17 2.5e3 words here", "%d %lf %19s%n", &a, &d, word, &n) == 3);
	CHECK(a == 17 && d == 2500 && !strcmp(word, "words") && n == 14);
	CHECK(strtod("0x1.8p1", NULL) == 3 && strtoul("ff", NULL, 16) == 255 &&
	      toupper('q') == 'Q');
}

static void mathematics(void)
{
	CHECK(fabs(sin(1) - 0.8414709848078965) < 1e-15 &&
	      fabs(exp(1) - 2.718281828459045) < 1e-15);
	CHECK(sqrt(2) * sqrt(2) != 2 && floor(-0.5) == -1 && fmod(7.5, 2) == 1.5 &&
	      hypot(3, 4) == 5);
	CHECK(fabs(pow(2, 0.5) - sqrt(2)) < 1e-15 && isnan(0.0 / 0.0) && isinf(1 / 0.0) &&
	      lround(2.5) == 3);
	CHECK(1e308 * 10 > 1e308 && 0.1 + 0.2 != 0.3 && fma(2, 3, 4) == 10);
}

static void calendar(void)
{
	time_t t = 1000000000;
	struct tm tm;
	char text[40];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	CHECK(!strcmp(text, "2001-09-09 01:46:40"));
}

static int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static void library(void)
{
	int numbers[] = { 5, 3, 9, 1, 7 }, key = 9, *found;
	char text[] = "a,b;c", *rest;

	qsort(numbers, 5, sizeof(int), by_value);
	found = bsearch(&key, numbers, 5, sizeof(int), by_value);
	CHECK(numbers[0] == 1 && numbers[4] == 9 && found == &numbers[4]);
	CHECK(!strcmp(strtok_r(text, ",;", &rest), "a") &&
	      !strcmp(strtok_r(NULL, ",;", &rest), "b"));
	srand(1);
	CHECK(rand() >= 0 && fopen("/no/such", "r") == NULL);
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	char line[100];

	formats();
	mathematics();
	calendar();
	library();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, writer, (void *)(intptr_t)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	if (word(argc, argv, "read", 0)) {
		printf("name? ");
		fflush(stdout);
		while (fgets(line, sizeof(line), stdin))
			printf("got %d bytes: %s", (int)strlen(line), line);
		printf("end of input\n");
	}
	return verdict("lines");
}
