/* SPDX-License-Identifier: MIT */
/*
 * Rule: once a device is reset, or its queue taken away, by any VCPU, nothing of what was under way is read or written any
 * more: what the next driver puts in its place reaches nobody, and stays as it is; what its other queues have under way goes on.
 * virtio 1.2, sections 2.1, 4.2; docs/guest-abi.md.
 *
 * Method: VCPU 1, on another node than the VM's home, which does the work, takes devices away in the middle and
 * overwrites their buffers at once. Frames, all bytes of one value, go to net_rules.c with role=1, who sends them back; blocks
 * of one value are written, and read again afterwards; blocks and random bytes that are read do not come any more. What the
 * console is to write is overwritten with what the runner must not see. The balloon's turn is in virtio_flight.c.
 *
 * Needs: memory=8 vcpus=2 nodes=2
 *
 * Ends: paired
 */
#include "guests/lib/blk.h"
#include "guests/lib/net.h"
#include "tests/guest/smp.h"

#define SECOND	  166666667u /* of Count */
#define SOON	  (10u * SECOND)
#define PROTOCOL  0x88
#define BODY	  (NET_HEADER + 5) /* behind what net_rules.c looks at: how often, and a number */
#define AT_NUMBER (NET_HEADER + 1)
#define FRAMES	  300
#define TIMES	  25
#define ENTROPY	  4
#define CONSOLE	  3
#define TRANSMIT  1
#define PAGES	  120
#define SECTORS	  (PAGES * PAGE_SIZE / 512)
#define FIRST	  4096 /* sector */

static struct net net;
static struct net_header none, got_header;
static u8 frame[NET_FRAME_MAX], got[NET_BUFFERS * 4096];
static u8 memory[(PAGES + 1) * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static volatile struct virtio_queue queue;
static struct virtio_device device;
static u64 state;
static u32 number;
static u32 under_way[4]; /* of resets, those that met something, of each kind */
static u32 time[4] = { 3000, 3000, 3000, 3000 };
static volatile u64 done;

enum kind { FRAME, WRITE, READ, BYTES };

static u32 below(u32 n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(state >> 33) % n;
}

/*
 * In the middle of what was offered last: true, it is not done. When that is depends on the host: so the time until then, at
 * random, is up to one that what is offered survives mostly, in turns of the loop.
 */
static bool in_the_middle(const volatile struct virtio_queue *q, enum kind kind)
{
	u32 *most = &time[kind];
	bool at_work;

	for (u32 i = below(*most); i; i--)
		__sync_synchronize();
	at_work = q->used.index != q->available.index;
	*most += at_work ? *most / 64 + 1 : -(*most / 8);
	return at_work;
}

static void take_queue(const struct virtio_device *d, u32 n)
{
	virtio_put(d, VIRTIO_QUEUE_SELECT, n);
	virtio_put(d, VIRTIO_QUEUE_READY, 0);
}

/* One of the two ways. */
static void take_away(const struct virtio_device *d, u32 n, const volatile struct virtio_queue *q,
		      enum kind kind)
{
	bool at_work = in_the_middle(q, kind);

	if (below(2))
		virtio_put(d, VIRTIO_STATUS, 0);
	else
		take_queue(d, n);
	under_way[kind] += at_work;
}

/* ---- frames ---- */

/* To all: such a frame is copied. */
static void make(u32 bytes, u8 fill)
{
	memset(frame, 0xff, NET_ADDRESS);
	memcpy(frame + NET_ADDRESS, net.address, NET_ADDRESS);
	frame[12] = frame[13] = PROTOCOL;
	frame[NET_HEADER] = 1;
	number++;
	memcpy(frame + AT_NUMBER, &number, sizeof(number));
	memset(frame + BODY, fill, bytes - BODY);
}

static void is_of_one_moment(s64 bytes)
{
	for (s64 i = BODY; i < bytes; i++)
		check(got[i] == got[BODY], "byte %ld of %ld is %x, not %x: written after the reset",
		      (long)i, (long)bytes, got[i], got[BODY]);
}

/* A frame of now comes back; those before it are whole. */
static void now(void)
{
	u32 came = 0;

	check(net_begin(&net, 0), "the device refuses");
	for (u32 i = 0; i < 100 && came != number; i++) { /* the peer may not be there yet */
		s64 n = 0;

		make(BODY + 1, 0);
		check(net_send(&net, &none, frame, BODY + 1, 1), "not given back");
		while (came != number &&
		       (n = net_receive(&net, &got_header, got, i < 99 ? SECOND / 8 : SOON, true)) >
			       BODY) {
			is_of_one_moment(n);
			memcpy(&came, got + AT_NUMBER, sizeof(came));
		}
	}
	check_eq("the frame of now", came, number);
}

static void frames(void)
{
	now();
	for (u32 i = 0; i < FRAMES; i++) {
		u32 bytes = net.mtu + NET_HEADER;

		make(bytes, i);
		net_queue(&net, &none, frame, bytes, 1 + below(16));
		take_away(&net.d, NET_TRANSMIT, &net.transmit, FRAME);
		memset((void *)net.out, ~i, sizeof(net.out));
		now();
	}
}

/* What is sent while the other queue goes is sent, and comes back. */
static void the_other_queue(void)
{
	u32 met = 0;

	for (u32 i = 0; i < FRAMES / 4; i++) {
		u32 bytes = net.mtu + NET_HEADER, start;

		make(bytes, i);
		net_queue(&net, &none, frame, bytes, 1 + below(16));
		met += in_the_middle(&net.transmit, FRAME);
		take_queue(&net.d, NET_RECEIVE);
		for (start = cp0_read_count();
		     !net_is_sent(&net) && cp0_read_count() - start < SOON;)
			continue;
		check(net_is_sent(&net), "not given back, and its own queue was not taken away");
		now();
	}
	check(met, "no frame was under way");
}

/* ---- blocks ---- */

static void begin_disk(void) { check(blk_begin(&device, &queue), "the disk refuses"); }

/* Whole pages seldom: those are shared with the disk, and each is copied when it is written again. */
static struct blk_range some_range(void)
{
	return (struct blk_range){ memory + (below(16) ? 512 : 0), PAGES * PAGE_SIZE };
}

/* The first byte behind `bytes` of that value; NULL: there is none up to the end. */
static const u8 *other_than(u8 value, const u8 *bytes, const u8 *end)
{
	const u64 all = value * 0x0101010101010101ul;

	for (; bytes < end && *(const u64 *)bytes == all; bytes += sizeof(u64))
		continue;
	for (; bytes < end; bytes++)
		if (*bytes != value)
			return bytes;
	return NULL;
}

static void whole(u32 type)
{
	check_eq("request",
		 blk_request(&device, &queue, type, FIRST, memory + 512, PAGES * PAGE_SIZE),
		 BLK_OK);
}

static void is_one_or(u8 old, u8 new)
{
	for (u32 i = 0; i < SECTORS; i++) {
		const u8 *sector = memory + 512 + 512 * i;
		const u8 *other = other_than(*sector == new ? new : old, sector, sector + 512);

		if (other)
			check(false, "sector %u has %x, not %x or %x alone", i, *other, old, new);
	}
}

static void settle(u8 fill)
{
	memset(memory, fill, sizeof(memory));
	whole(BLK_OUT);
}

static void writes(void)
{
	begin_disk();
	for (u32 i = 0; i < TIMES; i++) {
		struct blk_range range = some_range();

		settle(2 * i);
		memset(memory, 2 * i + 1, sizeof(memory));
		blk_offer(&device, &queue, BLK_OUT, FIRST, &range, 1);
		take_away(&device, 0, &queue, WRITE);
		memset(memory, 0xee, sizeof(memory));
		begin_disk();
		whole(BLK_IN);
		is_one_or(2 * i, 2 * i + 1);
	}
}

static void stays(u8 fill, u32 bytes)
{
	u32 start = cp0_read_count();
	const u8 *other;

	while (cp0_read_count() - start < SECOND / 1000)
		continue;
	other = other_than(fill, memory, memory + bytes);
	if (other)
		check(false, "byte %ld is %x: it came after the reset", other - memory, *other);
}

static void reads(void)
{
	begin_disk();
	for (u32 i = 0; i < TIMES; i++) {
		struct blk_range range = some_range();

		blk_offer(&device, &queue, BLK_IN, i * SECTORS, &range, 1);
		take_away(&device, 0, &queue, READ);
		memset(memory, 0x77, sizeof(memory));
		stays(0x77, sizeof(memory));
		begin_disk();
	}
}

/* ---- random bytes ---- */

static void random_bytes(void)
{
	device = virtio_find(ENTROPY);
	for (u32 i = 0; i < TIMES; i++) {
		check(virtio_begin(&device, 0), "the entropy device refuses");
		virtio_set_up(&device, 0, &queue);
		virtio_go(&device);
		for (u32 k = 0; k < VIRTIO_SIZE; k++) {
			queue.descriptor[k] = (struct virtio_descriptor){ guest_pa(memory + 64 * k),
									  64, VIRTIO_WRITE, 0 };
			queue.available.ring[k] = k;
		}
		__sync_synchronize();
		queue.available.index = VIRTIO_SIZE;
		virtio_put(&device, VIRTIO_NOTIFY, 0);
		take_away(&device, 0, &queue, BYTES);
		memset(memory, 0x77, 64 * VIRTIO_SIZE);
		stays(0x77, 64 * VIRTIO_SIZE);
	}
}

/* ---- what the console writes ---- */

static void lines(void)
{
	device = virtio_find(CONSOLE);
	for (u32 i = 0; i < 8; i++) {
		check(virtio_begin(&device, 0), "the console refuses");
		virtio_set_up(&device, TRANSMIT, &queue);
		virtio_go(&device);
		memset(memory, '.', PAGE_SIZE);
		for (u32 k = 63; k < PAGE_SIZE; k += 64)
			memory[k] = '\n';
		queue.descriptor[0] =
			(struct virtio_descriptor){ guest_pa(memory), PAGE_SIZE, 0, 0 };
		queue.available.ring[0] = 0;
		__sync_synchronize();
		queue.available.index = 1;
		virtio_put(&device, VIRTIO_NOTIFY, TRANSMIT);
		take_away(&device, TRANSMIT, &queue, BYTES);
		memset(memory, '#', PAGE_SIZE); /* the runner looks for it */
	}
	virtio_put(&device, VIRTIO_STATUS, 0);
}

static void elsewhere(u64 id)
{
	(void)id;
	frames();
	the_other_queue();
	writes();
	reads();
	random_bytes();
	lines();
	smp_add(&done, 1);
	for (;;)
		hypercall(DISCO_HC_YIELD, 0, 0);
}

int main(void)
{
	need_monitor();
	state = guest_seed(1);
	check_eq("start of VCPU 1", (u64)smp_start(1, elsewhere, 1), 0);
	while (!done && !smp_late)
		hypercall(DISCO_HC_YIELD, 0, 0);
	for (u32 i = 0; i < ARRAY_SIZE(under_way); i++)
		check(under_way[i], "none of kind %u was under way", i);
	print("under way: %u frames, %u writes, %u reads, %u others\n", under_way[FRAME],
	      under_way[WRITE], under_way[READ], under_way[BYTES]);
	return verdict();
}
