/* SPDX-License-Identifier: MIT */
/*
 * The VM's disks, for libext2fs: an I/O manager over virtio block devices, with the blocks that were read last. Callers hold one lock
 * over all of it (ext.c).
 */
#ifndef GUESTS_THIN_DISK_H
#define GUESTS_THIN_DISK_H

#include "kernel/types.h"

#define DISKS_MAX 4

struct struct_io_manager;
extern struct struct_io_manager disk_io; /* its open() takes the disk's number from 0 as the name */

bool disk_exists(u32 disk);
u64 disk_bytes(u32 disk); /* of one that was opened */

#endif /* GUESTS_THIN_DISK_H */
