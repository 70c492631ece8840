/* SPDX-License-Identifier: MIT */
/*
 * fft THREADS POINTS: the Fourier transform of 4^n complex numbers, in six steps, in the manner of SPLASH-2's
 * FFT (Bailey, "FFTs in external or hierarchical memory", 1990): the points are a square matrix, whose rows
 * are transformed and whose transpositions are all the communication. A thread has a band of rows. Between
 * two transpositions it works on one row at a time, which fits a first-level cache; in a transposition it reads
 * a square from each other thread's band.
 */
#include <math.h>
#include "guests/workloads/parallel.h"

#define PAD   8 /* numbers behind a row, or columns would share a few lines of each cache */
#define BLOCK 8 /* rows and columns that are transposed together: whole lines */

struct complex {
	double re, im;
};

static long side, width; /* of the matrix; numbers from row to row */
static struct complex *points, *scratch, *factors;
static struct complex *roots, *row_roots; /* of unity: as many as points; as a row has */

static struct complex add(struct complex a, struct complex b)
{
	return (struct complex){ a.re + b.re, a.im + b.im };
}

static struct complex sub(struct complex a, struct complex b)
{
	return (struct complex){ a.re - b.re, a.im - b.im };
}

static struct complex mul(struct complex a, struct complex b)
{
	return (struct complex){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

/*
 * The i-th is e^(-2 pi i / count): for each bit of i one whose angle was halved so often, times that of the lower
 * bits. By sqrt() alone, since the sin() of two libraries may differ.
 */
static void make_roots(void)
{
	struct complex angle[64] = { { 1, 0 }, { -1, 0 }, { 0, -1 } }; /* 2 pi / 2^n */
	int bits = 0;

	while (1l << bits < parallel.size)
		bits++;
	for (int i = 3; i <= bits; i++) {
		angle[i].re = sqrt((1 + angle[i - 1].re) / 2);
		angle[i].im = angle[i - 1].im / (2 * angle[i].re);
	}
	roots[0] = angle[0];
	for (long bit = 1; bit < parallel.size; bit *= 2, bits--)
		for (long i = 0; i < bit; i++)
			roots[bit + i] = mul(roots[i], angle[bits]);
	for (long i = 0; i < side; i++)
		row_roots[i] = roots[i * side];
}

/*
 * Rows [from, to) of `target` become columns of `source`, square by square. Each thread begins with its own
 * band, so that no two read the same one.
 */
static void transpose(struct complex *target, const struct complex *source, long from, long to)
{
	for (long first = 0; first < side; first += BLOCK) {
		long column = (from + first) % side;

		for (long row = from; row < to; row++)
			for (long i = column; i < column + BLOCK; i++)
				target[row * width + i] = source[i * width + row];
	}
}

/* In place: the numbers in the order of their reversed indices, then butterflies. */
static void transform(struct complex *row)
{
	for (long i = 1, j = 0; i < side; i++) {
		long bit = side >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			struct complex other = row[i];

			row[i] = row[j];
			row[j] = other;
		}
	}
	for (long half = 1; half < side; half *= 2)
		for (long first = 0; first < side; first += 2 * half)
			for (long i = 0; i < half; i++) {
				struct complex *a = &row[first + i], *b = a + half;
				struct complex turned = mul(*b, row_roots[i * (side / 2 / half)]);

				*b = sub(*a, turned);
				*a = add(*a, turned);
			}
}

static void work(int thread)
{
	long from = parallel_from(thread, side / BLOCK) * BLOCK,
	     to = parallel_from(thread + 1, side / BLOCK) * BLOCK;

	transpose(scratch, points, from, to);
	for (long row = from; row < to; row++) {
		transform(&scratch[row * width]);
		for (long i = 0; i < side; i++)
			scratch[row * width + i] =
				mul(scratch[row * width + i], factors[row * width + i]);
	}
	parallel_barrier();
	transpose(points, scratch, from, to);
	for (long row = from; row < to; row++)
		transform(&points[row * width]);
	parallel_barrier();
	transpose(scratch, points, from, to);
}

static struct complex input(long i)
{
	return (struct complex){ parallel_real(2 * (uint64_t)i),
				 parallel_real(2 * (uint64_t)i + 1) };
}

/* One of the results by the definition of the transform, and the energy of all of them. */
static void check(void)
{
	long which = parallel.size / 3;
	struct complex wanted = { 0, 0 };
	struct complex found = scratch[which / side * width + which % side];
	double before = 0, after = 0, scale = sqrt((double)parallel.size) * 1e-10;

	for (long i = 0; i < parallel.size; i++) {
		struct complex in = input(i), out = scratch[i / side * width + i % side];

		wanted = add(wanted, mul(in, roots[which * i & (parallel.size - 1)]));
		before += in.re * in.re + in.im * in.im;
		after += out.re * out.re + out.im * out.im;
	}
	if (fabs(found.re - wanted.re) > scale || fabs(found.im - wanted.im) > scale)
		parallel_fail("found a result that the definition has otherwise");
	if (fabs(after / (double)parallel.size - before) > before * 1e-10)
		parallel_fail("found another energy in the results than in the points");
}

int main(int argc, char **argv)
{
	size_t numbers;
	uint64_t sum = 0;

	parallel_start(argc, argv, "fft", "points", 64, 1 << 24);
	for (side = BLOCK; side * side < parallel.size; side *= 2)
		;
	if (side * side != parallel.size)
		parallel_fail("found points that are no power of four");
	width = side + PAD;
	numbers = (size_t)(side * width);
	points = parallel_alloc(numbers, sizeof(*points));
	scratch = parallel_alloc(numbers, sizeof(*scratch));
	factors = parallel_alloc(numbers, sizeof(*factors));
	roots = parallel_alloc((size_t)parallel.size, sizeof(*roots));
	row_roots = parallel_alloc((size_t)side, sizeof(*row_roots));
	make_roots();
	for (long row = 0; row < side; row++)
		for (long i = 0; i < side; i++) {
			points[row * width + i] = input(row * side + i);
			factors[row * width + i] = roots[row * i];
		}
	parallel_run(work);
	check();
	for (long row = 0; row < side; row++)
		for (long i = 0; i < side; i++) {
			sum = parallel_add_real(sum, scratch[row * width + i].re);
			sum = parallel_add_real(sum, scratch[row * width + i].im);
		}
	return parallel_report(sum);
}
