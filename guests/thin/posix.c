/* SPDX-License-Identifier: MIT */
/* What ordinary C programs call and newlib has not, or under another name. There are no other programs to run, and these calls say so. */
#include <err.h>
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guests/thin/files.h"
#include "guests/thin/thin.h"

ssize_t getdelim(char **line, size_t *room, int end, FILE *f)
{
	return __getdelim(line, room, end, f);
}

ssize_t getline(char **line, size_t *room, FILE *f) { return __getdelim(line, room, '\n', f); }

/* fileno() makes the lock, if nothing was done with the file before. */
void flockfile(FILE *f)
{
	fileno(f);
	__lock_acquire_recursive(f->_lock);
}

int ftrylockfile(FILE *f)
{
	fileno(f);
	return __lock_try_acquire_recursive(f->_lock);
}

void funlockfile(FILE *f) { __lock_release_recursive(f->_lock); }

/* All of it is the user's: there is no system. */
int getrusage(int who, struct rusage *usage)
{
	struct timespec used = { 0 };

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN)
		return fail(EINVAL);
	if (who == RUSAGE_SELF)
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	*usage = (struct rusage){ .ru_utime = { used.tv_sec, used.tv_nsec / 1000 } };
	return 0;
}

/* One program, one user, and that is root. */
uid_t getuid(void) { return 0; }
uid_t geteuid(void) { return 0; }
gid_t getgid(void) { return 0; }
gid_t getegid(void) { return 0; }
pid_t getppid(void) { return 0; }
int getpagesize(void) { return PAGE_SIZE; }

/* ---- <time.h> ---- */

int timespec_get(struct timespec *now, int base)
{
	return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, now) ? base : 0;
}

/* As mktime(), but of UTC whatever TZ says. */
time_t timegm(struct tm *tm)
{
	static const u16 before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	s64 months = tm->tm_year * 12l + tm->tm_mon;
	s64 year = months / 12 - (months % 12 < 0), month = months - year * 12;
	s64 last = year + 1900 - (month < 2); /* the last year whose February 29 may count */
	s64 leap = last / 4 - last / 100 + last / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
	s64 days = (year - 70) * 365 + leap + before[month] + tm->tm_mday - 1;
	time_t seconds = ((days * 24 + tm->tm_hour) * 60 + tm->tm_min) * 60 + tm->tm_sec;

	return gmtime_r(&seconds, tm) ? seconds : -1;
}

/* ---- <libgen.h> ---- */

/* Ends the name before the slashes that it ends with, but for the first character; where the last part begins. */
static char *last_part(char *path)
{
	char *end = path + strlen(path), *part;

	while (end > path + 1 && end[-1] == '/')
		*--end = 0;
	part = strrchr(path, '/');
	return part && part[1] ? part + 1 : path;
}

char *basename(char *path)
{
	static char none[2];

	if (path && *path)
		return last_part(path);
	return strcpy(none, ".");
}

char *dirname(char *path)
{
	static char none[2];
	char *part = path && *path ? last_part(path) : path;

	if (part && *part == '/')
		return path;
	if (part == path)
		return strcpy(none, ".");
	*part = 0;
	last_part(path);
	return path;
}

/* ---- <err.h> ---- */
static void tell(const char *format, va_list ap, const char *why)
{
	flockfile(stderr);
	fprintf(stderr, "%s: ", tree.label);
	if (format)
		vfprintf(stderr, format, ap);
	if (why)
		fprintf(stderr, "%s%s", format ? ": " : "", why);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void vwarn(const char *format, va_list ap) { tell(format, ap, strerror(errno)); }
void vwarnx(const char *format, va_list ap) { tell(format, ap, NULL); }

void verr(int status, const char *format, va_list ap)
{
	vwarn(format, ap);
	exit(status);
}

void verrx(int status, const char *format, va_list ap)
{
	vwarnx(format, ap);
	exit(status);
}

void warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vwarn(format, ap);
	va_end(ap);
}

void warnx(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vwarnx(format, ap);
	va_end(ap);
}

void err(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	verr(status, format, ap);
}

void errx(int status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	verrx(status, format, ap);
}

/* ---- other programs ---- */
pid_t fork(void) { return fail(ENOSYS); }
int execve(const char *name, char *const argv[], char *const env[])
{
	(void)name, (void)argv, (void)env;
	return fail(ENOSYS);
}

pid_t wait(int *status)
{
	(void)status;
	return fail(ECHILD);
}

pid_t waitpid(pid_t pid, int *status, int how)
{
	(void)pid, (void)status, (void)how;
	return fail(ECHILD);
}

/* 0 for NULL: there is no shell. */
int system(const char *command) { return command ? fail(ENOSYS) : 0; }

FILE *popen(const char *command, const char *mode)
{
	(void)command, (void)mode;
	errno = ENOSYS;
	return NULL;
}

int pclose(FILE *f)
{
	(void)f;
	return fail(ECHILD);
}
