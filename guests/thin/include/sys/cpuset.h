/* SPDX-License-Identifier: MIT */
/* Sets of VCPUs, as other systems have them in <sched.h>. A thread stays on the VCPU where it began: docs/thin.md. */
#ifndef THIN_SYS_CPUSET_H
#define THIN_SYS_CPUSET_H

#include <stddef.h>
#include <sys/types.h>

#define CPU_SETSIZE 64

typedef struct {
	unsigned long bits;
} cpu_set_t;

#define CPU_ZERO(set)	  ((void)((set)->bits = 0))
#define CPU_SET(n, set)	  ((void)((set)->bits |= 1ul << (n)))
#define CPU_CLR(n, set)	  ((void)((set)->bits &= ~(1ul << (n))))
#define CPU_ISSET(n, set) ((int)((set)->bits >> (n)&1))
#define CPU_COUNT(set)	  __builtin_popcountl((set)->bits)

int pthread_attr_setaffinity_np(pthread_attr_t *attr, size_t bytes, const cpu_set_t *set);
int pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *set);
int pthread_getaffinity_np(pthread_t thread, size_t bytes, cpu_set_t *set);

#endif /* THIN_SYS_CPUSET_H */
