/* SPDX-License-Identifier: MIT */
/* newlib's, and what the thin OS has of POSIX, which decides what newlib's other headers declare. */
#ifndef THIN_SYS_FEATURES_H
#define THIN_SYS_FEATURES_H

#include_next <sys/features.h>

#define __DYNAMIC_REENT__ /* errno and its like are each thread's own */

#define _POSIX_THREADS			  200809L
#define _POSIX_TIMERS			  200809L
#define _POSIX_TIMEOUTS			  200809L
#define _POSIX_BARRIERS			  200809L
#define _POSIX_READER_WRITER_LOCKS	  200809L
#define _POSIX_SPIN_LOCKS		  200809L
#define _POSIX_SEMAPHORES		  200809L
#define _POSIX_MONOTONIC_CLOCK		  200809L
#define _POSIX_CLOCK_SELECTION		  200809L
#define _POSIX_CPUTIME			  200809L
#define _POSIX_THREAD_CPUTIME		  200809L
#define _POSIX_THREAD_ATTR_STACKSIZE	  200809L
#define _POSIX_THREAD_PRIORITY_SCHEDULING 200809L /* setscope and getscope of it */
#define _POSIX_THREAD_PROCESS_SHARED	  200809L
#define _UNIX98_THREAD_MUTEX_ATTRIBUTES	  1

#endif /* THIN_SYS_FEATURES_H */
