/* SPDX-License-Identifier: MIT */
/*
 * Images from the boot archive into guest memory: kernel segments where they are linked, the ramdisk
 * at the top, the device tree below it. All is checked and planned first, then done in steps: whole
 * pages that lie in the archive as in the guest's memory (tools/mkimage.sh sees to that) are shared,
 * copy-on-write, the rest is copied.
 */
#include <string.h>
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/cpio.h"
#include "kernel/vm/elf.h"
#include "kernel/errno.h"
#include "kernel/vm/gdtb.h"
#include "kernel/vm/loader.h"
#include "kernel/log.h"
#include "kernel/mem/share.h"
#include "kernel/options.h"
#include "kernel/reloc/patch.h"
#include "kernel/reloc/reloc.h"
#include "kernel/seed.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define RAMDISK_ALIGN 0x10000ul
#define DISTANCE_HERE 10u     /* of memory of the same node, in a guest's device tree */
#define TREE_MAX      0x10000 /* bytes of disco.dtb */
#define STEP_BYTES    0x4000  /* copied in one step */
#define STEP_PAGES    16      /* or shared: some hundred instructions each */
#define STEP_PLACES   128     /* relocations looked at */

static const void *archive; /* fixed after boot */
static size_t archive_size;

void loader_set_archive(const void *data, size_t size)
{
	archive = data;
	archive_size = size;
}

void loader_share_archive(void)
{
	u64 first, end;

	if (!archive)
		return;
	first = ROUND_UP(ptr_maddr(archive).v, PAGE_SIZE);
	end = ROUND_DOWN(ptr_maddr(archive).v + archive_size, PAGE_SIZE);
	for (u64 at = first; at < end; at += PAGE_SIZE)
		share_for_ever(maddr_mpn((maddr_t){ at }));
}

int loader_find(const char *prop, const char *name, const void **data, size_t *size, char *why,
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
	int err = loader_find("disco.dtb", "disco.dtb", &dtb, &size, why, why_size);

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

/* What is wrong with the image of a disk, in why. */
static int check_disk(const struct disk_desc *d, char *why, size_t why_size)
{
	const struct host_disk *host = host_disk_find(d->image);
	const void *data;
	size_t size;

	if (d->in_archive) {
		int err = loader_find("image", d->image, &data, &size, why, why_size);

		if (!err && (size == 0 || size % 512 != 0)) {
			ksnprintf(why, why_size,
				  "image: found \"%s\" of %lu bytes, allowed a multiple of 512",
				  d->image, size);
			err = -EINVAL;
		}
		return err;
	}
	if (!host)
		ksnprintf(why, why_size,
			  "image: found \"%s\", which this machine has no device for (qemu/run.sh makes it)",
			  d->image);
	else if (!host_disk_sectors(host))
		ksnprintf(why, why_size, "image: found \"%s\" of 0 bytes, allowed 512 or more",
			  d->image);
	else if (d->mode == DISK_PERSISTENT && !d->read_only && host_disk_read_only(host))
		ksnprintf(why, why_size,
			  "image: found \"%s\", which this machine cannot write, allowed with read-only",
			  d->image);
	else
		return 0;
	return -EINVAL;
}

void loader_check_disks(struct machine_desc *machine)
{
	char why[VMDESC_ERROR_BYTES];

	for (struct vm_desc *vm = machine->vms; vm < machine->vms + machine->nvms; vm++) {
		for (u32 i = 0; vm->valid && i < vm->ndisks; i++) {
			if (!check_disk(&vm->disks[i], why, sizeof(why)))
				continue;
			vm->valid = false;
			ksnprintf(vm->error, sizeof(vm->error), "/vms/%s/%s: %s", vm->name,
				  vm->disks[i].name, why);
		}
	}
}

/* len bytes from src go to "physical" address to. */
static void add_piece(struct load *load, gpa_t to, const void *src, u64 len)
{
	load->piece[load->npieces++] = (struct load_piece){ to, src, len };
}

static int plan_kernel(const struct vm *vm, struct load *load, struct elf_image *image, char *why,
		       size_t why_size)
{
	const char *name = vm->desc->kernel;
	char reason[VMDESC_ERROR_BYTES];
	const void *elf;
	size_t size;
	int err = loader_find("kernel", name, &elf, &size, why, why_size);

	if (err)
		return err;
	err = elf_check(elf, size, (u64)vm->pmap.npages << PAGE_SHIFT, vm->desc->rewrite, image,
			reason, sizeof(reason));
	if (!err && vm->desc->rewrite)
		err = reloc_begin(&load->table, elf, size, image, reason, sizeof(reason));
	if (err) {
		ksnprintf(why, why_size, "kernel: %s: %s", name, reason);
		return err;
	}
	for (unsigned i = 0; i < image->nsegs; i++) /* the rest of memory is zero already */
		add_piece(load, image->segs[i].phys, image->segs[i].src, image->segs[i].filesz);
	return 0;
}

/* Ramdisk and tree go as high as they can; the kernel's image must end below. */
static int plan_ramdisk(const struct vm *vm, struct load *load, const struct elf_image *image,
			struct gdtb_params *params, char *why, size_t why_size)
{
	u64 top = MIN((u64)vm->pmap.npages << PAGE_SHIFT, (u64)DISCO_CSSEG_WINDOW);
	const struct vm_desc *d = vm->desc;
	const void *ramdisk = NULL;
	size_t size = 0;
	int err;

	if (d->ramdisk[0]) {
		err = loader_find("ramdisk", d->ramdisk, &ramdisk, &size, why, why_size);
		if (err)
			return err;
	}
	if (image->end.v + ROUND_UP(size, RAMDISK_ALIGN) + 2 * RAMDISK_ALIGN > top) {
		ksnprintf(why, why_size,
			  "memory-mb: kernel (to %lu KB), ramdisk (%lu KB) and tree do not fit in %u",
			  image->end.v >> 10, size >> 10, d->memory_mb);
		return -ENOSPC;
	}
	params->initrd_start = ROUND_DOWN(top - size, RAMDISK_ALIGN);
	params->initrd_end = params->initrd_start + size;
	add_piece(load, (gpa_t){ params->initrd_start }, ramdisk, size);
	return 0;
}

/* The tree is small, and holds a seed that is the guest's alone: copied at once. */
static int put_tree(struct vm *vm, gpa_t to, struct gdtb_params *params, char *why, size_t why_size)
{
	static u8 tree[MAX_VMS][GDTB_MAX_BYTES] __attribute__((aligned(8)));
	u8 seed[SEED_BYTES];
	int size, err;

	params->seed = seed_draw(seed) ? seed : NULL;
	size = gdtb_build(tree[vm->id], GDTB_MAX_BYTES, params);
	seed_wipe(seed, sizeof(seed));
	if (size < 0) {
		ksnprintf(why, why_size, "device tree: error %d", size);
		return size;
	}
	err = vm_copy_out(vm, to, tree[vm->id], size);
	seed_wipe(tree[vm->id], size);
	if (err)
		ksnprintf(why, why_size, "memory-mb: the machine's is used up");
	return err;
}

/* Those with registers. */
static u32 list_devices(struct vm *vm, struct gdtb_device *list)
{
	u32 n = 0;

	for (u32 i = 0; i < vm->ndevices; i++) {
		struct device *dev = &vm->devices[i];
		const struct device_type *type = dev->type;

		if (!type->register_bytes || !type->compatible)
			continue;
		list[n] = (struct gdtb_device){ .name = type->name,
						.compatible = type->compatible,
						.base = dev->base,
						.bytes = type->register_bytes,
						.line = dev->line,
						.switches = type->switches,
						.nswitches = type->nswitches };
		if (type->properties)
			list[n].nproperties = TEXT_HERE(type->properties)(dev, list[n].property);
		n++;
	}
	return n;
}

/* Nodes of the VM's VCPUs in the order of these, memory in equal pieces of whole blocks. */
static void show_nodes(struct vm *vm, struct gdtb_nodes *to)
{
	struct shown_nodes *shown = &vm->shown;
	u32 at;

	*shown = (struct shown_nodes){ 0 };
	for (u32 i = 0; i < vm->nvcpus; i++) {
		for (at = 0; at < shown->n && shown->node[at] != vm->vcpus[i]->node->id; at++)
			;
		if (at == shown->n)
			shown->node[shown->n++] = vm->vcpus[i]->node->id;
		to->of_vcpu[i] = at;
	}
	shown->piece = ROUND_DOWN(vm->pmap.npages / shown->n, BLOCK_PAGES);
	to->n = shown->n;
	to->piece = (u64)shown->piece << PAGE_SHIFT;
	for (u32 i = 0; i < to->n; i++)
		for (u32 k = 0; k < to->n; k++)
			to->distance[i][k] =
				MIN(DISTANCE_HERE * latency_ns(shown->node[i], shown->node[k]) /
					    latency_ns(shown->node[i], shown->node[i]),
				    255u);
}

int loader_begin(struct vm *vm, struct load *load, char *why, size_t why_size)
{
	struct gdtb_params params = {
		.label = vm->desc->label,
		.bootargs = vm->desc->bootargs,
		.memory_bytes = (u64)vm->pmap.npages << PAGE_SHIFT,
		.vcpus = vm->nvcpus,
		.timer_hz = COUNT_HZ,
		.native = vm->desc->rewrite,
	};
	struct gdtb_device devices[VM_DEVICES_MAX];
	struct elf_image *image = &load->kernel;
	gpa_t tree;
	int err;

	if (vm->desc->show_nodes)
		show_nodes(vm, &params.nodes);
	params.devices = devices;
	params.ndevices = list_devices(vm, devices);

	*load = (struct load){ 0 };
	if (vm->patch)
		patch_reset(vm->patch);
	err = plan_kernel(vm, load, image, why, why_size);
	if (!err)
		err = plan_ramdisk(vm, load, image, &params, why, why_size);
	if (err)
		return err;
	tree.v = params.initrd_start - RAMDISK_ALIGN;
	load->phase = vm->desc->rewrite ? LOAD_CHECK : LOAD_COPY;
	vm->rewrite = (struct rewrite){ .on = vm->desc->rewrite };
	load->entry = image->entry;
	load->tree = tree.v + DISCO_CSSEG_BASE;
	err = put_tree(vm, tree, &params, why, why_size);
	return err ? err : 1;
}

/*
 * Pages of the archive in place of the guest's, from load->done on; how many bytes. None where remote
 * memory costs time: the archive is near node 0 alone.
 */
static u64 share_part(struct vm *vm, const struct load *load)
{
	const struct load_piece *p = &load->piece[load->at];
	u64 to = p->to.v + load->done, from = (u64)p->src + load->done, done = 0;

	if (((from | to) & PAGE_MASK) || latency_on || magic() || !option_on(OPTION_SHARE))
		return 0;
	for (; done < STEP_PAGES * PAGE_SIZE && p->len - load->done - done >= PAGE_SIZE;
	     done += PAGE_SIZE) {
		mpn_t page = maddr_mpn(ptr_maddr((const void *)(from + done)));

		if (!share_is(page) || pmap_share(vm, gpa_gpn((gpa_t){ to + done }), page))
			break;
	}
	return done;
}

/* Up to the next page, if that can be shared. */
static u64 copy_bytes(const struct load *load)
{
	const struct load_piece *p = &load->piece[load->at];
	u64 to = p->to.v + load->done, part = MIN(p->len - load->done, (u64)STEP_BYTES);

	if ((to ^ ((u64)p->src + load->done)) & PAGE_MASK)
		return part;
	return MIN(part, PAGE_SIZE - (to & PAGE_MASK));
}

/* 1: there is more to copy. */
static int copy_step(struct vm *vm, struct load *load)
{
	const struct load_piece *p = &load->piece[load->at];
	u64 part;
	int err;

	if (load->at == load->npieces)
		return 0;
	part = share_part(vm, load);
	if (!part) {
		part = copy_bytes(load);
		err = vm_copy_out(vm, (gpa_t){ p->to.v + load->done },
				  (const u8 *)p->src + load->done, part);
		if (err)
			return err;
	}
	load->done += part;
	if (load->done == p->len) {
		load->at++;
		load->done = 0;
	}
	return 1;
}

/* Some relocations looked at, and in phase LOAD_MOVE carried out: 1: there are more. */
static int table_step(struct vm *vm, struct load *load, char *why, size_t why_size)
{
	char reason[VMDESC_ERROR_BYTES];
	struct reloc r;
	int left = 1;

	for (u32 i = 0; i < STEP_PLACES; i++) {
		left = reloc_next(&load->table, &r, reason, sizeof(reason));
		if (left <= 0)
			break;
		if (load->phase == LOAD_CHECK)
			rewrite_count(&vm->rewrite, &r);
		else if (r.bytes && vm_copy_out(vm, r.at, &r.value, r.bytes))
			return -EFAULT;
	}
	if (left < 0)
		ksnprintf(why, why_size, "kernel: %s: %s", vm->desc->kernel, reason);
	return left;
}

/* All relocations are good, and none was carried out. */
static void end_check(struct vm *vm, struct load *load)
{
	rewrite_report(&vm->rewrite, vm->name);
	if (!load->table.any) /* its constants stay, and so do those it is given */
		load->tree += NATIVE_KSEG0 - DISCO_CSSEG_BASE;
	vm->rewrite.moved = load->table.any;
	load->table.section = 0;
	load->table.entry = 0;
}

int loader_step(struct vm *vm, struct load *load, char *why, size_t why_size)
{
	int left = 0;

	ksnprintf(why, why_size, "memory-mb: the machine's is used up");
	switch (load->phase) {
	case LOAD_COPY: left = copy_step(vm, load); break;
	case LOAD_CHECK:
	case LOAD_MOVE: left = table_step(vm, load, why, why_size); break;
	case LOAD_DONE: return 0;
	}
	if (left)
		return left;
	if (load->phase == LOAD_CHECK)
		end_check(vm, load);
	load->phase++;
	if (load->phase == LOAD_MOVE && !vm->rewrite.moved)
		load->phase = LOAD_DONE;
	return load->phase != LOAD_DONE;
}
