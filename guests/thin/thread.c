/* SPDX-License-Identifier: MIT */
/*
 * The life of a thread. Its memory is a block with the struct and the thread-local data behind it, for the thread pointer is 0x7000 behind the
 * start of those (MIPS's TLS, variant I), and another for the stack. They go when nobody stands on the stack any more and, if the thread was
 * joinable, its joiner has the result.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guests/thin/thin.h"

#define KEY_ROUNDS 4

extern char __tls_start[], __tdata_end[], __tls_bytes[]; /* the last is a number */

void thread_trampoline(void);
void __sinit(struct _reent *r); /* newlib's */

size_t thread_stack_bytes = 64ul << 10;

static struct spin placing; /* vcpus[], threads, next_vcpu, next_number */
static u32 next_vcpu, next_number;
static u32 living; /* threads that have not ended: the last ends the program */
static u32 count;  /* and those whose end nobody was told of yet */

static struct spin keys_lock;
static struct {
	bool used;
	void (*destructor)(void *);
} keys[PTHREAD_KEYS_MAX];

/*
 * life: whether somebody wants the result, and whether the thread has ended. Whoever makes it ENDED and DETACHED, or ENDED and
 * JOINED, frees the memory.
 *
 *                 pthread_detach     pthread_join              thread_reap
 *   0             DETACHED           JOINED, waits             ENDED
 *   DETACHED      EINVAL             EINVAL                    frees
 *   JOINED        EINVAL             EINVAL                    ENDED, wakes the joiner, who frees
 *   ENDED         frees              frees                     -
 */
enum { DETACHED = 1, JOINED = 2, ENDED = 4 };

/* The VCPU with the fewest threads; of those the next behind the last that got one. Under the lock. */
static u32 place_of(int wanted)
{
	u32 best = next_vcpu % vcpu_count, least = ~0u;

	if (wanted >= 0)
		return (u32)wanted;
	for (u32 i = 0; i < vcpu_count; i++) {
		u32 id = (next_vcpu + i) % vcpu_count, n = vcpus[id] ? vcpus[id]->threads : 0;

		if (n < least) {
			least = n;
			best = id;
		}
	}
	next_vcpu = best + 1;
	return best;
}

/* A VCPU that has no thread yet is not running: its first thread starts it. */
static struct vcpu *take_place(int wanted)
{
	u32 was = irq_off(), id;
	struct vcpu *v;

	spin_lock(&placing);
	id = place_of(wanted);
	v = vcpus[id];
	if (!v && (v = heap_alloc(sizeof(*v), 128, NULL))) {
		memset(v, 0, sizeof(*v));
		sched_begin(v, id);
	}
	if (v && !v->started && sched_start_vcpu(v) != 0)
		v = NULL;
	if (v)
		v->threads++;
	spin_unlock(&placing);
	irq_back(was);
	return v;
}

static void leave_place(struct vcpu *v)
{
	u32 was = irq_off();

	spin_lock(&placing);
	v->threads--;
	spin_unlock(&placing);
	irq_back(was);
}

static size_t tls_bytes(void) { return ROUND_UP((size_t)__tls_bytes, 16ul); }

/* What the creator touches lies together; the stack it leaves to the thread, whose node it shall be on. */
static struct thread *allocate(const pthread_attr_t *attr, size_t stack)
{
	size_t bytes = sizeof(struct thread) + tls_bytes();
	struct thread *t = heap_alloc(bytes, THIN_TLS_ALIGN, NULL);
	u8 *own = attr ? attr->stackaddr : NULL;
	u64 lowest;

	if (!t)
		return NULL;
	memset(t, 0, bytes);
	memcpy(t + 1, __tls_start, (size_t)(__tdata_end - __tls_start));
	if (own) {
		lowest = (u64)own;
	} else {
		stack = ROUND_UP(stack, (u64)PAGE_SIZE);
		t->block = heap_alloc(GUARD_BYTES + stack, PAGE_SIZE, NULL);
		lowest = t->block ? (u64)guard_stack(t->block, stack) : 0;
	}
	if (!lowest) {
		heap_free(t->block);
		heap_free(t);
		return NULL;
	}
	t->stack = (u64 *)ROUND_UP(lowest, 16ul);
	t->context.sp = ROUND_DOWN(lowest + stack, 16ul);
	return t;
}

static void release(struct thread *t)
{
	heap_free(t->block);
	heap_free(t);
}

int thread_create(struct thread **made, const pthread_attr_t *attr, void *(*start)(void *),
		  void *arg)
{
	size_t stack = attr ? attr->stacksize : thread_stack_bytes;
	struct thread *t;

	if (stack < PTHREAD_STACK_MIN || (attr && attr->vcpu >= (int)vcpu_count))
		return EINVAL;
	t = allocate(attr, stack);
	if (!t)
		return EAGAIN;
	t->vcpu = take_place(attr ? attr->vcpu : -1);
	if (!t->vcpu) {
		release(t);
		return EAGAIN;
	}
	t->number = __atomic_fetch_add(&next_number, 1, __ATOMIC_RELAXED);
	t->start = start;
	t->arg = arg;
	t->life = attr && attr->detachstate == PTHREAD_CREATE_DETACHED ? DETACHED : 0;
	t->context.s[0] = (u64)t;
	t->context.ra = (u64)thread_trampoline;
	if (t->number) {
		t->reent = &t->own_reent;
		_REENT_INIT_PTR_ZEROED(t->reent);
		if (!_GLOBAL_REENT->__sdidinit)
			__sinit(_GLOBAL_REENT); /* exit() flushes what the global one knows of */
	} else {
		t->reent = _GLOBAL_REENT;
	}
	__atomic_fetch_add(&living, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
	*made = t;
	return 0;
}

void thread_begin(struct thread *t)
{
	for (u32 i = 0; i < THIN_STACK_MARKS; i++)
		t->stack[i] = THIN_STACK_MARK;
	sched_first();
	pthread_exit(t->start(t->arg));
}

void thread_serves(void)
{
	leave_place(this_vcpu());
	this_thread()->serves = true;
	__atomic_sub_fetch(&count, 1, __ATOMIC_RELAXED);
	if (__atomic_sub_fetch(&living, 1, __ATOMIC_ACQ_REL) == 0)
		exit(0);
}

u32 thread_count(void) { return __atomic_load_n(&count, __ATOMIC_ACQUIRE); }

void thread_say_stack(const struct thread *t)
{
	say("thread %u on VCPU %u has used more than its stack, which ends at %x", t->number,
	    t->vcpu->id, (u64)t->stack);
	say("  a larger one: pthread_attr_setstacksize(), without it %u KB, or STACK=KB for all",
	    (u32)(thread_stack_bytes >> 10));
}

bool thread_is_below_stack(const struct thread *t, u64 va)
{
	return t->block && (u64)t->stack - va <= GUARD_BYTES;
}

void thread_check_stack(const struct thread *t, bool whole)
{
	u64 here = (u64)__builtin_frame_address(0);
	bool good = !t->stack || (t->stack[0] == THIN_STACK_MARK && here > (u64)t->stack);

	for (u32 i = 1; whole && i < THIN_STACK_MARKS; i++)
		good &= t->stack[i] == THIN_STACK_MARK;
	if (good)
		return;
	thread_say_stack(t);
	end(139);
}

void thread_reap(struct thread *t)
{
	leave_place(t->vcpu);
	if (__atomic_fetch_or(&t->life, ENDED, __ATOMIC_ACQ_REL) == DETACHED)
		release(t);
	else
		futex_wake(&t->life,
			   1); /* the memory may be somebody else's by now, who looks at his word again */
	__atomic_sub_fetch(&count, 1, __ATOMIC_RELEASE);
}

/* 0, with what it was in *was; EINVAL: it is somebody's already. */
static int claim(struct thread *t, u32 kind, u32 *was)
{
	*was = __atomic_load_n(&t->life, __ATOMIC_ACQUIRE);
	do
		if (*was & (DETACHED | JOINED))
			return EINVAL;
	while (!__atomic_compare_exchange_n(&t->life, was, *was | kind, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE));
	return 0;
}

/* ---- keys ---- */
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	u32 was = irq_off();
	int error = EAGAIN;

	spin_lock(&keys_lock);
	for (u32 i = 0; i < PTHREAD_KEYS_MAX && error; i++)
		if (!keys[i].used) {
			keys[i].used = true;
			keys[i].destructor = destructor;
			*key = i;
			error = 0;
		}
	spin_unlock(&keys_lock);
	irq_back(was);
	return error;
}

int pthread_key_delete(pthread_key_t key)
{
	if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
		return EINVAL;
	keys[key].destructor = NULL;
	__atomic_store_n(&keys[key].used, false, __ATOMIC_RELEASE);
	return 0;
}

int pthread_setspecific(pthread_key_t key, const void *value)
{
	if (key >= PTHREAD_KEYS_MAX || !keys[key].used)
		return EINVAL;
	this_thread()->values[key] = (void *)value;
	return 0;
}

void *pthread_getspecific(pthread_key_t key)
{
	return key < PTHREAD_KEYS_MAX ? this_thread()->values[key] : NULL;
}

static void destroy_values(struct thread *t)
{
	bool again = true;

	for (u32 round = 0; again && round < KEY_ROUNDS; round++) {
		again = false;
		for (u32 i = 0; i < PTHREAD_KEYS_MAX; i++) {
			void *value = t->values[i];

			t->values[i] = NULL;
			if (value && keys[i].used && keys[i].destructor) {
				keys[i].destructor(value);
				again = true;
			}
		}
	}
}

void _pthread_cleanup_push(struct _pthread_cleanup_context *c, void (*routine)(void *), void *arg)
{
	struct thread *t = this_thread();

	*c = (struct _pthread_cleanup_context){ routine, arg, 0, t->cleanup };
	t->cleanup = c;
}

void _pthread_cleanup_pop(struct _pthread_cleanup_context *c, int execute)
{
	this_thread()->cleanup = c->_previous;
	if (execute)
		c->_routine(c->_arg);
}

/* ---- POSIX ---- */
int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	struct thread *t;
	int error = thread_create(&t, attr, start, arg);
	u32 was;

	if (error)
		return error;
	*id = (pthread_t)t;
	was = irq_off();
	sched_ready(t);
	irq_back(was);
	return 0;
}

void pthread_exit(void *result)
{
	struct thread *t = this_thread();

	while (t->cleanup) {
		struct _pthread_cleanup_context *c = t->cleanup;

		t->cleanup = c->_previous;
		c->_routine(c->_arg);
	}
	destroy_values(t);
	thread_check_stack(t, true);
	if (__atomic_sub_fetch(&living, 1, __ATOMIC_ACQ_REL) == 0)
		exit(0);
	if (t->reent == &t->own_reent)
		_reclaim_reent(t->reent);
	t->result = result;
	sched_die(t);
}

int pthread_join(pthread_t id, void **result)
{
	struct thread *t = (struct thread *)id;
	u32 was;

	if (t == this_thread())
		return EDEADLK;
	if (claim(t, JOINED, &was))
		return EINVAL;
	while (!(__atomic_load_n(&t->life, __ATOMIC_ACQUIRE) & ENDED))
		if (!futex_spin(&t->life, JOINED))
			futex_wait(&t->life, JOINED, THIN_FOREVER);
	if (result)
		*result = t->result;
	release(t);
	return 0;
}

int pthread_detach(pthread_t id)
{
	struct thread *t = (struct thread *)id;
	u32 was;

	if (claim(t, DETACHED, &was))
		return EINVAL;
	if (was == ENDED)
		release(t);
	return 0;
}

pthread_t pthread_self(void) { return (pthread_t)this_thread(); }
int pthread_equal(pthread_t a, pthread_t b) { return a == b; }
struct _reent *__getreent(void) { return this_thread()->reent; }
