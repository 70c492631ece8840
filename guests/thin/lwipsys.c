/* SPDX-License-Identifier: MIT */
/* What lwIP wants of an operating system: semaphores, mutexes, mailboxes, threads, the time. Waits are futex.c's. */
#include <stdlib.h>
#include <string.h>

#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/tcpip.h>

#include "guests/thin/network.h"
#include "guests/thin/thin.h"

#define NS_PER_MS 1000000ul

void thin_lwip_failed(const char *what)
{
	say("lwIP: %s", what);
	abort();
}

void sys_init(void) {}
u32_t sys_now(void) { return (u32_t)(clock_ns(clock_ticks()) / NS_PER_MS); }
u32_t sys_jiffies(void) { return sys_now(); }

/* Of so many ms from now on; 0: for ever. */
static u64 deadline_of(u32_t ms)
{
	return ms ? clock_ticks() + clock_ticks_of(ms * NS_PER_MS) : THIN_FOREVER;
}

/* ---- semaphores ---- */
struct thin_lwip_sem *thin_lwip_semaphore(void)
{
	static __thread struct thin_lwip_sem own;

	own.valid = 1;
	return &own;
}

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
	*sem = (sys_sem_t){ count, 1 };
	return ERR_OK;
}

void sys_sem_free(sys_sem_t *sem) { sem->valid = 0; }
int sys_sem_valid(sys_sem_t *sem) { return sem->valid; }
void sys_sem_set_invalid(sys_sem_t *sem) { sem->valid = 0; }

void sys_sem_signal(sys_sem_t *sem)
{
	__atomic_fetch_add(&sem->count, 1, __ATOMIC_RELEASE);
	futex_wake(&sem->count, 1);
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout)
{
	u64 deadline = deadline_of(timeout);
	u32 count;

	for (;;) {
		count = sem->count;
		if (count && __atomic_compare_exchange_n(&sem->count, &count, count - 1, false,
							 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return 0;
		if (!count && !futex_spin(&sem->count, 0) &&
		    futex_wait_outside(&sem->count, 0, deadline) && !sem->count)
			return SYS_ARCH_TIMEOUT;
	}
}

/* ---- mutexes ---- */
err_t sys_mutex_new(sys_mutex_t *mutex)
{
	pthread_mutex_init(&mutex->mutex, NULL);
	mutex->valid = 1;
	return ERR_OK;
}

void sys_mutex_free(sys_mutex_t *mutex) { mutex->valid = 0; }
void sys_mutex_lock(sys_mutex_t *mutex) { pthread_mutex_lock(&mutex->mutex); }
void sys_mutex_unlock(sys_mutex_t *mutex) { pthread_mutex_unlock(&mutex->mutex); }

/* Some instructions, which may nest. */
static pthread_mutex_t few = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

sys_prot_t sys_arch_protect(void) { return pthread_mutex_lock(&few); }

void sys_arch_unprotect(sys_prot_t was)
{
	(void)was;
	pthread_mutex_unlock(&few);
}

/* ---- mailboxes ---- */
struct thin_lwip_mbox {
	pthread_mutex_t lock;
	volatile u32 posts, takes; /* words to wait on; their difference is how many are in it */
	u32 size;
	void *ring[];
};

err_t sys_mbox_new(sys_mbox_t *made, int size)
{
	struct thin_lwip_mbox *m = calloc(1, sizeof(*m) + (size_t)size * sizeof(m->ring[0]));

	if (!m)
		return ERR_MEM;
	pthread_mutex_init(&m->lock, NULL);
	m->size = (u32)size;
	*made = m;
	return ERR_OK;
}

void sys_mbox_free(sys_mbox_t *mbox) { free(*mbox); }
int sys_mbox_valid(sys_mbox_t *mbox) { return *mbox != NULL; }
void sys_mbox_set_invalid(sys_mbox_t *mbox) { *mbox = NULL; }

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *message)
{
	struct thin_lwip_mbox *m = *mbox;
	bool room;

	pthread_mutex_lock(&m->lock);
	room = m->posts - m->takes < m->size;
	if (room) {
		m->ring[m->posts % m->size] = message;
		m->posts++;
	}
	pthread_mutex_unlock(&m->lock);
	if (!room)
		return ERR_MEM;
	futex_wake(&m->posts, 1);
	return ERR_OK;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *message)
{
	return sys_mbox_trypost(mbox, message);
}

void sys_mbox_post(sys_mbox_t *mbox, void *message)
{
	struct thin_lwip_mbox *m = *mbox;

	for (;;) {
		u32 takes = m->takes;

		if (sys_mbox_trypost(mbox, message) == ERR_OK)
			return;
		futex_wait_outside(&m->takes, takes, THIN_FOREVER);
	}
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **message)
{
	struct thin_lwip_mbox *m = *mbox;
	bool is_some;

	pthread_mutex_lock(&m->lock);
	is_some = m->posts != m->takes;
	if (is_some) {
		if (message)
			*message = m->ring[m->takes % m->size];
		m->takes++;
	}
	pthread_mutex_unlock(&m->lock);
	if (!is_some)
		return SYS_MBOX_EMPTY;
	futex_wake(&m->takes, 1);
	return 0;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **message, u32_t timeout)
{
	struct thin_lwip_mbox *m = *mbox;
	u64 deadline = deadline_of(timeout);

	for (;;) {
		u32 posts = m->posts;

		if (sys_arch_mbox_tryfetch(mbox, message) == 0)
			return 0;
		if (futex_spin(&m->posts, posts))
			continue;
		if (futex_wait_outside(&m->posts, posts, deadline) && m->posts == posts)
			return SYS_ARCH_TIMEOUT;
	}
}

/* ---- segments ---- */
/*
 * lwIP acknowledges each segment without data that lies outside its window, and takes all for such when its window is 0. If neither end reads, both
 * windows become 0, and their acknowledgements answer each other for ever: over the loopback in one loop under lwIP's lock, so that no thread can
 * read any more. So one that says nothing that is not known is dropped then. Its number may be beyond RCV.NXT, since each end has tried the other's
 * window with a byte that was not taken; one before it asks whether somebody is there (a keep-alive, or another system's look at the window), and is
 * answered. That the other end is there is noted, as tcp_process() does. Called under lwIP's lock; numbers of the header are the host's,
 * but for its flags.
 */
err_t thin_lwip_segment(struct tcp_pcb *of, const struct tcp_hdr *h, const struct pbuf *data)
{
	if (of->state < ESTABLISHED || of->state == TIME_WAIT || of->rcv_wnd || data->tot_len ||
	    TCPH_FLAGS(h) != TCP_ACK || TCP_SEQ_LT(h->seqno, of->rcv_nxt) ||
	    TCP_SEQ_GT(h->ackno, of->lastack) || h->wnd > of->snd_wnd)
		return ERR_OK;
	of->tmr = tcp_ticks;
	of->keep_cnt_sent = 0;
	of->persist_probe = 0;
	return ERR_ABRT;
}

/* ---- threads: those of the network are nobody's the program knows of ---- */
struct start {
	lwip_thread_fn thread;
	void *arg;
};

static void *begin(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	thread_serves();
	s.thread(s.arg);
	return NULL;
}

sys_thread_t sys_thread_new(const char *name, lwip_thread_fn thread, void *arg, int stack, int prio)
{
	struct start *s = malloc(sizeof(*s));
	pthread_attr_t attr;
	pthread_t id;

	(void)prio;
	pthread_attr_init(&attr);
	attr.stacksize = (size_t)stack;
	attr.vcpu = 0; /* which takes the interrupts */
	attr.detachstate = PTHREAD_CREATE_DETACHED;
	if (s)
		*s = (struct start){ thread, arg };
	if (!s || pthread_create(&id, &attr, begin, s))
		give_up("no memory for a thread of the network");
	(void)name;
	return id;
}
