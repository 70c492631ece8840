/* SPDX-License-Identifier: MIT */
/*
 * A modern virtio device on the machine's PCI bus, as its driver sees it (virtio 1.2, sections 3.1 and
 * 4.1): its virtqueues, no MSI. What the queues say is the driver's.
 */
#ifndef DRIVERS_HOST_VIRTIO_PCI_H
#define DRIVERS_HOST_VIRTIO_PCI_H

#include "drivers/host/pci.h"
#include "kernel/types.h"

/* The three parts of a split virtqueue (section 2.7), as the driver lays them out in its memory. */
struct vring_desc {
	u64 address;
	u32 bytes;
	u16 flags, next;
};
#define VRING_NEXT  0x1
#define VRING_WRITE 0x2 /* the device writes it */

struct vring_avail {
	u16 flags, idx, ring[];
};

struct vring_used {
	u16 flags, idx;
	struct {
		u32 id, bytes;
	} ring[];
};

struct vring {
	struct vring_desc *desc;
	volatile struct vring_avail *avail;
	volatile struct vring_used *used;
};

#define VIRTIO_PCI_QUEUES 2 /* of a device, at most */

struct virtio_port {
	volatile u8 *common, *isr, *device, *notify;
	u32 notify_scale;
	volatile u8 *doorbell[VIRTIO_PCI_QUEUES];
};

#define VIRTIO_F_VERSION_1 BIT(32)

/* Takes over the device, which has these structures. False: it is no modern virtio device. */
bool virtio_pci_open(struct virtio_port *port, const struct pci_device *dev);

/* The device touches no memory from then on. False: it does not say so. */
bool virtio_pci_reset(struct virtio_port *port);
/*
 * Starts the device, which was reset, with the features of `wanted` that it offers and n queues, 1 to
 * VIRTIO_PCI_QUEUES, of at most *size entries each, which are empty; *size is then what all took, a power of
 * two, and the return value the features. 0: it did not do as it should, and is left reset.
 */
u64 virtio_pci_start(struct virtio_port *port, u64 wanted, const struct vring *ring, u32 n,
		     u32 *size);

void virtio_pci_notify(struct virtio_port *port, u32 queue);
/* Why it interrupts, which takes the interrupt back: VIRTIO_USED, VIRTIO_CONFIG, 0: it does not. */
u8 virtio_pci_interrupt(struct virtio_port *port);
#define VIRTIO_USED   0x1
#define VIRTIO_CONFIG 0x2
bool virtio_pci_needs_reset(struct virtio_port *port);
/* 8 bytes of the device's own configuration, untorn. */
u64 virtio_pci_config64(struct virtio_port *port, u32 offset);

#endif /* DRIVERS_HOST_VIRTIO_PCI_H */
