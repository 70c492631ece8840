/* SPDX-License-Identifier: MIT */
/*
 * Virtual DMA: the one place where devices of VMs reach guest memory (paper: section 4.4). A device
 * names "physical" ranges, which a guest wrote; here they are checked, copied and shared. Nothing is kept
 * between two calls but in spots: devices of the machine reach no guest memory, so that nothing is pinned.
 */
#ifndef DRIVERS_DMA_H
#define DRIVERS_DMA_H

#include "kernel/copy.h"
#include "kernel/mem/share.h"
#include "kernel/node.h"
#include "kernel/types.h"

struct vm;

struct dma_range {
	u64 gpa;
	u32 bytes;
};

/* All of it is the VM's memory; no sum of hostile numbers wraps. */
bool dma_valid(const struct vm *vm, u64 gpa, u64 bytes);

/*
 * Copies between guest memory and the monitor's, on any node that may wait: -EFAULT if the range is
 * not all the VM's, and nothing was copied then. Afterwards nothing that was read of guest memory
 * before holds any more (kernel/mem/shootdown.h).
 */
int dma_read(struct vm *vm, void *to, u64 gpa, size_t bytes);
int dma_write(struct vm *vm, u64 gpa, const void *from, size_t bytes);
/*
 * Reads bytes [skip, skip + bytes) of ranges one behind the other, which were found valid and are so many.
 */
void dma_gather(struct vm *vm, const struct dma_range *range, u64 skip, void *to, u32 bytes);
int dma_zero(struct vm *vm, u64 gpa,
	     size_t bytes); /* whole pages are as if never used from then on */
/* The same as dma_read and dma_write for what a request is about, which `stats` counts as copied. */
int dma_read_data(struct vm *vm, void *to, u64 gpa, size_t bytes);
int dma_write_data(struct vm *vm, u64 gpa, const void *from, size_t bytes);
/*
 * As dma_write_data, within a page that the guest has given to the device to be written, all of it: what else is in the page is of no
 * use to it any more, and if it is a shared one, not kept.
 */
int dma_write_over(struct vm *vm, u64 gpa, const void *from, size_t bytes);
/*
 * From one VM's memory to another's without a buffer between: how many of the bytes, those of one page of each at most. 0: one
 * of the two pages is not in a view now, or not writable there: dma_read and dma_write_data make it so.
 */
size_t dma_copy_data(struct vm *from, u64 source, struct vm *to, u64 target, size_t bytes);

/*
 * A place that is read and written a few bytes at a time, such as a ring of a queue: where its page was found is
 * kept, and holds as long as this node's view shows the same. Zeroes: nothing is known.
 */
struct dma_spot {
	u64 page;	  /* 1 + its guest page number */
	const u64 *shown; /* by the view of that node */
	u64 lo;
	u8 *at;
	u32 node;
	bool writable;
};
/* As dma_read and dma_write of a few bytes. */
static inline void dma_read_at(struct vm *vm, struct dma_spot *s, void *to, u64 gpa, size_t bytes);
static inline void dma_write_at(struct vm *vm, struct dma_spot *s, u64 gpa, const void *from,
				size_t bytes);
/* The long way of these: afterwards the spot is that of the page with gpa, if this node's view shows one. */
void dma_find_and_read(struct vm *vm, struct dma_spot *s, void *to, u64 gpa, size_t bytes);
void dma_find_and_write(struct vm *vm, struct dma_spot *s, u64 gpa, const void *from, size_t bytes);

/*
 * The shared pages (kernel/mem/share.h), which the caller holds, stand behind these guest pages from now on, in
 * place of what was there, until the guest writes them; at most SHARE_PAGES, with as few shootdowns as can be. A
 * bit for each that does: another is not the VM's memory, or pinned, moves or is copied, and the caller copies instead.
 */
u32 dma_share(struct vm *vm, const struct share_at *at, u32 n);
bool dma_share_page(struct vm *vm, const struct share_at *at); /* the same of one page */

/*
 * The other way round, of at most SHARE_PAGES: the page behind each gpn with what is in it now, as a shared one that
 * is held for the caller, who was promised a page for it (nodemem_reserve). Nobody writes it from now on; a guest that
 * does has a copy. MPN_NONE: not now, or not the VM's memory: the caller still has the promise, and copies instead.
 */
void dma_lend(struct vm *vm, struct share_at *at, u32 n);
/*
 * A page that was lent is also found elsewhere: whoever has it has `equal` in its place, the VM that lent it and those
 * that it was passed from or to (pass_users). The caller holds both.
 */
void dma_replace(mpn_t lent, mpn_t equal);

/* Of one moment: the page of a valid range stands for a shared page, which the guest has not written since. */
bool dma_is_shared(const struct vm *vm, gpn_t gpn);

/*
 * What is behind each source page of one VM is behind its target page of the other from now on, as if it were
 * copied, and both pay when they write it (kernel/mem/pass.h). Up to SHARE_PAGES; a bit for each that is, the
 * caller copies the others. also: a page of `to` that is about to be written over (dma_write_over); NULL: none.
 */
struct pass;
u32 dma_pass(struct vm *from, struct vm *to, const struct pass *list, u32 n, const gpn_t *also);

/* The bytes lie in the page that was found, which this node's view shows still. */
static inline bool dma_is_found(const struct dma_spot *s, u64 gpa, size_t bytes)
{
	return s->page == (gpa >> PAGE_SHIFT) + 1 && (gpa & PAGE_MASK) + bytes <= PAGE_SIZE &&
	       s->node == node_self()->id && __atomic_load_n(s->shown, __ATOMIC_RELAXED) == s->lo;
}

/*
 * The place of the bytes, which this node's view shows until it answers a shootdown; NULL: they are not where the
 * spot was found.
 */
static inline void *dma_found(const struct dma_spot *s, u64 gpa, size_t bytes)
{
	return dma_is_found(s, gpa, bytes) ? s->at + (gpa & PAGE_MASK) : NULL;
}

static inline void dma_read_at(struct vm *vm, struct dma_spot *s, void *to, u64 gpa, size_t bytes)
{
	if (dma_is_found(s, gpa, bytes))
		copy_few(to, s->at + (gpa & PAGE_MASK), bytes);
	else
		dma_find_and_read(vm, s, to, gpa, bytes);
}

static inline void dma_write_at(struct vm *vm, struct dma_spot *s, u64 gpa, const void *from,
				size_t bytes)
{
	if (s->writable && dma_is_found(s, gpa, bytes))
		copy_few(s->at + (gpa & PAGE_MASK), from, bytes);
	else
		dma_find_and_write(vm, s, gpa, from, bytes);
}

#endif /* DRIVERS_DMA_H */
