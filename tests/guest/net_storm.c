/* SPDX-License-Identifier: MIT */
/*
 * Rule: two VMs talk while a third sends them all that it can: it takes of them no more than its share. What it sends to a VM
 * that does not look, or by the uplink, is dropped when the buffers there are full, and slows nobody. docs/guest-abi.md.
 *
 * Method: with role=1 it sends back what comes from who talks; with role=2 it sends to both of them, without a pause, frames of
 * as many pages as storm=N says; with role=3 it only computes, as what the storm is compared with; with role=4 it sends the same to
 * nobody, which is the uplink if there is one, with role=6 to who has role=5 and looks at nothing any more. The talker counts how often a
 * frame of a page goes there and comes back in so many ms, says the number, and goes on. The runner compares
 * (test_net.py).
 *
 * Needs: memory=8
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/test.h"

#define MS	 166667u  /* of Count */
#define AGAIN	 (5 * MS) /* nothing came: the frame is sent again */
#define PROTOCOL 0x8a
#define PAGES	 15

enum role { TALKS, ANSWERS, STORMS, COMPUTES, LEAVES, SLEEPS, WAKES };
enum what { HELLO, ASK, ANSWER, STORM, TIRED };

struct head {
	struct net_header net;
	u8 to[NET_ADDRESS], from[NET_ADDRESS], protocol[2];
	u32 what, number;
} __attribute__((packed));

static struct net net;
static u8 page[PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct head head;

static void send(enum what what, u32 number, u32 pages)
{
	struct net_part part[] = { { &head, sizeof(head) }, { page, pages * PAGE_SIZE } };

	memcpy(head.from, net.address, NET_ADDRESS);
	head.protocol[0] = head.protocol[1] = PROTOCOL;
	head.what = what;
	head.number = number;
	net_queue_parts(&net, part, 1 + !!pages);
	check(net_is_sent(&net), "a frame is not given back");
}

/* Uses no processor until a frame is there, or so many ticks are over. */
static bool wait_for_frame(u32 ticks)
{
	const volatile struct virtio_queue *q = &net.receive;
	u32 start = cp0_read_count(), gone = 0;

	for (; q->used.index == net.seen && gone < ticks; gone = cp0_read_count() - start) {
		timer_set(ticks - gone);
		asm volatile("wait" ::: "memory");
		virtio_put(&net.d, VIRTIO_INTERRUPT_ACK, 3);
	}
	return q->used.index != net.seen;
}

/* The head of the next frame, whose buffers are offered again; false: none within so many ticks. */
static bool receive(struct head *h, u32 ticks)
{
	struct net_part part[NET_BUFFERS];
	u32 parts = wait_for_frame(ticks) ? net_receive_parts(&net, part, 0) : 0;

	if (parts)
		memcpy(h, (void *)part[0].at, sizeof(*h));
	for (u32 i = 0; i < parts; i++)
		net_offer(&net, net_buffer(&net, &part[i]));
	return parts;
}

/* One question, until it is answered: how often it had to be asked. */
static u32 ask(u32 number)
{
	struct head h;

	for (u32 times = 1;; times++) {
		u32 start = cp0_read_count();

		send(ASK, number, 1);
		while (cp0_read_count() - start < AGAIN)
			if (receive(&h, AGAIN) && h.what == ANSWER && h.number == number)
				return times;
	}
}

/* Finds who answers; the address stays in `head`. */
static void find(void)
{
	struct head h = { 0 };

	memset(head.to, 0xff, NET_ADDRESS);
	do
		send(HELLO, 0, 0);
	while (!receive(&h, 50 * MS) || h.what != ANSWER);
	memcpy(head.to, h.from, NET_ADDRESS);
}

static _Noreturn void talk(u32 ms)
{
	u32 number = 0;

	find();
	for (;;) {
		u32 start = cp0_read_count(), trips = 0, lost = 0;

		for (; cp0_read_count() - start < ms * MS; trips++)
			lost += ask(++number) - 1;
		print("%u trips, %u lost, in %u ms\n", trips, lost, ms);
	}
}

static _Noreturn void answer(void)
{
	struct head h;

	for (;;) {
		if (!receive(&h, MS) || h.what > ASK)
			continue;
		memcpy(head.to, h.from, NET_ADDRESS);
		send(ANSWER, h.number, h.what == ASK);
	}
}

/* To head.to and to another one in turn, without end. */
static _Noreturn void storm(const u8 *to, u32 pages)
{
	u8 other[NET_ADDRESS];

	memcpy(other, to, NET_ADDRESS);
	print("the storm begins\n");
	for (u32 i = 0;; i++) {
		u8 last[NET_ADDRESS];

		send(STORM, i, pages);
		memcpy(last, head.to, NET_ADDRESS);
		memcpy(head.to, other, NET_ADDRESS);
		memcpy(other, last, NET_ADDRESS);
	}
}

/* From whom the next frame of that kind comes. */
static void wait_for(enum what what, u8 *from)
{
	struct head h;

	while (!receive(&h, MS) || h.what != what)
		continue;
	memcpy(from, h.from, NET_ADDRESS);
}

/* Those that talk: the first HELLO is of one of them, and its answer of the other. */
static _Noreturn void storm_talkers(u32 pages)
{
	u8 other[NET_ADDRESS];

	wait_for(HELLO, other);
	find();
	storm(other, pages);
}

static _Noreturn void storm_away(u32 pages)
{
	static const u8 nobody[NET_ADDRESS] = { 2, 0, 0, 0, 0, 1 };

	memcpy(head.to, nobody, NET_ADDRESS);
	storm(nobody, pages);
}

static _Noreturn void storm_sleeper(u32 pages)
{
	wait_for(TIRED, head.to);
	storm(head.to, pages);
}

/* Offers its buffers, says so to all until the storm is there, and looks at nothing from then on. */
static _Noreturn void sleep(void)
{
	struct head h;

	memset(head.to, 0xff, NET_ADDRESS);
	do
		send(TIRED, 0, 0);
	while (!receive(&h, MS) || h.what != STORM);
	cp0_write_status(ST_BASE);
	for (;;)
		asm volatile("wait" ::: "memory");
}

int main(void)
{
	u32 role = guest_number("role=", TALKS), pages = guest_number("storm=", 1);

	need_monitor();
	if (role == COMPUTES)
		for (;;)
			continue;
	check(net_begin(&net, 0), "the device refuses");
	net.transmit.available.flags = 1; /* no interrupts for what is sent */
	cp0_write_status(ST_BASE | ST_IM(DISCO_IRQ_NET) | ST_IM(7));
	switch (role) {
	case ANSWERS: answer();
	case STORMS: storm_talkers(pages);
	case LEAVES: storm_away(pages);
	case SLEEPS: sleep();
	case WAKES: storm_sleeper(pages);
	default: talk(guest_number("ms=", 100));
	}
}
