/* SPDX-License-Identifier: MIT */
/* What ordinary C programs call beside threads, files and sockets: signals that a program sends itself, lines, patterns, names, times, and what there is not. */
#define _GNU_SOURCE
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fnmatch.h>
#include <libgen.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "tests/thin/check.h"

static volatile sig_atomic_t caught;
static jmp_buf out;

static void note(int number) { caught = number; }
static void leave(int number) { longjmp(out, number); }

static int raises(void *arg)
{
	(void)arg;
	caught = 0;
	CHECK(raise(SIGUSR1) == 0 && caught == SIGUSR1);
	return 0;
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = note }, was;
	sigset_t set, before;
	thrd_t t;

	CHECK(signal(SIGUSR1, note) == SIG_DFL && signal(SIGUSR1, note) == note);
	CHECK(thrd_create(&t, raises, NULL) == thrd_success && thrd_join(t, NULL) == thrd_success);
	CHECK(sigaction(SIGTERM, &action, &was) == 0 && was.sa_handler == SIG_DFL);
	caught = 0;
	CHECK(kill(getpid(), SIGTERM) == 0 && caught == SIGTERM);
	CHECK(kill(getpid() + 1, SIGTERM) == -1 && errno == ESRCH && kill(getpid(), 0) == 0);
	CHECK(raise(NSIG) == -1 && errno == EINVAL);
	CHECK(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	caught = 0;
	CHECK(sigprocmask(SIG_BLOCK, &set, &before) == 0 && raise(SIGTERM) == 0 && caught == 0);
	CHECK(sigpending(&set) == 0 && sigismember(&set, SIGTERM));
	CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0 && caught == SIGTERM);
	CHECK(signal(SIGPIPE, SIG_IGN) == SIG_DFL && raise(SIGPIPE) == 0 && raise(SIGCHLD) == 0);
	signal(SIGABRT, leave);
	switch (setjmp(out)) {
	case 0: abort();
	case SIGABRT: break;
	default: CHECK(!"setjmp() returned what longjmp() was given");
	}
}

static void jumps(void)
{
	sigjmp_buf here;
	volatile int times = 0;

	if (sigsetjmp(here, 1) < 5)
		siglongjmp(here, ++times);
	CHECK(times == 5);
}

static void lines(const char *name)
{
	char *line = NULL, *made = NULL;
	size_t room = 0, all = 0;
	FILE *f = fopen(name, "r");
	ssize_t n;

	CHECK(f);
	while (f && (n = getline(&line, &room, f)) > 0)
		all += n;
	CHECK(f && feof(f) && (off_t)all == ftello(f) && all > 1000);
	rewind(f);
	CHECK(getdelim(&line, &room, '-', f) > 1 && strchr(line, '-') == line + strlen(line) - 1);
	fclose(f);
	CHECK(asprintf(&made, "%d %a %.2Lf %zu", -5, 1.5, 2.25L, sizeof(long)) == 18);
	CHECK(!strcmp(made, "-5 0x1.8p+0 2.25 8"));
	free(made);
	free(line);
}

static void patterns(void)
{
	regmatch_t found[2];
	struct tm tm = { 0 };
	regex_t re;

	CHECK(regcomp(&re, "x(b+)[[:digit:]]$", REG_EXTENDED) == 0);
	CHECK(regexec(&re, "axbbb7", 2, found, 0) == 0 && found[1].rm_so == 2 &&
	      found[1].rm_eo == 5);
	CHECK(regexec(&re, "axbbb", 2, found, 0) == REG_NOMATCH);
	regfree(&re);
	CHECK(regcomp(&re, "(", REG_EXTENDED) != 0);
	CHECK(fnmatch("*.[ch]", "usual.c", 0) == 0 &&
	      fnmatch("*.[ch]", "usual.o", 0) == FNM_NOMATCH);
	CHECK(strptime("2024-02-29 12:30", "%Y-%m-%d %H:%M", &tm) && mktime(&tm) == 1709209800);
}

static bool splits(const char *path, const char *folder, const char *name)
{
	char one[20], other[20];

	return !strcmp(dirname(strcpy(one, path)), folder) &&
	       !strcmp(basename(strcpy(other, path)), name);
}

static void names(void)
{
	CHECK(splits("/usr/lib", "/usr", "lib") && splits("/usr/", "/", "usr") &&
	      splits("usr", ".", "usr"));
	CHECK(splits("/", "/", "/") && splits("", ".", ".") && splits("a//b//", "a", "b") &&
	      splits("//a", "/", "a"));
	CHECK(!strcmp(dirname(NULL), ".") && !strcmp(basename(NULL), "."));
}

/* Of UTC: what mktime() says where TZ is not set. */
static void times(void)
{
	static const struct tm dates[] = {
		{ .tm_mday = 1, .tm_year = 70 },
		{ .tm_mday = 29, .tm_mon = 1, .tm_year = 100, .tm_hour = 23 },
		{ .tm_mday = 1, .tm_mon = 2, .tm_year = 200 },
		{ .tm_mday = 31, .tm_mon = 11, .tm_year = -1 },
		{ .tm_mday = 400, .tm_mon = 27, .tm_year = 124, .tm_sec = -5 },
		{ .tm_mday = 0, .tm_mon = -13, .tm_year = 96, .tm_min = 99 }
	};
	struct timespec now, other;
	struct rusage used;

	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		struct tm one = dates[i], two = dates[i];

		CHECK(timegm(&one) == mktime(&two) && one.tm_yday == two.tm_yday &&
		      one.tm_wday == two.tm_wday);
	}
	CHECK(timespec_get(&now, TIME_UTC) == TIME_UTC &&
	      clock_gettime(CLOCK_REALTIME, &other) == 0);
	CHECK(other.tv_sec - now.tv_sec <= 60 && timespec_get(&now, 0) == 0);
	CHECK(getrusage(RUSAGE_SELF, &used) == 0 &&
	      used.ru_utime.tv_sec + used.ru_utime.tv_usec > 0);
	CHECK(getrusage(RUSAGE_CHILDREN, &used) == 0 &&
	      used.ru_utime.tv_sec + used.ru_utime.tv_usec == 0);
	CHECK(getrusage(7, &used) == -1 && errno == EINVAL);
	CHECK(getuid() == 0 && getegid() == 0 && getppid() == 0 &&
	      getpagesize() == sysconf(_SC_PAGESIZE));
}

static int gets(const void *bytes, size_t n) /* C11 leaves this name to programs */
{
	int set = 0;

	for (size_t i = 0; i < n; i++)
		set += __builtin_popcount(((const unsigned char *)bytes)[i]);
	return set;
}

/* Random bytes, of which half the bits are set, and numbers in an order of bytes. */
static void bytes(void)
{
	unsigned char random[1001] = { 0 };
	uint64_t number = 0x0102030405060708;

	CHECK(getrandom(random, 1000, 0) == 1000 && getrandom(random, 0, GRND_RANDOM) == 0);
	CHECK(gets(random, 1000) > 3600 && gets(random, 1000) < 4400 && random[1000] == 0);
	CHECK(getrandom(random, 1, 256) == -1 && errno == EINVAL);
	CHECK(htobe64(number) == 0x0807060504030201 && le64toh(number) == number);
	CHECK(be16toh(0x1234) == 0x3412 && htobe32(be32toh(7)) == 7);
	CHECK(fdatasync(99) == -1 && errno == EBADF);
}

/* There are no other programs. */
static void alone(void)
{
	CHECK(system(NULL) == 0 && system("ls") == -1 && errno == ENOSYS);
	CHECK(!popen("ls", "r") && errno == ENOSYS && fork() == -1 && errno == ENOSYS);
	CHECK(wait(NULL) == -1 && errno == ECHILD);
	flockfile(stderr);
	CHECK(ftrylockfile(stderr) == 0);
	funlockfile(stderr);
	funlockfile(stderr);
	errno = ENOENT;
	warn("%d", 17);
	warnx("%d", 18);
}

int main(int argc, char **argv)
{
	signals();
	jumps();
	lines(argc > 1 ? argv[1] : "");
	patterns();
	names();
	times();
	bytes();
	alone();
	return verdict("usual");
}
