/* SPDX-License-Identifier: MIT */
/*
 * What newlib asks of the system below it, for one program with a console and memory after its
 * image: write goes to the console, sbrk gives out the first GUEST_HEAP_BYTES after the image,
 * everything else fails with EINVAL or ENOENT.
 */
#include <errno.h>
#include <sys/stat.h>
#undef errno

#include "guests/lib/guest.h"

extern int errno;
int errno;

static u8 *heap_top = (u8 *)__image_end;

int write(int fd, const char *buf, int n);
int read(int fd, char *buf, int n);
int close(int fd);
long lseek(int fd, long off, int whence);
int isatty(int fd);
int getpid(void);
int kill(int pid, int sig);
void *sbrk(long n);
_Noreturn void _exit(int code);

int write(int fd, const char *buf, int n)
{
	(void)fd;
	platform_write(buf, (size_t)n);
	return n;
}

void *sbrk(long n)
{
	u8 *old = heap_top;

	if (old + n > (u8 *)__image_end + GUEST_HEAP_BYTES || old + n < (u8 *)__image_end) {
		errno = ENOMEM;
		return (void *)-1;
	}
	heap_top = old + n;
	return old;
}

int read(int fd, char *buf, int n)
{
	(void)fd;
	(void)buf;
	(void)n;
	return 0;
}

int close(int fd)
{
	(void)fd;
	errno = EINVAL;
	return -1;
}

int fstat(int fd, struct stat *st)
{
	(void)fd;
	st->st_mode = S_IFCHR;
	return 0;
}

long lseek(int fd, long off, int whence)
{
	(void)fd;
	(void)off;
	(void)whence;
	return 0;
}

int isatty(int fd)
{
	(void)fd;
	return 1;
}

int getpid(void) { return 1; }

int kill(int pid, int sig)
{
	(void)pid;
	(void)sig;
	errno = EINVAL;
	return -1;
}

void _exit(int code) { platform_off(code); }
