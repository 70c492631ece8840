/* SPDX-License-Identifier: MIT */
/*
 * The relocation tables of a kernel that was linked for KSEG0 with --emit-relocs, walked entry by entry. Pure:
 * reads the image alone, which may be hostile, and changes nothing.
 *
 * A table belongs to a section that is loaded. What an entry says is compared with the bytes of its place: a
 * table that is not this image's is found at its first entry. So no order of entries is needed, a HI16 needs no
 * LO16 (entries of RELA have whole addends), and entries of one place cannot disagree.
 */
#ifndef KERNEL_RELOC_TABLE_H
#define KERNEL_RELOC_TABLE_H

#include "kernel/types.h"
#include "kernel/vm/elf.h"

struct reloc_table {
	const u8 *image; /* the ELF file */
	size_t size;
	const struct elf_image *kernel; /* of elf_check: what is loaded of it */
	u64 headers;			/* offset of the section headers */
	u32 nsections;
	u32 section; /* of the table that is walked */
	u64 entry;   /* the next one of it */
	bool any;    /* there was a table of a loaded section */
};

/* One entry. */
struct reloc {
	u8 bytes; /* of the place, to be changed; 0: the place stays */
	bool left; /* it names KSEG0 or KSEG1, and cannot be moved: the place traps, and is reported */
	gpa_t at;
	u64 value; /* what the place holds from now on */
	u64 where; /* the place's virtual address, as linked */
	u32 type;
};

/* *t is a walk of the image's tables from their beginning. -ENOEXEC and a line in why: the section headers
 * cannot be. An image without any has no tables. */
int reloc_begin(struct reloc_table *t, const void *image, size_t size,
		const struct elf_image *kernel, char *why, size_t why_size);
/* The next entry: 1; 0: that was all; -ENOEXEC and a line in why. */
int reloc_next(struct reloc_table *t, struct reloc *out, char *why, size_t why_size);

#endif /* KERNEL_RELOC_TABLE_H */
