/* SPDX-License-Identifier: MIT */
/* What ordinary C programs call beside threads, files and sockets: signals that a program sends itself, lines, patterns, and what there is not. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fnmatch.h>
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
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
	alone();
	return verdict("usual");
}
