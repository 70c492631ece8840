/* SPDX-License-Identifier: MIT */
/*
 * The block device (virtio 1.2, section 5.2), a front end of drivers/disk: chains become requests, and go
 * back when these have ended.
 */
#include <string.h>
#include "drivers/dev.h"
#include "drivers/disk/disk.h"
#include "drivers/virtio/mmio.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/vm.h"

#define ID	   2
#define F_SEG_MAX  BIT(2)
#define F_RO	   BIT(5)
#define F_BLK_SIZE BIT(6)
#define F_FLUSH	   BIT(9)
#define F_TOPOLOGY BIT(10)
#define F_DISCARD  BIT(13)
#define F_ZEROES   BIT(14)

enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, ZEROES = 13 };
enum { OK = 0, IO_ERROR = 1, UNSUPPORTED = 2 };

#define HEADER	     16 /* bytes: type, reserved, sector */
#define SEGMENT	     16 /* of DISCARD and ZEROES: sector, number of sectors, flags */
#define ID_BYTES     20
#define SEGMENTS     254
#define REQUESTS     64	 /* at a time; chains beyond these wait in the queue */
#define SMALL_RANGES 128 /* pieces of ranges, beside one chain's of the longest */
#define CHAIN_RANGES ((VQUEUE_RANGES_MAX + DISK_RANGES - 1) / DISK_RANGES)
#define BLOCKS_MAX   64 /* at a time: some 2000 instructions each */
#define CHAINS_MAX   64
#define ZEROES_LIMIT (1u << 22) /* sectors of a request */

/* A chain under way. */
struct slot {
	struct disk_request request; /* the first field */
	struct disk_ranges *ranges;
	struct slot *next; /* free ones */
	u64 status_at;	   /* gpa */
	u16 head;
};

struct blk {
	struct virtio virtio;	 /* the first field: drivers/virtio/mmio.h */
	struct vm_disk *disk;	 /* in disk_memory */
	struct slot *free_slots; /* the device's lock, like all below */
	struct disk_ranges *free_ranges;
	u32 nfree_ranges;
	struct dma_spot header_spot,
		status_spot; /* drivers of most guests have them in few pages */
	struct slot slot[REQUESTS];
	struct disk_ranges ranges[CHAIN_RANGES + SMALL_RANGES];
	u8 disk_memory[DISK_BYTES] __attribute__((aligned(8)));
};

struct header {
	u32 type, reserved;
	u64 sector;
};

_Static_assert(sizeof(struct header) == HEADER && HEADER == VQUEUE_HEADER,
	       "the layout is the specification's");

/* ---- slots and ranges ---- */

static void free_slot(struct blk *b, struct slot *s)
{
	struct disk_ranges *r;

	while ((r = s->ranges)) {
		s->ranges = r->next;
		r->next = b->free_ranges;
		b->free_ranges = r;
		b->nfree_ranges++;
	}
	s->next = b->free_slots;
	b->free_slots = s;
}

static void free_all(struct blk *b)
{
	b->free_slots = NULL;
	b->free_ranges = NULL;
	b->nfree_ranges = 0;
	for (u32 i = 0; i < REQUESTS; i++) {
		b->slot[i].ranges = NULL;
		free_slot(b, &b->slot[i]);
	}
	for (u32 i = 0; i < ARRAY_SIZE(b->ranges); i++) {
		b->ranges[i].next = b->free_ranges;
		b->free_ranges = &b->ranges[i];
		b->nfree_ranges++;
	}
}

/* For any chain. */
static bool has_room(const struct blk *b)
{
	return b->free_slots && b->nfree_ranges >= CHAIN_RANGES;
}

static struct slot *take_slot(struct blk *b)
{
	struct slot *s = b->free_slots;

	b->free_slots = s->next;
	s->ranges = NULL;
	return s;
}

/* The data of the chain: bytes [skip, skip + bytes) of its ranges from `first` on, as the slot's ranges. */
static void keep_ranges(struct blk *b, struct slot *s, const struct dma_range *first, u64 skip,
			u64 bytes)
{
	struct disk_ranges **end = &s->ranges;

	for (const struct dma_range *from = first; bytes; from++) {
		u32 part = skip < from->bytes ? MIN(from->bytes - skip, bytes) : 0;

		if (part && (!*end || (*end)->n == DISK_RANGES)) {
			if (*end)
				end = &(*end)->next;
			*end = b->free_ranges;
			b->free_ranges = (*end)->next;
			b->nfree_ranges--;
			(*end)->next = NULL;
			(*end)->n = 0;
		}
		if (part)
			(*end)->range[(*end)->n++] = (struct dma_range){ from->gpa + skip, part };
		skip -= part ? skip : from->bytes;
		bytes -= part;
	}
}

/* ---- chains ---- */

/* Bytes [skip, skip + bytes) of what the device reads of the chain. False: it is shorter. */
static bool read_bytes(struct blk *b, const struct vqueue_chain *c, u64 skip, void *to, u32 bytes)
{
	struct vm *vm = b->virtio.dev->vm;

	if (c->read_bytes < skip + bytes)
		return false;
	if (!skip && c->range[0].bytes >= bytes)
		dma_read_at(vm, &b->header_spot, to, c->range[0].gpa, bytes);
	else
		dma_gather(vm, c->range, skip, to, bytes);
	return true;
}

/* Where the last byte that the device writes is: the status. */
static u64 status_at(const struct vqueue_chain *c)
{
	const struct dma_range *last = &c->range[c->nread + c->nwritten - 1];

	return last->gpa + last->bytes - 1;
}

/* The chain goes back. bytes: written before its status. */
static void give_back(struct blk *b, u64 at, u16 head, u8 status, u64 bytes)
{
	struct virtio *v = &b->virtio;

	if (!virtio_is_live(v))
		return;
	dma_write_at(v->dev->vm, &b->status_spot, at, &status, 1);
	virtio_give_back(v, 0, head, bytes + 1);
}

static void give_back_ended(struct blk *b)
{
	struct disk_request *r;

	while ((r = disk_next_ended(b->disk))) {
		struct slot *s = (struct slot *)r;
		bool ok = r->status == DISK_OK;

		give_back(b, s->status_at, s->head, ok ? OK : IO_ERROR,
			  r->op == DISK_READ && ok ? r->bytes : 0);
		free_slot(b, s);
	}
}

static u8 give_id(struct blk *b, const struct vqueue_chain *c, u64 *written)
{
	char id[ID_BYTES] = { 0 };
	u64 room = c->written_bytes - 1;

	strncpy(id, disk_desc(b->disk)->serial, sizeof(id));
	if (room < sizeof(id) || c->range[c->nread].bytes < sizeof(id))
		return IO_ERROR;
	dma_write(b->virtio.dev->vm, c->range[c->nread].gpa, id, sizeof(id));
	*written = sizeof(id);
	return OK;
}

static bool fits(const struct blk *b, u64 sector, u64 bytes)
{
	u64 have = disk_sectors(b->disk);

	return bytes && bytes % DISK_SECTOR == 0 && sector <= have &&
	       bytes / DISK_SECTOR <= have - sector;
}

/* ---- requests: OK, it has begun; else the status that the chain goes back with at once ---- */

static u8 begin(struct blk *b, const struct vqueue_chain *c, enum disk_op op, u64 sector, u64 bytes)
{
	struct slot *s = take_slot(b);
	struct disk_request *r = &s->request;

	s->head = c->head;
	s->status_at = status_at(c);
	if (op == DISK_READ)
		keep_ranges(b, s, &c->range[c->nread], 0, bytes);
	else if (op == DISK_WRITE)
		keep_ranges(b, s, c->range, HEADER, bytes);
	r->op = op;
	r->sector = sector;
	r->bytes = bytes;
	r->ranges = s->ranges;
	r->lasts = (op == DISK_WRITE || op == DISK_ZERO) && !(b->virtio.accepted & F_FLUSH);
	disk_submit(b->disk, r);
	return OK;
}

static bool is_writable(const struct blk *b) { return !disk_desc(b->disk)->read_only; }

static u8 begin_write(struct blk *b, const struct vqueue_chain *c, u64 sector)
{
	u64 bytes = c->read_bytes - HEADER;

	if (!is_writable(b) || !fits(b, sector, bytes))
		return IO_ERROR;
	return begin(b, c, DISK_WRITE, sector, bytes);
}

static u8 begin_read(struct blk *b, const struct vqueue_chain *c, u64 sector)
{
	u64 bytes = c->written_bytes - 1;

	return fits(b, sector, bytes) ? begin(b, c, DISK_READ, sector, bytes) : IO_ERROR;
}

/* DISCARD and ZEROES have one segment: the configuration says so. */
static u8 begin_segment(struct blk *b, const struct vqueue_chain *c, bool zero)
{
	struct {
		u64 sector;
		u32 sectors, flags;
	} segment;
	u32 flags = zero; /* ZEROES: may unmap */

	if (!(b->virtio.type->features & (zero ? F_ZEROES : F_DISCARD)))
		return UNSUPPORTED;
	if (!read_bytes(b, c, HEADER, &segment, SEGMENT) || c->read_bytes != HEADER + SEGMENT)
		return IO_ERROR;
	if (segment.flags & ~flags)
		return UNSUPPORTED;
	if (segment.sectors > ZEROES_LIMIT ||
	    !fits(b, segment.sector, (u64)segment.sectors * DISK_SECTOR))
		return IO_ERROR;
	return begin(b, c, zero ? DISK_ZERO : DISK_DISCARD, segment.sector,
		     (u64)segment.sectors * DISK_SECTOR);
}

static void start(struct blk *b, const struct vqueue_chain *c)
{
	struct header h;
	u64 written = 0;
	u8 status = UNSUPPORTED;

	if (!c->written_bytes) {
		virtio_malformed(&b->virtio, 0, "a request without a place for its status");
		return;
	}
	if (!read_bytes(b, c, 0, &h, HEADER)) {
		virtio_malformed(&b->virtio, 0, "a request shorter than its header");
		return;
	}
	switch (h.type) {
	case IN: status = begin_read(b, c, h.sector); break;
	case OUT: status = begin_write(b, c, h.sector); break;
	case FLUSH: status = begin(b, c, DISK_FLUSH, 0, 0); break;
	case DISCARD: status = begin_segment(b, c, false); break;
	case ZEROES: status = begin_segment(b, c, true); break;
	case GET_ID:
		status = give_id(b, c, &written);
		give_back(b, status_at(c), c->head, status, written);
		return;
	default: break;
	}
	if (status != OK)
		give_back(b, status_at(c), c->head, status, 0);
}

/*
 * The next chain, if it reads a block that is in memory into a page: true, it is done, without a slot, ranges and steps.
 * Budget: 2,500 instructions for such a read, from the guest's system call to its return (make bench-disk, disk.hit.insns).
 * False: it may be anything, nothing was done for it, and all that was read of it is read again.
 */
static bool read_at_once(struct blk *b)
{
	struct virtio *v = &b->virtio;
	struct vqueue_page c;
	struct header h;

	if (!virtio_is_live(v) || !vqueue_sees_page(&v->queue[0], &c))
		return false;
	dma_read_at(v->dev->vm, &b->header_spot, &h, c.header, HEADER);
	if (h.type != IN || !disk_read_page(b->disk, h.sector, gpa_gpn((gpa_t){ c.page })))
		return false;
	vqueue_took_page(&v->queue[0]);
	give_back(b, c.status, c.head, OK, PAGE_SIZE);
	return true;
}

/* Takes chains while there is room for them, and goes on with requests, for some blocks. */
static enum virtio_left notified(struct virtio *v, u32 n)
{
	struct blk *b = (struct blk *)v;
	u32 budget = BLOCKS_MAX;
	bool more = !disk_is_idle(b->disk) && disk_service(b->disk, &budget);

	give_back_ended(b);
	for (u32 i = 0; i < CHAINS_MAX && budget; i++) {
		/* What came since the first look is seen when the guest is asked to notify. */
		if (i && !vqueue_has_seen_more(&v->queue[n]))
			break;
		if (read_at_once(b)) {
			budget--;
			continue;
		}
		if (!has_room(b))
			return more ? VIRTIO_MORE : VIRTIO_LATER;
		if (!virtio_next(v, n, &v->chain))
			break;
		start(b, &v->chain);
		more = disk_service(b->disk, &budget);
		give_back_ended(b);
	}
	return more || vqueue_has_seen_more(&v->queue[n]) ? VIRTIO_MORE : VIRTIO_NOTHING;
}

static void forget(struct virtio *v, u32 n)
{
	struct blk *b = (struct blk *)v;

	(void)n; /* it has one queue */
	disk_abort(b->disk);
	free_all(b);
}

/* ---- the device ---- */

static void config(struct virtio *v, u8 *config)
{
	const struct blk *b = (const struct blk *)v;
	struct {
		u64 capacity;
		u32 size_max, seg_max, geometry, blk_size;
		u8 physical_exponent, alignment;
		u16 min_io;
		u32 opt_io;
		u16 writeback, queues;
		u32 discard_sectors, discard_segments, discard_alignment;
		u32 zeroes_sectors, zeroes_segments;
		u8 zeroes_unmap, unused[3];
	} c = {
		.capacity = disk_sectors(b->disk),
		.seg_max = SEGMENTS,
		.blk_size = DISK_SECTOR,
		.physical_exponent = 3,
		.min_io = BLOCK_BYTES / DISK_SECTOR,
		.opt_io = CACHE_RUN * BLOCK_BYTES / DISK_SECTOR,
		.queues = 1,
		.discard_sectors = ZEROES_LIMIT,
		.discard_segments = 1,
		.discard_alignment = BLOCK_BYTES / DISK_SECTOR,
		.zeroes_sectors = ZEROES_LIMIT,
		.zeroes_segments = 1,
		.zeroes_unmap = 1,
	};

	_Static_assert(sizeof(c) == 64, "60 bytes of the specification, rounded up");
	memcpy(config, &c, sizeof(c));
}

#define COMMON (F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY)
#define TYPE(own)                                                                       \
	{                                                                               \
		.id = ID, .features = COMMON | (own), .nqueues = 1, .config_bytes = 60, \
		.notified = notified, .reset = forget, .config = config                 \
	}

static const struct virtio_type read_only = TYPE(F_RO), persistent = TYPE(F_ZEROES),
				copied = TYPE(F_ZEROES | F_DISCARD);

static const struct virtio_type *type_of(const struct disk_desc *desc)
{
	if (desc->read_only)
		return &read_only;
	return desc->mode == DISK_PERSISTENT ? &persistent : &copied;
}

static void tell(void *front) { virtio_look_again(front, 0); }

static void create(struct device *dev)
{
	struct blk *b = dev->state;

	virtio_create(&b->virtio, dev, type_of(&dev->vm->desc->disks[dev->index]));
	b->disk = (struct vm_disk *)b->disk_memory;
	disk_init(b->disk, dev->vm, dev->index, tell, b);
	free_all(b);
}

static bool release(struct device *dev) { return disk_release(((struct blk *)dev->state)->disk); }
static u32 count(const struct vm_desc *desc) { return desc->ndisks; }

const struct device_type blk_type = {
	VIRTIO_DEVICE,
	.count = count,
	.state_bytes = sizeof(struct blk),
	.line = DISCO_IRQ_DISK,
	.odd_line = DISCO_IRQ_DISK2,
	.create = create,
	.release = release,
};
