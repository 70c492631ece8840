/* SPDX-License-Identifier: MIT */
/* The command `disks`: what became of requests, and what of images is in memory. */
#include "drivers/disk/own.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

static u64 percent(u64 part, u64 of) { return of ? part * 100 / of : 100; }

static void show_disk(const struct vm_disk *d)
{
	const struct disk_stats *s = &d->stats;

	kprintf("%s %s: %s of %s, %lu KB%s\n", d->vm->name, d->desc->name,
		d->desc->mode == DISK_COW ? "copy-on-write" : "persistent", d->desc->image,
		disk_sectors(d) >> 1, d->desc->read_only ? ", read-only" : "");
	kprintf("  %lu requests, %lu errors, %u in flight; read %lu KB, wrote %lu KB, modified %lu KB\n",
		s->requests, s->errors, d->nout, s->bytes_read >> 10, s->bytes_written >> 10,
		d->modified * (BLOCK_BYTES >> 10));
	kprintf("  %lu blocks of the image wanted, %lu %% found in memory; %lu KB written as another block had them\n",
		s->blocks_read, percent(s->hits, s->blocks_read), s->alike * (BLOCK_BYTES >> 10));
}

static void show_image(const struct image *im)
{
	struct image_stats s = image_stats(im);

	kprintf("image %s: %lu KB in memory, %lu real reads of %lu KB, %lu real writes of %lu KB, %lu errors, %u in flight, %lu KB evicted\n",
		image_name(im), s.blocks * (BLOCK_BYTES >> 10), s.reads,
		s.read_blocks * (BLOCK_BYTES >> 10), s.writes,
		s.written_blocks * (BLOCK_BYTES >> 10), s.errors, s.flying,
		s.evicted * (BLOCK_BYTES >> 10));
}

COMMAND(disks, "", "disks of VMs: requests, what was found in memory, what images were asked")
{
	const struct vm_disk *d;
	const struct image *im;

	(void)argc, (void)argv;
	for (u32 n = 0; (d = disk_number(n)); n++)
		show_disk(d);
	for (u32 n = 0; (im = image_number(n)); n++)
		show_image(im);
	if (!disk_number(0))
		kprintf("no VM has a disk: configs/README.md says how to describe one\n");
}
