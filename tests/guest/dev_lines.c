/* SPDX-License-Identifier: MIT */
/*
 * Rule: when no device raises a line any more it is down on all VCPUs, whichever of them raised, lowered or took it at the same
 * moment. docs/guest-abi.md, kernel/vm/device.h.
 *
 * Method: rounds in which the first VCPU raises the line of the identity device while the last one drops it; and in which the last
 * one asks the entropy device for bytes while the first one takes the interrupt, which lets go of the line by itself. The last VCPU,
 * whose line is written last, has its own look at Cause behind each round.
 *
 * Needs: identity vcpus=8 nodes=8
 */
#include "guests/lib/virtio.h"
#include "tests/guest/smp.h"

#define RAISE	       ((volatile u32 *)(DISCO_XSSEG_BASE + DISCO_DEVICE_BASE + DISCO_IDENTITY_INTERRUPT))
#define LINE	       DISCO_IRQ_DEVICE
#define RNG	       4
#define INTERRUPT_ONCE 0x068
#define FIRST	       0
#define LAST	       (SMP - 1)
#define ROUNDS	       20000
#define TICKS	       166666667u /* that a part takes at most: a second */
#define SPINS	       2000

static struct virtio_device rng;
static volatile struct virtio_queue queue;
static volatile u8 buffer[8];
static volatile u64 at[SMP]; /* the round that each is in */
static volatile u64 taken, late, stuck, ended;
static volatile u32 began;

static bool handler(struct frame *f)
{
	u64 cause = *(volatile u64 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(13, 0));

	if (frame_exc(f) != EXC_INT || !(cause & CAUSE_IP(LINE)))
		return false;
	taken++;
	return true;
}

/* Until the other one is in that round, too: both go on within a few instructions of each other. */
static void meet(unsigned self, unsigned other, u64 round)
{
	__atomic_store_n(&at[self], round, __ATOMIC_SEQ_CST);
	for (u32 spins = 0; __atomic_load_n(&at[other], __ATOMIC_ACQUIRE) < round;)
		if (++spins % SPINS == 0)
			hypercall(DISCO_HC_YIELD, 0, 0);
}

/* So that over all rounds each moment of one meets each of the other. */
static void dawdle(u64 round)
{
	for (volatile u64 i = 0; i < round % 61; i++)
		;
}

static bool is_over(u64 round)
{
	if (round == 1)
		began = cp0_read_count();
	return round == ROUNDS || cp0_read_count() - began > TICKS;
}

/* ---- a level ---- */

static void raise_and_drop(unsigned self, unsigned other)
{
	for (u64 round = 1, last = 0; !last; round++) {
		meet(self, other, 4 * round);
		if (self == FIRST) {
			*RAISE = 1;
			late = is_over(round);
		} else {
			dawdle(round);
			*RAISE = 0;
		}
		meet(self, other, 4 * round + 1);
		last = late;
		if (self == LAST)
			*RAISE = 0;
		if (self == LAST && (cp0_read_cause() & CAUSE_IP(LINE)))
			stuck++;
		meet(self, other, 4 * round + 2);
	}
}

/* ---- an interrupt that lets go of the line when it is delivered ---- */

static void request(void)
{
	queue.descriptor[0].address = guest_pa(buffer);
	queue.descriptor[0].bytes = sizeof(buffer);
	queue.descriptor[0].flags = VIRTIO_WRITE;
	queue.available.ring[queue.available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	queue.available.index++;
	__sync_synchronize();
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
}

static void ask(unsigned other)
{
	for (u64 round = 1, last = 0; !last; round++) {
		meet(LAST, other, 4 * round);
		request();
		meet(LAST, other, 4 * round + 1);
		last = late;
		if (cp0_read_cause() & CAUSE_IP(LINE))
			stuck++;
		meet(LAST, other, 4 * round + 2);
	}
}

static void take(unsigned other)
{
	for (u64 round = 1, last = 0; !last; round++) {
		u64 before = taken;

		meet(FIRST, other, 4 * round);
		for (u32 looks = 0; taken == before && looks < 1000000; looks++) {
			cp0_ei();
			cp0_di();
		}
		check(taken == before + 1, "round %lu: %lu interrupts", (unsigned long)round,
		      (unsigned long)(taken - before));
		late = last = is_over(round) || taken == before;
		meet(FIRST, other, 4 * round + 1);
		meet(FIRST, other, 4 * round + 2);
	}
}

/* ---- both ---- */

static void forget_rounds(void)
{
	for (unsigned i = 0; i < SMP; i++)
		at[i] = 0;
	late = 0;
}

static void last_one(u64 id)
{
	cp0_write_status(ST_BASE);
	raise_and_drop((unsigned)id, FIRST);
	smp_add(&ended, 1);
	smp_wait(&ended, 2);
	ask(FIRST);
	smp_add(&ended, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

int main(void)
{
	need_monitor();
	rng = virtio_find(RNG);
	trap_hook = handler;
	check_eq("start", (u64)smp_start(LAST, last_one, LAST), 0);
	raise_and_drop(FIRST, LAST);
	check(smp_wait(&ended, 1), "the last VCPU did not come to its end");
	check_eq("rounds behind which a line of nobody's was up", stuck, 0);
	forget_rounds();
	stuck = 0;
	check(virtio_begin(&rng, 0), "the device refuses");
	virtio_set_up(&rng, 0, &queue);
	virtio_go(&rng);
	virtio_put(&rng, INTERRUPT_ONCE, 1);
	cp0_write_status(ST_BASE | ST_IM(LINE));
	smp_add(&ended, 1);
	take(LAST);
	check(smp_wait(&ended, 3), "the last VCPU did not come to its end");
	check_eq("rounds behind which a delivered line was up", stuck, 0);
	return verdict();
}
