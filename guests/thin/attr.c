/* SPDX-License-Identifier: MIT */
/* Attributes of POSIX threads and their objects, and what programs ask about VCPUs. Scheduling has no parameters here. */
#define _GNU_SOURCE /* names of threads, sched_getcpu() */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "guests/thin/thin.h"

int pthread_attr_init(pthread_attr_t *a)
{
	*a = (pthread_attr_t){ .stacksize = thread_stack_bytes,
			       .detachstate = PTHREAD_CREATE_JOINABLE,
			       .vcpu = -1 };
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
	(void)a;
	return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *a, size_t bytes)
{
	if (bytes < PTHREAD_STACK_MIN)
		return EINVAL;
	a->stacksize = bytes;
	return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *a, size_t *bytes)
{
	*bytes = a->stacksize;
	return 0;
}

int pthread_attr_setstack(pthread_attr_t *a, void *lowest, size_t bytes)
{
	a->stackaddr = lowest;
	return pthread_attr_setstacksize(a, bytes);
}

int pthread_attr_getstack(const pthread_attr_t *a, void **lowest, size_t *bytes)
{
	*lowest = a->stackaddr;
	*bytes = a->stacksize;
	return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *a, int state)
{
	if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
		return EINVAL;
	a->detachstate = state;
	return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state)
{
	*state = a->detachstate;
	return 0;
}

/* What lies below a stack is not the program's to choose: guard.c. */
int pthread_attr_setguardsize(pthread_attr_t *a, size_t bytes)
{
	(void)a;
	(void)bytes;
	return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *a, size_t *bytes)
{
	(void)a;
	*bytes = 0;
	return 0;
}

int pthread_attr_setscope(pthread_attr_t *a, int scope)
{
	(void)a;
	return scope == PTHREAD_SCOPE_SYSTEM ? 0 : ENOTSUP;
}

int pthread_attr_getscope(const pthread_attr_t *a, int *scope)
{
	(void)a;
	*scope = PTHREAD_SCOPE_SYSTEM;
	return 0;
}

int pthread_attr_setaffinity_np(pthread_attr_t *a, size_t bytes, const cpu_set_t *set)
{
	if (bytes < sizeof(*set))
		return EINVAL;
	for (u32 i = 0; i < vcpu_count; i++)
		if (CPU_ISSET(i, set)) {
			a->vcpu = CPU_COUNT(set) >= (int)vcpu_count ? -1 : (int)i;
			return 0;
		}
	return EINVAL;
}

/* ---- mutexes, conditions and the rest ---- */
int pthread_mutexattr_init(pthread_mutexattr_t *a)
{
	a->kind = PTHREAD_MUTEX_DEFAULT;
	return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *a, int kind)
{
	if (kind < PTHREAD_MUTEX_NORMAL || kind > PTHREAD_MUTEX_ERRORCHECK)
		return EINVAL;
	a->kind = kind;
	return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *a, int *kind)
{
	*kind = a->kind;
	return 0;
}

int pthread_condattr_init(pthread_condattr_t *a)
{
	a->clock = 0;
	return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *a)
{
	(void)a;
	return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *a, clockid_t clock)
{
	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
		return EINVAL;
	a->clock = (u32)clock;
	return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *restrict a, clockid_t *restrict clock)
{
	*clock = a->clock ? (clockid_t)a->clock : CLOCK_REALTIME;
	return 0;
}

/* There is one process: what is shared by its threads is shared by all. */
#define SHARED(object)                                                         \
	int pthread_##object##_setpshared(pthread_##object##_t *a, int shared) \
	{                                                                      \
		(void)a;                                                       \
		(void)shared;                                                  \
		return 0;                                                      \
	}
SHARED(mutexattr)
SHARED(condattr)
SHARED(barrierattr)
SHARED(rwlockattr)

#define EMPTY(object)                                           \
	int pthread_##object##_init(pthread_##object##_t *a)    \
	{                                                       \
		a->unused = 0;                                  \
		return 0;                                       \
	}                                                       \
	int pthread_##object##_destroy(pthread_##object##_t *a) \
	{                                                       \
		(void)a;                                        \
		return 0;                                       \
	}
EMPTY(barrierattr)
EMPTY(rwlockattr)

/* ---- threads and VCPUs ---- */
int sched_yield(void)
{
	sched_yield_to_others();
	return 0;
}

void pthread_yield(void) { sched_yield_to_others(); }
int sched_getcpu(void) { return (int)this_vcpu()->id; }

/* A thread stays where it began: a set that holds its VCPU is granted, another is not. */
int pthread_setaffinity_np(pthread_t id, size_t bytes, const cpu_set_t *set)
{
	return bytes >= sizeof(*set) && CPU_ISSET(((struct thread *)id)->vcpu->id, set) ? 0
											: EINVAL;
}

int pthread_getaffinity_np(pthread_t id, size_t bytes, cpu_set_t *set)
{
	if (bytes < sizeof(*set))
		return EINVAL;
	CPU_ZERO(set);
	CPU_SET(((struct thread *)id)->vcpu->id, set);
	return 0;
}

int pthread_setname_np(pthread_t id, const char *name)
{
	strlcpy(((struct thread *)id)->name, name, THIN_NAME_BYTES);
	return 0;
}

int pthread_getname_np(pthread_t id, char *name, size_t bytes)
{
	strlcpy(name, ((struct thread *)id)->name, bytes);
	return 0;
}

long sysconf(int what)
{
	switch (what) {
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN: return vcpu_count;
	case _SC_PAGESIZE: return PAGE_SIZE;
	case _SC_PHYS_PAGES: return (long)(heap_total() / PAGE_SIZE);
	case _SC_AVPHYS_PAGES: return (long)((heap_total() - heap_used()) / PAGE_SIZE);
	case _SC_CLK_TCK: return CLOCKS_PER_SEC;
	case _SC_THREAD_KEYS_MAX: return PTHREAD_KEYS_MAX;
	case _SC_THREAD_STACK_MIN: return PTHREAD_STACK_MIN;
	default: errno = EINVAL; return -1;
	}
}
