/* SPDX-License-Identifier: MIT */
/*
 * A program in which nobody can go on: each of its threads waits for a word that only another of them would change. Three kinds of waits
 * end without that: those with a deadline, those for a device or a key, and those of threads that serve, which are none of the program's. A
 * thread is in a bucket of futex.c from the moment that it waits until it is woken, and who wakes it is none who waits; so if as many as there
 * are stand there at one moment, that stays so for ever. A thread that spins, or sleeps, is not seen by this.
 */
#include <signal.h>

#include "guests/thin/thin.h"

static u32 stuck; /* VCPU 0, interrupts off */

static void count_stuck(const struct thread *t)
{
	stuck += !t->serves && !t->outside && t->deadline == THIN_FOREVER;
}

static void say_waiting(const struct thread *t)
{
	if (t->serves)
		return;
	say("thread %u on VCPU %u waits%s", t->number, t->vcpu->id,
	    t->outside ? " for a device or a key" : "");
	fault_say_callers(&t->context);
}

void hang_look(void)
{
	stuck = 0;
	futex_each(count_stuck);
	if (!stuck || stuck < thread_count())
		return;
	if (stuck == 1)
		say("deadlock: the only thread waits, and nobody is there to end that");
	else
		say("deadlock: all %u threads wait for each other", stuck);
	futex_each(say_waiting);
	end(128 + SIGABRT);
}

void hang_say_all(void)
{
	futex_each(say_waiting);
	for (u32 i = 0; i < vcpu_count; i++)
		if (vcpus[i] && vcpus[i]->current != &vcpus[i]->idle)
			say("thread %u on VCPU %u runs", vcpus[i]->current->number, i);
}
