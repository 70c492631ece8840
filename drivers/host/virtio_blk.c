/* SPDX-License-Identifier: MIT */
/* A virtio block device's queue: a request is a chain of a header, its pieces of memory and a status
 * byte, which the device writes last. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/host/virtio_blk.h"
#include "kernel/errno.h"

#define F_READ_ONLY BIT(5)
#define F_FLUSH	    BIT(9)
#define CAPACITY    0 /* offset in the device's configuration: 512-byte sectors */
#define STATUS_OK   0
#define STATUS_NONE 0xff /* the device has not written it */

struct vblk_header {
	u32 type, reserved;
	u64 sector;
};

static const u32 types[] = {
	[HOST_READ] = 0, [HOST_WRITE] = 1, [HOST_FLUSH] = 4, [VBLK_OP_GET_ID] = 8
};

/* Where what lies in the shared memory, each part aligned as its own. */
#define DESC_BYTES   (VBLK_QUEUE * sizeof(struct vring_desc))
#define HEADER_BYTES (VBLK_QUEUE * sizeof(struct vblk_header))
#define AVAIL_BYTES  ROUND_UP(sizeof(struct vring_avail) + VBLK_QUEUE * 2 + 2, 64ul)
#define USED_BYTES   ROUND_UP(sizeof(struct vring_used) + VBLK_QUEUE * 8 + 2, 64ul)

size_t vblk_bytes(void)
{
	return DESC_BYTES + HEADER_BYTES + AVAIL_BYTES + USED_BYTES + VBLK_QUEUE;
}

void vblk_init(struct vblk *v, void *memory)
{
	u8 *at = memory;

	v->ring.desc = (void *)at;
	v->header = (void *)(at += DESC_BYTES);
	v->ring.avail = (void *)(at += HEADER_BYTES);
	v->ring.used = (void *)(at += AVAIL_BYTES);
	v->status = at + USED_BYTES;
}

bool vblk_start(struct vblk *v)
{
	if (!virtio_pci_reset(&v->port))
		return false;
	memset(v->flying, 0, sizeof(v->flying));
	memset((void *)v->ring.avail, 0, AVAIL_BYTES);
	memset((void *)v->ring.used, 0, USED_BYTES);
	v->avail = v->used = v->free = 0;
	v->size = VBLK_QUEUE;
	v->features = virtio_pci_start(&v->port, F_READ_ONLY | F_FLUSH, &v->ring, &v->size);
	v->nfree = v->size;
	for (u32 i = 0; i < v->size; i++)
		v->ring.desc[i].next = (u16)(i + 1);
	return v->features != 0;
}

u64 vblk_sectors(struct vblk *v) { return virtio_pci_config64(&v->port, CAPACITY); }

bool vblk_read_only(const struct vblk *v) { return v->features & F_READ_ONLY; }

/* Fills in the next free descriptor of a chain, and which follows it. */
static u16 add(struct vblk *v, u16 at, u64 address, u32 bytes, u16 flags)
{
	struct vring_desc *d = &v->ring.desc[at];

	d->address = address;
	d->bytes = bytes;
	d->flags = flags;
	v->nfree--;
	return d->next;
}

bool vblk_put(struct vblk *v, struct host_io *io)
{
	u16 to_memory = io->op == HOST_WRITE ? 0 : VRING_WRITE, head = v->free, at = head;

	if (v->nfree < io->npieces + 2)
		return false;
	v->header[head] = (struct vblk_header){ types[io->op], 0, io->sector };
	v->status[head] = STATUS_NONE;
	at = add(v, at, ptr_maddr(&v->header[head]).v, sizeof(struct vblk_header), VRING_NEXT);
	for (u32 i = 0; i < io->npieces; i++)
		at = add(v, at, io->pieces[i].at.v, io->pieces[i].bytes, VRING_NEXT | to_memory);
	v->free = add(v, at, ptr_maddr((const void *)&v->status[head]).v, 1, VRING_WRITE);
	v->flying[head] = io;
	io->head = head;
	v->ring.avail->ring[v->avail % v->size] = head;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the entry before the index */
	v->ring.avail->idx = ++v->avail;
	return true;
}

void vblk_kick(struct vblk *v)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_pci_notify(&v->port);
}

/* The chain's descriptors are free again, before those that are. */
static void give_back(struct vblk *v, u16 head)
{
	u16 last = head;

	for (v->nfree++; v->ring.desc[last].flags & VRING_NEXT; v->nfree++)
		last = v->ring.desc[last].next;
	v->ring.desc[last].next = v->free;
	v->free = head;
}

int vblk_take(struct vblk *v, struct host_io **io, bool *ok)
{
	u32 id;
	u8 status;

	if (v->ring.used->idx == v->used)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before the entry */
	id = v->ring.used->ring[v->used % v->size].id;
	if (id >= v->size || !v->flying[id])
		return -EINVAL;
	v->used++;
	status = v->status[id];
	*io = v->flying[id];
	*ok = status == STATUS_OK || ((*io)->op == HOST_FLUSH && !(v->features & F_FLUSH));
	v->flying[id] = NULL;
	give_back(v, (u16)id);
	return 1;
}
