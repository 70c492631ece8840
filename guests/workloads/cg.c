/* SPDX-License-Identifier: MIT */
/*
 * cg THREADS ROWS: conjugate gradients with a sparse matrix, in the manner of NAS's CG: each thread multiplies its rows of the
 * matrix, read once a step and nobody else's, with a vector that all read in no order, and whose parts their owners
 * write in each step.
 *
 * Sums over the vectors are made of BLOCKS parts in their order, whatever thread adds which.
 */
#include <math.h>
#include "guests/workloads/parallel.h"

#define STEPS  12
#define DEGREE 6 /* entries of a row that it begins; as many others come from other rows */
#define BLOCKS 64

static double *value, *x, *r, *p, *q;
static uint32_t *column, *first; /* of a row's entries */
static double partial[2][BLOCKS];

static void each_block(int thread, int which, const double *a, const double *b)
{
	for (long k = parallel_from(thread, BLOCKS); k < parallel_from(thread + 1, BLOCKS); k++) {
		long from = parallel.size * k / BLOCKS, to = parallel.size * (k + 1) / BLOCKS;
		double sum = 0;

		for (long i = from; i < to; i++)
			sum += a[i] * b[i];
		partial[which][k] = sum;
	}
}

static double added(int which)
{
	double sum = 0;

	for (int k = 0; k < BLOCKS; k++)
		sum += partial[which][k];
	return sum;
}

static double row_times(long i, const double *v)
{
	double sum = 0;

	for (uint32_t k = first[i]; k < first[i + 1]; k++)
		sum += value[k] * v[column[k]];
	return sum;
}

static void work(int thread)
{
	long low = parallel.size * parallel_from(thread, BLOCKS) / BLOCKS,
	     high = parallel.size * parallel_from(thread + 1, BLOCKS) / BLOCKS;
	double rr, next, alpha;

	each_block(thread, 0, r, r);
	parallel_barrier();
	rr = added(0);
	for (int step = 0; step < STEPS; step++) {
		for (long i = low; i < high; i++)
			q[i] = row_times(i, p);
		each_block(thread, 1, p, q);
		parallel_barrier();
		alpha = rr / added(1);
		for (long i = low; i < high; i++) {
			x[i] += alpha * p[i];
			r[i] -= alpha * q[i];
		}
		each_block(thread, 0, r, r);
		parallel_barrier();
		next = added(0);
		for (long i = low; i < high; i++)
			p[i] = r[i] + next / rr * p[i];
		rr = next;
		parallel_barrier();
	}
}

static long other(long i, int k)
{
	return (long)(parallel_hash((uint64_t)(i * DEGREE + k)) % (uint64_t)parallel.size);
}

static void entry(uint32_t *at, long row, long col, double v)
{
	column[at[row]] = (uint32_t)col;
	value[at[row]++] = v;
}

static void make_matrix(void)
{
	long n = parallel.size;
	uint32_t *at = parallel_alloc((size_t)n + 1, sizeof(uint32_t));

	first = parallel_alloc((size_t)n + 1, sizeof(uint32_t));
	for (long i = 0; i < n; i++) {
		first[i + 1] += 1 + DEGREE;
		for (int k = 0; k < DEGREE; k++)
			first[other(i, k) + 1]++;
	}
	for (long i = 0; i < n; i++) {
		first[i + 1] += first[i];
		at[i] = first[i];
	}
	column = parallel_alloc(first[n], sizeof(uint32_t));
	value = parallel_alloc(first[n], sizeof(double));
	for (long i = 0; i < n; i++)
		for (int k = 0; k < DEGREE; k++) {
			double v = parallel_real((uint64_t)(i * DEGREE + k) + 12345) / 2;

			entry(at, i, other(i, k), v);
			entry(at, other(i, k), i, v);
		}
	for (long i = 0; i < n; i++) {
		double whole = 1;

		for (uint32_t k = first[i]; k < at[i]; k++)
			whole += fabs(value[k]);
		entry(at, i, i, whole);
	}
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;
	double before = 0, after = 0;

	parallel_start(argc, argv, "cg", "rows", 64, 1 << 22);
	make_matrix();
	x = parallel_alloc((size_t)parallel.size, sizeof(double));
	r = parallel_alloc((size_t)parallel.size, sizeof(double));
	p = parallel_alloc((size_t)parallel.size, sizeof(double));
	q = parallel_alloc((size_t)parallel.size, sizeof(double));
	for (long i = 0; i < parallel.size; i++) {
		r[i] = p[i] = parallel_real((uint64_t)i);
		before += r[i] * r[i];
	}
	parallel_run(work);
	for (long i = 0; i < parallel.size; i++) {
		double gap = parallel_real((uint64_t)i) - row_times(i, x);

		after += gap * gap;
		sum = parallel_add_real(sum, x[i]);
	}
	if (!(after < before / 10000))
		parallel_fail("found what solves no equation");
	return parallel_report(sum);
}
