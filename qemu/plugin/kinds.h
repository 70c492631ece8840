/* SPDX-License-Identifier: MIT */
/* What an instruction is by its address and its word, as far as count.c tells them apart. */
#ifndef QEMU_PLUGIN_KINDS_H
#define QEMU_PLUGIN_KINDS_H

#include <stdint.h>

/* Which part of the address space an instruction was fetched from. */
enum segment { SEG_KERNEL, SEG_SUPERVISOR, SEG_USER, SEGMENTS };

enum kind {
	KIND_OTHER,
	KIND_MFC0,
	KIND_DMFC0,
	KIND_MTC0,
	KIND_DMTC0,
	KIND_MISC_C0, /* mfhc0, mthc0, rdpgpr, wrpgpr, dvp, evp */
	KIND_DI,
	KIND_EI,
	KIND_TLBR,
	KIND_TLBWI,
	KIND_TLBWR,
	KIND_TLBP,
	KIND_TLBINV,
	KIND_ERET,
	KIND_WAIT,
	KIND_CACHE,
	KIND_HYPCALL,
	KINDS_PRIVILEGED,
	KIND_SYSCALL = KINDS_PRIVILEGED,
	KIND_BREAK,
	KIND_FP,
	KIND_MEMORY,
	KINDS
};

extern const char
	*const segment_names[SEGMENTS +
			     1]; /* the last one: a path that ended in a miss of the first fetch */
extern const char *const kind_names[KINDS];

enum segment segment_of(uint64_t va);
enum kind kind_of(uint32_t word);

#endif /* QEMU_PLUGIN_KINDS_H */
