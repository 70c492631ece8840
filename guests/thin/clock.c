/* SPDX-License-Identifier: MIT */
/*
 * Time. CLOCK_MONOTONIC is Count, which wraps every 26 s, in 64 bits: somebody looks at it every few seconds (VCPU 0's timer if nobody
 * else does). VCPUs read Count within a microsecond of each other. CLOCK_REALTIME is the monitor's word. CPU clocks are what threads
 * have run.
 */
#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>

#include "guests/thin/thin.h"

#define NS_PER_S 1000000000ul
#define PUBLISH	 (1u << 26) /* ticks between two writes of last: readers share its line meanwhile */
#define NS_SHIFT 24

static volatile u64 last;	      /* some value that Count had, within half a turn */
static u64 ns_per_tick, ticks_per_ns; /* fractions of 2^NS_SHIFT, 2^32 */
static u64 started;

u64 clock_ticks(void)
{
	u64 base = last, now;
	u32 count;

	asm volatile("rdhwr %0, $2" : "=r"(count));
	now = base + (u64)(s64)(s32)(count - (u32)base);
	if (now > base + PUBLISH)
		__atomic_compare_exchange_n(&last, &base, now, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	return now;
}

u64 clock_ns(u64 ticks) { return (u64)((unsigned __int128)ticks * ns_per_tick >> NS_SHIFT); }
u64 clock_ticks_of(u64 ns) { return (u64)((unsigned __int128)ns * ticks_per_ns >> 32); }

void clock_begin(u64 frequency)
{
	u32 count;

	asm volatile("rdhwr %0, $2" : "=r"(count));
	ns_per_tick = (NS_PER_S << NS_SHIFT) / frequency;
	ticks_per_ns = (frequency << 32) / NS_PER_S;
	last = started = (1ul << 32) + count;
}

static u64 real_ns(void) { return (u64)hypercall(DISCO_HC_TIME, 0, 0); }

static u64 process_ticks(void)
{
	u64 sum = 0, now = clock_ticks();

	for (u32 i = 0; i < vcpu_count; i++)
		if (vcpus[i]) {
			u64 since = vcpus[i]->since;

			sum += vcpus[i]->busy;
			if (vcpus[i]->current != &vcpus[i]->idle && now > since)
				sum += now - since;
		}
	return sum;
}

static u64 thread_ticks(void)
{
	u32 was = irq_off();
	struct vcpu *v = this_vcpu();
	u64 ran = v->current->ran + (clock_ticks() - v->since);

	irq_back(was);
	return ran;
}

static int clock_value(clockid_t clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME: *ns = real_ns(); return 0;
	case CLOCK_MONOTONIC: *ns = clock_ns(clock_ticks() - started); return 0;
	case CLOCK_PROCESS_CPUTIME_ID: *ns = clock_ns(process_ticks()); return 0;
	case CLOCK_THREAD_CPUTIME_ID: *ns = clock_ns(thread_ticks()); return 0;
	default: return EINVAL;
	}
}

static int fail(int error)
{
	if (error)
		errno = error;
	return error ? -1 : 0;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	u64 ns = 0;
	int error = clock_value(clock, &ns);

	if (!error)
		*t = (struct timespec){ (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };
	return fail(error);
}

int clock_getres(clockid_t clock, struct timespec *t)
{
	u64 ns;
	int error = clock_value(clock, &ns);

	if (!error && t)
		*t = (struct timespec){ 0, (long)(clock_ns(1) + 1) };
	return fail(error);
}

int clock_settime(clockid_t clock, const struct timespec *t)
{
	(void)clock;
	(void)t;
	return fail(EPERM); /* the monitor's clock is nobody's to set */
}

static bool is_time(const struct timespec *t)
{
	return t->tv_nsec >= 0 && t->tv_nsec < (long)NS_PER_S;
}

/* So many ns from now on, at most a century. */
static u64 deadline_in(u64 ns)
{
	const u64 most = 100ul * 366 * 86400 * NS_PER_S;

	return clock_ticks() + clock_ticks_of(MIN(ns, most)) + 1;
}

int clock_deadline(clockid_t clock, const struct timespec *until, u64 *deadline)
{
	u64 now, at;

	*deadline = THIN_FOREVER;
	if (!until)
		return 0;
	if ((clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) || !is_time(until))
		return EINVAL;
	clock_value(clock, &now);
	at = until->tv_sec < 0
		     ? 0
		     : (u64)MIN((u64)until->tv_sec, 1ul << 33) * NS_PER_S + (u64)until->tv_nsec;
	*deadline = at > now ? deadline_in(at - now) : clock_ticks();
	return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *t, struct timespec *left)
{
	u64 deadline;
	u32 was;

	if (!is_time(t) || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
		return EINVAL;
	if (flags & TIMER_ABSTIME) {
		int error = clock_deadline(clock, t, &deadline);

		if (error)
			return error;
	} else {
		if (t->tv_sec < 0)
			return EINVAL;
		deadline = deadline_in(MIN((u64)t->tv_sec, 1ul << 33) * NS_PER_S + (u64)t->tv_nsec);
		if (left)
			*left = (struct timespec){ 0,
						   0 }; /* there are no signals that end a sleep */
	}
	was = irq_off();
	while (clock_ticks() < deadline)
		sched_sleep(deadline);
	irq_back(was);
	return 0;
}

int nanosleep(const struct timespec *t, struct timespec *left)
{
	return fail(clock_nanosleep(CLOCK_MONOTONIC, 0, t, left));
}

unsigned sleep(unsigned seconds)
{
	struct timespec t = { seconds, 0 };

	nanosleep(&t, NULL);
	return 0;
}

int usleep(useconds_t us)
{
	struct timespec t = { (time_t)(us / 1000000), (long)(us % 1000000 * 1000) };

	return nanosleep(&t, NULL);
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	u64 us = real_ns() / 1000;

	(void)zone;
	*t = (struct timeval){ (time_t)(us / 1000000), (suseconds_t)(us % 1000000) };
	return 0;
}

/* CPU time in units of 1 / CLOCKS_PER_SEC, which newlib's clock() adds up. */
clock_t times(struct tms *t)
{
	u64 us = clock_ns(process_ticks()) / 1000;

	*t = (struct tms){ .tms_utime = (clock_t)(us * (CLOCKS_PER_SEC / 1000) / 1000) };
	return (clock_t)(clock_ns(clock_ticks() - started) / 1000 * (CLOCKS_PER_SEC / 1000) / 1000);
}
