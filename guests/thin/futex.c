/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a word of 32 bits to change: what every lock, condition and barrier here is made of. Who waits is in the bucket of the
 * word's address. A waker changes the word first and takes the bucket's lock then; a waiter looks at the word once more under that
 * lock: so it sees the change or is in the bucket. Whoever takes a thread out of its bucket, a waker or its own VCPU's timer, makes it
 * ready, nobody else.
 */
#include <errno.h>

#include "guests/thin/thin.h"

#define BUCKETS	   64
#define SPIN_POLLS 3000

static struct bucket {
	struct spin lock;
	struct thread *first, **end; /* NULL: empty */
} buckets[BUCKETS] __attribute__((aligned(128)));

static struct bucket *bucket_of(const volatile u32 *word)
{
	u64 n = (u64)word >> 2;

	return &buckets[(n ^ n >> 6 ^ n >> 14) % BUCKETS];
}

bool futex_spin(const volatile u32 *word, u32 value)
{
	for (u32 i = 0; i < SPIN_POLLS; i++) {
		if (*word != value)
			return true;
		if (i % 16 != 15)
			continue;
		if (sched_has_others())
			return false;
		spin_pause();
	}
	return false;
}

static void append(struct bucket *b, struct thread *t)
{
	t->next = NULL;
	if (!b->first)
		b->end = &b->first;
	*b->end = t;
	b->end = &t->next;
	t->queued = true;
}

/* *at is the link that leads to it. */
static struct thread *take_out(struct bucket *b, struct thread **at)
{
	struct thread *t = *at;

	*at = t->next;
	if (b->end == &t->next)
		b->end = at;
	t->queued = false;
	return t;
}

int futex_wait(volatile u32 *word, u32 value, u64 deadline)
{
	struct bucket *b = bucket_of(word);
	u32 was = irq_off();
	struct thread *t = this_thread();

	spin_lock(&b->lock);
	if (*word != value) {
		spin_unlock(&b->lock);
		irq_back(was);
		return 0;
	}
	t->word = word;
	t->late = false;
	t->deadline = deadline;
	append(b, t);
	spin_unlock(&b->lock);
	if (deadline != THIN_FOREVER)
		sched_late(t, deadline);
	sched_switch();
	if (deadline != THIN_FOREVER)
		sched_in_time(t);
	irq_back(was);
	return t->late ? ETIMEDOUT : 0;
}

int futex_wait_outside(volatile u32 *word, u32 value, u64 deadline)
{
	struct thread *t = this_thread();
	int late;

	t->outside = true;
	late = futex_wait(word, value, deadline);
	t->outside = false;
	return late;
}

void futex_each(void (*tell)(const struct thread *))
{
	u32 was = irq_off();

	for (u32 i = 0; i < BUCKETS; i++)
		spin_lock(&buckets[i].lock);
	for (u32 i = 0; i < BUCKETS; i++)
		for (const struct thread *t = buckets[i].first; t; t = t->next)
			tell(t);
	for (u32 i = 0; i < BUCKETS; i++)
		spin_unlock(&buckets[i].lock);
	irq_back(was);
}

void futex_wake(volatile u32 *word, u32 threads)
{
	struct bucket *b = bucket_of(word);
	struct thread *woken = NULL, **end = &woken, **at;
	u32 was = irq_off();

	spin_lock(&b->lock);
	for (at = &b->first; *at && threads;)
		if ((*at)->word == word) {
			struct thread *t = take_out(b, at);

			t->next = NULL;
			*end = t;
			end = &t->next;
			threads--;
		} else {
			at = &(*at)->next;
		}
	spin_unlock(&b->lock);
	while (woken) {
		struct thread *t = woken;

		woken = t->next; /* before it runs and waits for something else */
		sched_ready(t);
	}
	irq_back(was);
}

void futex_too_late(struct thread *t)
{
	struct bucket *b = bucket_of(t->word);

	spin_lock(&b->lock);
	if (!t->queued) { /* somebody has woken it */
		spin_unlock(&b->lock);
		return;
	}
	for (struct thread **at = &b->first; *at; at = &(*at)->next)
		if (*at == t) {
			take_out(b, at);
			break;
		}
	t->late = true;
	spin_unlock(&b->lock);
	sched_ready(t);
}
