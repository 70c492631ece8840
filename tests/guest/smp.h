/* SPDX-License-Identifier: MIT */
/*
 * What the programs share whose VCPUs live on several nodes. Waits go by YIELD, which lets the
 * other nodes' processors run, and end after some 20 seconds at most: then the test has failed.
 */
#ifndef TESTS_GUEST_SMP_H
#define TESTS_GUEST_SMP_H

#include "tests/guest/test.h"

#define SMP	  8 /* VCPUs of the VM: the tests' `Needs: vcpus=` */
#define SMP_LIMIT 3400000000u

static volatile u64 smp_late; /* waits that came to nothing */

static inline u64 smp_add(volatile u64 *what, u64 n)
{
	return __atomic_add_fetch(what, n, __ATOMIC_SEQ_CST);
}

/* Until *what is at least value. */
static inline bool smp_wait(volatile u64 *what, u64 value)
{
	u32 start = cp0_read_count();

	while (__atomic_load_n(what, __ATOMIC_ACQUIRE) < value) {
		if (smp_late || cp0_read_count() - start > SMP_LIMIT) {
			smp_late = 1; /* nobody need wait after the first */
			return false;
		}
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	return true;
}

/* A VCPU on its way to VCPU_STOP still counts as running. */
static inline s64 smp_start(unsigned id, void (*entry)(u64), u64 arg)
{
	u32 start = cp0_read_count();
	s64 result;

	while ((result = guest_start_vcpu(id, entry, arg)) == -DISCO_EBUSY &&
	       cp0_read_count() - start < SMP_LIMIT)
		hypercall(DISCO_HC_YIELD, 0, 0);
	return result;
}

/* All but VCPU 0, at entry(its number). */
static inline void smp_start_all(void (*entry)(u64))
{
	for (unsigned id = 1; id < SMP; id++)
		check_eq(text("start of VCPU %u", id), (u64)smp_start(id, entry, id), 0);
}

#endif /* TESTS_GUEST_SMP_H */
