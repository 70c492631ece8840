/* SPDX-License-Identifier: MIT */
/*
 * barnes THREADS BODIES: four steps of bodies that attract each other, by the method of Barnes and Hut ("A
 * hierarchical O(N log N) force-calculation algorithm", 1986), in the manner of SPLASH-2's Barnes. In each step all
 * threads put their bodies into one octree, under locks; sum up mass and centre of the cells; share out the bodies anew,
 * by what each cost in the last step, as neighbourhoods of the tree (costzones); compute forces, which reads much of
 * the tree in an order that nobody knows before; and move their bodies.
 *
 * A cell is split when it has a second body. So which cells there are does not depend on who came first, and neither does
 * any sum, which goes over a cell's children in their order.
 */
#include <math.h>
#include <stdatomic.h>
#include "guests/workloads/parallel.h"

#define STEPS	  4
#define TIME	  0.02
#define OPENING	  0.8 /* a cell acts as one body where its side is at most this times its distance */
#define SOFTENING 0.0025
#define DEPTH	  60
#define LOCKS	  256
#define TASKS	  64 /* cells two levels below the root */
#define CHECKED	  16
#define PIECE	  32 /* cells that a thread takes at a time */

struct vec {
	double at[3];
};

struct body {
	struct vec at, speed, force;
	double mass;
	uint32_t cost;
};

struct cell {
	struct vec centre; /* of mass */
	double mass, side;
	struct vec middle;
	uint32_t cost;
	atomic_int child[8]; /* 0: none; a cell's number; -1 - a body's */
};

static struct body *bodies;
static struct cell *cells; /* [1] is the root */
static pthread_mutex_t locks[LOCKS];
static int *mine[PARALLEL_THREADS]; /* its bodies */
static atomic_int next_task;
static atomic_long next_piece; /* of the cells that nobody has taken yet */
static long room;	       /* of cells */

/* A line and more for each: what one thread writes and others read behind a barrier. */
static struct {
	struct vec low, high;
	long count;	/* of its bodies */
	long next, end; /* of its piece of cells */
	double unused[24];
} own[PARALLEL_THREADS];

static struct vec sub(struct vec a, struct vec b)
{
	return (struct vec){ { a.at[0] - b.at[0], a.at[1] - b.at[1], a.at[2] - b.at[2] } };
}

/* a + factor * b */
static struct vec add(struct vec a, double factor, struct vec b)
{
	return (struct vec){ { a.at[0] + factor * b.at[0], a.at[1] + factor * b.at[1],
			       a.at[2] + factor * b.at[2] } };
}

static double square(struct vec a)
{
	return a.at[0] * a.at[0] + a.at[1] * a.at[1] + a.at[2] * a.at[2];
}

/* ---- the tree ---- */

static int cell_new(int thread, struct vec middle, double side)
{
	struct cell *cell;

	if (own[thread].next == own[thread].end) {
		own[thread].next = atomic_fetch_add(&next_piece, PIECE);
		own[thread].end = own[thread].next + PIECE;
		if (own[thread].end > room)
			parallel_fail("found more cells than there is room for");
	}
	cell = &cells[own[thread].next];
	cell->middle = middle;
	cell->side = side;
	for (int i = 0; i < 8; i++)
		atomic_store_explicit(&cell->child[i], 0, memory_order_relaxed);
	return (int)own[thread].next++;
}

static int octant(const struct cell *cell, struct vec at)
{
	return (at.at[0] >= cell->middle.at[0]) | (at.at[1] >= cell->middle.at[1]) << 1 |
	       (at.at[2] >= cell->middle.at[2]) << 2;
}

static int cell_inside(int thread, const struct cell *cell, int which)
{
	double quarter = cell->side / 4;
	struct vec to = { { which & 1 ? quarter : -quarter, which & 2 ? quarter : -quarter,
			    which & 4 ? quarter : -quarter } };

	return cell_new(thread, add(cell->middle, 1, to), cell->side / 2);
}

/* Down to a cell that has room for the body, or a body that it shares a cell with: that one goes down a level first. */
static void insert(int thread, int number)
{
	const struct body *body = &bodies[number];
	int at = 1;

	for (int depth = 0; depth < DEPTH;) {
		struct cell *cell = &cells[at];
		int which = octant(cell, body->at);
		atomic_int *place = &cell->child[which];
		int child = atomic_load_explicit(place, memory_order_acquire);

		if (child <= 0) {
			pthread_mutex_t *lock = &locks[at % LOCKS];

			pthread_mutex_lock(lock);
			child = atomic_load_explicit(place, memory_order_relaxed);
			if (!child) {
				atomic_store_explicit(place, -1 - number, memory_order_release);
			} else if (child < 0) {
				int below = cell_inside(thread, cell, which);

				atomic_store_explicit(&cells[below]
							       .child[octant(&cells[below],
									     bodies[-1 - child].at)],
						      child, memory_order_relaxed);
				atomic_store_explicit(place, below, memory_order_release);
				child = below;
			}
			pthread_mutex_unlock(lock);
			if (!child)
				return;
		}
		at = child;
		depth++;
	}
	parallel_fail("found two bodies at one place");
}

/* The root: a cube around all bodies, whose side is a power of two. */
static void make_root(void)
{
	struct vec low = own[0].low, high = own[0].high, middle;
	double side = 1.0 / 1024;

	for (int t = 1; t < parallel.threads; t++)
		for (int d = 0; d < 3; d++) {
			low.at[d] = fmin(low.at[d], own[t].low.at[d]);
			high.at[d] = fmax(high.at[d], own[t].high.at[d]);
		}
	for (int d = 0; d < 3; d++) {
		while (side <= high.at[d] - low.at[d])
			side *= 2;
		middle.at[d] = (low.at[d] + high.at[d]) / 2;
	}
	cells[1].middle = middle;
	cells[1].side = side;
	for (int i = 0; i < 8; i++)
		atomic_store_explicit(&cells[1].child[i], 0, memory_order_relaxed);
}

/* Mass, centre and cost of a cell from its children; with `below` from those of theirs, too. */
static void sum_up(struct cell *cell, int below)
{
	struct vec moment = { { 0, 0, 0 } };

	cell->mass = 0;
	cell->cost = 0;
	for (int i = 0; i < 8; i++) {
		int child = atomic_load_explicit(&cell->child[i], memory_order_relaxed);

		if (child > 0) {
			if (below)
				sum_up(&cells[child], below - 1);
			cell->mass += cells[child].mass;
			cell->cost += cells[child].cost;
			moment = add(moment, cells[child].mass, cells[child].centre);
		} else if (child < 0) {
			const struct body *body = &bodies[-1 - child];

			cell->mass += body->mass;
			cell->cost += body->cost;
			moment = add(moment, body->mass, body->at);
		}
	}
	cell->centre = add((struct vec){ { 0, 0, 0 } }, 1 / cell->mass, moment);
}

/* A task is a cell two levels below the root, if there is one. */
static void sum_up_tasks(void)
{
	int task;

	while ((task = atomic_fetch_add(&next_task, 1)) < TASKS) {
		int child = atomic_load(&cells[1].child[task / 8]);

		if (child > 0 && (child = atomic_load(&cells[child].child[task % 8])) > 0)
			sum_up(&cells[child], DEPTH);
	}
}

/* The bodies below a cell whose cost, summed up in the order of the tree, is in [from, to). */
static void take(int thread, int number, uint64_t before, uint64_t from, uint64_t to)
{
	for (int i = 0; i < 8 && before < to; i++) {
		int child = atomic_load_explicit(&cells[number].child[i], memory_order_relaxed);

		if (child > 0) {
			if (before + cells[child].cost > from)
				take(thread, child, before, from, to);
			before += cells[child].cost;
		} else if (child < 0) {
			if (before >= from)
				mine[thread][own[thread].count++] = -1 - child;
			before += bodies[-1 - child].cost;
		}
	}
}

/* ---- forces ---- */

static struct vec pull(struct vec force, struct vec at, struct vec other, double mass)
{
	struct vec to = sub(other, at);
	double far = square(to) + SOFTENING;

	return add(force, mass / (far * sqrt(far)), to);
}

static struct vec attract(struct body *body, int number, struct vec force)
{
	const struct cell *cell = &cells[number];

	for (int i = 0; i < 8; i++) {
		int child = atomic_load_explicit(&cell->child[i], memory_order_relaxed);

		if (child > 0) {
			const struct cell *below = &cells[child];

			if (below->side * below->side >
			    OPENING * OPENING * square(sub(below->centre, body->at))) {
				force = attract(body, child, force);
				continue;
			}
			force = pull(force, body->at, below->centre, below->mass);
			body->cost++;
		} else if (child < 0 && &bodies[-1 - child] != body) {
			force = pull(force, body->at, bodies[-1 - child].at,
				     bodies[-1 - child].mass);
			body->cost++;
		}
	}
	return force;
}

/* ---- steps ---- */

static void find_extent(int thread)
{
	own[thread].low = own[thread].high = bodies[0].at;
	for (long i = 0; i < own[thread].count; i++)
		for (int d = 0; d < 3; d++) {
			double at = bodies[mine[thread][i]].at.at[d];

			own[thread].low.at[d] = fmin(own[thread].low.at[d], at);
			own[thread].high.at[d] = fmax(own[thread].high.at[d], at);
		}
}

static void step(int thread, int last)
{
	uint64_t all;

	find_extent(thread);
	own[thread].next = own[thread].end = 0;
	parallel_barrier();
	if (!thread) {
		make_root();
		atomic_store(&next_task, 0);
		atomic_store(&next_piece, 2);
	}
	parallel_barrier();
	for (long i = 0; i < own[thread].count; i++)
		insert(thread, mine[thread][i]);
	parallel_barrier();
	sum_up_tasks();
	parallel_barrier();
	if (!thread) {
		for (int i = 0; i < 8; i++)
			if (atomic_load(&cells[1].child[i]) > 0)
				sum_up(&cells[atomic_load(&cells[1].child[i])], 0);
		sum_up(&cells[1], 0);
	}
	parallel_barrier();
	all = cells[1].cost;
	own[thread].count = 0;
	take(thread, 1, 0, all * (uint64_t)thread / (uint64_t)parallel.threads,
	     all * (uint64_t)(thread + 1) / (uint64_t)parallel.threads);
	parallel_barrier();
	for (long i = 0; i < own[thread].count; i++) {
		struct body *body = &bodies[mine[thread][i]];

		body->cost = 0;
		body->force = attract(body, 1, (struct vec){ { 0, 0, 0 } });
	}
	parallel_barrier();
	for (long i = 0; i < own[thread].count; i++) {
		struct body *body = &bodies[mine[thread][i]];

		body->speed = add(body->speed, TIME, body->force);
		if (!last)
			body->at = add(body->at, TIME, body->speed);
	}
}

static void work(int thread)
{
	long from = parallel_from(thread, parallel.size),
	     to = parallel_from(thread + 1, parallel.size);

	for (long i = from; i < to; i++)
		mine[thread][own[thread].count++] = (int)i;
	for (int i = 0; i < STEPS; i++)
		step(thread, i == STEPS - 1);
}

/* ---- before and after ---- */

/* Two clouds, denser inside, that approach each other. */
static void make_bodies(void)
{
	uint64_t next = 1;

	for (long i = 0; i < parallel.size; i++) {
		struct vec at;
		double far, sign = i % 2 ? 1 : -1;

		do {
			for (int d = 0; d < 3; d++)
				at.at[d] = parallel_real(next++);
			far = square(at);
		} while (far > 1);
		bodies[i].at = add((struct vec){ { 2 * sign, sign / 2, 0 } }, far, at);
		bodies[i].speed = (struct vec){ { -sign / 2, at.at[2] / 4, -at.at[1] / 4 } };
		bodies[i].mass = 1.0 / (double)parallel.size;
		bodies[i].cost = 1;
	}
}

/* The last forces of some bodies against the sum over all others. */
static void check(void)
{
	double wrong = 0, all = 0;

	for (int i = 0; i < CHECKED; i++) {
		const struct body *body = &bodies[i * parallel.size / CHECKED];
		struct vec force = { { 0, 0, 0 } };

		for (long j = 0; j < parallel.size; j++)
			if (&bodies[j] != body)
				force = pull(force, body->at, bodies[j].at, bodies[j].mass);
		wrong += square(sub(force, body->force));
		all += square(force);
	}
	if (!(sqrt(wrong / all) < 0.05))
		parallel_fail("found forces that are not those of all bodies together");
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;

	parallel_start(argc, argv, "barnes", "bodies", 16, 1 << 20);
	bodies = parallel_alloc((size_t)parallel.size, sizeof(*bodies));
	room = 2 + parallel.size + parallel.threads * PIECE;
	cells = parallel_alloc((size_t)room, sizeof(*cells));
	for (int t = 0; t < parallel.threads; t++)
		mine[t] = parallel_alloc((size_t)parallel.size, sizeof(int));
	for (int i = 0; i < LOCKS; i++)
		if (pthread_mutex_init(&locks[i], NULL))
			parallel_fail("found no lock");
	make_bodies();
	parallel_run(work);
	for (long i = 0; i < parallel.size; i++)
		for (int d = 0; d < 3; d++) {
			sum = parallel_add_real(sum, bodies[i].at.at[d]);
			sum = parallel_add_real(sum, bodies[i].speed.at[d]);
		}
	check();
	return parallel_report(sum);
}
