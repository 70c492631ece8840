/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the memory of a guest with a virtqueue in it: what a chain names is memory of the guest,
 * in the order and number that drivers/virtio/queue.h promises, and a queue ends each walk.
 */
#include <stdlib.h>

#include "drivers/virtio/queue.h"
#include "tests/unit/drivers/vqueue_memory.h"

#define STEPS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_chain(const struct vqueue *q, const struct vqueue_chain *c)
{
	u64 sums[2] = { 0, 0 };

	if (c->nread + c->nwritten > VQUEUE_RANGES_MAX || c->head >= q->size)
		abort();
	for (u32 i = 0; i < c->nread + c->nwritten; i++) {
		if (!c->range[i].bytes || !dma_valid(NULL, c->range[i].gpa, c->range[i].bytes))
			abort();
		sums[i >= c->nread] += c->range[i].bytes;
	}
	if (sums[0] != c->read_bytes || sums[1] != c->written_bytes)
		abort();
}

/* What is seen as a read of a page is one, as a walk along the chain finds it, too. */
static void check_page(struct vqueue *q)
{
	static struct vqueue_chain chain;
	struct vqueue_page page;

	if (!vqueue_sees_page(q, &page))
		return;
	if (vqueue_next(q, &chain) != 1 || chain.nread != 1 || chain.nwritten != 2)
		abort();
	if (chain.head != page.head || chain.range[0].gpa != page.header ||
	    chain.range[0].bytes != VQUEUE_HEADER || chain.range[1].gpa != page.page ||
	    chain.range[1].bytes != PAGE_SIZE || page.page % PAGE_SIZE ||
	    chain.range[2].gpa != page.status || chain.range[2].bytes != 1)
		abort();
	vqueue_put_back(q, 1);
}

/* The first bytes set the queue up, the next change memory between two chains, the rest is memory. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vqueue_chain chain;
	struct vqueue q = { .size = 16, .descriptors = 0, .available = 256, .used = 512 };

	if (size < 8 + STEPS)
		return 0;
	q.size = data[0] < 128 ? 1u << data[0] % 9 : data[0];
	q.descriptors = data[1] % 4 ? 0 : data[2] << 8 | data[3];
	q.available = data[1] % 8 < 6 ? 2048 : data[4] << 8 | data[5];
	q.used = data[1] % 16 < 12 ? 4096 : data[6] << 8 | data[7];
	q.event_index = data[1] & 32;
	q.indirect = data[1] & 64;
	memset(memory, 0, sizeof(memory));
	memcpy(memory, data + 8 + STEPS,
	       size - 8 - STEPS < MEMORY_BYTES ? size - 8 - STEPS : MEMORY_BYTES);
	if (!vqueue_start(&q))
		return 0;
	shows = data[1] & 128;
	for (u32 i = 0; i < STEPS; i++) {
		int got;

		check_page(&q);
		got = vqueue_next(&q, &chain);

		if (got < 0 && q.state != VQUEUE_BROKEN)
			abort();
		if (got > 0) {
			check_chain(&q, &chain);
			vqueue_give_back(&q, chain.head, chain.written_bytes);
		}
		vqueue_ask_to_notify(&q);
		vqueue_wants_interrupt(&q);
		memory[2050] = data[8 + i]; /* more is available */
	}
	return 0;
}
