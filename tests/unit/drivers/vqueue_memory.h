/* SPDX-License-Identifier: MIT */
/* Guest memory of one VM for tests of drivers/virtio/queue.c: an array, and drivers/dma.h on it. */
#ifndef TESTS_UNIT_DRIVERS_VQUEUE_MEMORY_H
#define TESTS_UNIT_DRIVERS_VQUEUE_MEMORY_H

#include <string.h>

#include "drivers/dma.h"
#include "kernel/errno.h"

#define MEMORY_BYTES 65536ul

static u8 memory[MEMORY_BYTES];

bool dma_valid(const struct vm *vm, u64 gpa, u64 bytes)
{
	(void)vm;
	return bytes <= MEMORY_BYTES && gpa <= MEMORY_BYTES - bytes;
}

int dma_read(struct vm *vm, void *to, u64 gpa, size_t bytes)
{
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

/* Always the long way. */
void dma_find_and_read(struct vm *vm, struct dma_spot *s, void *to, u64 gpa, size_t bytes)
{
	(void)s;
	dma_read(vm, to, gpa, bytes);
}

void dma_find_and_write(struct vm *vm, struct dma_spot *s, u64 gpa, const void *from, size_t bytes)
{
	(void)s;
	dma_write(vm, gpa, from, bytes);
}

struct node *node_self(void)
{
	static struct node node;

	return &node;
}

#endif /* TESTS_UNIT_DRIVERS_VQUEUE_MEMORY_H */
