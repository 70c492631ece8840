/* SPDX-License-Identifier: MIT */
/* The bytes of frames: from the sender's buffers to a receiver's, and their checksum. */
#include <string.h>
#include "drivers/subnet/subnet.h"
#include "kernel/options.h"

/*
 * The range that a byte of a guest's frame is in, and how many of the range's bytes are before it. Who goes through a
 * frame in order looks at each range once, however many there are.
 */
static const struct dma_range *range_of(const struct frame *f, u32 at, u64 *skip)
{
	struct frame_place *p = f->place;

	*skip = f->skip + at;
	if (*skip < p->before)
		*p = (struct frame_place){ 0, 0 };
	for (; *skip - p->before >= f->range[p->range].bytes; p->range++)
		p->before += f->range[p->range].bytes;
	*skip -= p->before;
	return &f->range[p->range];
}

void frame_read(const struct frame *frame, u32 at, void *to, u32 bytes)
{
	u64 skip;
	const struct dma_range *first = range_of(frame, at, &skip);

	dma_gather(frame->vm, first, skip, to, bytes);
	/* what others have looked at stays as it was then, whatever the guest has written since */
	if (at < FRAME_HEADER)
		memcpy(to, frame->header + at, MIN(bytes, FRAME_HEADER - at));
}

/* Bytes [at, at + PAGE_SIZE) are the same for all, and in the sender's memory only. */
static bool may_pass(const struct frame *f, u32 at)
{
	bool sum = f->checksum && f->checksum_at + 1 >= at && f->checksum_at < at + PAGE_SIZE;

	return at >= FRAME_HEADER && !sum;
}

static bool is_worth_it(const struct frame *f, struct habit *habit, gpn_t gpn)
{
	return !option_on(OPTION_HABIT) || habit_passes(habit, gpn, dma_is_shared(f->vm, gpn));
}

/* The whole pages of a range that is bytes [at, at + bytes) of the frame. */
static void add_pages(struct frame *f, struct habit *habit, u64 gpa, u32 at, u32 bytes)
{
	for (u32 skip = -gpa & PAGE_MASK; skip + PAGE_SIZE <= bytes; skip += PAGE_SIZE) {
		gpn_t gpn = gpa_gpn((gpa_t){ gpa + skip });

		if (may_pass(f, at + skip) && is_worth_it(f, habit, gpn))
			f->page[f->npages++] = (struct frame_page){ at + skip, gpn };
	}
}

void frame_find_pages(struct frame *f, struct habit *habit)
{
	const struct dma_range *r = f->range;
	u64 skip = f->skip;

	f->npages = 0;
	if (f->own || !option_on(OPTION_REMAP))
		return;
	for (u32 at = 0, part; at < f->bytes; r++) {
		part = skip < r->bytes ? r->bytes - skip : 0;
		add_pages(f, habit, r->gpa + skip, at, MIN(part, f->bytes - at));
		skip -= part ? skip : r->bytes;
		at += part;
	}
}

/*
 * The sum of 16-bit words, each of its first byte and its second, folded and complemented (RFC 1071). The
 * driver has left the sum of the pseudo-header in the checksum's place, which counts with the rest.
 */
void frame_sum(const struct frame *frame, u8 sum[2])
{
	u64 total = 0;
	u8 *part = frame->part;

	for (u32 at = frame->checksum_start; at < frame->bytes; at += FRAME_PART) {
		u32 bytes = MIN(frame->bytes - at, (u32)FRAME_PART);

		frame_read(frame, at, part, bytes);
		for (u32 i = 0; i < bytes; i++)
			total += i & 1 ? part[i] : (u32)part[i] << 8;
	}
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	total = ~total & 0xffff;
	if (!total)
		total = 0xffff; /* equal to 0 as a sum, and UDP takes 0 for none */
	sum[0] = total >> 8;
	sum[1] = total;
}

/* How many bytes from at on, up to so many, everybody gets as they are in the sender's memory. */
static u32 unchanged(const struct frame *f, u32 at, u32 bytes, const u8 *sum)
{
	u32 end = f->checksum_at + 2;

	if (at < FRAME_HEADER)
		return 0;
	if (!sum || at >= end || at + bytes <= f->checksum_at)
		return bytes;
	return f->checksum_at > at ? f->checksum_at - at : 0;
}

/* From the sender's memory; 0: not now. */
static u32 copy_unchanged(const struct frame *f, u32 at, u32 bytes, struct vm *vm, u64 to)
{
	u64 skip;
	const struct dma_range *r = range_of(f, at, &skip);

	return dma_copy_data(f->vm, r->gpa + skip, vm, to, MIN(bytes, r->bytes - skip));
}

void frame_put(const struct frame_target *to, const void *from, u32 bytes)
{
	if (to->gpa & PAGE_MASK || to->room < PAGE_SIZE)
		dma_write_data(to->vm, to->gpa, from, bytes);
	else
		dma_write_over(to->vm, to->gpa, from, bytes);
}

void frame_take(const struct frame *f, u32 at, void *to, u32 bytes, const u8 *sum)
{
	u8 *part = to;

	if (f->own)
		memcpy(to, f->own + at, bytes);
	else
		frame_read(f, at, to, bytes);
	for (u32 i = 0; sum && i < 2; i++)
		if (f->checksum_at + i - at < bytes)
			part[f->checksum_at + i - at] = sum[i];
}

/* Of the uplink: the monitor's memory, which no guest changes meanwhile. */
static u32 copy_own(const struct frame *f, u32 at, u32 bytes, const struct frame_target *to)
{
	bytes = MIN(bytes, (u32)(PAGE_SIZE - (to->gpa & PAGE_MASK)));
	frame_put(to, f->own + at, bytes);
	return bytes;
}

/* What is not unchanged, or not there at once: headers mostly. */
static u32 copy_by_part(const struct frame *f, u32 at, u32 bytes, const struct frame_target *to,
			const u8 *sum)
{
	bytes = MIN(bytes, (u32)(PAGE_SIZE - (to->gpa & PAGE_MASK)));
	bytes = MIN(bytes, (u32)FRAME_HEAD);
	frame_take(f, at, f->part, bytes, sum);
	frame_put(to, f->part, bytes);
	return bytes;
}

static u32 copy_some(const struct frame *f, u32 at, u32 bytes, const struct frame_target *to,
		     const u8 *sum)
{
	u32 same, n;

	if (f->own)
		return copy_own(f, at, bytes, to);
	same = unchanged(f, at, bytes, sum);
	n = same ? copy_unchanged(f, at, same, to->vm, to->gpa) : 0;
	return n ? n : copy_by_part(f, at, bytes, to, sum);
}

void frame_copy(const struct frame *frame, u32 at, u32 bytes, struct frame_target to, const u8 *sum)
{
	for (u32 n; bytes; at += n, to.gpa += n, to.room -= n, bytes -= n)
		n = copy_some(frame, at, bytes, &to, sum);
}
