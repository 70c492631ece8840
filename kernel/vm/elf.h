/* SPDX-License-Identifier: MIT */
/*
 * Guest kernel images: an ELF64 little-endian MIPS64R6 executable in memory, checked once and
 * turned into a list of segments. Pure: allocates nothing, keeps nothing, reads only [image, image
 * + size). Does not load anything (kernel/vm/loader.c does) and knows no relocations and no dynamic
 * linking.
 */
#ifndef KERNEL_VM_ELF_H
#define KERNEL_VM_ELF_H

#include "kernel/types.h"

#define ELF_MAX_SEGMENTS 16

/* One PT_LOAD with memsz > 0. filesz <= memsz; the bytes between are zero. */
struct elf_segment {
	gpa_t phys; /* guest physical address: that of p_vaddr in the window, or in KSEG0, KSEG1 */
	const void *src; /* filesz bytes inside the image */
	u64 filesz;
	u64 memsz; /* > 0; phys + memsz <= the phys_limit given to elf_check */
	bool exec;
};

/* A checked image: segments in file order, none overlapping another, entry in an executable one. */
struct elf_image {
	u64 entry; /* sign-extended csseg virtual address, 4-byte aligned; a native one's, too */
	gpa_t end; /* first guest physical byte above every segment */
	unsigned int nsegs; /* 1..ELF_MAX_SEGMENTS */
	struct elf_segment segs[ELF_MAX_SEGMENTS];
};

/*
 * Check the image and fill *out. phys_limit: bytes of guest memory. native: it is linked for KSEG0 or KSEG1, and will be
 * rewritten (kernel/reloc/reloc.h), else for the csseg window. Returns 0, or -ENOEXEC with a
 * line in why (at most why_size bytes, always terminated) that says what was found and what is
 * allowed; *out is then undefined. *out points into the image, which must stay in place while it is
 * used.
 */
int elf_check(const void *image, size_t size, u64 phys_limit, bool native, struct elf_image *out,
	      char *why, size_t why_size);

#endif /* KERNEL_VM_ELF_H */
