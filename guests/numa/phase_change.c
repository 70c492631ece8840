/* SPDX-License-Identifier: MIT */
/*
 * phase_change: data that is private to one VCPU for a while and then another's. There are as many
 * tables as VCPUs, each filled in by its first user; in each phase every VCPU works on one of them,
 * in the next phase on its neighbour's. Placement by first touch is right for the first phase and
 * wrong ever after.
 *
 * Bootargs: phases=N, sweeps=N (over the table, in one phase).
 */
#include "guests/numa/work.h"

const char guest_name[] = "phase_change";

#define ROWS 12288 /* 1.5 MB a table */

struct row {
	u64 word[LINE_BYTES / sizeof(u64)];
};

static struct row *tables[GUEST_VCPUS_MAX];
static u64 phases, sweeps, phase;

static void fill(unsigned worker)
{
	u64 seed = worker;

	for (u32 i = 0; i < ROWS; i++)
		for (u32 k = 0; k < ARRAY_SIZE(tables[0][i].word); k++)
			tables[worker][i].word[k] = work_random(&seed);
}

/* What came before in the row and in the table decides what is written: no order but the right one
 * gives the right sum. */
static void work(unsigned worker)
{
	struct row *table = tables[(worker + phase) % work_cpus];
	u64 x = phase;

	for (u64 n = 0; n < sweeps; n++)
		for (u32 i = 0; i < ROWS; i++) {
			struct row *r = &table[i];

			x = work_hash(x ^ r->word[x & 7]);
			r->word[n & 7] ^= x;
			r->word[8 + (n & 7)] += x;
		}
}

static void add_up(unsigned worker)
{
	u64 sum = 0;

	for (u32 i = 0; i < ROWS; i++)
		for (u32 k = 0; k < ARRAY_SIZE(tables[0][i].word); k++)
			sum = sum * 31 + tables[worker][i].word[k];
	work_result(worker, sum);
}

int main(void)
{
	phases = work_option("phases", 4);
	sweeps = work_option("sweeps", 30);
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		tables[i] = work_alloc(ROWS * sizeof(struct row));
	work_start();
	work_all(fill);
	work_begin();
	for (phase = 0; phase < phases; phase++)
		work_all(work);
	work_end();
	work_all(add_up);
	return work_report();
}
