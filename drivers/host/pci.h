/* SPDX-License-Identifier: MIT */
/*
 * The Malta's PCI bus: configuration through the GT64120, addresses for the devices' registers, and
 * their interrupts, which all share one ISA line. One bus, no bridges. Boot only, and no lock.
 */
#ifndef DRIVERS_HOST_PCI_H
#define DRIVERS_HOST_PCI_H

#include "kernel/types.h"

#define PCI_LINE 10 /* the ISA interrupt of every PCI device */

struct pci_device {
	u8 slot, function;
	u16 vendor, device;
};

/* The next device behind *at in the order of slots; slot and function 0: the first. False: no more. */
bool pci_next(struct pci_device *at);

u32 pci_read(const struct pci_device *dev, u32 reg); /* of the configuration, reg a multiple of 4 */
void pci_write(const struct pci_device *dev, u32 reg, u32 value);
u8 pci_read_byte(const struct pci_device *dev, u32 reg);

/* Gives the device's memory registers addresses, and lets it answer and reach memory. False: there is
 * no room for them. */
bool pci_enable(const struct pci_device *dev);
/* The register of base address bar (0..5), which pci_enable gave an address; NULL: it has none. */
volatile u8 *pci_registers(const struct pci_device *dev, u32 bar);
/* The first capability of the kind behind offset `behind` (0: from the start); 0: no more. */
u8 pci_capability(const struct pci_device *dev, u8 kind, u8 behind);

/* As isa_handle, for the line of all PCI devices: each driver's handler asks its own devices. */
void pci_handle(void (*handler)(void));

#endif /* DRIVERS_HOST_PCI_H */
