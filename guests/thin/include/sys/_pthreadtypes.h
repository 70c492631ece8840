/* SPDX-License-Identifier: MIT */
/*
 * What POSIX threads' objects are on the thin OS, in place of newlib's file of this name. Of a static object the initializer is all
 * zero bits (a mutex's kind apart). Every blocking word is 32 bits that threads wait on (guests/thin/futex.h).
 */
#ifndef _SYS__PTHREADTYPES_H_
#define _SYS__PTHREADTYPES_H_

#include <stddef.h>
#include <sys/_types.h>
#include <sys/sched.h>

typedef unsigned long pthread_t; /* address of the thread; 0 is none */

#define PTHREAD_SCOPE_PROCESS	0
#define PTHREAD_SCOPE_SYSTEM	1
#define PTHREAD_CREATE_DETACHED 0
#define PTHREAD_CREATE_JOINABLE 1
#define PTHREAD_PROCESS_PRIVATE 0
#define PTHREAD_PROCESS_SHARED	1
#define PTHREAD_STACK_MIN	16384
#define PTHREAD_KEYS_MAX	128

typedef struct {
	size_t stacksize;
	void *stackaddr; /* NULL: the OS's */
	int detachstate;
	int vcpu; /* -1: where the fewest threads are */
} pthread_attr_t;

#define PTHREAD_MUTEX_NORMAL	 0
#define PTHREAD_MUTEX_RECURSIVE	 1
#define PTHREAD_MUTEX_ERRORCHECK 2
#define PTHREAD_MUTEX_DEFAULT	 PTHREAD_MUTEX_NORMAL

typedef struct {
	__uint32_t word; /* 0 free, 1 held, 2 held and somebody may wait */
	__uint32_t kind;
	pthread_t owner; /* of the kinds that ask */
	__uint32_t depth;
} pthread_mutex_t;

typedef struct {
	int kind;
} pthread_mutexattr_t;

#define _PTHREAD_MUTEX_INITIALIZER            \
	{                                     \
		0, PTHREAD_MUTEX_NORMAL, 0, 0 \
	}
#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP   \
	{                                        \
		0, PTHREAD_MUTEX_RECURSIVE, 0, 0 \
	}

typedef struct {
	__uint32_t signals; /* how many there were */
	__uint32_t clock;   /* 0: CLOCK_REALTIME */
} pthread_cond_t;

typedef struct {
	__uint32_t clock;
} pthread_condattr_t;

#define _PTHREAD_COND_INITIALIZER \
	{                         \
		0, 0              \
	}

/* Those who wait look at `round`, those who come change `here`: two cache lines of 128 bytes. */
typedef struct {
	__uint32_t count, here, left, unused[29];
	__uint32_t round, unused2[31];
} pthread_barrier_t;

typedef struct {
	int unused;
} pthread_barrierattr_t;

typedef struct {
	__uint32_t state;   /* readers; 0xffffffff: a writer */
	__uint32_t writers; /* that wait */
} pthread_rwlock_t;

typedef struct {
	int unused;
} pthread_rwlockattr_t;

#define _PTHREAD_RWLOCK_INITIALIZER \
	{                           \
		0, 0                \
	}

typedef struct {
	__uint32_t state; /* 0 never, 1 under way, 2 under way and waited for, 3 done */
} pthread_once_t;

#define _PTHREAD_ONCE_INIT \
	{                  \
		0          \
	}

typedef __uint32_t pthread_spinlock_t;
typedef __uint32_t pthread_key_t;

#endif /* _SYS__PTHREADTYPES_H_ */
