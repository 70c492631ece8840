/* SPDX-License-Identifier: MIT */
/* Guest memory of one VM for tests of drivers/virtio/queue.c: an array, and drivers/dma.h on it. */
#ifndef TESTS_UNIT_DRIVERS_VQUEUE_MEMORY_H
#define TESTS_UNIT_DRIVERS_VQUEUE_MEMORY_H

#include <string.h>

#include "drivers/dma.h"
#include "kernel/errno.h"

#define MEMORY_BYTES 65536ul

static u8 memory[MEMORY_BYTES] __attribute__((aligned(4096)));

bool dma_valid(const struct vm *vm, u64 gpa, u64 bytes)
{
	(void)vm;
	return bytes <= MEMORY_BYTES && gpa <= MEMORY_BYTES - bytes;
}

static unsigned reads; /* calls of dma_read: those of spots that were found are none */

int dma_read(struct vm *vm, void *to, u64 gpa, size_t bytes)
{
	reads++;
	if (!dma_valid(vm, gpa, bytes))
		return -EFAULT;
	memcpy(to, memory + gpa, bytes);
	return 0;
}

int dma_write(struct vm *vm, u64 gpa, const void *from, size_t bytes)
{
	if (!dma_valid(vm, gpa, bytes))
		return -EFAULT;
	memcpy(memory + gpa, from, bytes);
	return 0;
}

static bool shows = true; /* pages, so that spots are found in them */
static u64 shown = 1;	  /* the word of every page's view */

static void find(struct dma_spot *s, u64 gpa)
{
	u64 page = gpa >> PAGE_SHIFT;

	*s = (struct dma_spot){ 0 };
	if (shows && gpa < MEMORY_BYTES)
		*s = (struct dma_spot){ 1 + page, &shown, shown, memory + (page << PAGE_SHIFT),
					0,	  true };
}

void dma_find_and_read(struct vm *vm, struct dma_spot *s, void *to, u64 gpa, size_t bytes)
{
	dma_read(vm, to, gpa, bytes);
	find(s, gpa);
}

void dma_find_and_write(struct vm *vm, struct dma_spot *s, u64 gpa, const void *from, size_t bytes)
{
	dma_write(vm, gpa, from, bytes);
	find(s, gpa);
}

struct node *node_self(void)
{
	static struct node node;

	return &node;
}

#endif /* TESTS_UNIT_DRIVERS_VQUEUE_MEMORY_H */
