/* SPDX-License-Identifier: MIT */
/*
 * malloc's memory: all of the VM's behind the image, in chunks of 8 KB. A run of chunks is one large block, or it is full of equal small ones and
 * belongs to the VCPU that asked for it: what threads of a VCPU allocate lies together, and as they are the first to
 * touch it the monitor has it on their node. Small blocks cost no lock: they are taken from runs of the own VCPU with interrupts off, and given
 * back there, or, freed by another VCPU, pushed onto the owner's list, which it empties when it is short. Runs have one lock.
 */
#ifndef GUESTS_THIN_HEAP_H
#define GUESTS_THIN_HEAP_H

#include "kernel/types.h"

#define HEAP_CHUNK	 8192ul
#define HEAP_CLASSES	 36
#define HEAP_SMALL_BYTES 16384ul /* the largest small block */

struct chunk;

/* A VCPU's own. */
struct heap {
	struct chunk *runs[HEAP_CLASSES]; /* with a block to give, the first at hand */
	void *volatile freed __attribute__((aligned(128))); /* here, by other VCPUs */
};

void heap_begin(u64 first, u64 bytes); /* "physical"; once, before any other */
/* n bytes at a multiple of align, a power of two. NULL: there are no more. Fresh: they are zero, nobody had them. */
void *heap_alloc(size_t n, size_t align, bool *fresh);
void heap_free(void *block);
size_t heap_bytes(const void *block); /* that it holds, at least as many as were asked for */
u64 heap_total(void);		      /* bytes of all */
u64 heap_used(void);		      /* of chunks that are in use */
extern u32 heap_refused;	      /* times that there were no more */

#endif /* GUESTS_THIN_HEAP_H */
