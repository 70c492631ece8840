/* SPDX-License-Identifier: MIT */
/*
 * Rule: a processor may look at memory before its own store is seen by others, unless SYNC stands in between (MD00087, SYNC). What is
 * told through the monitor is never lost for that: a VCPU that looks for work, finds none and WAITs, or that puts off interrupts by
 * IE in the special page or by IM, has the interrupt that another VCPU sends it meanwhile; a driver that says by used_event from where
 * on it wants to be told, and then finds nothing, is told; and a device that says by avail_event from where on it wants to be told
 * has seen what came before. docs/guest-abi.md; virtio 1.2, section 2.7.
 *
 * Method: two VCPUs on two nodes, half a second for each part but the first. The order of stores and loads: each stores a word, then loads the other's;
 * both found nothing in so many rounds without SYNC, which is printed and may be 0, and in none with it. The rest: one does what
 * it does at moments that vary, the other has a second to notice. What is lost between VCPUs the monitor's ticks find, hundreds of
 * times later: test_guest.py counts in instructions.
 *
 * Needs: vcpus=2 nodes=2
 */
#include "guests/lib/virtio.h"
#include "tests/guest/smp.h"

#define RNG	       4
#define INTERRUPT_ONCE 0x068
#define EVENT_IDX      BIT(29)
#define LINE	       DISCO_IRQ_DEVICE
#define TICKS_MS       166667u
#define LIMIT	       (5000 * TICKS_MS) /* in which an interrupt must have come, however busy the host is */
#define BLOCK	       4096		 /* rounds between two meetings */
#define BLOCKS	       25
#define SPINS	       200
#define PAGE_STATUS    ((volatile u64 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(12, 0)))
#define PAGE_PENDING   ((volatile u32 *)(DISCO_SPECIAL_PAGE + DISCO_SP_PENDING))

static volatile struct {
	u64 at __attribute__((aligned(128))); /* the meeting that this VCPU has come to */
	u64 word[BLOCK] __attribute__((aligned(128)));
	u64 found[BLOCK];
} side[2];
static volatile u64 last, part; /* last: not 0, how many there were of what is over */
static volatile u64 mail __attribute__((aligned(128)));
static volatile u64 seen __attribute__((aligned(128)));
static volatile u64 lost;
static u32 length; /* of a part: Count ticks */

static struct virtio_device rng;
static volatile struct virtio_queue queue;
static volatile u8 bytes[8];

/* ---- turns ---- */

static void let_others(u32 *spins)
{
	if (++*spins % SPINS == 0)
		hypercall(DISCO_HC_YIELD, 0, 0);
}

static void dawdle(u64 round)
{
	for (volatile u64 i = 0; i < round % 37; i++)
		;
}

static void meet(unsigned me, u64 number)
{
	u32 spins = 0;

	__atomic_store_n(&side[me].at, number, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&side[!me].at, __ATOMIC_ACQUIRE) < number)
		let_others(&spins);
}

/* ---- stores and loads ---- */

/* Both go through the rounds of a block at the same time, if the machine lets them. */
static u64 both_found_nothing(unsigned me, u64 base, bool in_order)
{
	u64 nothing = 0;

	for (u64 block = 1; block <= BLOCKS; block++) {
		for (u32 i = 0; i < BLOCK; i++)
			side[me].word[i] = 0;
		meet(me, base + 3 * block);
		for (u32 i = 0; i < BLOCK; i++) {
			side[me].word[i] = block;
			if (in_order)
				__asm__ volatile("sync" ::: "memory");
			side[me].found[i] = side[!me].word[i];
		}
		meet(me, base + 3 * block + 1);
		for (u32 i = 0; i < BLOCK; i++)
			nothing += !side[0].found[i] && !side[1].found[i];
		meet(me, base + 3 * block + 2);
	}
	return nothing;
}

/* ---- interrupts ---- */

static bool handler(struct frame *f)
{
	if (frame_exc(f) != EXC_INT)
		return false;
	if (f->cause & CAUSE_IP(0)) {
		hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
		seen = mail;
	}
	return true;
}

/* VCPU 0's part of three: a number, and an interrupt that tells of it. */
static void send_all(void)
{
	u32 began = cp0_read_count();

	for (u64 n = 1; !last; n++) {
		u32 sent, spins = 0;

		dawdle(n);
		mail = n;
		__sync_synchronize();
		hypercall(DISCO_HC_IPI, 2, 0);
		sent = cp0_read_count();
		while (__atomic_load_n(&seen, __ATOMIC_ACQUIRE) != n &&
		       cp0_read_count() - sent < LIMIT)
			let_others(&spins);
		lost += seen != n;
		if (seen != n || cp0_read_count() - began > length)
			last = n;
	}
	__sync_synchronize();
	hypercall(DISCO_HC_IPI, 2, 0); /* so that it looks at `last` */
}

/* The timer ends a WAIT that nothing else has ended: the other one has given it up for lost by then. */
static void wait_for_mail(void)
{
	cp0_write_status(ST_BASE | ST_IM(0) | ST_IM(7));
	while (!last) {
		timer_set(2 * LIMIT);
		hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
		if (seen == mail)
			cp0_wait();
		__atomic_store_n(&seen, mail, __ATOMIC_SEQ_CST);
	}
}

static void put_off_by_ie(void)
{
	u64 on = ST_BASE | ST_IM(0) | ST_IE;

	cp0_write_status(on);
	for (u32 turns = 0; !last;) {
		*PAGE_STATUS = on & ~(u64)ST_IE;
		dawdle(turns);
		*PAGE_STATUS = on;
		if (*PAGE_PENDING)
			cp0_ei();
		dawdle(turns / 37);
		let_others(&turns);
	}
	cp0_write_status(ST_BASE);
}

static void put_off_by_im(void)
{
	for (u32 turns = 0; !last;) {
		cp0_write_status(ST_BASE | ST_IE);
		dawdle(turns);
		cp0_write_status(ST_BASE | ST_IM(0) | ST_IE);
		dawdle(turns / 37);
		let_others(&turns);
	}
	cp0_write_status(ST_BASE);
}

/* ---- a device ---- */

/*
 * VCPU 1 makes buffers available, some ahead of those that came back, and notifies as virtio says. What its notification leaves to be
 * done is done by VCPU 0's node.
 */
static void ask_all(void)
{
	u32 began = cp0_read_count();
	bool is_over;
	u64 sum = 0;
	u16 n = 0;

	while (!last) {
		u32 asked = cp0_read_count(), spins = 0;
		u16 before = n, ahead = 1 + n % 12;

		for (u16 i = 0; i < ahead; i++, n++)
			queue.available.ring[n % VIRTIO_SIZE] = n % VIRTIO_SIZE;
		__sync_synchronize();
		queue.available.index = n;
		__sync_synchronize();
		if ((u16)(n - queue.used.available_event - 1) < (u16)(n - before))
			virtio_put(&rng, VIRTIO_NOTIFY, 0);
		sum += ahead;
		is_over = cp0_read_count() - began > length;
		while ((u16)(n - __atomic_load_n(&seen, __ATOMIC_ACQUIRE)) > (is_over ? 0 : 4) &&
		       cp0_read_count() - asked < LIMIT)
			let_others(&spins);
		lost += (u16)(n - seen) > 4;
		if (lost || is_over)
			last = sum;
		dawdle(n);
	}
	hypercall(DISCO_HC_IPI, 1, 0);
}

/* VCPU 0 waits for what comes back. */
static void take_all(void)
{
	while (!last) {
		u16 had = queue.used.index;

		__atomic_store_n(&seen, had, __ATOMIC_SEQ_CST);
		queue.available.used_event = had;
		__sync_synchronize();
		cp0_write_status(ST_BASE | ST_IM(LINE) | ST_IM(0) | ST_IM(7));
		timer_set(2 * LIMIT);
		if (queue.used.index == had && !last)
			cp0_wait();
		cp0_write_status(ST_BASE | ST_IM(LINE) | ST_IM(0) | ST_IE);
		cp0_write_status(ST_BASE);
	}
}

/* ---- all ---- */

static const struct {
	const char *what;
	void (*act[2])(void);
} doors[] = {
	{ "to a VCPU that looks, then WAITs", { send_all, wait_for_mail } },
	{ "to a VCPU that puts them off by IE in the special page", { send_all, put_off_by_ie } },
	{ "to a VCPU that puts them off by IM", { send_all, put_off_by_im } },
	{ "of a device whose driver looks, then WAITs", { take_all, ask_all } },
};

static void together(unsigned me, u64 n)
{
	meet(me, 2 * n);
	if (me == 0)
		last = mail = seen = 0;
	meet(me, 2 * n + 1);
}

static void second(u64 me)
{
	both_found_nothing(me, BIT(40), false);
	both_found_nothing(me, BIT(41), true);
	for (u64 i = 0; i < ARRAY_SIZE(doors); i++) {
		together(me, BIT(50) + i);
		doors[i].act[me]();
	}
	smp_add(&part, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

int main(void)
{
	u64 without, with;

	need_monitor();
	length = guest_number("ms=", 500) * TICKS_MS;
	trap_hook = handler;
	rng = virtio_find(RNG);
	check(virtio_begin(&rng, EVENT_IDX), "the device refuses");
	virtio_set_up(&rng, 0, &queue);
	virtio_put(&rng, INTERRUPT_ONCE, 1);
	virtio_go(&rng);
	for (unsigned i = 0; i < VIRTIO_SIZE; i++)
		queue.descriptor[i] = (struct virtio_descriptor){ guest_pa(bytes), sizeof(bytes),
								  VIRTIO_WRITE, 0 };
	check_eq("start", (u64)smp_start(1, second, 1), 0);
	without = both_found_nothing(0, BIT(40), false);
	with = both_found_nothing(0, BIT(41), true);
	print("%u rounds: both found nothing in %lu without SYNC, %lu with it\n", BLOCK * BLOCKS,
	      (unsigned long)without, (unsigned long)with);
	check_eq("rounds with SYNC in which both found nothing", with, 0);
	for (u64 i = 0; i < ARRAY_SIZE(doors); i++) {
		together(0, BIT(50) + i);
		doors[i].act[0]();
		print("%lu interrupts %s\n", (unsigned long)last, doors[i].what);
		check(!lost, "the last one was lost");
	}
	check(smp_wait(&part, 1), "VCPU 1 did not come to its end");
	return verdict();
}
