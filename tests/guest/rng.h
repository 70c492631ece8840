/* SPDX-License-Identifier: MIT */
/* What the programs share that do wrong things to the entropy device: how it is told, and whether it still works. */
#ifndef TESTS_GUEST_RNG_H
#define TESTS_GUEST_RNG_H

#include "guests/lib/virtio.h"
#include "tests/guest/test.h"

#define RNG	  4
#define EVENT_IDX BIT(29)
#define INDIRECT  BIT(28)
#define VERSION_1 BIT(32)

static struct virtio_device rng;
static volatile struct virtio_queue queue;
static volatile u8 buffer[256] __attribute__((aligned(64)));
static volatile struct virtio_descriptor table[64] __attribute__((aligned(16)));
static u64 beyond; /* the first address behind the VM's memory */

static void start(u64 features)
{
	check(virtio_begin(&rng, features), "the device refuses its own features");
	virtio_set_up(&rng, 0, &queue);
	virtio_go(&rng);
}

static u32 status(void) { return virtio_get(&rng, VIRTIO_STATUS); }

/* A request is served, and only the buffer changes. */
static void works(const char *what)
{
	u32 sum = 0;
	s64 got;

	memset((void *)buffer, 0, sizeof(buffer));
	start(0);
	got = virtio_read(&rng, 0, &queue, buffer + 64, 32);
	for (u32 i = 64; i < 96; i++)
		sum += buffer[i] != 0;
	check(got == 32 && sum > 16, "%s: afterwards %ld bytes came, %u are not 0", what, (long)got,
	      sum);
	for (u32 i = 0; i < sizeof(buffer); i++)
		if (i < 64 || i >= 96)
			check(!buffer[i], "%s: byte %u was written", what, i);
}

static void describe(volatile struct virtio_descriptor *d, u64 address, u32 bytes, u16 flags,
		     u16 next)
{
	d->address = address;
	d->bytes = bytes;
	d->flags = flags;
	d->next = next;
}

static void offer(u16 head)
{
	queue.available.ring[queue.available.index % VIRTIO_SIZE] = head;
	__sync_synchronize();
	queue.available.index++;
	__sync_synchronize();
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
}

static void one(u64 address, u32 bytes, u16 flags, u16 next)
{
	describe(&queue.descriptor[0], address, bytes, flags, next);
	offer(0);
}

/* The device, and the end of memory. */
static void find_rng(void)
{
	rng = virtio_find(RNG);
	for (beyond = 1ul << 20; !load(MODE_KERNEL, DISCO_XSSEG_BASE + beyond)->taken;
	     beyond += 1ul << 20)
		continue;
}

#endif /* TESTS_GUEST_RNG_H */
