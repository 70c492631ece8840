/* SPDX-License-Identifier: MIT */
/*
 * From the boot archive into a VM's memory: kernel, ramdisk, device tree (UHI boot, MD01069).
 * Images are checked before a byte is copied.
 */
#ifndef KERNEL_VM_LOADER_H
#define KERNEL_VM_LOADER_H

#include "kernel/types.h"

struct vm;
struct machine_desc;

void loader_set_archive(const void *archive, size_t size); /* boot only; stays in place */
/* The machine's description from the archive's disco.dtb. -ENOENT, -EINVAL and a line in why. */
int loader_describe(struct machine_desc *out, char *why, size_t why_size);

/* Fills the VM's memory. entry: its first pc; dtb: virtual address of its device tree. -E... and a
 * line in why. */
int loader_load(struct vm *vm, u64 *entry, u64 *dtb, char *why, size_t why_size);

#endif /* KERNEL_VM_LOADER_H */
