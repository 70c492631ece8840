/* SPDX-License-Identifier: MIT */
/* The entropy device (virtio 1.2, section 5.4): buffers of the guest are filled with random bytes. */
#include "drivers/dev.h"
#include "drivers/virtio/mmio.h"
#include "kernel/abi/disco.h"
#include "kernel/seed.h"
#include "kernel/vm/vm.h"

#define ID	    4
#define CHAINS_MAX  8  /* at a time: some 2000 instructions each */
#define CHAIN_BYTES 64 /* of a chain; the rest is not filled, as the driver expects */

struct rng {
	struct virtio virtio; /* the first field: drivers/virtio/mmio.h */
};

/* Bytes written. */
static u32 fill(struct vm *vm, const struct vqueue_chain *chain)
{
	u32 filled = 0;
	u8 seed[SEED_BYTES];

	for (u32 i = 0; i < chain->nwritten && filled < CHAIN_BYTES; i++) {
		struct dma_range r = chain->range[chain->nread + i];
		u32 bytes = MIN(r.bytes, (u32)SEED_BYTES);

		if (!seed_draw(seed) || dma_write(vm, r.gpa, seed, bytes))
			break;
		filled += bytes;
		if (bytes < r.bytes)
			break; /* what is filled is one piece, from the first byte on */
	}
	seed_wipe(seed, sizeof(seed));
	return filled;
}

static enum virtio_left notified(struct virtio *v, u32 n)
{
	for (u32 i = 0; i < CHAINS_MAX; i++) {
		if (!virtio_next(v, n, &v->chain))
			return VIRTIO_NOTHING;
		virtio_give_back(v, n, v->chain.head, fill(v->dev->vm, &v->chain));
	}
	return VIRTIO_MORE;
}

static const struct virtio_type type = { .id = ID, .nqueues = 1, .notified = notified };

static void create(struct device *dev)
{
	struct rng *r = dev->state;

	virtio_create(&r->virtio, dev, &type);
}

const struct device_type rng_type = {
	VIRTIO_DEVICE,
	.state_bytes = sizeof(struct rng),
	.line = DISCO_IRQ_DEVICE,
	.create = create,
};
