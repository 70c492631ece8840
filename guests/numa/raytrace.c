/* SPDX-License-Identifier: MIT */
/*
 * raytrace: a scene that all VCPUs read and nobody writes: 65,536 spheres in a grid of cells, as
 * SPLASH-2's Raytrace has them, 2 MB, which VCPU 0 makes. Paths of up to six reflections in
 * directions as good as random go through it from cell to cell. The image is a panorama, the
 * six faces of a cube; work is handed out in passes over a face, each of pixels some way apart, as
 * a renderer does that shows a coarse picture first. Each part of the image is written by one VCPU.
 * Integers only: the picture is the same everywhere, and not a pretty one.
 *
 * Bootargs: passes=N (256 pixels each).
 */
#include "guests/numa/work.h"

const char guest_name[] = "raytrace";

#define SPHERES	    4 /* in a cell */
#define CELL_SHIFT  10
#define CELLS	    (1u << 14)
#define PASS_ROW    16 /* pixels of a pass in a row, and rows */
#define PASS_PIXELS (PASS_ROW * PASS_ROW)
#define REFLECTIONS 6
#define UNIT_SHIFT  14		      /* a direction has length 1 << UNIT_SHIFT */
#define TIME_SHIFT  (32 - UNIT_SHIFT) /* distances, in steps and crossings, times 1 << this */
#define FAR	    (1l << 40)

/* Each dimension, without a loop. */
#define EACH(d) _Pragma("GCC unroll 3") for (unsigned d = 0; d < 3; d++)

/* Cells in each dimension; their numbers in memory follow a Z curve, so that a page is a
 * neighbourhood. */
static const u32 cells_of[3] = { 32, 32, 16 };

struct sphere {
	s32 at[3];
	s32 radius;
	u32 colour;
	u32 unused[3];
};

struct cell {
	struct sphere sphere[SPHERES];
};

struct ray {
	s64 from[3], along[3];
};

struct hit {
	s64 distance;
	const struct sphere *sphere;
};

static struct cell *cells;
static u32 *image; /* pass by pass */
static u64 passes, next_pass;

/* Bits of a coordinate, two places apart. */
static u32 spread(u32 v)
{
	v = (v | v << 8) & 0x0000f00f;
	v = (v | v << 4) & 0x000c30c3;
	return (v | v << 2) & 0x00249249;
}

static u32 cell_number(const u32 at[3])
{
	/* the third dimension has a bit less than the others, on top */
	return spread(at[0] & 15) | spread(at[1] & 15) << 1 | spread(at[2]) << 2 |
	       (at[0] >> 4) << 12 | (at[1] >> 4) << 13;
}

static void make_cell(const u32 at[3], u64 *seed)
{
	struct cell *cell = &cells[cell_number(at)];

	for (unsigned s = 0; s < SPHERES; s++) {
		struct sphere *sphere = &cell->sphere[s];
		u64 r = work_random(seed);
		s32 radius = (s32)(60 + (r >> 48 & 127)), room = (1 << CELL_SHIFT) - 2 * radius;

		EACH(d)
		sphere->at[d] = (s32)(at[d] << CELL_SHIFT) + radius +
				(s32)((r >> 16 * d & 0xffff) * (u64)room >> 16);
		sphere->radius = radius;
		sphere->colour = (u32)(r >> 32) | 0x404040;
	}
}

static void make_scene(void)
{
	u64 seed = 3;
	u32 at[3];

	cells = work_alloc(CELLS * sizeof(*cells));
	for (at[0] = 0; at[0] < cells_of[0]; at[0]++)
		for (at[1] = 0; at[1] < cells_of[1]; at[1]++)
			for (at[2] = 0; at[2] < cells_of[2]; at[2]++)
				make_cell(at, &seed);
}

static s64 root(s64 x)
{
	s64 r = 0;

	for (s64 bit = 1l << 26; bit; bit >>= 1)
		if ((r + bit) * (r + bit) <= x)
			r += bit;
	return r;
}

static s64 dot(const s64 a[3], const s64 b[3]) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

static void aim(struct ray *ray, const s64 along[3])
{
	s64 length = root(dot(along, along) << 26) + 1;

	EACH(d)
	{
		s64 v = (along[d] << (UNIT_SHIFT + 13)) / length;

		ray->along[d] = v ? v : 1;
	}
}

static void try_cell(const struct ray *ray, const struct cell *cell, struct hit *hit)
{
	_Pragma("GCC unroll 4") for (unsigned s = 0; s < SPHERES; s++)
	{
		const struct sphere *sphere = &cell->sphere[s];
		s64 to[3], across[3], along, rest = (s64)sphere->radius * sphere->radius;

		EACH(d)
		to[d] = sphere->at[d] - ray->from[d];
		along = dot(to, ray->along) >> UNIT_SHIFT;
		EACH(d)
		across[d] = to[d] - (ray->along[d] * along >> UNIT_SHIFT);
		rest -= dot(across, across);
		if (along <= 0 || rest < 0)
			continue;
		along -= root(rest);
		if (along > 1 && along < hit->distance)
			*hit = (struct hit){ along, sphere };
	}
}

/* The first sphere on the ray: cell by cell, until one has a hit or the scene ends. */
static struct hit trace(const struct ray *ray)
{
	s64 next[3], step[3];
	struct hit hit = { FAR, NULL };
	u32 at[3];

	EACH(d)
	{
		s64 inverse = (1l << 32) / ray->along[d], edge;

		at[d] = (u32)(ray->from[d] >> CELL_SHIFT);
		edge = (s64)(at[d] + (inverse > 0)) << CELL_SHIFT;
		next[d] = (edge - ray->from[d]) * inverse;
		step[d] = (inverse > 0 ? inverse : -inverse) << CELL_SHIFT;
	}
	for (;;) {
		unsigned d = next[0] < next[1] ? 0 : 1;

		try_cell(ray, &cells[cell_number(at)], &hit);
		if (hit.sphere)
			return hit;
		d = next[d] < next[2] ? d : 2;
		at[d] += ray->along[d] > 0 ? 1u : -1u;
		if (at[d] >= cells_of[d])
			return hit;
		next[d] += step[d];
	}
}

/* On from the hit, in a direction on the outer side of the sphere. */
static void reflect(struct ray *ray, const struct hit *hit, u64 *seed)
{
	u64 r = work_random(seed);
	s64 out[3], along[3];

	EACH(d)
	{
		s64 edge = ((s64)cells_of[d] << CELL_SHIFT) - 1;

		ray->from[d] += ray->along[d] * hit->distance >> UNIT_SHIFT;
		ray->from[d] = ray->from[d] < 0 ? 0 : MIN(ray->from[d], edge); /* rounding */
		out[d] = ray->from[d] - hit->sphere->at[d];
		along[d] = (s64)(r >> 16 * d & 0xfff) - 0x800;
	}
	if (dot(out, along) < 0)
		EACH(d)
	along[d] = -along[d];
	aim(ray, along);
}

static u32 pixel(u32 x, u32 y, u64 pass)
{
	struct ray ray = { .from = { 16383, 16383, 8191 } };
	u64 seed = pass << 32 | y << 16 | x;
	unsigned face = pass % 3;
	u32 colour = 0;
	s64 along[3];

	along[face] = pass % 6 < 3 ? 2048 : -2048;
	along[(face + 1) % 3] = (s64)x - 2048;
	along[(face + 2) % 3] = (s64)y - 2048;
	aim(&ray, along);
	for (unsigned n = 0; n <= REFLECTIONS; n++) {
		struct hit hit = trace(&ray);

		if (!hit.sphere)
			return colour + (0x808080 >> n);
		colour += hit.sphere->colour >> (n + 1) & 0x7f7f7f;
		reflect(&ray, &hit, &seed);
	}
	return colour;
}

static void render(unsigned worker)
{
	u64 pass;

	(void)worker;
	while ((pass = __atomic_fetch_add(&next_pass, 1, __ATOMIC_RELAXED)) < passes) {
		u32 *part = &image[pass * PASS_PIXELS];
		u64 shift = pass;
		u32 dx = (u32)work_random(&shift) & 255, dy = (u32)work_random(&shift) & 255;

		for (u32 i = 0; i < PASS_PIXELS; i++)
			part[i] = pixel(i % PASS_ROW * 256 + dx, i / PASS_ROW * 256 + dy, pass);
	}
}

int main(void)
{
	u64 sum = 0;

	passes = work_option("passes", 1024);
	image = work_alloc(passes * PASS_PIXELS * sizeof(*image));
	make_scene();
	work_start();
	work_begin();
	work_all(render);
	work_end();
	for (u64 i = 0; i < passes * PASS_PIXELS; i++)
		sum = sum * 31 + image[i];
	work_result(0, sum);
	return work_report();
}
