/* SPDX-License-Identifier: MIT */
/*
 * The console device (virtio 1.2, section 5.3), one port: another way to the console that every VM has by
 * monitor calls (drivers/vcons.c). What is typed goes one of both ways, as drivers fill receive
 * queues long before anybody reads: by this device in a VM that has written by it and never asked for
 * input by a call.
 */
#include <string.h>
#include "drivers/dev.h"
#include "drivers/virtio/mmio.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/vm.h"

#define ID	    3
#define F_SIZE	    BIT(0)
#define QUEUE_SIZE  16 /* Linux keeps a page for each descriptor of the receive queue */
#define INPUT_BYTES 256
#define INPUT_TURNS 4

enum { RECEIVE, TRANSMIT, QUEUES };

struct config {
	u16 columns, rows;
};

struct console {
	struct virtio virtio; /* the first field: drivers/virtio/mmio.h */
	bool written;	      /* since the driver began */
	/* a chain of TRANSMIT that is not done yet */
	bool under_way;
	u64 done; /* bytes of it */
	struct vqueue_chain out;
	bool waiting; /* for the serial line */
	u32 size;     /* that the driver was told of */
};

static struct console *of(struct virtio *v) { return (struct console *)v; }

/* ---- output ---- */

/* The next bytes of the chain: a part of one of its buffers. */
static u32 next_bytes(struct console *c, char buf[VCONS_WRITE])
{
	const struct vqueue_chain *out = &c->out;
	u64 left = c->done;
	u32 i = 0, n;

	for (; left >= out->range[i].bytes; i++)
		left -= out->range[i].bytes;
	n = MIN(out->range[i].bytes - left, (u64)VCONS_WRITE);
	dma_read(c->virtio.dev->vm, buf, out->range[i].gpa + left, n);
	return n;
}

static enum virtio_left transmit(struct console *c, u32 n)
{
	struct virtio *v = &c->virtio;
	char buf[VCONS_WRITE];
	u64 taken;

	c->waiting = false;
	if (!c->under_way && !virtio_next(v, n, &c->out))
		return VIRTIO_NOTHING;
	if (!c->under_way)
		c->done = 0;
	c->under_way = c->written = true;
	if (c->done < c->out.read_bytes) {
		/* Before it is known: the line may have room again, and say so, as soon as it has none. */
		__atomic_store_n(&c->waiting, true, __ATOMIC_RELAXED);
		taken = vcons_write(v->dev->vm->cons, buf, next_bytes(c, buf));
		c->done += taken;
		c->waiting = !taken;
	}
	if (c->waiting)
		return VIRTIO_LATER;
	if (c->done == c->out.read_bytes) {
		c->under_way = false;
		virtio_give_back(v, n, c->out.head, 0);
	}
	return VIRTIO_MORE;
}

/* ---- input ---- */

static void deliver(struct vm *vm, const struct vqueue_chain *in, const char *buf, u32 bytes)
{
	for (u32 i = in->nread; bytes; i++) {
		u32 part = MIN(in->range[i].bytes, bytes);

		dma_write(vm, in->range[i].gpa, buf, part);
		buf += part;
		bytes -= part;
	}
}

/* Buffers without input stay in the queue: what is typed, or the tick, asks again. */
static enum virtio_left receive(struct console *c, u32 n)
{
	struct virtio *v = &c->virtio;
	struct vm *vm = v->dev->vm;
	char buf[INPUT_BYTES];

	for (u32 i = 0; i < INPUT_TURNS; i++) {
		u64 bytes = 0;

		if (!c->written || !vcons_has_input(vm->cons))
			return VIRTIO_LATER;
		if (!virtio_next(v, n, &v->chain))
			return VIRTIO_NOTHING;
		if (v->chain.written_bytes)
			bytes = vcons_take(vm->cons, buf,
					   MIN(v->chain.written_bytes, (u64)INPUT_BYTES));
		deliver(vm, &v->chain, buf, bytes);
		virtio_give_back(v, n, v->chain.head, bytes);
	}
	return VIRTIO_MORE;
}

/* ---- the device ---- */

/* Linux asks for it when it is told that it is another one, and not before. */
static void tell_size(struct console *c)
{
	u32 size = vcons_size(c->virtio.dev->vm->cons);

	if (size != c->size)
		virtio_config_changed(&c->virtio);
	c->size = size;
}

static enum virtio_left notified(struct virtio *v, u32 n)
{
	tell_size(of(v));
	return n == TRANSMIT ? transmit(of(v), n) : receive(of(v), n);
}

/* Who begins with its output anew is a driver that begins anew. */
static void forget(struct virtio *v, u32 n)
{
	struct console *c = of(v);

	if (n != TRANSMIT)
		return;
	c->under_way = c->waiting = c->written = false;
	c->size = 0;
}

static void config(struct virtio *v, u8 *bytes)
{
	u32 size = vcons_size(v->dev->vm->cons);
	struct config now = { .columns = size, .rows = size >> 16 };

	memcpy(bytes, &now, sizeof(now));
}

static const struct virtio_type type = {
	.id = ID,
	.features = F_SIZE,
	.nqueues = QUEUES,
	.queue_size = QUEUE_SIZE,
	.config_bytes = sizeof(struct config),
	.notified = notified,
	.reset = forget,
	.config = config,
};

/* There may be input, another size, or room for output. */
static void told(struct device *dev)
{
	struct console *c = dev->state;

	virtio_look_again(&c->virtio, RECEIVE);
	if (__atomic_load_n(&c->waiting, __ATOMIC_RELAXED))
		virtio_look_again(&c->virtio, TRANSMIT);
}

static void create(struct device *dev)
{
	struct console *c = dev->state;

	virtio_create(&c->virtio, dev, &type);
	vcons_tell(dev->vm->cons, dev, told);
}

const struct device_type console_type = {
	VIRTIO_DEVICE,
	.state_bytes = sizeof(struct console),
	.line = DISCO_IRQ_DEVICE,
	.create = create,
};
