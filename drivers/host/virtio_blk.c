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
#define PAGES_BYTES  (VBLK_PAGES * PAGE_SIZE)

_Static_assert(HOST_BYTES_MAX <= PAGES_BYTES, "the largest request fits");

static const struct host_io given_up, change_given_up; /* marks in vblk.flying */

size_t vblk_bytes(void)
{
	return PAGES_BYTES + DESC_BYTES + HEADER_BYTES + AVAIL_BYTES + USED_BYTES + VBLK_QUEUE;
}

void vblk_init(struct vblk *v, void *memory)
{
	u8 *at = memory;

	v->page = memory;
	v->ring.desc = (void *)(at += PAGES_BYTES);
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
	v->features = virtio_pci_start(&v->port, F_READ_ONLY | F_FLUSH, &v->ring, 1, &v->size);
	v->nfree = v->size;
	v->npages = VBLK_PAGES;
	v->given_up = v->changes_given_up = 0;
	for (u32 i = 0; i < VBLK_PAGES; i++)
		v->pages[i] = (u8)i;
	for (u32 i = 0; i < v->size; i++)
		v->ring.desc[i].next = (u16)(i + 1);
	return v->features != 0;
}

u64 vblk_sectors(struct vblk *v) { return virtio_pci_config64(&v->port, CAPACITY); }

bool vblk_read_only(const struct vblk *v) { return v->features & F_READ_ONLY; }

/* Fills in the next free descriptor of a chain; which one that was. */
static u16 add(struct vblk *v, const volatile void *memory, u32 bytes, u16 flags)
{
	u16 at = v->free;
	struct vring_desc *d = &v->ring.desc[at];

	d->address = ptr_maddr((const void *)memory).v;
	d->bytes = bytes;
	d->flags = flags;
	v->free = d->next;
	v->nfree--;
	return at;
}

static u32 bytes_of(const struct host_io *io)
{
	u32 bytes = 0;

	for (u32 i = 0; i < io->npieces; i++)
		bytes += io->pieces[i].bytes;
	return bytes;
}

/* Between the pieces of a request and the pages of its chain, whose first descriptor of data is at. */
static void copy(struct vblk *v, const struct host_io *io, u16 at, bool to_device)
{
	u32 done = 0; /* of the descriptor's page */

	for (u32 i = 0; i < io->npieces; i++) {
		u8 *memory = maddr_ptr(io->pieces[i].at);

		for (u32 left = io->pieces[i].bytes, n; left; left -= n, memory += n, done += n) {
			u8 *page;

			if (done == v->ring.desc[at].bytes) {
				at = v->ring.desc[at].next;
				done = 0;
			}
			page = v->page[v->page_of[at]] + done;
			n = MIN(left, v->ring.desc[at].bytes - done);
			memcpy(to_device ? page : memory, to_device ? memory : page, n);
		}
	}
}

bool vblk_put(struct vblk *v, struct host_io *io)
{
	u32 left = bytes_of(io), npages = (u32)((left + PAGE_MASK) / PAGE_SIZE);
	u16 flags = VRING_NEXT | (io->op == HOST_WRITE ? 0 : VRING_WRITE), head = v->free, data;

	if (v->nfree < npages + 2 || v->npages < npages)
		return false;
	v->header[head] = (struct vblk_header){ types[io->op], 0, io->sector };
	v->status[head] = STATUS_NONE;
	add(v, &v->header[head], sizeof(struct vblk_header), VRING_NEXT);
	data = v->free;
	for (u32 n; left; left -= n) {
		u8 page = v->pages[--v->npages];

		n = MIN(left, (u32)PAGE_SIZE);
		v->page_of[add(v, v->page[page], n, flags)] = page;
	}
	add(v, &v->status[head], 1, VRING_WRITE);
	if (io->op == HOST_WRITE)
		copy(v, io, data, true);
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
	virtio_pci_notify(&v->port, 0);
}

/* The chain's descriptors are free again, before those that are, and its pages. */
static void give_back(struct vblk *v, u16 head)
{
	u16 at = head;

	for (v->nfree++; v->ring.desc[at].flags & VRING_NEXT; v->nfree++) {
		if (at != head)
			v->pages[v->npages++] = v->page_of[at];
		at = v->ring.desc[at].next;
	}
	v->ring.desc[at].next = v->free;
	v->free = head;
}

void vblk_give_up(struct vblk *v, struct host_io *io)
{
	v->given_up++;
	v->changes_given_up += io->op != HOST_READ;
	v->flying[io->head] = io->op == HOST_READ ? &given_up : &change_given_up;
}

int vblk_take(struct vblk *v, struct host_io **io, bool *ok)
{
	const struct host_io *was;
	u32 id;

	if (v->ring.used->idx == v->used)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before the entry */
	id = v->ring.used->ring[v->used % v->size].id;
	if (id >= v->size || !v->flying[id])
		return -EINVAL;
	v->used++;
	was = v->flying[id];
	v->flying[id] = NULL;
	if (was == &given_up || was == &change_given_up) {
		v->given_up--;
		v->changes_given_up -= was == &change_given_up;
		*io = NULL;
	} else {
		*io = (struct host_io *)was;
		*ok = v->status[id] == STATUS_OK ||
		      (was->op == HOST_FLUSH && !(v->features & F_FLUSH));
		if (*ok && was->op != HOST_WRITE && was->npieces)
			copy(v, was, v->ring.desc[id].next, false);
	}
	give_back(v, (u16)id);
	return 1;
}
