/* SPDX-License-Identifier: MIT */
/* What ordinary C programs call and newlib has not, or under another name. There are no other programs to run, and these calls say so. */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/lock.h>
#include <sys/wait.h>
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
