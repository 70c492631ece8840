/* SPDX-License-Identifier: MIT */
/*
 * The boot archive: cpio in the "newc" format, read in place. Pure: allocates nothing, reads only
 * [archive, archive + size). Does not unpack, follow links or know directories: an entry is a name
 * and bytes.
 */
#ifndef KERNEL_VM_CPIO_H
#define KERNEL_VM_CPIO_H

#include "kernel/types.h"

struct cpio_entry {
	const char *name; /* terminated, inside the archive */
	const void *data; /* 4-byte aligned relative to the archive, no better */
	size_t size;
	u32 mode; /* as in struct stat */
};

/* Where a walk stands; private to cpio.c. Start with cpio_start. */
struct cpio_iter {
	const u8 *archive;
	size_t size;
	size_t offset;
};

void cpio_start(struct cpio_iter *it, const void *archive, size_t size);

/*
 * The next entry: 1 and *out filled, 0 at the archive's own trailer, or -EINVAL with a line in why
 * (at most why_size bytes, always terminated; why may be NULL if why_size is 0) that gives the
 * offset, what was found, what is allowed.
 */
int cpio_next(struct cpio_iter *it, struct cpio_entry *out, char *why, size_t why_size);

/* Walks the whole archive. Returns the number of entries, or -EINVAL and why as above. */
int cpio_check(const void *archive, size_t size, char *why, size_t why_size);

/*
 * Finds a file by name ("./" before a name in the archive is ignored; the first of two wins).
 * Returns 0, -ENOENT, or -EINVAL if the archive is broken before the name was found.
 */
int cpio_find(const void *archive, size_t size, const char *name, const void **data, size_t *len);

#endif /* KERNEL_VM_CPIO_H */
