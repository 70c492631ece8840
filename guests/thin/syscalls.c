/* SPDX-License-Identifier: MIT */
/* What newlib asks of the system below it but for files, and the locks of its own that it has no idea of. */
#include <sys/lock.h>
#include <unistd.h>

#include "guests/thin/files.h"
#include "guests/thin/thin.h"

pid_t getpid(void) { return 1; }
void _exit(int code)
{
	files_end();
	end(code & 0xff);
}

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
