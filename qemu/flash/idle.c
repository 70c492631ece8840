/* SPDX-License-Identifier: MIT */
/*
 * While every processor sleeps, a thread of its own moves time on to the next timer: at once, or,
 * paced, when as much real time has gone by. Which timer is next does not depend on when the thread
 * looks, so neither does anything that the machine can see.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "qemu/flash/flash.h"
#include "qemu/flash/qemu.h"

#define LAG_FORGOTTEN 20000000 /* ns that the machine may be late before it stays late */

static sem_t nudges, passed;
static int64_t real_start, model_start; /* paced: these were the same moment */

void idle_nudge(void) { sem_post(&nudges); }

static int64_t real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* True: it is time. False: somebody was nudged before, look again. */
static bool wait_until(int64_t model)
{
	int64_t now = real_ns(), due = real_start + (model - model_start);
	struct timespec t;

	if (now > due + LAG_FORGOTTEN || real_start == 0) {
		real_start = now;
		model_start = clock_published();
		due = now + model - model_start;
	}
	t.tv_sec = due / 1000000000;
	t.tv_nsec = due % 1000000000;
	while (sem_timedwait(&nudges, &t))
		if (errno == ETIMEDOUT)
			return true;
	return false;
}

static void main_loop_passes(void *unused)
{
	(void)unused;
	sem_post(&passed);
}

/* What devices put off until the main loop comes round must not starve. */
static void let_main_loop_pass(void)
{
	qemu.schedule_bh(qemu.get_aio_context(), main_loop_passes, NULL, "flash");
	while (sem_wait(&passed))
		;
}

/* The next timer's time; -1: not all are asleep, or there is no timer. */
static int64_t next_event(bool *sleep)
{
	int64_t next = -1;

	qemu.lock(__FILE__, __LINE__);
	*sleep = clock_all_sleep();
	if (*sleep)
		next = clock_next_timer();
	qemu.unlock();
	return next < 0 ? -1 : clock_published() + next;
}

static bool jump(int64_t to)
{
	bool done;

	qemu.lock(__FILE__, __LINE__);
	done = clock_all_sleep();
	if (done)
		clock_jump(to);
	qemu.unlock();
	return done;
}

/* Until somebody runs, or nothing is to come but from outside. */
static void pass_time(void)
{
	bool sleep;

	while (clock_may_sleep()) {
		int64_t next = next_event(&sleep);

		if (!sleep) { /* in a WAIT that ends at once */
			sched_yield();
			continue;
		}
		if (next < 0)
			return;
		if (options.pace && !wait_until(next))
			continue;
		if (jump(next))
			let_main_loop_pass();
	}
}

static void *helper_main(void *unused)
{
	(void)unused;
	qemu.rcu_register_thread();
	clock_helper();
	for (;;) {
		while (sem_wait(&nudges))
			;
		pass_time();
	}
	return NULL;
}

void idle_start(void)
{
	pthread_t thread;

	sem_init(&nudges, 0, 0);
	sem_init(&passed, 0, 0);
	if (pthread_create(&thread, NULL, helper_main, NULL)) {
		fprintf(stderr, "flash: found no room for a thread\n");
		exit(1);
	}
}
