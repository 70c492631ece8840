/* SPDX-License-Identifier: MIT */
/*
 * From the boot archive into a VM's memory: kernel, ramdisk, device tree (UHI boot, MD01069).
 * Images are checked before a byte is copied.
 */
#ifndef KERNEL_VM_LOADER_H
#define KERNEL_VM_LOADER_H

#include "kernel/reloc/table.h"
#include "kernel/types.h"
#include "kernel/vm/elf.h"

struct vm;
struct machine_desc;

void loader_set_archive(const void *archive, size_t size); /* boot only; stays in place */
/* Its whole pages are shared ones from now on, held for ever (kernel/mem/share.h). Boot only, when all
 * memory is known. */
void loader_share_archive(void);
/* The machine's description from the archive's disco.dtb. -ENOENT, -EINVAL and a line in why. */
int loader_describe(struct machine_desc *out, char *why, size_t why_size);

/*
 * VMs that name an image which this machine does not have, or not so that it can be used, are not valid
 * any more: boot, after host_disks_init.
 */
void loader_check_disks(struct machine_desc *machine);
/* A file of the boot archive, where it lies: -ENOENT and the like, with a line in why that begins with
 * prop, the property that names it. */
int loader_find(const char *prop, const char *name, const void **data, size_t *size, char *why,
		size_t why_size);

/*
 * One load of a VM, from loader_begin until loader_step says that it is done. The pieces lie in the
 * boot archive.
 */
struct load {
	u64 entry; /* of the guest's kernel: its first pc */
	u64 tree;  /* virtual address of its device tree */
	u32 npieces, at;
	u64 done; /* bytes of piece[at] */
	/* of a kernel that is rewritten: its relocations, walked once to check them and once to move */
	enum load_phase { LOAD_CHECK, LOAD_COPY, LOAD_MOVE, LOAD_DONE } phase;
	struct elf_image kernel;
	struct reloc_table table;
	struct load_piece {
		gpa_t to;
		const void *src;
		u64 len;
	} piece[ELF_MAX_SEGMENTS + 1];
};

/*
 * Checks the images that the VM's description names, plans where they go, and puts the device tree
 * into its memory. 1: go on with loader_step; -E... and a line in why.
 */
int loader_begin(struct vm *vm, struct load *load, char *why, size_t why_size);
/* Checks, shares, copies or moves a little. 1: there is more; 0: all is in memory; -E... and a line in why. */
int loader_step(struct vm *vm, struct load *load, char *why, size_t why_size);

#endif /* KERNEL_VM_LOADER_H */
