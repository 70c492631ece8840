/* SPDX-License-Identifier: MIT */
/*
 * lu THREADS SIDE: factors a dense matrix into a lower and an upper triangle, without pivots, in the manner of
 * SPLASH-2's LU with contiguous blocks (after Woo, Singh and Hennessy, "The performance advantages of integrating
 * block data transfer in cache-coherent multiprocessors", 1994). The matrix is of blocks of 16 by 16 numbers, each in
 * one piece, dealt to the threads as to a rectangle of processors that is laid over it again and again. In step k the
 * owner factors the block on the diagonal; then those of row and column k are divided by it; then all blocks behind
 * them are reduced by the product of one of each.
 */
#include <math.h>
#include "guests/workloads/parallel.h"

#define BLOCK 16

typedef double block[BLOCK][BLOCK];

static block *blocks;	  /* row by row */
static long side;	  /* blocks in a row */
static int rows, columns; /* of threads */

static block *at(long i, long j) { return &blocks[i * side + j]; }
static int owner(long i, long j) { return (int)(i % rows) * columns + (int)(j % columns); }

static double input(long i, long j)
{
	/* the diagonal is larger than the rest of its row, so that no pivot is needed */
	return parallel_real((uint64_t)(i * parallel.size + j)) +
	       (i == j ? (double)parallel.size : 0);
}

static void factor(block *a)
{
	for (int k = 0; k < BLOCK; k++)
		for (int i = k + 1; i < BLOCK; i++) {
			(*a)[i][k] /= (*a)[k][k];
			for (int j = k + 1; j < BLOCK; j++)
				(*a)[i][j] -= (*a)[i][k] * (*a)[k][j];
		}
}

/* A block below the diagonal one: by its upper triangle, from the right. */
static void divide_column(block *a, const block *diagonal)
{
	for (int i = 0; i < BLOCK; i++)
		for (int k = 0; k < BLOCK; k++) {
			(*a)[i][k] /= (*diagonal)[k][k];
			for (int j = k + 1; j < BLOCK; j++)
				(*a)[i][j] -= (*a)[i][k] * (*diagonal)[k][j];
		}
}

/* A block beside it: by its lower triangle, whose diagonal is 1, from the left. */
static void divide_row(block *a, const block *diagonal)
{
	for (int k = 0; k < BLOCK; k++)
		for (int i = k + 1; i < BLOCK; i++)
			for (int j = 0; j < BLOCK; j++)
				(*a)[i][j] -= (*diagonal)[i][k] * (*a)[k][j];
}

static void reduce(block *a, const block *left, const block *above)
{
	for (int i = 0; i < BLOCK; i++)
		for (int k = 0; k < BLOCK; k++) {
			double factor = (*left)[i][k];

			for (int j = 0; j < BLOCK; j++)
				(*a)[i][j] -= factor * (*above)[k][j];
		}
}

static void work(int thread)
{
	for (long k = 0; k < side; k++) {
		if (owner(k, k) == thread)
			factor(at(k, k));
		parallel_barrier();
		for (long i = k + 1; i < side; i++) {
			if (owner(i, k) == thread)
				divide_column(at(i, k), at(k, k));
			if (owner(k, i) == thread)
				divide_row(at(k, i), at(k, k));
		}
		parallel_barrier();
		for (long i = k + 1; i < side; i++)
			for (long j = k + 1; j < side; j++)
				if (owner(i, j) == thread)
					reduce(at(i, j), at(i, k), at(k, j));
	}
}

static double element(long i, long j) { return (*at(i / BLOCK, j / BLOCK))[i % BLOCK][j % BLOCK]; }

/* The triangles times a vector must be the matrix times it. */
static void check(void)
{
	double *vector = parallel_alloc((size_t)parallel.size, sizeof(*vector));
	double *upper = parallel_alloc((size_t)parallel.size, sizeof(*upper));

	for (long i = 0; i < parallel.size; i++)
		vector[i] = parallel_real(~(uint64_t)i);
	for (long i = 0; i < parallel.size; i++)
		for (long j = i; j < parallel.size; j++)
			upper[i] += element(i, j) * vector[j];
	for (long i = 0; i < parallel.size; i++) {
		double found = upper[i], wanted = 0;

		for (long j = 0; j < i; j++)
			found += element(i, j) * upper[j];
		for (long j = 0; j < parallel.size; j++)
			wanted += input(i, j) * vector[j];
		if (fabs(found - wanted) > 1e-10 * (double)parallel.size)
			parallel_fail("found triangles whose product is another matrix");
	}
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;

	parallel_start(argc, argv, "lu", "rows and columns", BLOCK, 8192);
	if (parallel.size % BLOCK)
		parallel_fail("found rows that are no multiple of 16");
	for (rows = (int)sqrt(parallel.threads); parallel.threads % rows; rows--)
		;
	columns = parallel.threads / rows;
	side = parallel.size / BLOCK;
	blocks = parallel_alloc((size_t)(side * side), sizeof(*blocks));
	for (long i = 0; i < parallel.size; i++)
		for (long j = 0; j < parallel.size; j++)
			(*at(i / BLOCK, j / BLOCK))[i % BLOCK][j % BLOCK] = input(i, j);
	parallel_run(work);
	check();
	for (long i = 0; i < parallel.size; i++)
		for (long j = 0; j < parallel.size; j++)
			sum = parallel_add_real(sum, element(i, j));
	return parallel_report(sum);
}
