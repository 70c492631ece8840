/* SPDX-License-Identifier: MIT */
/* Segments of the processor that a guest's kernel cannot reach in supervisor mode. Pure. */
#ifndef KERNEL_RELOC_WINDOW_H
#define KERNEL_RELOC_WINDOW_H

#include "kernel/abi/disco.h"
#include "kernel/types.h"

#define NATIVE_KSEG0 0xffffffff80000000ul
#define NATIVE_KSEG1 0xffffffffa0000000ul
#define NATIVE_KSEG2 0xffffffffc0000000ul
#define NATIVE_KSEG3 0xffffffffe0000000ul
#define NATIVE_XKSEG 0xc000000000000000ul
#define NO_WINDOW    (~0ul)

/* The "physical" address behind one of KSEG0 or KSEG1; NO_WINDOW: it is none of these. */
static inline u64 window_of_direct(u64 va)
{
	return va >= NATIVE_KSEG0 && va < NATIVE_KSEG2 ? va & 0x1ffffffful : NO_WINDOW;
}

/*
 * "Physical" memory shows again in two places where no VM has any.
 *
 * From 1 GB on: a kernel whose symbols were moved, and which subtracts KSEG0 to find a "physical" address, finds it
 * 1 GB higher. From 2 GB on, as on QEMU's Malta, whose memory lies there, the first 256 MB being seen from 0, too:
 * firmware looks there how much there is.
 */
#define NATIVE_ALIAS (DISCO_CSSEG_BASE - NATIVE_KSEG0)
#define MALTA_MEMORY 0x80000000ul
static inline u64 window_unalias(u64 gpa)
{
	if (gpa - NATIVE_ALIAS < DISCO_CSSEG_WINDOW)
		return gpa - NATIVE_ALIAS;
	return gpa - MALTA_MEMORY < DISCO_CSSEG_WINDOW ? gpa - MALTA_MEMORY : gpa;
}

#endif /* KERNEL_RELOC_WINDOW_H */
