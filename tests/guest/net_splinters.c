/* SPDX-License-Identifier: MIT */
/*
 * Rule: a VM that sends frames in as many parts as there may be, to one that has as many for each of its buffers, costs the others on
 * its node no more of their time than one that computes, and keeps them waiting no longer. docs/guest-abi.md.
 *
 * Method: with role=1 its receive buffers are chains of single bytes, by one indirect table for all of them, offered again
 * without a look; with role=2 it sends frames of as many single bytes there, all places of its queue at once and without a pause: another VCPU than home's fills them again.
 * Who shares its node looks at its watch (guests/rivals/victim.c), and the runner compares (test_net.py).
 *
 * Needs: memory=8 vcpus=2 nodes=2
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/smp.h"

#define INDIRECT BIT(28)
#define SIZE	 128
#define RANGES	 256
#define PROTOCOL 0x8c
#define MS	 166667u /* of Count */

static struct net net;
static struct virtio_descriptor splinters[RANGES] __attribute__((aligned(16)));
static struct {
	struct virtio_descriptor descriptor[SIZE];
	struct {
		u16 flags, index, ring[SIZE], used_event;
	} available;
	struct {
		u16 flags, index;
		struct {
			u32 id, bytes;
		} ring[SIZE];
		u16 available_event;
	} used __attribute__((aligned(4)));
} volatile queue __attribute__((aligned(16)));
static u8 bytes[RANGES]; /* header and frame, or where they go */
static struct {
	struct net_header net;
	u8 to[NET_ADDRESS], from[NET_ADDRESS], protocol[2];
} head;

/* The device begins anew with one queue, whose chains are all of the splinters. */
static void begin(u32 number, u16 flags)
{
	for (u32 i = 0; i < RANGES; i++)
		splinters[i] = (struct virtio_descriptor){
			guest_pa(bytes + i), 1, flags | (i + 1 < RANGES ? VIRTIO_NEXT : 0), i + 1
		};
	for (u32 i = 0; i < SIZE; i++) {
		queue.descriptor[i].address = guest_pa(splinters);
		queue.descriptor[i].bytes = sizeof(splinters);
		queue.descriptor[i].flags = VIRTIO_INDIRECT;
		queue.available.ring[i] = i;
	}
	queue.available.flags = 1; /* no interrupts */
	check(virtio_begin(&net.d, INDIRECT | NET_MERGEABLE), "the device refuses");
	virtio_put(&net.d, VIRTIO_QUEUE_SELECT, number);
	virtio_put(&net.d, VIRTIO_QUEUE_SIZE, SIZE);
	virtio_put64(&net.d, VIRTIO_DESCRIPTORS, guest_pa(&queue.descriptor));
	virtio_put64(&net.d, VIRTIO_AVAILABLE, guest_pa(&queue.available));
	virtio_put64(&net.d, VIRTIO_USED, guest_pa(&queue.used));
	virtio_put(&net.d, VIRTIO_QUEUE_READY, 1);
	virtio_go(&net.d);
}

/* What has come back is there again. */
static void offer_all(void)
{
	queue.available.index = queue.used.index + SIZE;
	__sync_synchronize();
}

static _Noreturn void catch (void)
{
	struct net_part part[NET_BUFFERS];

	do {
		struct net_part hello = { &head, sizeof(head) };

		net_queue_parts(&net, &hello, 1);
	} while (!net_receive_parts(&net, part, 20 * MS));
	begin(NET_RECEIVE, VIRTIO_WRITE);
	cp0_write_status(ST_BASE | ST_IM(7));
	for (;;) {
		offer_all();
		timer_set(MS);
		asm volatile("wait" ::: "memory");
	}
}

/* VCPU 1, on a node that is not home. */
static void storm(u64 unused)
{
	(void)unused;
	for (;;) {
		offer_all();
		virtio_put(&net.d, VIRTIO_NOTIFY, NET_TRANSMIT);
	}
}

static _Noreturn void throw(void)
{
	struct net_part part[NET_BUFFERS];
	struct net_part hello = { &head, sizeof(head) };

	while (!net_receive_parts(&net, part, 20 * MS))
		continue;
	memcpy(head.to, (u8 *)part[0].at + offsetof(typeof(head), from), NET_ADDRESS);
	net_queue_parts(&net, &hello, 1);
	check(net_is_sent(&net), "an answer is not given back");
	memcpy(bytes, &head, sizeof(head));
	begin(NET_TRANSMIT, 0);
	print("the storm begins\n");
	check_eq("VCPU 1", (u64)smp_start(1, storm, 0), 0);
	for (;;)
		asm volatile("wait" ::: "memory");
}

int main(void)
{
	need_monitor();
	check(net_begin(&net, 0), "the device refuses");
	memset(head.to, 0xff, NET_ADDRESS);
	memcpy(head.from, net.address, NET_ADDRESS);
	head.protocol[0] = head.protocol[1] = PROTOCOL;
	if (guest_number("role=", 1) == 1)
		catch ();
	throw();
}
