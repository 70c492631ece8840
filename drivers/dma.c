/* SPDX-License-Identifier: MIT */
/* Virtual DMA: ranges of guest memory checked, copied and shared for devices. */
#include "arch/mips/arch.h"
#include "drivers/dma.h"
#include "kernel/errno.h"
#include "kernel/mem/pass.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"

bool dma_valid(const struct vm *vm, u64 gpa, u64 bytes)
{
	u64 size = (u64)vm->pmap.npages << PAGE_SHIFT;

	return gpa <= size && bytes <= size - gpa;
}

static void count_copied(size_t bytes)
{
	node_self()->stats.copied += (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

int dma_read(struct vm *vm, void *to, u64 gpa, size_t bytes)
{
	return vm_copy_in(vm, to, (gpa_t){ gpa }, bytes);
}

int dma_write(struct vm *vm, u64 gpa, const void *from, size_t bytes)
{
	return vm_copy_out(vm, (gpa_t){ gpa }, from, bytes);
}

int dma_read_data(struct vm *vm, void *to, u64 gpa, size_t bytes)
{
	count_copied(bytes);
	return dma_read(vm, to, gpa, bytes);
}

int dma_write_data(struct vm *vm, u64 gpa, const void *from, size_t bytes)
{
	count_copied(bytes);
	return dma_write(vm, gpa, from, bytes);
}

int dma_write_over(struct vm *vm, u64 gpa, const void *from, size_t bytes)
{
	count_copied(bytes);
	return vm_copy_over(vm, (gpa_t){ gpa }, from, bytes);
}

size_t dma_copy_data(struct vm *from, u64 source, struct vm *to, u64 target, size_t bytes)
{
	size_t copied = vm_copy_across(from, (gpa_t){ source }, to, (gpa_t){ target }, bytes);

	count_copied(copied);
	return copied;
}

/* The spot is that of the page with gpa, if this node's view shows one, and will be where it is. */
static void find(const struct vm *vm, struct dma_spot *s, u64 gpa)
{
	u32 node = node_self()->id;
	u64 gpn = gpa >> PAGE_SHIFT;

	s->page = 0;
	if (gpn >= vm->pmap.npages || !pmap_view_stays(&vm->pmap, node))
		return;
	s->shown = pmap_shown_at(&vm->pmap, (gpn_t){ gpn }, node);
	s->lo = __atomic_load_n(s->shown, __ATOMIC_ACQUIRE);
	if (!s->lo)
		return;
	s->at = mpn_ptr(arch_entry_page(s->lo));
	s->writable = arch_entry_writable(s->lo);
	s->node = node;
	s->page = gpn + 1;
}

void dma_find_and_read(struct vm *vm, struct dma_spot *s, void *to, u64 gpa, size_t bytes)
{
	dma_read(vm, to, gpa, bytes);
	find(vm, s, gpa);
}

void dma_find_and_write(struct vm *vm, struct dma_spot *s, u64 gpa, const void *from, size_t bytes)
{
	dma_write(vm, gpa, from, bytes);
	find(vm, s, gpa);
}

void dma_gather(struct vm *vm, const struct dma_range *range, u64 skip, void *to, u32 bytes)
{
	u8 *next = to;

	for (; bytes; range++) {
		u32 part = skip < range->bytes ? MIN(range->bytes - skip, (u64)bytes) : 0;

		if (part)
			dma_read(vm, next, range->gpa + skip, part);
		skip -= part ? skip : range->bytes;
		next += part;
		bytes -= part;
	}
}

int dma_zero(struct vm *vm, u64 gpa, size_t bytes)
{
	static const u8 zeros[PAGE_SIZE];

	if (!dma_valid(vm, gpa, bytes))
		return -EFAULT;
	while (bytes) {
		size_t part = MIN(bytes, PAGE_SIZE - (gpa & PAGE_MASK));
		gpn_t gpn = gpa_gpn((gpa_t){ gpa });
		bool used = mpn_valid(pmap_copies(&vm->pmap, gpn).master);
		int err = 0;

		if (used && part == PAGE_SIZE && option_on(OPTION_ZERO))
			used = !pmap_erase(vm, gpn);
		if (used)
			err = vm_copy_out(vm, (gpa_t){ gpa }, zeros, part);
		if (err)
			return err;
		gpa += part;
		bytes -= part;
	}
	return 0;
}

u32 dma_share(struct vm *vm, const struct share_at *at, u32 n)
{
	u32 shared = option_on(OPTION_SHARE) ? pmap_share_pages(vm, at, n) : 0;

	for (u32 rest = shared; rest; rest &= rest - 1)
		node_self()->stats.mapped++;
	return shared;
}

bool dma_share_page(struct vm *vm, const struct share_at *at)
{
	bool shared = option_on(OPTION_SHARE) && pmap_share_page(vm, at);

	node_self()->stats.mapped += shared;
	return shared;
}

void dma_lend(struct vm *vm, struct share_at *at, u32 n)
{
	bool may = option_on(OPTION_SHARE);

	if (may)
		pmap_lend_pages(vm, at, n);
	for (u32 i = 0; i < n; i++)
		if (!may)
			at[i].page = MPN_NONE;
		else if (mpn_valid(at[i].page))
			node_self()->stats.mapped++;
}

void dma_replace(mpn_t lent, mpn_t equal) { pass_users(lent, equal); }

bool dma_is_shared(const struct vm *vm, gpn_t gpn)
{
	return share_is(pmap_copies(&vm->pmap, gpn).master);
}

u32 dma_pass(struct vm *from, struct vm *to, const struct pass *list, u32 n, const gpn_t *also)
{
	u32 passed = option_on(OPTION_REMAP) ? pass_pages(from, to, list, n, also) : 0;

	for (u32 rest = passed; rest; rest &= rest - 1)
		node_self()->stats.mapped++;
	return passed;
}
