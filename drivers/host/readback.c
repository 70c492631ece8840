/* SPDX-License-Identifier: MIT */
/*
 * `readback DISK` at the prompt: reads a disk of the machine from end to end, IN_FLIGHT requests at a
 * time, and says how many sectors there are, how many could not be read, and the sum of the rest. A test of
 * the disk and of its driver; guests go on meanwhile.
 */
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "drivers/host/disk.h"
#include "kernel/console/console.h"
#include "kernel/log.h"

#define IN_FLIGHT 32
#define BYTES	  PAGE_SIZE /* of a request */

static struct {
	struct host_disk *disk; /* NULL: nothing is read; node 0 only, like all of it */
	const char *image;
	u64 next, end; /* sectors */
	u64 sum, unread;
	u64 started; /* count64 */
	u32 flying;
} job;

static struct one {
	struct host_io io;
	struct host_piece piece;
} one[IN_FLIGHT];
static u8 buffer[IN_FLIGHT][BYTES] __attribute__((aligned(PAGE_SIZE)));

/* Of each 8 bytes their value times an odd number that says where they lie: in any order the same. */
static void add(u64 sector, const u8 *bytes, u64 n)
{
	const u64 *word = (const u64 *)bytes;

	for (u64 i = 0; i < n / 8; i++)
		job.sum += word[i] * (2 * (sector * (HOST_SECTOR / 8) + i) + 1);
}

static void finish(void)
{
	u64 ms = (count64() - job.started) / COUNT_MS;

	log_line("disk", "%s: read %lu sectors in %lu ms, %lu unread, sum %lx", job.image, job.end,
		 ms, job.unread, job.sum);
	job.disk = NULL;
}

static bool next(struct one *o);

static void done(struct host_io *io, int err)
{
	struct one *o = io->owner;

	job.flying--;
	if (err)
		job.unread += o->piece.bytes / HOST_SECTOR;
	else
		add(io->sector, buffer[o - one], o->piece.bytes);
	if (!next(o) && !job.flying)
		finish();
}

/* The next request; false: all were made. */
static bool next(struct one *o)
{
	u64 left = job.end - job.next;

	if (!left)
		return false;
	o->piece = (struct host_piece){ ptr_maddr(buffer[o - one]),
					(u32)MIN(left * HOST_SECTOR, BYTES) };
	o->io = (struct host_io){ HOST_READ, job.next, &o->piece, 1, done, o, .next = NULL };
	job.next += o->piece.bytes / HOST_SECTOR;
	job.flying++;
	host_disk_submit(job.disk, &o->io);
	return true;
}

COMMAND(readback, "DISK", "read a disk of the machine from end to end")
{
	struct host_disk *disk = argc > 1 ? host_disk_named(argv[1]) : NULL;

	if (job.disk) {
		kprintf("readback: %s is still read\n", job.image);
		return;
	}
	if (!disk) {
		kprintf("readback: no disk of the machine has such a name: image0, image1, ... as they were told of at the start\n");
		return;
	}
	job = (__typeof__(job)){
		disk, host_disk_image(disk), 0, host_disk_sectors(disk), 0, 0, count64(), 0
	};
	for (u32 i = 0; i < IN_FLIGHT && next(&one[i]); i++)
		;
}
