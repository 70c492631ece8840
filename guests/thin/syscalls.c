/* SPDX-License-Identifier: MIT */
/* What newlib asks of the system below it, and the locks of its own that it has no idea of. Files are the console's three. */
#include <errno.h>
#include <fcntl.h>
#include <sys/lock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guests/thin/thin.h"

#define CONSOLE_FILES 3

static int fail(int error)
{
	errno = error;
	return -1;
}

static bool is_console(int file) { return file >= 0 && file < CONSOLE_FILES; }

_READ_WRITE_RETURN_TYPE write(int file, const void *bytes, size_t n)
{
	if (!is_console(file))
		return fail(EBADF);
	console_write(bytes, n);
	return (_READ_WRITE_RETURN_TYPE)n;
}

_READ_WRITE_RETURN_TYPE read(int file, void *bytes, size_t n)
{
	if (!is_console(file))
		return fail(EBADF);
	return n ? (_READ_WRITE_RETURN_TYPE)console_read(bytes, n) : 0;
}

int open(const char *name, int flags, ...)
{
	(void)name;
	(void)flags;
	return fail(ENOENT);
}

int close(int file) { return is_console(file) ? 0 : fail(EBADF); }
off_t lseek(int file, off_t offset, int whence)
{
	(void)offset;
	(void)whence;
	return fail(is_console(file) ? ESPIPE : EBADF);
}

int fstat(int file, struct stat *s)
{
	if (!is_console(file))
		return fail(EBADF);
	*s = (struct stat){ .st_mode = S_IFCHR, .st_blksize = 1024 };
	return 0;
}

int stat(const char *restrict name, struct stat *restrict s)
{
	(void)name;
	(void)s;
	return fail(ENOENT);
}

int isatty(int file) { return is_console(file) ? 1 : (fail(ENOTTY), 0); }

int unlink(const char *name)
{
	(void)name;
	return fail(ENOENT);
}

int link(const char *from, const char *to)
{
	(void)from;
	(void)to;
	return fail(ENOENT);
}

pid_t getpid(void) { return 1; }
void _exit(int code) { end(code & 0xff); }

/* ---- newlib's locks ---- */
struct __lock {
	pthread_mutex_t mutex;
};

#define PLAIN                             \
	{                                 \
		PTHREAD_MUTEX_INITIALIZER \
	}
#define RECURSIVE                                      \
	{                                              \
		PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP \
	}

struct __lock __lock___sinit_recursive_mutex = RECURSIVE;
struct __lock __lock___sfp_recursive_mutex = RECURSIVE;
struct __lock __lock___atexit_recursive_mutex = RECURSIVE;
struct __lock __lock___at_quick_exit_mutex = PLAIN;
struct __lock __lock___malloc_recursive_mutex = RECURSIVE;
struct __lock __lock___env_recursive_mutex = RECURSIVE;
struct __lock __lock___tz_mutex = PLAIN;
struct __lock __lock___dd_hash_mutex = PLAIN;
struct __lock __lock___arc4random_mutex = PLAIN;

static void lock_init(_LOCK_T *lock, struct __lock value)
{
	*lock = heap_alloc(sizeof(**lock), 16, NULL);
	if (!*lock)
		give_up("no memory for a lock of the C library");
	**lock = value;
}

void __retarget_lock_init(_LOCK_T *lock) { lock_init(lock, (struct __lock)PLAIN); }
void __retarget_lock_init_recursive(_LOCK_T *lock) { lock_init(lock, (struct __lock)RECURSIVE); }
void __retarget_lock_close(_LOCK_T lock) { heap_free(lock); }
void __retarget_lock_close_recursive(_LOCK_T lock) { heap_free(lock); }
void __retarget_lock_acquire(_LOCK_T lock) { pthread_mutex_lock(&lock->mutex); }
void __retarget_lock_acquire_recursive(_LOCK_T lock) { pthread_mutex_lock(&lock->mutex); }
int __retarget_lock_try_acquire(_LOCK_T lock) { return pthread_mutex_trylock(&lock->mutex); }
int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
	return pthread_mutex_trylock(&lock->mutex);
}
void __retarget_lock_release(_LOCK_T lock) { pthread_mutex_unlock(&lock->mutex); }
void __retarget_lock_release_recursive(_LOCK_T lock) { pthread_mutex_unlock(&lock->mutex); }
