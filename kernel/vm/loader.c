/* SPDX-License-Identifier: MIT */
/* Images from the boot archive into guest memory: kernel segments where they are linked, the
 * ramdisk at the top, the tree below it. */
#include <string.h>
#include "kernel/abi/disco.h"
#include "kernel/vm/cpio.h"
#include "kernel/vm/elf.h"
#include "kernel/errno.h"
#include "kernel/vm/gdtb.h"
#include "kernel/vm/loader.h"
#include "kernel/log.h"
#include "kernel/seed.h"
#include "kernel/vm/vm.h"

#define RAMDISK_ALIGN 0x10000ul
#define TREE_MAX      0x10000 /* bytes of disco.dtb */

static const void *archive; /* fixed after boot */
static size_t archive_size;

void loader_set_archive(const void *data, size_t size)
{
	archive = data;
	archive_size = size;
}

/* A file of the archive; prop is the property that names it, for the error. */
static int find(const char *prop, const char *name, const void **data, size_t *size, char *why,
		size_t why_size)
{
	int err;

	if (!archive) {
		ksnprintf(why, why_size, "no boot archive: start with -initrd build/NAME.cpio");
		return -ENOENT;
	}
	err = cpio_find(archive, archive_size, name, data, size);
	if (err == -ENOENT)
		ksnprintf(why, why_size, "%s: found \"%s\", which is not in the boot archive", prop,
			  name);
	else if (err && cpio_check(archive, archive_size, why, why_size) >= 0)
		ksnprintf(why, why_size, "%s: %s: boot archive unreadable", prop, name);
	return err;
}

int loader_describe(struct machine_desc *out, char *why, size_t why_size)
{
	static u8 tree[TREE_MAX] __attribute__((aligned(8))); /* in the archive it may not be */
	const void *dtb;
	size_t size;
	int err = find("disco.dtb", "disco.dtb", &dtb, &size, why, why_size);

	if (err)
		return err;
	if (size > sizeof(tree)) {
		ksnprintf(why, why_size, "disco.dtb: found %lu bytes, allowed up to %u", size,
			  TREE_MAX);
		return -E2BIG;
	}
	memcpy(tree, dtb, size);
	return vmdesc_parse(tree, size, out, why, why_size);
}

static int load_kernel(struct vm *vm, struct elf_image *image, char *why, size_t why_size)
{
	const char *name = vm->desc->kernel;
	char reason[VMDESC_ERROR_BYTES];
	const void *elf;
	size_t size;
	int err = find("kernel", name, &elf, &size, why, why_size);

	if (err)
		return err;
	err = elf_check(elf, size, (u64)vm->pmap.npages << PAGE_SHIFT, image, reason,
			sizeof(reason));
	if (err) {
		ksnprintf(why, why_size, "kernel: %s: %s", name, reason);
		return err;
	}
	for (unsigned i = 0; i < image->nsegs; i++) { /* memory is zero already */
		const struct elf_segment *s = &image->segs[i];

		err = vm_copy_out(vm, s->phys, s->src, s->filesz);
		if (err) {
			ksnprintf(why, why_size, "memory-mb: the machine's is used up");
			return err;
		}
	}
	return 0;
}

/* Ramdisk and tree go as high as they can; the kernel's image must end below. */
static int load_rest(struct vm *vm, const struct elf_image *image, u64 *dtb, char *why,
		     size_t why_size)
{
	static u8 tree[MAX_VMS][GDTB_MAX_BYTES] __attribute__((aligned(8)));
	u64 top = MIN((u64)vm->pmap.npages << PAGE_SHIFT, (u64)DISCO_CSSEG_WINDOW);
	const struct vm_desc *d = vm->desc;
	struct gdtb_params params = {
		.label = d->label,
		.bootargs = d->bootargs,
		.memory_bytes = (u64)vm->pmap.npages << PAGE_SHIFT,
		.vcpus = vm->nvcpus,
		.timer_hz = COUNT_HZ,
	};
	const void *ramdisk = NULL;
	size_t size = 0;
	u8 seed[SEED_BYTES];
	int err, tree_size;

	if (d->ramdisk[0]) {
		err = find("ramdisk", d->ramdisk, &ramdisk, &size, why, why_size);
		if (err)
			return err;
	}
	if (image->end.v + ROUND_UP(size, RAMDISK_ALIGN) + 2 * RAMDISK_ALIGN > top) {
		ksnprintf(why, why_size,
			  "memory-mb: kernel (to %lu KB), ramdisk (%lu KB) and tree do not fit in %u",
			  image->end.v >> 10, size >> 10, d->memory_mb);
		return -ENOSPC;
	}
	params.initrd_start = ROUND_DOWN(top - size, RAMDISK_ALIGN);
	params.initrd_end = params.initrd_start + size;
	*dtb = params.initrd_start - RAMDISK_ALIGN;
	params.seed = seed_draw(seed) ? seed : NULL;
	tree_size = gdtb_build(tree[vm->id], GDTB_MAX_BYTES, &params);
	seed_wipe(seed, sizeof(seed));
	if (tree_size < 0) {
		ksnprintf(why, why_size, "device tree: error %d", tree_size);
		return tree_size;
	}
	err = vm_copy_out(vm, (gpa_t){ *dtb }, tree[vm->id], tree_size);
	seed_wipe(tree[vm->id], tree_size); /* the seed is the guest's alone */
	return err ? err : vm_copy_out(vm, (gpa_t){ params.initrd_start }, ramdisk, size);
}

int loader_load(struct vm *vm, u64 *entry, u64 *dtb, char *why, size_t why_size)
{
	struct elf_image image;
	int err = load_kernel(vm, &image, why, why_size);

	if (!err)
		err = load_rest(vm, &image, dtb, why, why_size);
	if (err)
		return err;
	*entry = image.entry;
	*dtb += DISCO_CSSEG_BASE;
	return 0;
}
