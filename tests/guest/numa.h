/* SPDX-License-Identifier: MIT */
/*
 * What the programs share that the monitor moves pages under: eight VCPUs on as many nodes. They
 * must behave the same whether pages move or not; test_numa.py looks at what the monitor did.
 */
#ifndef TESTS_GUEST_NUMA_H
#define TESTS_GUEST_NUMA_H

#include "tests/guest/smp.h"

#define LINE_WORDS 16 /* 128 bytes: what a node misses on */
#define PAGE_WORDS (PAGE_SIZE / sizeof(u64))

/* On pages that nothing else lies on. */
static struct {
	volatile u64 arrived, round;
	u64 unused[PAGE_WORDS - 2];
} numa_gate __attribute__((aligned(PAGE_SIZE)));

/* All eight meet here; time and again. */
static inline void numa_meet(void)
{
	u64 round = numa_gate.round;

	if (smp_add(&numa_gate.arrived, 1) == SMP) {
		numa_gate.arrived = 0;
		smp_add(&numa_gate.round, 1);
	}
	smp_wait(&numa_gate.round, round + 1);
}

static inline u64 numa_random(u64 *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return *state >> 33;
}

#endif /* TESTS_GUEST_NUMA_H */
