/* SPDX-License-Identifier: MIT */
/*
 * A small driver of virtio devices on memory-mapped registers (virtio 1.2, section 4.2): one device, split
 * queues whose memory is the caller's. Nothing here waits for interrupts: who wants them reads their
 * status.
 */
#ifndef GUESTS_LIB_VIRTIO_H
#define GUESTS_LIB_VIRTIO_H

#include "kernel/types.h"

#define VIRTIO_MAGIC		0x000
#define VIRTIO_VERSION		0x004
#define VIRTIO_DEVICE_ID	0x008
#define VIRTIO_FEATURES		0x010
#define VIRTIO_FEATURES_SELECT	0x014
#define VIRTIO_ACCEPTED		0x020
#define VIRTIO_ACCEPTED_SELECT	0x024
#define VIRTIO_QUEUE_SELECT	0x030
#define VIRTIO_QUEUE_SIZE_MAX	0x034
#define VIRTIO_QUEUE_SIZE	0x038
#define VIRTIO_QUEUE_READY	0x044
#define VIRTIO_NOTIFY		0x050
#define VIRTIO_INTERRUPT_STATUS 0x060
#define VIRTIO_INTERRUPT_ACK	0x064
#define VIRTIO_STATUS		0x070
#define VIRTIO_DESCRIPTORS	0x080
#define VIRTIO_AVAILABLE	0x090
#define VIRTIO_USED		0x0a0
#define VIRTIO_GENERATION	0x0fc
#define VIRTIO_CONFIG		0x100

#define VIRTIO_ACKNOWLEDGE 1
#define VIRTIO_DRIVER	   2
#define VIRTIO_DRIVER_OK   4
#define VIRTIO_FEATURES_OK 8
#define VIRTIO_NEEDS_RESET 64

#define VIRTIO_NEXT	1
#define VIRTIO_WRITE	2
#define VIRTIO_INDIRECT 4

#ifndef VIRTIO_SIZE
#define VIRTIO_SIZE \
	16 /* descriptors of a queue of the library; a program may want another power of two up to 128 */
#endif

struct virtio_descriptor {
	u64 address;
	u32 bytes;
	u16 flags, next;
};

/* A queue in guest memory; aligned as the strictest of its parts. */
struct virtio_queue {
	struct virtio_descriptor descriptor[VIRTIO_SIZE];
	struct {
		u16 flags, index, ring[VIRTIO_SIZE], used_event;
	} available;
	struct {
		u16 flags, index;
		struct {
			u32 id, bytes;
		} ring[VIRTIO_SIZE];
		u16 available_event;
	} used __attribute__((aligned(4)));
} __attribute__((aligned(16)));

struct virtio_device {
	volatile u8 *registers;
};

u32 virtio_get(const struct virtio_device *d, u32 reg);
void virtio_put(const struct virtio_device *d, u32 reg, u32 value);
void virtio_put64(const struct virtio_device *d, u32 reg, u64 value);

/*
 * The first device with that id (virtio 1.2, section 5). The VM has one: behind the last of its devices a
 * load is a bus error.
 */
struct virtio_device virtio_find(u32 id);
/* Resets, and negotiates version 1 and those features that both know. False: the device refuses. */
bool virtio_begin(const struct virtio_device *d, u64 features);
/* Queue n is q, all of it zero at first, then ready. */
void virtio_set_up(const struct virtio_device *d, u32 n, volatile struct virtio_queue *q);
void virtio_go(const struct virtio_device *d); /* DRIVER_OK */
/*
 * Until the device has used a buffer beyond this index; false: it has not in ten seconds. Who does the work may be another node:
 * after a while others of the machine have a turn.
 */
bool virtio_wait(const volatile struct virtio_queue *q, u16 index);

/*
 * One buffer, which the device is to read, or to write (flags: VIRTIO_WRITE), by descriptor 0: the bytes
 * that it says it has written, or -1 if it does not come back.
 */
s64 virtio_request(const struct virtio_device *d, u32 n, volatile struct virtio_queue *q,
		   const volatile void *buffer, u32 bytes, u16 flags);
/* One buffer that the device is to write, by descriptor 0: bytes written, or -1 if it does not come back. */
s64 virtio_read(const struct virtio_device *d, u32 n, volatile struct virtio_queue *q,
		volatile void *to, u32 bytes);

#endif /* GUESTS_LIB_VIRTIO_H */
