/* SPDX-License-Identifier: MIT */
/*
 * Virtual DMA: the one place where devices of VMs reach guest memory (paper: section 4.4). A device
 * names "physical" ranges, which a guest wrote; here they are checked, copied, shared and pinned.
 * Nothing is kept between two calls but what dma_pin says.
 *
 * All of these take locks from RANK_PMAP up, and may wait for a page that is being copied: what was
 * read from guest memory before holds no more after the call (kernel/mem/shootdown.h).
 */
#ifndef DRIVERS_DMA_H
#define DRIVERS_DMA_H

#include "kernel/types.h"

struct vm;

struct dma_range {
	u64 gpa;
	u32 bytes;
};

/* All of it is the VM's memory; no sum of hostile numbers wraps. */
bool dma_valid(const struct vm *vm, u64 gpa, u64 bytes);

/*
 * Copies between guest memory and the monitor's, on any node. -EFAULT: the range is not all the VM's,
 * and nothing was copied.
 */
int dma_read(struct vm *vm, void *to, u64 gpa, size_t bytes);
int dma_write(struct vm *vm, u64 gpa, const void *from, size_t bytes);
int dma_zero(struct vm *vm, u64 gpa, size_t bytes); /* pages never used stay that */

#endif /* DRIVERS_DMA_H */
