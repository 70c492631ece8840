/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever another VCPU on another node does to a network device, its queues and the pages of frames while home sends and others
 * send to it, nothing outside of what was offered is written, and the device works afterwards. docs/guest-abi.md.
 *
 * Method: VCPU 0 sends frames of whole pages, to all and to one, and offers its buffers again. VCPU 1 meanwhile starts the
 * device anew, remaps pages of frames to buffers and buffers to pages, offers a page of the rings or of the image's own
 * tables of queues as a buffer, offers one page many times, and gives pages that are on their way to the balloon. With role=1
 * the same device is only filled, by frames of pages to all, without end.
 *
 * Needs: memory=8 vcpus=2 nodes=2
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/smp.h"

#define PROTOCOL    0x8d
#define PAGES	    8
#define FRAMES	    1000
#define RESETS	    50
#define GUARD_PAGES 8
#define BALLOON	    5
#define PATIENCE    20000

static struct net net;
static volatile u64 page[PAGES][PAGE_SIZE / sizeof(u64)] __attribute__((aligned(PAGE_SIZE)));
static struct {
	struct net_header net;
	u8 to[NET_ADDRESS], from[NET_ADDRESS], protocol[2];
} head;
static struct virtio_device balloon;
static volatile struct virtio_queue inflate;
static volatile u32 number;
static volatile u64 stop, stopped, resets;

static u64 next(u64 *state)
{
	*state = *state * 6364136223846793005ul + 1442695040888963407ul;
	return (*state ^ *state >> 29) >> 8;
}

/* Until it is taken; not patiently, whether or not it is: VCPU 1 may have started the device anew. */
static void send(u64 *s, bool patiently)
{
	u32 pages = next(s) % (PAGES + 1);
	struct net_part part[1 + PAGES] = { { &head, sizeof(head) } };

	for (u32 i = 0; i < pages; i++)
		part[1 + i] = (struct net_part){ page[next(s) % PAGES], PAGE_SIZE };
	net_queue_parts(&net, part, 1 + pages);
	for (u32 i = 0; net.transmit.used.index != net.transmit.available.index; i++)
		if (patiently)
			hypercall(DISCO_HC_YIELD, 0, 0);
		else if (i == PATIENCE)
			break;
}

/* All buffers again, whatever has come in them. */
static void offer_all(void)
{
	volatile struct virtio_queue *q = &net.receive;

	for (u32 i = 0; i < VIRTIO_SIZE; i++)
		q->available.ring[i] = i;
	__sync_synchronize();
	q->available.index = q->used.index + VIRTIO_SIZE;
}

static void descriptor(u32 i, volatile const void *at)
{
	net.receive.descriptor[i].address = guest_pa(at) & ~(u64)PAGE_MASK;
	net.receive.descriptor[i].bytes = PAGE_SIZE;
	net.receive.descriptor[i].flags = VIRTIO_WRITE;
}

static void disturb_once(u64 *s)
{
	volatile u64 *one = page[next(s) % PAGES];
	volatile u8 *buffer = net.buffer[next(s) % NET_BUFFERS];

	switch (next(s) % 8) {
	case 0:
		net_begin(&net, next(s) % 2 ? NET_CSUM : 0);
		resets++;
		break;
	case 1: hypercall(DISCO_HC_REMAP, guest_pa(one), guest_pa(buffer)); break;
	case 2: hypercall(DISCO_HC_REMAP, guest_pa(buffer), guest_pa(one)); break;
	case 3: descriptor(next(s) % VIRTIO_SIZE, one); break;
	case 4: descriptor(next(s) % VIRTIO_SIZE, net.buffer[0]); break;
	case 5:
		if (next(s) % 16 == 0)
			virtio_put(&net.d, VIRTIO_QUEUE_READY, next(s) % 2);
		break;
	case 6:
		number = guest_pa(next(s) % 2 ? (volatile void *)one : buffer) >> PAGE_SHIFT;
		virtio_request(&balloon, 0, &inflate, &number, sizeof(number), 0);
		break;
	default: one[next(s) % 512] = next(s);
	}
}

static void disturb(u64 seed)
{
	for (u64 s = seed; !stop;)
		disturb_once(&s);
	smp_add(&stopped, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

static void works_again(void)
{
	struct net_part part[NET_BUFFERS];

	check(net_begin(&net, 0), "the device refuses");
	check(net_receive_parts(&net, part, 333333334), "no frame comes any more");
	net_queue_parts(&net, &(struct net_part){ &head, sizeof(head) }, 1);
	check(net_is_sent(&net), "a frame is not given back");
}

int main(void)
{
	bool fills = guest_number("role=", 0);
	u64 state = guest_seed(1);

	need_monitor();
	check(net_begin(&net, 0), "the device refuses");
	memset(head.to, 0xff, NET_ADDRESS);
	memcpy(head.from, net.address, NET_ADDRESS);
	head.protocol[0] = head.protocol[1] = PROTOCOL;
	for (u32 i = 0; i < GUARD_PAGES; i++)
		tag_page(i, 0x6b0000 + i);
	balloon = virtio_find(BALLOON);
	check(virtio_begin(&balloon, 0), "the balloon refuses");
	virtio_set_up(&balloon, 0, &inflate);
	virtio_go(&balloon);
	if (!fills)
		check_eq("VCPU 1", (u64)smp_start(1, disturb, next(&state)), 0);
	for (u32 i = 0; fills || i < FRAMES || resets < RESETS; i++) {
		send(&state, fills);
		offer_all();
	}
	stop = 1;
	smp_wait(&stopped, 1);
	works_again();
	for (u32 i = 0; i < GUARD_PAGES; i++)
		check(page_va(i)[0] == 0x6b0000 + i &&
			      page_va(i)[PAGE_SIZE / 8 - 1] == 0x6b0000 + i + 1,
		      "page %u was written", i);
	return verdict();
}
