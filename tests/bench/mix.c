/* SPDX-License-Identifier: MIT */
/*
 * More VCPUs than processors, for `make bench-scaling`: what a guest gets done, and how soon it wakes, beside others. Bootargs say
 * which of three it is:
 *
 *   role=0   all VCPUs compute and take the VM's one lock, in the order in which they come, by YIELD: for ms=, how many rounds
 *   role=1   all VCPUs compute for ever
 *   role=2   somebody who types: the VCPU sleeps 1 to 3 ms, and computes for 0.1; wakes= times, how late it was in ns
 */
#include <stddef.h>
#include <stdlib.h>

#include "guests/lib/check.h"
#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"
#include "kernel/abi/disco.h"

const char guest_name[] = "mix";

#define TICKS_US   167u /* of Count */
#define TICK_NS	   6u
#define WAKES_MAX  2000
#define BETWEEN_US 200 /* from lock to lock, at most; half of it in the mean */
#define IN_LOCK_US 10

static volatile u64 next_ticket, served, rounds;
static u32 late[WAKES_MAX];

static u32 below(u64 *seed, u32 n)
{
	*seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)((*seed >> 33) % n);
}

/* As many instructions as take so long on a processor of one's own: not time, which goes on while others have it. */
static void compute_us(u32 us)
{
	for (volatile u32 i = 0; i < us * 60; i++)
		;
}

static void round_of_lock(u64 *seed)
{
	u64 mine;

	compute_us(below(seed, BETWEEN_US));
	mine = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&served, __ATOMIC_ACQUIRE) != mine)
		hypercall(DISCO_HC_YIELD, 0, 0);
	compute_us(IN_LOCK_US);
	rounds++;
	__atomic_store_n(&served, mine + 1, __ATOMIC_RELEASE);
}

static void locks(u64 id)
{
	for (u64 seed = id;;)
		round_of_lock(&seed);
}

static void computes(u64 id)
{
	for (;;)
		compute_us(1000 + (u32)id);
}

static bool handler(struct frame *f) { return frame_exc(f) == EXC_INT; }

static int later(const void *a, const void *b)
{
	u32 one = *(const u32 *)a, two = *(const u32 *)b;

	return one < two ? -1 : one > two;
}

static void sleeps(u32 wakes)
{
	u64 seed = 1;
	u32 worst = 0;

	for (u32 i = 0; i < wakes; i++) {
		u32 due = cp0_read_count() + TICKS_US * (1000 + below(&seed, 2000));

		hypercall(DISCO_HC_SET_TIMER, due, 0);
		cp0_write_status(ST_BASE | ST_IM(7));
		while ((s32)(cp0_read_count() - due) < 0)
			cp0_wait();
		late[i] = cp0_read_count() - due;
		if (late[i] > late[worst])
			worst = i;
		compute_us(100);
	}
	qsort(late, wakes, sizeof(*late), later);
	print("mix: late 50 %u, 99 %u, most %u ns, the %u. of %u\n", late[wakes / 2] * TICK_NS,
	      late[wakes * 99 / 100] * TICK_NS, late[wakes - 1] * TICK_NS, worst + 1, wakes);
}

int main(void)
{
	u64 role = guest_number("role=", 0), vcpus = guest_number("vcpus=", 1),
	    ms = guest_number("ms=", 100), wakes = guest_number("wakes=", 400);
	u32 start;

	trap_hook = handler;
	if (role == 2) {
		sleeps((u32)MIN(wakes, WAKES_MAX));
		return 0;
	}
	for (unsigned id = 1; id < vcpus; id++)
		guest_start_vcpu(id, role ? computes : locks, id);
	if (role)
		computes(0);
	start = cp0_read_count();
	for (u64 seed = 0; cp0_read_count() - start < ms * 1000 * TICKS_US;)
		round_of_lock(&seed);
	print("mix: %lu rounds in %lu ms\n", (unsigned long)rounds, (unsigned long)ms);
	return 0;
}
