/* SPDX-License-Identifier: MIT */
/* Objects of C11 threads, for newlib's <threads.h>: those of POSIX threads. */
#ifndef THIN_MACHINE__THREADS_H
#define THIN_MACHINE__THREADS_H

#include <sys/types.h>

typedef pthread_cond_t cnd_t;
typedef pthread_mutex_t mtx_t;
typedef pthread_t thrd_t;
typedef pthread_key_t tss_t;
typedef pthread_once_t once_flag;

#define ONCE_FLAG_INIT	    _PTHREAD_ONCE_INIT
#define TSS_DTOR_ITERATIONS 4

#endif /* THIN_MACHINE__THREADS_H */
