/* SPDX-License-Identifier: MIT */
/* Virtual DMA: ranges that guests name, checked once, then copied page by page through the pmap. */
#include "drivers/dma.h"
#include "kernel/errno.h"
#include "kernel/vm/vm.h"

bool dma_valid(const struct vm *vm, u64 gpa, u64 bytes)
{
	u64 size = (u64)vm->pmap.npages << PAGE_SHIFT;

	return bytes <= size && gpa <= size - bytes;
}

int dma_read(struct vm *vm, void *to, u64 gpa, size_t bytes)
{
	return vm_copy_in(vm, to, (gpa_t){ gpa }, bytes);
}

int dma_write(struct vm *vm, u64 gpa, const void *from, size_t bytes)
{
	return vm_copy_out(vm, (gpa_t){ gpa }, from, bytes);
}

int dma_zero(struct vm *vm, u64 gpa, size_t bytes)
{
	static const u8 zeros[PAGE_SIZE];

	if (!dma_valid(vm, gpa, bytes))
		return -EFAULT;
	while (bytes) {
		size_t part = MIN(bytes, PAGE_SIZE - (gpa & PAGE_MASK));
		gpn_t gpn = gpa_gpn((gpa_t){ gpa });
		int err = 0;

		if (mpn_valid(pmap_copies(&vm->pmap, gpn).master))
			err = vm_copy_out(vm, (gpa_t){ gpa }, zeros, part);
		if (err)
			return err;
		gpa += part;
		bytes -= part;
	}
	return 0;
}
