/* SPDX-License-Identifier: MIT */
/*
 * Rule: a copy-on-write disk gives back what was written to it, whatever the pieces, and for the rest what is
 * on its image; what cannot be done ends with a status, and what is no request wants a reset (virtio 1.2,
 * section 5.2). docs/guest-abi.md.
 *
 * Method: requests of all types and shapes, each held against bytes in memory.
 *
 * Needs: disk
 */
#include "guests/lib/blk.h"
#include "tests/guest/test.h"

#define SECTOR	512
#define PLACE	1000 /* sectors; the image's first ones are its file system's */
#define SECTORS 600  /* that the test writes */
#define PAGES	(SECTORS * SECTOR / PAGE_SIZE + 2)

static struct virtio_device disk;
static volatile struct virtio_queue queue;
static u8 written[SECTORS * SECTOR];
static u8 memory[PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static u32 random_state = 1;

static u32 draw(void)
{
	random_state = random_state * 1103515245 + 12345;
	return random_state >> 8;
}

static u8 request(u32 type, u64 sector, volatile void *at, u32 bytes)
{
	return blk_request(&disk, &queue, type, sector, at, bytes);
}

static void ends(u8 want, u8 got, const char *what)
{
	check(got == want, "%s: found status %u, wanted %u", what, got, want);
}

/* ---- reading and writing ---- */

/* The memory from `at` on in n ranges, cut at random places. */
static u32 cut(struct blk_range *ranges, u8 *at, u32 bytes, u32 most)
{
	u32 n = 0;

	while (bytes) {
		u32 part = n + 1 == most ? bytes : 1 + draw() % MIN(bytes, 2 * bytes / (most - n));

		ranges[n++] = (struct blk_range){ at, part };
		at += part;
		bytes -= part;
	}
	return n;
}

static void in_pieces(u32 type, u32 sector, u32 sectors, u32 offset, u32 most)
{
	static struct blk_range ranges[BLK_RANGES];
	u8 *at = memory + offset, *is = written + sector * SECTOR;
	u32 bytes = sectors * SECTOR, n = cut(ranges, at, bytes, most);

	if (type == BLK_OUT) {
		for (u32 i = 0; i < bytes; i++)
			is[i] = at[i] = draw();
	} else {
		memset(memory, 0xee, sizeof(memory));
	}
	blk_offer(&disk, &queue, type, PLACE + sector, ranges, n);
	ends(BLK_OK, blk_wait(&queue), type == BLK_OUT ? "write" : "read");
	if (type == BLK_OUT)
		return;
	check(blk_written(&queue) == bytes + 1, "read: %u bytes written of %u and a status",
	      blk_written(&queue), bytes);
	check(!memcmp(at, is, bytes), "read of %u sectors at %u in %u pieces: other bytes", sectors,
	      sector, n);
	check(!offset || at[-1] == 0xee, "read: a byte before the buffer was written");
	check(at[bytes] == 0xee, "read: a byte behind the buffer was written");
}

static void whatever_the_pieces(void)
{
	in_pieces(BLK_OUT, 0, SECTORS, 0, 1);
	for (u32 i = 0; i < 200; i++) {
		u32 sector = draw() % SECTORS, sectors = 1 + draw() % MIN(SECTORS - sector, 100u);
		u32 most = 1 + draw() % (i % 4 ? 8 : 254), offset = i % 2 ? draw() % PAGE_SIZE : 0;

		in_pieces(draw() % 2 ? BLK_OUT : BLK_IN, sector, sectors, offset, most);
	}
	in_pieces(BLK_IN, 0, SECTORS, 0, 1);
	in_pieces(BLK_IN, 0, SECTORS, 1, 254);
}

/* A page that was read is the guest's own to write; the next reader finds what is on the disk. */
static void pages_are_not_the_disk(void)
{
	ends(BLK_OK, request(BLK_IN, PLACE, memory, 2 * PAGE_SIZE), "read");
	memory[5]++;
	memory[PAGE_SIZE + 5]++;
	ends(BLK_OK, request(BLK_IN, PLACE, memory + 2 * PAGE_SIZE, 2 * PAGE_SIZE), "read");
	check(!memcmp(memory + 2 * PAGE_SIZE, written, 2 * PAGE_SIZE),
	      "a write to memory is on the disk");
	check(memory[5] == (u8)(written[5] + 1), "a read took back a write");
	ends(BLK_OK, request(BLK_IN, PLACE, memory, PAGE_SIZE), "read again");
	check(!memcmp(memory, written, PAGE_SIZE), "a page that is written is not read again");
}

static void zeroes(u32 type, u32 sector, u32 sectors)
{
	struct {
		u64 sector;
		u32 sectors, flags;
	} segment = { PLACE + sector, sectors, 0 };

	ends(BLK_OK, request(type, 0, &segment, sizeof(segment)), "zeroes");
	memset(written + sector * SECTOR, 0, sectors * SECTOR);
	in_pieces(BLK_IN, 0, SECTORS, 0, 3);
}

/* ---- what cannot be done ---- */

static void what_cannot_be_done(void)
{
	u64 end = blk_sectors(&disk);
	const struct {
		const char *name;
		u32 type;
		u64 sector;
		u32 bytes;
		u8 status;
	} requests[] = {
		{ "a request behind the end", BLK_IN, end, SECTOR, BLK_IO_ERROR },
		{ "a request over the end", BLK_IN, end - 1, 2 * SECTOR, BLK_IO_ERROR },
		{ "sector 2^64-1", BLK_OUT, ~0ul, SECTOR, BLK_IO_ERROR },
		{ "sector 2^55, whose byte wraps", BLK_OUT, 1ul << 55, SECTOR, BLK_IO_ERROR },
		{ "511 bytes", BLK_IN, PLACE, SECTOR - 1, BLK_IO_ERROR },
		{ "no bytes to read", BLK_IN, PLACE, 0, BLK_IO_ERROR },
		{ "no bytes to write", BLK_OUT, PLACE, 0, BLK_IO_ERROR },
		{ "a type that there is not", 77, PLACE, SECTOR, BLK_UNKNOWN },
	};

	for (u32 i = 0; i < ARRAY_SIZE(requests); i++) {
		rule(requests[i].name);
		ends(requests[i].status,
		     request(requests[i].type, requests[i].sector, memory, requests[i].bytes),
		     requests[i].name);
	}
	ends(BLK_OK, request(BLK_IN, end - 1, memory, SECTOR), "the last sector");
	ends(BLK_OK, request(BLK_FLUSH, 0, memory, 0), "flush");
}

/* Segments of DISCARD and ZEROES that cannot be. */
static void segments_that_cannot_be(void)
{
	struct segment {
		u64 sector;
		u32 sectors, flags;
	} segments[2];
	static const struct {
		const char *name;
		u32 type, bytes;
		struct segment is;
		u8 status;
	} wrong[] = {
		{ "zeroes over the end", BLK_ZEROES, 16, { PLACE, 1u << 22, 0 }, BLK_IO_ERROR },
		{ "zeroes of 2^32-1 sectors", BLK_ZEROES, 16, { PLACE, ~0u, 0 }, BLK_IO_ERROR },
		{ "zeroes at sector 2^64-1", BLK_ZEROES, 16, { ~0ul, 1, 0 }, BLK_IO_ERROR },
		{ "zeroes of no sector", BLK_ZEROES, 16, { PLACE, 0, 0 }, BLK_IO_ERROR },
		{ "zeroes with flags of nobody", BLK_ZEROES, 16, { PLACE, 1, ~0u }, BLK_UNKNOWN },
		{ "half a segment", BLK_ZEROES, 8, { PLACE, 1, 0 }, BLK_IO_ERROR },
		{ "more segments than may be", BLK_DISCARD, 32, { PLACE, 1, 0 }, BLK_IO_ERROR },
		{ "discard over the end", BLK_DISCARD, 16, { PLACE, 1u << 22, 0 }, BLK_IO_ERROR },
	};

	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		rule(wrong[i].name);
		segments[0] = segments[1] = wrong[i].is;
		ends(wrong[i].status, request(wrong[i].type, 0, segments, wrong[i].bytes),
		     wrong[i].name);
	}
	in_pieces(BLK_IN, 0, SECTORS, 0, 1);
}

static void it_says_who_it_is(void)
{
	memset(memory, 0xee, 64);
	ends(BLK_OK, request(BLK_GET_ID, 0, memory, 20), "get id");
	check(!strcmp((char *)memory, "rules"), "found serial '%.20s'", memory);
	check(virtio_get(&disk, VIRTIO_CONFIG + 20) == SECTOR, "found blocks of %u",
	      virtio_get(&disk, VIRTIO_CONFIG + 20));
}

/* ---- no requests, and resets ---- */

static void wait_ms(u32 ms)
{
	u32 start = (u32)cp0_read_count();

	while ((u32)cp0_read_count() - start < ms * 166666)
		continue;
}

static void one_descriptor(const char *name, u32 bytes, u16 flags)
{
	rule(name);
	queue.descriptor[0].address = guest_pa(memory);
	queue.descriptor[0].bytes = bytes;
	queue.descriptor[0].flags = flags;
	queue.available.ring[queue.available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	queue.available.index++;
	virtio_put(&disk, VIRTIO_NOTIFY, 0);
	check(virtio_get(&disk, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET,
	      "%u bytes, flags %u: no reset wanted", bytes, flags);
	check(blk_begin(&disk, &queue), "no start after that");
}

/* Blocks that nobody has read, and the device reset: what has not come by then never does. */
static void a_reset_ends_requests(void)
{
	static struct blk_range range = { memory, 64 * PAGE_SIZE };
	static u8 after_reset[sizeof(memory)];

	rule("reset with reads in flight");
	for (u32 i = 0; i < 8; i++) {
		memset(memory, 0x77, sizeof(memory));
		blk_offer(&disk, &queue, BLK_IN, 20000 + i * 512, &range, 1);
		check(blk_begin(&disk, &queue), "no start after a reset");
		memcpy(after_reset, memory, sizeof(memory));
		wait_ms(20);
		check(!memcmp(after_reset, memory, sizeof(memory)), "bytes came after the reset");
		in_pieces(BLK_IN, 0, 16, 0, 1);
	}
}

int main(void)
{
	need_monitor();
	check(blk_begin(&disk, &queue), "the disk refuses its own features");
	check(blk_sectors(&disk) > 30000, "found a disk of %lu sectors", (long)blk_sectors(&disk));
	it_says_who_it_is();
	whatever_the_pieces();
	pages_are_not_the_disk();
	zeroes(BLK_ZEROES, 8, 8);
	zeroes(BLK_ZEROES, 21, 30);
	zeroes(BLK_DISCARD, 80, 16);
	what_cannot_be_done();
	segments_that_cannot_be();
	one_descriptor("half a header", 15, 0);
	one_descriptor("no place for a status", 16, 0);
	one_descriptor("no header", 16, VIRTIO_WRITE);
	a_reset_ends_requests();
	in_pieces(BLK_IN, 0, SECTORS, 0, 1);
	return verdict();
}
