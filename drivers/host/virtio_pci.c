/* SPDX-License-Identifier: MIT */
/* The registers of a modern virtio device on PCI, found through its vendor capabilities. */
#include "arch/mips/arch.h"
#include "drivers/host/virtio_pci.h"

#define CAP_VENDOR   0x09
#define CAP_TYPE     3 /* offsets in the capability */
#define CAP_BAR	     4
#define CAP_OFFSET   8
#define CAP_MULTIPLY 16
#define TYPE_COMMON  1
#define TYPE_NOTIFY  2
#define TYPE_ISR     3
#define TYPE_DEVICE  4

/* The common structure (section 4.1.4.3). */
#define DEVICE_FEATURE_SELECT 0x00
#define DEVICE_FEATURE	      0x04
#define DRIVER_FEATURE_SELECT 0x08
#define DRIVER_FEATURE	      0x0c
#define DEVICE_STATUS	      0x14
#define CONFIG_GENERATION     0x15
#define QUEUE_SELECT	      0x16
#define QUEUE_SIZE	      0x18
#define QUEUE_ENABLE	      0x1c
#define QUEUE_NOTIFY_OFF      0x1e
#define QUEUE_DESC	      0x20
#define QUEUE_AVAIL	      0x28
#define QUEUE_USED	      0x30

#define STATUS_ACKNOWLEDGE 0x01
#define STATUS_DRIVER	   0x02
#define STATUS_DRIVER_OK   0x04
#define STATUS_FEATURES_OK 0x08
#define STATUS_NEEDS_RESET 0x40
#define TRIES		   1000 /* of what ends at once in every device we know */

#define R8(p)  (*(volatile u8 *)(p))
#define R16(p) (*(volatile u16 *)(p))
#define R32(p) (*(volatile u32 *)(p))

bool virtio_pci_open(struct virtio_port *port, const struct pci_device *dev)
{
	*port = (struct virtio_port){ 0 };
	if (!pci_enable(dev))
		return false;
	for (u8 at = 0; (at = pci_capability(dev, CAP_VENDOR, at));) {
		volatile u8 *base = pci_registers(dev, pci_read_byte(dev, at + CAP_BAR));

		if (!base)
			continue;
		base += pci_read(dev, at + CAP_OFFSET);
		switch (pci_read_byte(dev, at + CAP_TYPE)) {
		case TYPE_COMMON: port->common = base; break;
		case TYPE_ISR: port->isr = base; break;
		case TYPE_DEVICE: port->device = base; break;
		case TYPE_NOTIFY:
			port->notify = base;
			port->notify_scale = pci_read(dev, at + CAP_MULTIPLY);
			break;
		}
	}
	return port->common && port->isr && port->device && port->notify;
}

bool virtio_pci_reset(struct virtio_port *port)
{
	R8(port->common + DEVICE_STATUS) = 0;
	for (u32 i = 0; i < TRIES; i++)
		if (!R8(port->common + DEVICE_STATUS))
			return true;
	return false;
}

static u64 offered(struct virtio_port *port)
{
	u64 features = 0;

	for (u32 half = 0; half < 2; half++) {
		R32(port->common + DEVICE_FEATURE_SELECT) = half;
		features |= (u64)R32(port->common + DEVICE_FEATURE) << 32 * half;
	}
	return features;
}

static bool accept(struct virtio_port *port, u64 features)
{
	for (u32 half = 0; half < 2; half++) {
		R32(port->common + DRIVER_FEATURE_SELECT) = half;
		R32(port->common + DRIVER_FEATURE) = (u32)(features >> 32 * half);
	}
	R8(port->common + DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
	return R8(port->common + DEVICE_STATUS) & STATUS_FEATURES_OK;
}

static void set_address(volatile u8 *reg, const volatile void *part)
{
	u64 address = ptr_maddr((const void *)part).v;

	R32(reg) = (u32)address;
	R32(reg + 4) = (u32)(address >> 32);
}

/* The largest size that all n queues may have, at most max; 0: there are fewer queues. */
static u32 queue_size(struct virtio_port *port, u32 n, u32 max)
{
	for (u32 i = 0; i < n; i++) {
		R16(port->common + QUEUE_SELECT) = (u16)i;
		max = MIN(max, (u32)R16(port->common + QUEUE_SIZE));
	}
	return max;
}

static void set_queue(struct virtio_port *port, u32 queue, const struct vring *ring, u32 size)
{
	R16(port->common + QUEUE_SELECT) = (u16)queue;
	R16(port->common + QUEUE_SIZE) = (u16)size;
	set_address(port->common + QUEUE_DESC, ring->desc);
	set_address(port->common + QUEUE_AVAIL, ring->avail);
	set_address(port->common + QUEUE_USED, ring->used);
	port->doorbell[queue] =
		port->notify + R16(port->common + QUEUE_NOTIFY_OFF) * port->notify_scale;
	R16(port->common + QUEUE_ENABLE) = 1;
}

u64 virtio_pci_start(struct virtio_port *port, u64 wanted, const struct vring *ring, u32 n,
		     u32 *size)
{
	u64 features;

	R8(port->common + DEVICE_STATUS) = STATUS_ACKNOWLEDGE;
	R8(port->common + DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER;
	features = offered(port) & (wanted | VIRTIO_F_VERSION_1);
	*size = queue_size(port, n, *size);
	if (!*size || !(features & VIRTIO_F_VERSION_1) || !accept(port, features)) {
		virtio_pci_reset(port);
		return 0;
	}
	for (u32 i = 0; i < n; i++)
		set_queue(port, i, &ring[i], *size);
	R8(port->common + DEVICE_STATUS) = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK |
					   STATUS_DRIVER_OK;
	return features;
}

void virtio_pci_notify(struct virtio_port *port, u32 queue)
{
	R16(port->doorbell[queue]) = (u16)queue;
}

u8 virtio_pci_interrupt(struct virtio_port *port) { return R8(port->isr); }

bool virtio_pci_needs_reset(struct virtio_port *port)
{
	return R8(port->common + DEVICE_STATUS) & STATUS_NEEDS_RESET;
}

u64 virtio_pci_config64(struct virtio_port *port, u32 offset)
{
	u64 value = 0;

	for (u32 i = 0; i < TRIES; i++) {
		u8 generation = R8(port->common + CONFIG_GENERATION);

		value = R32(port->device + offset) | (u64)R32(port->device + offset + 4) << 32;
		if (R8(port->common + CONFIG_GENERATION) == generation)
			break;
	}
	return value;
}
