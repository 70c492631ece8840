/* SPDX-License-Identifier: MIT */
/*
 * What the NUMA workloads share: one worker on each VCPU of the VM, sections that all of them run
 * side by side, and the marks around what is measured. On the bare machine one processor runs the
 * workers of a section one after the other, with the same result.
 */
#ifndef GUESTS_NUMA_WORK_H
#define GUESTS_NUMA_WORK_H

#include "guests/lib/guest.h"
#include "kernel/types.h" /* LINE_BYTES */

extern unsigned work_cpus; /* workers: as many as the VM has VCPUs; 8 on the bare machine */

/* Starts the workers; once, by VCPU 0. */
void work_start(void);
/* fn(worker) on all of them; returns when every one has ended. By VCPU 0. */
void work_all(void (*fn)(unsigned worker));

/* The timing model measures what lies between the two. By VCPU 0, outside work_all. */
void work_begin(void);
void work_end(void);

/* Memory on pages of its own, zero, not touched yet, never given back. */
void *work_alloc(size_t bytes);
/* NAME=decimal in the VM's bootargs, else otherwise. */
u64 work_option(const char *name, u64 otherwise);

/* One worker's part of the result; and the line with the sum of them, which ends the program. */
void work_result(unsigned worker, u64 sum);
int work_report(void);

/* A step of a generator whose bits are as good as random; and a hash that is nothing but
 * work. */
static inline u64 work_random(u64 *state)
{
	u64 x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

#define WORK_HASH_ROUNDS 80
static inline u64 work_hash(u64 x)
{
	_Pragma("GCC unroll 80") for (unsigned i = 0; i < WORK_HASH_ROUNDS; i++)
		x = (x << 13 | x >> 51) * 0x9e3779b97f4a7c15 + i;
	return x;
}

#endif /* GUESTS_NUMA_WORK_H */
