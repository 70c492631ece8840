/* SPDX-License-Identifier: MIT */
/*
 * raytrace [WIDTH [THREADS]]: the workload Raytrace, in the manner of SPLASH-2's: a fixed scene of
 * spheres over a checkered floor, found through a uniform grid; shadows, reflections to a depth of
 * 5, 4 rays a pixel. Threads take rows from a common counter. Prints a checksum of the image, which
 * is the same for any number of threads; writes no image.
 */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define GRID	24
#define SPHERES 3000
#define DEPTH	5
#define FAR	1e30

struct vec {
	double x, y, z;
};

struct sphere {
	struct vec at;
	double radius;
	struct vec colour;
	double mirror;
};

struct hit {
	double distance;
	struct vec at, normal, colour;
	double mirror;
};

static struct sphere spheres[SPHERES];
static int *cell_list[GRID * GRID * GRID];
static int cell_count[GRID * GRID * GRID];
static const struct vec lights[2] = { { -8, 20, -10 }, { 14, 16, -4 } };
static int width, height;
static uint8_t *image;
static int next_row;

static struct vec add(struct vec a, struct vec b)
{
	return (struct vec){ a.x + b.x, a.y + b.y, a.z + b.z };
}

static struct vec sub(struct vec a, struct vec b)
{
	return (struct vec){ a.x - b.x, a.y - b.y, a.z - b.z };
}

static struct vec scale(struct vec a, double f)
{
	return (struct vec){ a.x * f, a.y * f, a.z * f };
}

static double dot(struct vec a, struct vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

static struct vec unit(struct vec a) { return scale(a, 1 / sqrt(dot(a, a))); }

/* ---- scene: a box of GRID^3 cells of side 1, its corner in the origin ---- */

static uint32_t state = 12345;

static double random_double(double low, double high)
{
	state = state * 1664525 + 1013904223;
	return low + (high - low) * (state >> 8) / (1 << 24);
}

static int cell_of(int x, int y, int z) { return (x * GRID + y) * GRID + z; }

static int clamp(double at)
{
	int cell = (int)floor(at);

	return cell < 0 ? 0 : cell >= GRID ? GRID - 1 : cell;
}

static void cell_add(int cell, int sphere)
{
	int count = cell_count[cell]++;

	if (!(count & (count + 1)) || !count)
		cell_list[cell] = realloc(cell_list[cell], (2 * count + 2) * sizeof(int));
	if (!cell_list[cell])
		exit(1);
	cell_list[cell][count] = sphere;
}

static void scene_make(void)
{
	for (int i = 0; i < SPHERES; i++) {
		struct sphere *s = &spheres[i];

		s->radius = i % 100 ? random_double(0.1, 0.5) : random_double(1, 2.5);
		s->at.x = random_double(0, GRID);
		s->at.y = random_double(s->radius, i % 100 ? 8 : 4);
		s->at.z = random_double(0, GRID);
		s->colour = (struct vec){ random_double(0.2, 1), random_double(0.2, 1),
					  random_double(0.2, 1) };
		s->mirror = i % 3 ? 0 : random_double(0.2, 0.8);
		for (int x = clamp(s->at.x - s->radius); x <= clamp(s->at.x + s->radius); x++)
			for (int y = clamp(s->at.y - s->radius); y <= clamp(s->at.y + s->radius);
			     y++)
				for (int z = clamp(s->at.z - s->radius);
				     z <= clamp(s->at.z + s->radius); z++)
					cell_add(cell_of(x, y, z), i);
	}
}

/* ---- rays ---- */

/* Distance along the ray to the sphere, FAR if it misses. */
static double sphere_hit(const struct sphere *s, struct vec from, struct vec along)
{
	struct vec to = sub(s->at, from);
	double middle = dot(to, along);
	double inside = s->radius * s->radius - dot(to, to) + middle * middle;
	double half;

	if (inside < 0)
		return FAR;
	half = sqrt(inside);
	if (middle - half > 1e-6)
		return middle - half;
	return middle + half > 1e-6 ? middle + half : FAR;
}

/* Where the ray enters the box, FAR if it does not. */
static double box_enter(struct vec from, struct vec along)
{
	const double o[3] = { from.x, from.y, from.z }, d[3] = { along.x, along.y, along.z };
	double enter = 0, leave = FAR;

	for (int i = 0; i < 3; i++) {
		double a, b;

		if (fabs(d[i]) < 1e-12) {
			if (o[i] < 0 || o[i] > GRID)
				return FAR;
			continue;
		}
		a = -o[i] / d[i];
		b = (GRID - o[i]) / d[i];
		enter = fmax(enter, fmin(a, b));
		leave = fmin(leave, fmax(a, b));
	}
	return enter <= leave ? enter : FAR;
}

/* The nearest sphere, cell by cell along the ray; NULL if none is nearer than limit. */
static const struct sphere *grid_hit(struct vec from, struct vec along, double limit,
				     double *distance)
{
	double t = box_enter(from, along);
	struct vec at = add(from, scale(along, t + 1e-9));
	const double d[3] = { along.x, along.y, along.z };
	double p[3] = { at.x, at.y, at.z }, cross[3], delta[3];
	int cell[3], step[3];
	const struct sphere *best = NULL;

	if (t >= limit)
		return NULL;
	for (int i = 0; i < 3; i++) {
		cell[i] = clamp(p[i]);
		step[i] = d[i] < 0 ? -1 : 1;
		delta[i] = fabs(d[i]) < 1e-12 ? FAR : fabs(1 / d[i]);
		cross[i] = fabs(d[i]) < 1e-12 ? FAR : t + (cell[i] + (step[i] > 0) - p[i]) / d[i];
	}
	*distance = limit;
	for (;;) {
		int index = cell_of(cell[0], cell[1], cell[2]);
		int axis = cross[0] < cross[1] ? (cross[0] < cross[2] ? 0 : 2)
					       : (cross[1] < cross[2] ? 1 : 2);

		for (int i = 0; i < cell_count[index]; i++) {
			const struct sphere *s = &spheres[cell_list[index][i]];
			double found = sphere_hit(s, from, along);

			if (found < *distance) {
				*distance = found;
				best = s;
			}
		}
		if (*distance <= cross[axis])
			return best;
		cell[axis] += step[axis];
		if (cell[axis] < 0 || cell[axis] >= GRID)
			return best;
		cross[axis] += delta[axis];
	}
}

static int scene_hit(struct vec from, struct vec along, struct hit *hit)
{
	const struct sphere *s;
	double distance = FAR;

	hit->distance = along.y < -1e-9 ? -from.y / along.y : FAR;
	if (hit->distance < 1e-6)
		hit->distance = FAR;
	s = grid_hit(from, along, hit->distance, &distance);
	if (s) {
		hit->distance = distance;
		hit->at = add(from, scale(along, distance));
		hit->normal = unit(sub(hit->at, s->at));
		hit->colour = s->colour;
		hit->mirror = s->mirror;
		return 1;
	}
	if (hit->distance >= 200)
		return 0;
	hit->at = add(from, scale(along, hit->distance));
	hit->normal = (struct vec){ 0, 1, 0 };
	hit->mirror = 0.15;
	hit->colour = ((int)floor(hit->at.x) ^ (int)floor(hit->at.z)) & 1
			      ? (struct vec){ 0.9, 0.9, 0.9 }
			      : (struct vec){ 0.15, 0.2, 0.3 };
	return 1;
}

static struct vec trace(struct vec from, struct vec along, int depth)
{
	struct vec colour = { 0.3, 0.4, 0.6 };
	struct hit hit;

	if (!scene_hit(from, along, &hit))
		return colour;
	colour = scale(hit.colour, 0.15);
	for (int i = 0; i < 2; i++) {
		struct vec to = sub(lights[i], hit.at);
		double far = sqrt(dot(to, to)), cosine, blocked;

		to = scale(to, 1 / far);
		cosine = dot(to, hit.normal);
		if (cosine > 0 &&
		    !grid_hit(add(hit.at, scale(hit.normal, 1e-5)), to, far, &blocked))
			colour = add(colour, scale(hit.colour, 0.5 * cosine));
	}
	if (hit.mirror > 0 && depth > 1) {
		struct vec mirrored = sub(along, scale(hit.normal, 2 * dot(along, hit.normal)));
		struct vec seen =
			trace(add(hit.at, scale(hit.normal, 1e-5)), unit(mirrored), depth - 1);

		colour = add(scale(colour, 1 - hit.mirror), scale(seen, hit.mirror));
	}
	return colour;
}

/* ---- image ---- */

static uint8_t tone(double v) { return v >= 1 ? 255 : (uint8_t)(v * 255); }

static void row_draw(int y)
{
	const struct vec eye = { GRID / 2.0, 7, -14 };

	for (int x = 0; x < width; x++) {
		struct vec sum = { 0, 0, 0 };
		uint8_t *pixel = image + 3 * ((long)y * width + x);

		for (int i = 0; i < 4; i++) {
			double u = (x + (i & 1) * 0.5 - width / 2.0) / width;
			double v = (height / 2.0 - y - (i >> 1) * 0.5) / width;

			sum = add(sum, trace(eye, unit((struct vec){ u, v - 0.1, 1 }), DEPTH));
		}
		pixel[0] = tone(sum.x / 4);
		pixel[1] = tone(sum.y / 4);
		pixel[2] = tone(sum.z / 4);
	}
}

static void *rows_draw(void *unused)
{
	int y;

	(void)unused;
	while ((y = __atomic_fetch_add(&next_row, 1, __ATOMIC_RELAXED)) < height)
		row_draw(y);
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[2]) : 1;
	pthread_t thread[16];
	uint64_t sum = 0xcbf29ce484222325;

	width = argc > 1 ? atoi(argv[1]) : 160;
	height = width * 3 / 4;
	image = malloc(3L * width * height);
	if (width < 4 || threads < 1 || threads > 16 || !image) {
		fprintf(stderr, "raytrace: found %d threads, allowed 1..16\n", threads);
		return 2;
	}
	scene_make();
	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread[i], NULL, rows_draw, NULL))
			return 1;
	rows_draw(NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	for (long i = 0; i < 3L * width * height; i++)
		sum = (sum ^ image[i]) * 0x100000001b3;
	printf("raytrace %dx%d %016llx\n", width, height, (unsigned long long)sum);
	return 0;
}
