/* SPDX-License-Identifier: MIT */
/* Images of disks: those of the host, behind devices of the machine, and those in the boot archive. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "drivers/disk/alike.h"
#include "drivers/disk/image.h"
#include "kernel/mem/share.h"
#include "kernel/vm/loader.h"
#include "numa/numa.h"

static struct image *images[IMAGES_MAX]; /* fixed after boot */
static u32 nimages;

struct image *image_with(u32 id) { return images[id]; }
u64 image_sectors(const struct image *im) { return im->sectors; }
const char *image_name(const struct image *im) { return im->desc->image; }
const struct image *image_number(u32 n) { return n < nimages ? images[n] : NULL; }

/* Of one moment. */
struct image_stats image_stats(const struct image *im) { return im->stats; }

static struct image *find(const char *name)
{
	for (u32 i = 0; i < nimages; i++)
		if (!strcmp(images[i]->desc->image, name))
			return images[i];
	return NULL;
}

/* Where the description says that it is; loader_check_disks has seen that it is there. */
static bool open(struct image *im, const struct disk_desc *desc)
{
	const void *data = NULL;
	char why[VMDESC_ERROR_BYTES];
	size_t size = 0;

	im->desc = desc;
	if (!desc->in_archive) {
		im->host = host_disk_find(desc->image);
		im->sectors = im->host ? host_disk_sectors(im->host) : 0;
		return im->host;
	}
	if (loader_find("image", desc->image, &data, &size, why, sizeof(why)))
		return false;
	im->data = data;
	im->sectors = size / HOST_SECTOR;
	return true;
}

struct image *image_of(const struct disk_desc *desc)
{
	struct image *im = find(desc->image);

	if (desc->mode == DISK_COW && !desc->read_only)
		alike_init();
	if (im)
		return im;
	im = nodemem_boot_alloc(0, sizeof(*im), 8);
	if (!im || !open(im, desc))
		return NULL;
	im->blocks = (im->sectors + BLOCK_SECTORS - 1) / BLOCK_SECTORS;
	im->id = nimages;
	cache_map_init(&im->map, im->blocks);
	images[nimages++] = im;
	return im;
}

u32 image_block_bytes(const struct image *im, u64 block)
{
	return MIN((u64)BLOCK_BYTES, im->sectors * HOST_SECTOR - block * BLOCK_BYTES);
}

mpn_t image_archive_page(const struct image *im, u64 block)
{
	maddr_t at;

	if (!im->data)
		return MPN_NONE;
	at = ptr_maddr(im->data + block * BLOCK_BYTES);
	return at.v % PAGE_SIZE == 0 && share_is(maddr_mpn(at)) ? maddr_mpn(at) : MPN_NONE;
}

bool image_is_instant(const struct image *im)
{
	return im->data && !im->desc->seek_us && !im->desc->kb_per_second;
}
