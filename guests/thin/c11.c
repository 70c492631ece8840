/* SPDX-License-Identifier: MIT */
/* C11 threads: POSIX threads under other names. */
#include <errno.h>
#include <stdlib.h>
#include <threads.h>

#include "guests/thin/thin.h"

static int result_of(int error)
{
	switch (error) {
	case 0: return thrd_success;
	case ENOMEM: return thrd_nomem;
	case EBUSY: return thrd_busy;
	case ETIMEDOUT: return thrd_timedout;
	default: return thrd_error;
	}
}

struct start {
	thrd_start_t routine;
	void *arg;
};

static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	return (void *)(long)s.routine(s.arg);
}

int thrd_create(thrd_t *t, thrd_start_t routine, void *arg)
{
	struct start *s = malloc(sizeof(*s));
	int error;

	if (!s)
		return thrd_nomem;
	*s = (struct start){ routine, arg };
	error = pthread_create(t, NULL, begin, s);
	if (error)
		free(s);
	return error == EAGAIN ? thrd_nomem : result_of(error);
}

int thrd_join(thrd_t t, int *result)
{
	void *value;
	int error = pthread_join(t, &value);

	if (!error && result)
		*result = (int)(long)value;
	return result_of(error);
}

thrd_t thrd_current(void) { return pthread_self(); }
int thrd_equal(thrd_t a, thrd_t b) { return a == b; }
int thrd_detach(thrd_t t) { return result_of(pthread_detach(t)); }
void thrd_exit(int result) { pthread_exit((void *)(long)result); }
void thrd_yield(void) { sched_yield_to_others(); }
int thrd_sleep(const struct timespec *t, struct timespec *left)
{
	return clock_nanosleep(CLOCK_MONOTONIC, 0, t, left) ? -2 : 0;
}

int mtx_init(mtx_t *m, int kind)
{
	*m = (mtx_t){ .kind = kind & mtx_recursive ? PTHREAD_MUTEX_RECURSIVE
						   : PTHREAD_MUTEX_NORMAL };
	return thrd_success;
}

void mtx_destroy(mtx_t *m) { (void)m; }
int mtx_lock(mtx_t *m) { return result_of(pthread_mutex_lock(m)); }
int mtx_trylock(mtx_t *m) { return result_of(pthread_mutex_trylock(m)); }
int mtx_unlock(mtx_t *m) { return result_of(pthread_mutex_unlock(m)); }
int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
	return result_of(pthread_mutex_timedlock(m, until));
}

int cnd_init(cnd_t *c) { return result_of(pthread_cond_init(c, NULL)); }
void cnd_destroy(cnd_t *c) { (void)c; }
int cnd_signal(cnd_t *c) { return result_of(pthread_cond_signal(c)); }
int cnd_broadcast(cnd_t *c) { return result_of(pthread_cond_broadcast(c)); }
int cnd_wait(cnd_t *c, mtx_t *m) { return result_of(pthread_cond_wait(c, m)); }
int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until)
{
	return result_of(pthread_cond_timedwait(c, m, until));
}

int tss_create(tss_t *key, tss_dtor_t destructor)
{
	return result_of(pthread_key_create(key, destructor));
}
void tss_delete(tss_t key) { pthread_key_delete(key); }
void *tss_get(tss_t key) { return pthread_getspecific(key); }
int tss_set(tss_t key, void *value) { return result_of(pthread_setspecific(key, value)); }

void call_once(once_flag *once, void (*routine)(void)) { pthread_once(once, routine); }
