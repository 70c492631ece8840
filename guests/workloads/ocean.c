/* SPDX-License-Identifier: MIT */
/*
 * ocean THREADS SIDE: Poisson's equation on a square of SIDE x SIDE inner points by multigrid, in the manner of SPLASH-2's Ocean: red-black
 * relaxation on grids of half the side each, where each thread has a band of rows of each grid and reads the rows
 * beside it. The bands are the same in all cycles, and on the coarse grids they are less than a page.
 */
#include <math.h>
#include "guests/workloads/parallel.h"

#define CYCLES 6
#define SWEEPS 2 /* of relaxation, on the way down and up */
#define LEVELS 16

/* Of side + 2 rows and columns, the outermost are the rim, which is zero; h2: the square of the distance of points. */
struct grid {
	long side;
	double h2;
	double *u, *f, *r; /* solution, right-hand side, what is left of it */
};

static struct grid grids[LEVELS];
static int levels;

static double *at(const struct grid *g, double *of, long row) { return &of[row * (g->side + 2)]; }

static void relax(const struct grid *g, int thread, int colour)
{
	long end = parallel_from(thread + 1, g->side);

	for (long i = parallel_from(thread, g->side); i < end; i++) {
		double *row = at(g, g->u, i + 1), *up = at(g, g->u, i), *down = at(g, g->u, i + 2);
		const double *f = at(g, g->f, i + 1);

		for (long j = 1 + ((i + colour) & 1); j <= g->side; j += 2)
			row[j] = 0.25 * (up[j] + down[j] + row[j - 1] + row[j + 1] - g->h2 * f[j]);
	}
}

static void smooth(const struct grid *g, int thread)
{
	for (int i = 0; i < 2 * SWEEPS; i++) {
		relax(g, thread, i & 1);
		parallel_barrier();
	}
}

static double left(const struct grid *g, long i, long j)
{
	const double *row = at(g, g->u, i), *up = at(g, g->u, i - 1), *down = at(g, g->u, i + 1);

	return at(g, g->f, i)[j] - (up[j] + down[j] + row[j - 1] + row[j + 1] - 4 * row[j]) / g->h2;
}

static void find_left(const struct grid *g, int thread)
{
	long end = parallel_from(thread + 1, g->side);

	for (long i = parallel_from(thread, g->side); i < end; i++)
		for (long j = 1; j <= g->side; j++)
			at(g, g->r, i + 1)[j] = left(g, i + 1, j);
}

/* To the coarse grid, whose point (i, j) is this one's (2i, 2j), from the nine around it. */
static void restrict_to(const struct grid *c, const struct grid *g, int thread)
{
	long end = parallel_from(thread + 1, c->side);

	for (long i = parallel_from(thread, c->side); i < end; i++) {
		const double *row = at(g, g->r, 2 * i + 2), *up = at(g, g->r, 2 * i + 1),
			     *down = at(g, g->r, 2 * i + 3);
		double *f = at(c, c->f, i + 1), *u = at(c, c->u, i + 1);

		for (long j = 1; j <= c->side; j++) {
			f[j] = (4 * row[2 * j] +
				2 * (row[2 * j - 1] + row[2 * j + 1] + up[2 * j] + down[2 * j]) +
				up[2 * j - 1] + up[2 * j + 1] + down[2 * j - 1] + down[2 * j + 1]) /
			       16;
			u[j] = 0;
		}
	}
}

/* And what was found there is added here. */
static void prolong(const struct grid *g, const struct grid *c, int thread)
{
	long end = parallel_from(thread + 1, g->side);

	for (long i = parallel_from(thread, g->side); i < end; i++) {
		double *u = at(g, g->u, i + 1);
		const double *low = at(c, c->u, (i + 1) / 2), *high = at(c, c->u, (i + 2) / 2);

		for (long j = 1; j <= g->side; j++)
			u[j] += (low[j / 2] + low[(j + 1) / 2] + high[j / 2] + high[(j + 1) / 2]) /
				4;
	}
}

static void cycle(int level, int thread)
{
	const struct grid *g = &grids[level];

	smooth(g, thread);
	if (level + 1 == levels)
		return;
	find_left(g, thread);
	parallel_barrier();
	restrict_to(&grids[level + 1], g, thread);
	parallel_barrier();
	cycle(level + 1, thread);
	prolong(g, &grids[level + 1], thread);
	parallel_barrier();
	smooth(g, thread);
}

static void work(int thread)
{
	for (int i = 0; i < CYCLES; i++)
		cycle(0, thread);
}

static void grid_init(struct grid *g, long side)
{
	size_t points = (size_t)(side + 2) * (size_t)(side + 2);

	*g = (struct grid){ .side = side, .h2 = 1.0 / (double)((side + 1) * (side + 1)) };
	g->u = parallel_alloc(points, sizeof(double));
	g->f = parallel_alloc(points, sizeof(double));
	g->r = parallel_alloc(points, sizeof(double));
}

static double norm(void)
{
	double sum = 0;

	for (long i = 1; i <= grids[0].side; i++)
		for (long j = 1; j <= grids[0].side; j++) {
			double x = left(&grids[0], i, j);

			sum += x * x;
		}
	return sqrt(sum);
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;
	double before;

	parallel_start(argc, argv, "ocean", "rows and columns", 7, 4095);
	if ((parallel.size + 1) & parallel.size)
		parallel_fail("found rows that are not one less than a power of two");
	for (long side = parallel.size; side >= 3; side /= 2)
		grid_init(&grids[levels++], side);
	for (long i = 1; i <= parallel.size; i++)
		for (long j = 1; j <= parallel.size; j++)
			at(&grids[0], grids[0].f, i)[j] =
				parallel_real((uint64_t)(i * (parallel.size + 2) + j));
	before = norm();
	parallel_run(work);
	if (!(norm() < before / 10000))
		parallel_fail("found what solves no equation");
	for (long i = 1; i <= parallel.size; i++)
		for (long j = 1; j <= parallel.size; j++)
			sum = parallel_add_real(sum, at(&grids[0], grids[0].u, i)[j]);
	return parallel_report(sum);
}
