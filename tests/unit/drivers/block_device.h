/* SPDX-License-Identifier: MIT */
/*
 * A machine with one virtio disk, which does what a test says: when it does a request, with which result,
 * in which order, or never, and requests to it. What drivers/host/disk.c and virtio_blk.c link against. For one test alone.
 */
#ifndef TESTS_UNIT_DRIVERS_BLOCK_DEVICE_H
#define TESTS_UNIT_DRIVERS_BLOCK_DEVICE_H

#include "tests/unit/unit.h"

#include <stdlib.h>

#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "drivers/host/disk.h"
#include "drivers/host/virtio_blk.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/vm/vmdesc.h"
#include "numa/numa.h"

#define SECTORS	  2048
#define MAX_CHAIN 130

/* ---- the machine around the disk ---- */

static u64 now = 1;
static char lines[4096]; /* of the log */
static u32 locked;
static struct disk_desc described = { .image = "work.img" };
static u8 arena[1 << 20] __attribute__((aligned(4096)));
static size_t arena_used;

u64 count64(void) { return now; }
void arch_yield(void) { now += COUNT_MS; }
void lock_take(struct lock *l)
{
	assert_int_equal(l->rank, RANK_HOST_DISK);
	assert_int_equal(locked++, 0);
}
void lock_release(struct lock *l)
{
	(void)l;
	assert_int_equal(locked--, 1);
}
void log_line(const char *module, const char *fmt, ...)
{
	va_list args;
	size_t used = strlen(lines);

	(void)module;
	va_start(args, fmt);
	vsnprintf(lines + used, sizeof(lines) - used, fmt, args);
	va_end(args);
}
int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}
void *nodemem_boot_alloc(u32 node, size_t bytes, size_t align)
{
	void *p;

	(void)node;
	arena_used = ROUND_UP(arena_used, align);
	p = arena + arena_used;
	arena_used += bytes;
	assert_true(arena_used <= sizeof(arena));
	memset(p, 0, bytes);
	return p;
}
const struct disk_desc *vmdesc_host_disk(const struct machine_desc *machine, u32 n)
{
	(void)machine;
	return n ? NULL : &described;
}
bool pci_next(struct pci_device *at)
{
	at->vendor = 0x1af4;
	at->device = 0x1042;
	return at->slot++ == 0;
}

static void (*interrupt)(void);
void pci_handle(void (*handler)(void)) { interrupt = handler; }

/* ---- the device ---- */

static struct {
	bool running, starts, answers_id, read_only;
	bool raised, needs_reset, config;
	struct vring ring;
	u32 size;
	u16 seen;	       /* of the avail ring */
	u16 heads[VBLK_QUEUE]; /* of chains it has taken and not returned */
	u32 n;
	u32 starts_seen;
} device;
static u8 image[SECTORS * 512];

void *fake_mpn_ptr(mpn_t mpn); /* fake/host.h */
void *fake_mpn_ptr(mpn_t mpn)
{
	return (void *)((mpn.v << PAGE_SHIFT) + ((u64)arena - ptr_maddr(arena).v));
}

static void *pointer(u64 address) { return (void *)(address + ((u64)arena - ptr_maddr(arena).v)); }

bool virtio_pci_open(struct virtio_port *port, const struct pci_device *dev)
{
	(void)port;
	(void)dev;
	return true;
}
bool virtio_pci_reset(struct virtio_port *port)
{
	(void)port;
	device.running = device.raised = device.needs_reset = device.config = false;
	device.n = 0;
	device.seen = 0;
	return true;
}
u64 virtio_pci_start(struct virtio_port *port, u64 wanted, const struct vring *ring, u32 n,
		     u32 *size)
{
	(void)port;
	assert_false(device.running);
	assert_int_equal(n, 1);
	assert_int_equal(ring->avail->idx, 0); /* an empty queue */
	device.starts_seen++;
	if (!device.starts)
		return 0;
	device.running = true;
	device.ring = *ring;
	*size = MIN(*size, device.size);
	return (wanted & BIT(9)) | (device.read_only ? wanted & BIT(5) : 0) | VIRTIO_F_VERSION_1;
}
u8 virtio_pci_interrupt(struct virtio_port *port)
{
	u8 why = (device.raised ? VIRTIO_USED : 0) | (device.config ? VIRTIO_CONFIG : 0);

	(void)port;
	device.raised = device.config = false;
	return why;
}
bool virtio_pci_needs_reset(struct virtio_port *port)
{
	(void)port;
	return device.needs_reset;
}
u64 virtio_pci_config64(struct virtio_port *port, u32 offset)
{
	(void)port;
	assert_int_equal(offset, 0);
	return SECTORS;
}

static void give(u32 id)
{
	device.ring.used->ring[device.ring.used->idx % device.size].id = id;
	device.ring.used->idx++;
	device.raised = true;
}

/* Does the i-th of the chains it has, with that status; an error leaves some of the memory changed. */
static void do_one(u32 i, u8 status)
{
	u16 head = device.heads[i], at = head;
	struct vring_desc *d = &device.ring.desc[at];
	u32 type, n = 0;
	u64 sector;
	u8 *medium;

	assert_true(i < device.n);
	memmove(&device.heads[i], &device.heads[i + 1], (--device.n - i) * sizeof(u16));
	assert_int_equal(d->bytes, 16);
	memcpy(&type, pointer(d->address), 4);
	memcpy(&sector, (u8 *)pointer(d->address) + 8, 8);
	medium = image + sector * 512;
	while (d->flags & VRING_NEXT) {
		assert_true(++n < MAX_CHAIN);
		d = &device.ring.desc[d->next];
		if (!(d->flags & VRING_NEXT))
			break;
		assert_true(type == 8 || medium + d->bytes <= image + sizeof(image));
		assert_int_equal(!!(d->flags & VRING_WRITE), type != 1);
		if (type == 8)
			strcpy(pointer(d->address), "image0");
		else if (type == 1 && status == 0)
			memcpy(medium, pointer(d->address), d->bytes);
		else if (type == 0)
			memcpy(pointer(d->address), medium, d->bytes);
		medium += d->bytes;
	}
	assert_int_equal(d->bytes, 1);
	*(u8 *)pointer(d->address) = status;
	give(head);
}

static void look_at_ring(void)
{
	while (device.seen != device.ring.avail->idx) {
		device.heads[device.n++] = device.ring.avail->ring[device.seen++ % device.size];
		assert_true(device.n <= device.size);
	}
}

void virtio_pci_notify(struct virtio_port *port, u32 queue)
{
	(void)port;
	assert_int_equal(queue, 0);
	assert_true(device.running);
	look_at_ring();
	if (device.answers_id)
		do_one(0, 0);
}

static void do_all(u8 status)
{
	while (device.n)
		do_one(0, status);
	interrupt();
}

#define REQUESTS 400

/* ---- requests ---- */

static struct {
	struct host_io io;
	struct host_piece piece[HOST_PIECES_MAX];
	u8 memory[2048];
	bool out; /* submitted, not told of */
	int err;
	u32 ends;
} request[REQUESTS];
static u32 ended[REQUESTS], nended; /* in order */
static struct host_disk *disk;
static u32 again; /* so many requests are submitted anew when they end */

static void done(struct host_io *io, int err)
{
	u32 i = (u32)(u64)io->owner;

	assert_int_equal(locked, 0);
	assert_true(request[i].out);
	request[i].out = false;
	request[i].err = err;
	request[i].ends++;
	if (nended < REQUESTS)
		ended[nended++] = i;
	if (again) {
		again--;
		request[i].out = true;
		host_disk_submit(disk, io);
	}
}

static void prepare(u32 i, enum host_op op, u64 sector, u32 bytes, u32 pieces)
{
	struct host_io *io = &request[i].io;

	*io = (struct host_io){ op,   sector,	      request[i].piece, pieces,
				done, (void *)(u64)i, .next = NULL };
	for (u32 p = 0; p < pieces; p++)
		request[i].piece[p] = (struct host_piece){
			ptr_maddr(request[i].memory + (u64)p * (bytes / pieces)), bytes / pieces
		};
}

static void submit(u32 i, enum host_op op, u64 sector, u32 bytes, u32 pieces)
{
	prepare(i, op, sector, bytes, pieces);
	request[i].out = true;
	host_disk_submit(disk, &request[i].io);
}

#endif /* TESTS_UNIT_DRIVERS_BLOCK_DEVICE_H */
