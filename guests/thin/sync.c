/* SPDX-License-Identifier: MIT */
/*
 * POSIX mutexes, conditions, barriers, read-write locks, semaphores, once: each a word or two, and futex.c to wait on them. Who finds one
 * taken looks at it for some microseconds before it waits, unless another thread wants the VCPU.
 */
#include <errno.h>
#include <semaphore.h>

#include "guests/thin/thin.h"

#define LOAD(word) __atomic_load_n(word, __ATOMIC_ACQUIRE)
#define CAS(word, old, new) \
	__atomic_compare_exchange_n(word, old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

static int wait_while(volatile u32 *word, u32 value, u64 deadline)
{
	return futex_spin(word, value) ? 0 : futex_wait(word, value, deadline);
}

/* ---- mutexes: word is 0 free, 1 held, 2 held and somebody may wait ---- */
static bool take(u32 *word)
{
	u32 free = 0;

	return CAS(word, &free, 1);
}

/* Who has waited once takes it as 2: others may wait still. */
static int take_or_wait(u32 *word, u64 deadline)
{
	if (take(word))
		return 0;
	if (futex_spin(word, 1) && take(word))
		return 0;
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE))
		if (futex_wait(word, 2, deadline) == ETIMEDOUT)
			return ETIMEDOUT;
	return 0;
}

static int lock_until(pthread_mutex_t *m, u64 deadline)
{
	pthread_t self;
	int error;

	if (m->kind == PTHREAD_MUTEX_NORMAL)
		return take_or_wait(&m->word, deadline);
	self = pthread_self();
	if (m->owner == self) {
		if (m->kind == PTHREAD_MUTEX_ERRORCHECK)
			return EDEADLK;
		m->depth++;
		return 0;
	}
	error = take_or_wait(&m->word, deadline);
	if (!error) {
		m->owner = self;
		m->depth = 1;
	}
	return error;
}

int pthread_mutex_lock(pthread_mutex_t *m) { return lock_until(m, THIN_FOREVER); }

int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	u64 deadline;

	if (clock_deadline(CLOCK_REALTIME, until, &deadline))
		return pthread_mutex_trylock(m) ? EINVAL : 0;
	return lock_until(m, deadline);
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	pthread_t self;

	if (m->kind == PTHREAD_MUTEX_NORMAL)
		return take(&m->word) ? 0 : EBUSY;
	self = pthread_self();
	if (m->owner == self && m->kind == PTHREAD_MUTEX_RECURSIVE) {
		m->depth++;
		return 0;
	}
	if (!take(&m->word))
		return EBUSY;
	m->owner = self;
	m->depth = 1;
	return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (m->kind != PTHREAD_MUTEX_NORMAL) {
		if (m->owner != pthread_self())
			return EPERM;
		if (--m->depth)
			return 0;
		m->owner = 0;
	}
	if (__atomic_exchange_n(&m->word, 0, __ATOMIC_RELEASE) == 2)
		futex_wake(&m->word, 1);
	return 0;
}

int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	*m = (pthread_mutex_t){ .kind = attr ? (u32)attr->kind : PTHREAD_MUTEX_NORMAL };
	return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *m) { return LOAD(&m->word) ? EBUSY : 0; }

/* ---- conditions: a waiter has missed no signal, since it noted their number with the mutex held ---- */
static int wait_until(pthread_cond_t *c, pthread_mutex_t *m, u64 deadline)
{
	u32 seen = LOAD(&c->signals);
	int late;

	if (m->kind == PTHREAD_MUTEX_RECURSIVE && m->depth > 1)
		return EPERM; /* nobody else could get it */
	if (pthread_mutex_unlock(m))
		return EPERM;
	late = wait_while(&c->signals, seen, deadline);
	pthread_mutex_lock(m);
	return late;
}

int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	return wait_until(c, m, THIN_FOREVER);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	u64 deadline;
	int error =
		clock_deadline(c->clock ? (clockid_t)c->clock : CLOCK_REALTIME, until, &deadline);

	return error ? error : wait_until(c, m, deadline);
}

int pthread_cond_signal(pthread_cond_t *c)
{
	__atomic_fetch_add(&c->signals, 1, __ATOMIC_ACQ_REL);
	futex_wake(&c->signals, 1);
	return 0;
}

int pthread_cond_broadcast(pthread_cond_t *c)
{
	__atomic_fetch_add(&c->signals, 1, __ATOMIC_ACQ_REL);
	futex_wake(&c->signals, ~0u);
	return 0;
}

int pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
	*c = (pthread_cond_t){ .clock = attr ? attr->clock : 0 };
	return 0;
}

int pthread_cond_destroy(pthread_cond_t *c)
{
	(void)c;
	return 0;
}

/* ---- barriers ---- */
int pthread_barrier_init(pthread_barrier_t *b, const pthread_barrierattr_t *attr, unsigned count)
{
	(void)attr;
	if (!count)
		return EINVAL;
	*b = (pthread_barrier_t){ .count = count };
	return 0;
}

/* The last to come begins the next round before it lets the others go. */
int pthread_barrier_wait(pthread_barrier_t *b)
{
	u32 round = LOAD(&b->round);

	if (__atomic_add_fetch(&b->here, 1, __ATOMIC_ACQ_REL) == b->count) {
		b->here = 0;
		__atomic_store_n(&b->round, round + 1, __ATOMIC_RELEASE);
		futex_wake(&b->round, ~0u);
		__atomic_fetch_add(&b->left, 1, __ATOMIC_RELEASE);
		return PTHREAD_BARRIER_SERIAL_THREAD;
	}
	while (LOAD(&b->round) == round)
		wait_while(&b->round, round, THIN_FOREVER);
	__atomic_fetch_add(&b->left, 1, __ATOMIC_RELEASE);
	return 0;
}

/* Of the last round some may not have left yet. */
int pthread_barrier_destroy(pthread_barrier_t *b)
{
	if (LOAD(&b->here))
		return EBUSY;
	while (LOAD(&b->left) != LOAD(&b->round) * b->count)
		sched_yield_to_others();
	return 0;
}

/* ---- read-write locks: writers that wait keep new readers out ---- */
#define WRITER 0xffffffffu

static bool read_take(pthread_rwlock_t *l)
{
	u32 state = LOAD(&l->state);

	while (state != WRITER && !LOAD(&l->writers))
		if (CAS(&l->state, &state, state + 1))
			return true;
	return false;
}

static int read_until(pthread_rwlock_t *l, u64 deadline)
{
	while (!read_take(l)) {
		u32 state = LOAD(&l->state);

		/* Free, but a writer is about to take it. */
		if (!state) {
			sched_yield_to_others();
			if (deadline != THIN_FOREVER && clock_ticks() >= deadline)
				return ETIMEDOUT;
		} else if (wait_while(&l->state, state, deadline) == ETIMEDOUT) {
			return ETIMEDOUT;
		}
	}
	return 0;
}

static int write_until(pthread_rwlock_t *l, u64 deadline)
{
	u32 state = 0;
	int late = 0;

	__atomic_fetch_add(&l->writers, 1, __ATOMIC_ACQ_REL);
	while (!CAS(&l->state, &state, WRITER)) {
		if (state && (late = wait_while(&l->state, state, deadline)) == ETIMEDOUT)
			break;
		state = 0;
	}
	__atomic_fetch_sub(&l->writers, 1, __ATOMIC_ACQ_REL);
	if (late == ETIMEDOUT) {
		futex_wake(&l->state, ~0u); /* readers that it kept out */
		return ETIMEDOUT;
	}
	return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *l) { return read_until(l, THIN_FOREVER); }
int pthread_rwlock_tryrdlock(pthread_rwlock_t *l) { return read_take(l) ? 0 : EBUSY; }
int pthread_rwlock_wrlock(pthread_rwlock_t *l) { return write_until(l, THIN_FOREVER); }

int pthread_rwlock_trywrlock(pthread_rwlock_t *l)
{
	u32 free = 0;

	return CAS(&l->state, &free, WRITER) ? 0 : EBUSY;
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *l, const struct timespec *until)
{
	u64 deadline;
	int error = clock_deadline(CLOCK_REALTIME, until, &deadline);

	return error ? error : read_until(l, deadline);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *l, const struct timespec *until)
{
	u64 deadline;
	int error = clock_deadline(CLOCK_REALTIME, until, &deadline);

	return error ? error : write_until(l, deadline);
}

int pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	if (LOAD(&l->state) == WRITER) {
		__atomic_store_n(&l->state, 0, __ATOMIC_RELEASE);
		futex_wake(&l->state, ~0u);
	} else if (__atomic_sub_fetch(&l->state, 1, __ATOMIC_ACQ_REL) == 0) {
		futex_wake(&l->state, ~0u);
	}
	return 0;
}

int pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
	(void)attr;
	*l = (pthread_rwlock_t){ 0, 0 };
	return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *l) { return LOAD(&l->state) ? EBUSY : 0; }

/* ---- spin locks: the VCPU goes to another thread now and then, which may be the one that holds it ---- */
int pthread_spin_lock(pthread_spinlock_t *l)
{
	while (__atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE))
		if (!futex_spin(l, 1))
			sched_yield_to_others();
	return 0;
}

int pthread_spin_trylock(pthread_spinlock_t *l)
{
	return __atomic_exchange_n(l, 1, __ATOMIC_ACQUIRE) ? EBUSY : 0;
}

int pthread_spin_unlock(pthread_spinlock_t *l)
{
	__atomic_store_n(l, 0, __ATOMIC_RELEASE);
	return 0;
}

int pthread_spin_init(pthread_spinlock_t *l, int shared)
{
	(void)shared;
	*l = 0;
	return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *l) { return LOAD(l) ? EBUSY : 0; }

/* ---- semaphores ---- */
static int fail(int error)
{
	if (error)
		errno = error;
	return error ? -1 : 0;
}

static bool down(sem_t *s)
{
	u32 value = LOAD(&s->value);

	while (value)
		if (CAS(&s->value, &value, value - 1))
			return true;
	return false;
}

static int down_until(sem_t *s, u64 deadline)
{
	while (!down(s))
		if (wait_while(&s->value, 0, deadline) == ETIMEDOUT)
			return ETIMEDOUT;
	return 0;
}

int sem_init(sem_t *s, int shared, unsigned value)
{
	(void)shared;
	if (value > SEM_VALUE_MAX)
		return fail(EINVAL);
	s->value = value;
	return 0;
}

int sem_destroy(sem_t *s)
{
	(void)s;
	return 0;
}

int sem_wait(sem_t *s) { return down_until(s, THIN_FOREVER); }
int sem_trywait(sem_t *s) { return down(s) ? 0 : fail(EAGAIN); }

int sem_timedwait(sem_t *s, const struct timespec *until)
{
	u64 deadline;
	int error = clock_deadline(CLOCK_REALTIME, until, &deadline);

	return fail(error ? error : down_until(s, deadline));
}

int sem_post(sem_t *s)
{
	u32 value = LOAD(&s->value);

	do
		if (value == SEM_VALUE_MAX)
			return fail(EOVERFLOW);
	while (!CAS(&s->value, &value, value + 1));
	futex_wake(&s->value, 1);
	return 0;
}

int sem_getvalue(sem_t *s, int *value)
{
	*value = (int)LOAD(&s->value);
	return 0;
}

/* ---- once ---- */
int pthread_once(pthread_once_t *once, void (*routine)(void))
{
	u32 state = 0;

	if (LOAD(&once->state) == 3)
		return 0;
	if (CAS(&once->state, &state, 1)) {
		routine();
		if (__atomic_exchange_n(&once->state, 3, __ATOMIC_ACQ_REL) == 2)
			futex_wake(&once->state, ~0u);
		return 0;
	}
	while (state != 3) {
		if (state == 2 || CAS(&once->state, &state, 2))
			futex_wait(&once->state, 2, THIN_FOREVER);
		state = LOAD(&once->state);
	}
	return 0;
}
