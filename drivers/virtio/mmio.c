/* SPDX-License-Identifier: MIT */
/* The registers of virtio devices, and what all devices do with their queues. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/virtio/mmio.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

#define MAGIC_VALUE 0x74726976 /* "virt" */
#define VERSION	    2
#define VENDOR	    0x4f435344 /* "DSCO" */

enum reg {
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_VENDOR_ID = 0x00c,
	REG_FEATURES = 0x010,
	REG_FEATURES_SELECT = 0x014,
	REG_ACCEPTED = 0x020,
	REG_ACCEPTED_SELECT = 0x024,
	REG_QUEUE_SELECT = 0x030,
	REG_QUEUE_SIZE_MAX = 0x034,
	REG_QUEUE_SIZE = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_NOTIFY = 0x050,
	REG_INTERRUPT_STATUS = 0x060,
	REG_INTERRUPT_ACK = 0x064,
	REG_INTERRUPT_ONCE = 0x068, /* ours: docs/guest-abi.md */
	REG_STATUS = 0x070,
	REG_DESCRIPTORS = 0x080, /* these three: low half, then high half */
	REG_AVAILABLE = 0x090,
	REG_USED = 0x0a0,
	REG_SHM_LENGTH_LOW = 0x0b0,
	REG_SHM_BASE_HIGH = 0x0bc,
	REG_GENERATION = 0x0fc,
	REG_CONFIG = 0x100,
};

#define STATUS_FEATURES_OK 8
#define STATUS_DRIVER_OK   4
#define STATUS_NEEDS_RESET 64
#define STATUS_BITS	   (1 | 2 | 4 | 8 | 128)

#define INTERRUPT_USED	 1
#define INTERRUPT_CONFIG 2

static u64 features_of(const struct virtio *v)
{
	u64 without = v->type->without ? TEXT_HERE(v->type->without)() : 0;

	return (v->type->features & ~without) | VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX |
	       VIRTIO_F_INDIRECT_DESC;
}

/* ---- what the guest reads ---- */

static void show(const struct virtio *v, enum reg reg, u32 value)
{
	__atomic_store_n((u32 *)v->dev->page + reg / sizeof(u32), value, __ATOMIC_RELEASE);
}

static void show_interrupt(const struct virtio *v) { show(v, REG_INTERRUPT_STATUS, v->interrupt); }

static void show_config(struct virtio *v)
{
	u32 config[(VIRTIO_BYTES - REG_CONFIG) / sizeof(u32)] = { 0 };

	if (v->type->config)
		v->type->config(v, (u8 *)config);
	for (u32 i = 0; i * sizeof(u32) < v->type->config_bytes; i++)
		show(v, REG_CONFIG + i * sizeof(u32), config[i]);
	show(v, REG_GENERATION, v->generation);
}

static u32 queue_size(const struct virtio *v)
{
	return v->type->queue_size ? v->type->queue_size : VQUEUE_SIZE_MAX;
}

/* The registers that change, but for those above: after any store but the frequent ones. */
static void show_registers(const struct virtio *v)
{
	const struct vqueue *q = v->queue_select < v->type->nqueues ? &v->queue[v->queue_select]
								    : NULL;

	show(v, REG_FEATURES,
	     v->features_select < 2 ? (u32)(features_of(v) >> 32 * v->features_select) : 0);
	show(v, REG_QUEUE_SIZE_MAX, q ? queue_size(v) : 0);
	show(v, REG_QUEUE_READY, q && q->state == VQUEUE_READY);
	show(v, REG_STATUS, v->status);
	show_interrupt(v);
}

static void show_constants(const struct virtio *v)
{
	show(v, REG_MAGIC, MAGIC_VALUE);
	show(v, REG_VERSION, VERSION);
	show(v, REG_DEVICE_ID, v->type->id);
	show(v, REG_VENDOR_ID, VENDOR);
	/* there is no shared memory: its length reads as -1 */
	for (u32 reg = REG_SHM_LENGTH_LOW; reg <= REG_SHM_BASE_HIGH; reg += sizeof(u32))
		show(v, reg, ~0u);
}

/* Used buffers need no reason to be read where nothing acknowledges them. */
static void interrupt(struct virtio *v, u32 why)
{
	u32 before = v->interrupt;

	v->interrupt |= v->once ? why & ~INTERRUPT_USED : why;
	if (v->interrupt != before)
		show_interrupt(v);
	device_raise(v->dev);
}

/* ---- for the types ---- */

bool virtio_is_live(const struct virtio *v)
{
	return (v->status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK;
}

/* A guest that does nothing else has no more of the log than a few lines. */
static bool is_told(u64 faults) { return faults <= 8 || !(faults & (faults - 1)); }

void virtio_malformed(struct virtio *v, u32 n, const char *what)
{
	if (v->status & STATUS_NEEDS_RESET)
		return;
	v->status |= STATUS_NEEDS_RESET;
	show_registers(v);
	if (is_told(++v->faults))
		log_line("virtio",
			 "%s: %s at %lx: queue %u: found %s; the device waits for a reset (%lu)",
			 v->dev->vm->name, v->dev->type->name, v->dev->base, n, what, v->faults);
	interrupt(v, INTERRUPT_CONFIG);
}

bool virtio_next(struct virtio *v, u32 n, struct vqueue_chain *chain)
{
	int found = virtio_is_live(v) ? vqueue_next(&v->queue[n], chain) : 0;

	if (found < 0)
		virtio_malformed(v, n, v->queue[n].error);
	return found > 0;
}

void virtio_give_back(struct virtio *v, u32 n, u16 head, u32 bytes)
{
	if (virtio_is_live(v))
		vqueue_give_back(&v->queue[n], head, bytes);
}

void virtio_tell(struct virtio *v, u32 n)
{
	if (virtio_is_live(v) && vqueue_wants_interrupt(&v->queue[n]))
		interrupt(v, INTERRUPT_USED);
}

void virtio_config_changed(struct virtio *v)
{
	v->generation++;
	show_config(v);
	if (virtio_is_live(v))
		interrupt(v, INTERRUPT_CONFIG);
}

/* ---- work ---- */

void virtio_look_again(struct virtio *v, u32 n)
{
	__atomic_fetch_or(&v->more, (u32)BIT(n), __ATOMIC_SEQ_CST);
	device_ask_work(v->dev);
}

/* Until the guest need not notify of what it has made available: the rest is done by virtio_work. */
static void serve(struct virtio *v, u32 n)
{
	enum virtio_left left = TEXT_HERE(v->type->notified)(v, n);

	virtio_tell(v, n);
	if (left == VIRTIO_NOTHING && virtio_is_live(v) && vqueue_ask_to_notify(&v->queue[n]))
		left = VIRTIO_MORE;
	if (left == VIRTIO_MORE)
		virtio_look_again(v, n);
}

static void notify(struct virtio *v, u32 n)
{
	if (n < v->type->nqueues && virtio_is_live(v) && v->queue[n].state == VQUEUE_READY)
		serve(v, n);
}

void virtio_work(struct device *dev)
{
	struct virtio *v = dev->state;
	u32 more;

	lock_take(&v->lock);
	more = __atomic_exchange_n(&v->more, 0, __ATOMIC_SEQ_CST);
	for (u32 n = 0; n < v->type->nqueues; n++)
		if (more & BIT(n))
			notify(v, n);
	lock_release(&v->lock);
}

/* ---- registers ---- */

static void set_once(struct virtio *v, bool once)
{
	v->once = once;
	show(v, REG_INTERRUPT_ONCE, once);
	device_set_once(v->dev, once);
}

static void reset_locked(struct virtio *v)
{
	set_once(v, false);
	v->status = v->interrupt = 0;
	__atomic_store_n(&v->more, 0, __ATOMIC_SEQ_CST);
	v->features_select = v->accepted_select = v->queue_select = 0;
	v->accepted = 0;
	for (u32 i = 0; i < VIRTIO_QUEUES_MAX; i++)
		vqueue_reset(&v->queue[i]);
	for (u32 i = 0; v->type->reset && i < v->type->nqueues; i++)
		v->type->reset(v, i);
	show_registers(v);
	show_config(v);
	device_lower(v->dev);
}

/* The queue that the guest has selected and may still set up; NULL: none. */
static struct vqueue *selected(struct virtio *v)
{
	return v->queue_select < v->type->nqueues ? &v->queue[v->queue_select] : NULL;
}

u64 virtio_read(struct device *dev, u64 offset, unsigned bytes)
{
	u64 value = 0;

	memcpy(&value, (const u8 *)dev->page + offset, bytes);
	return value;
}

static void write_status(struct virtio *v, u32 value)
{
	u32 added = value & STATUS_BITS & ~v->status;

	if (!value) {
		reset_locked(v);
		return;
	}
	if ((added & STATUS_FEATURES_OK) &&
	    (!(v->accepted & VIRTIO_F_VERSION_1) || (v->accepted & ~features_of(v))))
		added &= ~(u32)STATUS_FEATURES_OK;
	if (!((v->status | added) & STATUS_FEATURES_OK))
		added &= ~(u32)STATUS_DRIVER_OK;
	v->status |= added;
}

static void accept(struct virtio *v, u32 value)
{
	u32 shift = 32 * v->accepted_select;

	if (v->accepted_select < 2 && !(v->status & STATUS_FEATURES_OK))
		v->accepted = (v->accepted & ~(0xfffffffful << shift)) | (u64)value << shift;
}

static void write_half(u64 *address, bool high, u32 value)
{
	*address = high ? (u32)*address | (u64)value << 32 : (*address & ~0xfffffffful) | value;
}

static void write_ready(struct virtio *v, struct vqueue *q, u32 value)
{
	if (value != 1) { /* what was under way goes with the queue */
		if (q->state != VQUEUE_OFF && v->type->reset)
			v->type->reset(v, v->queue_select);
		vqueue_reset(q);
		return;
	}
	q->event_index = v->accepted & VIRTIO_F_EVENT_IDX;
	q->indirect = v->accepted & VIRTIO_F_INDIRECT_DESC;
	if (!vqueue_start(q))
		virtio_malformed(v, v->queue_select, q->error);
}

/* Once a queue is ready its size and addresses stay; before FEATURES_OK there is none to set up. */
static void write_queue(struct virtio *v, u64 offset, u32 value)
{
	struct vqueue *q = selected(v);

	if (!q || !(v->status & STATUS_FEATURES_OK) || (v->status & STATUS_NEEDS_RESET))
		return;
	if (offset == REG_QUEUE_READY && (value != 1 || q->state == VQUEUE_OFF))
		write_ready(v, q, value);
	if (q->state != VQUEUE_OFF)
		return;
	switch (offset & ~4ul) {
	case REG_QUEUE_SIZE & ~4ul:
		if (offset == REG_QUEUE_SIZE)
			q->size = value > queue_size(v) ? 0 : value; /* none will do */
		break;
	case REG_DESCRIPTORS: write_half(&q->descriptors, offset & 4, value); break;
	case REG_AVAILABLE: write_half(&q->available, offset & 4, value); break;
	case REG_USED: write_half(&q->used, offset & 4, value); break;
	default: break;
	}
}

/* The store takes queues away from the driver, and what is under way with them. */
static bool is_reset(u64 offset, u32 value)
{
	return (offset == REG_STATUS && !value) || (offset == REG_QUEUE_READY && value != 1);
}

static void acknowledge(struct virtio *v, u32 value)
{
	v->interrupt &= ~value;
	show_interrupt(v);
	if (!v->interrupt && !v->once) /* else the line may be up for buffers that came meanwhile */
		device_lower(v->dev);
}

static void write_register(struct virtio *v, u64 offset, u32 value)
{
	switch (offset) {
	case REG_NOTIFY: notify(v, value); return;
	case REG_INTERRUPT_ACK: acknowledge(v, value); return;
	case REG_INTERRUPT_ONCE: set_once(v, value & 1); return;
	case REG_FEATURES_SELECT: v->features_select = value; break;
	case REG_ACCEPTED_SELECT: v->accepted_select = value; break;
	case REG_ACCEPTED: accept(v, value); break;
	case REG_QUEUE_SELECT: v->queue_select = value; break;
	case REG_STATUS: write_status(v, value); break;
	default: write_queue(v, offset, value);
	}
	show_registers(v);
}

void virtio_write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	struct virtio *v = dev->state;
	bool reset = bytes == 4 && is_reset(offset, value);

	if (reset)
		lock_take(&v->work);
	lock_take(&v->lock);
	if (offset >= REG_CONFIG) {
		if (v->type->config_written) {
			v->type->config_written(v, offset - REG_CONFIG, bytes, value);
			show_config(v);
		}
	} else if (bytes == 4) {
		write_register(v, offset, value);
	}
	lock_release(&v->lock);
	if (reset)
		lock_release(&v->work);
}

/* ---- life ---- */

void virtio_create(struct virtio *v, struct device *dev, const struct virtio_type *type)
{
	*v = (struct virtio){ .type = type,
			      .dev = dev,
			      .work = LOCK_INIT(RANK_WORK),
			      .lock = LOCK_INIT(RANK_DEVICE) };
	for (u32 i = 0; i < VIRTIO_QUEUES_MAX; i++)
		v->queue[i].vm = dev->vm;
	show_constants(v);
}

void virtio_reset(struct device *dev)
{
	struct virtio *v = dev->state;

	lock_take(&v->work);
	lock_take(&v->lock);
	reset_locked(v);
	v->faults = 0;
	lock_release(&v->lock);
	lock_release(&v->work);
}
