/* SPDX-License-Identifier: MIT */
/*
 * virtio devices on memory-mapped registers, version 2 (virtio 1.2, section 4.2): what all of them share,
 * below struct virtio_type, which says what one of them is.
 *
 *   status                   the guest                          becomes
 *   0                        looks                              ACKNOWLEDGE, DRIVER: it says so
 *   DRIVER                   negotiates features                FEATURES_OK, if they fit; else it reads that they do not
 *   FEATURES_OK              sets queues up; features are fixed DRIVER_OK
 *   DRIVER_OK                notifies                           NEEDS_RESET: a queue is malformed
 *   NEEDS_RESET              is told by an interrupt            0: the guest resets the device
 *   any                      writes 0, or its VM is reset       0
 *
 * What the guest reads is in the device's page (kernel/vm/device.h), which is brought up to date by who
 * changes a register, before an interrupt tells of it. A configuration changes word by word while the
 * guest may be reading it: fields that belong together lie in one word of 4 bytes.
 *
 * Bits are only added by the guest; to take one away it resets. Queues are read and written while the
 * status has DRIVER_OK and not NEEDS_RESET. All under the device's lock (RANK_DEVICE), any node.
 */
#ifndef DRIVERS_VIRTIO_MMIO_H
#define DRIVERS_VIRTIO_MMIO_H

#include "drivers/virtio/queue.h"
#include "kernel/lock.h"
#include "kernel/vm/device.h"

#define VIRTIO_QUEUES_MAX 5
#define VIRTIO_BYTES	  0x200 /* of registers; the configuration is the second half */

struct virtio;

/* What is left of a queue when a type has looked at it. */
enum virtio_left {
	VIRTIO_NOTHING, /* nothing: the guest is to notify of what comes */
	VIRTIO_MORE,	/* chains: home looks again, soon */
	VIRTIO_LATER,	/* chains that the type cannot take now: it says when (virtio_look_again) */
};

struct virtio_type {
	u32 id;		      /* virtio 1.2, section 5 */
	u64 features;	      /* of the device's own; those of the transport come on top */
	u64 (*without)(void); /* of these, what the machine was booted without; NULL: nothing */
	u32 nqueues;
	u32 queue_size;	  /* descriptors, a power of two; 0: VQUEUE_SIZE_MAX */
	u32 config_bytes; /* up to 0x100 */
	/* The guest has notified queue n, or it is to be looked at again. A bounded part of it. */
	enum virtio_left (*notified)(struct virtio *v, u32 n);
	/* Queue n is taken away: forget what is under way of it; NULL: nothing ever is. */
	void (*reset)(struct virtio *v, u32 n);
	void (*config)(struct virtio *v,
		       u8 *config); /* fills in config_bytes; NULL: there is none */
	void (*config_written)(struct virtio *v, u32 offset, u32 bytes,
			       u64 value); /* NULL: read only */
};

/* The state of a device of such a type begins with it. */
struct virtio {
	const struct virtio_type *type; /* fixed after boot, like dev */
	struct device *dev;
	/*
	 * RANK_WORK: home's, while it touches the guest's memory for chains that were taken and does not hold `lock`. A
	 * reset takes both, so that when it is done nothing of the old driver's memory is touched any more.
	 */
	struct lock work;
	struct lock lock;      /* RANK_DEVICE: all below */
	u32 status, interrupt; /* as the guest is to read them */
	bool once; /* an interrupt for used buffers is acknowledged by being delivered */
	u32 features_select, accepted_select, queue_select;
	u32 generation; /* of the configuration */
	u64 accepted;	/* features */
	u64 faults;	/* how often it was malformed since the VM started */
	u32 more;	/* bit = queue that home is to look at; atomically, any node */
	struct vqueue queue[VIRTIO_QUEUES_MAX];
	struct vqueue_chain chain; /* for the type's use: too large for a stack */
};

#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1     BIT(32)

/*
 * What all types of virtio devices have in their struct device_type, and what most have: the balloon resets more, the
 * network device works otherwise.
 */
#define VIRTIO_REGISTERS                                                               \
	.name = "virtio", .compatible = "virtio,mmio", .register_bytes = VIRTIO_BYTES, \
	.shown = true, .read = virtio_read, .write = virtio_write, .shutdown = virtio_reset
#define VIRTIO_DEVICE VIRTIO_REGISTERS, .reset = virtio_reset, .work = virtio_work
void virtio_create(struct virtio *v, struct device *dev, const struct virtio_type *type);
void virtio_reset(struct device *dev);
u64 virtio_read(struct device *dev, u64 offset, unsigned bytes);
void virtio_write(struct device *dev, u64 offset, unsigned bytes, u64 value);
void virtio_work(struct device *dev);

/* ---- for a type's functions, the lock held ---- */

bool virtio_is_live(const struct virtio *v); /* DRIVER_OK, and nothing was malformed */
/* The next chain of a queue: false, there is none, or it is malformed, and the device wants a reset. */
bool virtio_next(struct virtio *v, u32 n, struct vqueue_chain *chain);
void virtio_give_back(struct virtio *v, u32 n, u16 head, u32 bytes);
void virtio_tell(struct virtio *v,
		 u32 n); /* interrupts, if the guest wants it, for what went back */
/* What the guest wrote cannot be: DEVICE_NEEDS_RESET, and one line in the log. */
void virtio_malformed(struct virtio *v, u32 n, const char *what);
/* The configuration is another one: for the guest to read, and with an interrupt if it is live. */
void virtio_config_changed(struct virtio *v);

/* Home is to look at queue n again, soon; any node, whatever locks are held. */
void virtio_look_again(struct virtio *v, u32 n);

#endif /* DRIVERS_VIRTIO_MMIO_H */
