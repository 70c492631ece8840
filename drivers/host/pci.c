/* SPDX-License-Identifier: MIT */
/*
 * PCI behind the GT64120. The boot ROM sets the windows and leaves every base address register unset;
 * those of the devices that somebody drives get addresses here, one behind the other. Each INTx goes
 * through the PIIX4, which routes its four lines to ISA interrupts.
 */
#include "drivers/dev.h"
#include "drivers/host/pci.h"
#include "kernel/panic.h"

#define KSEG1(pa)      (0xffffffffa0000000ul | (pa))
#define ADDRESS	       ((volatile u32 *)KSEG1(0x1be00cf8)) /* of the GT64120 */
#define DATA	       ((volatile u32 *)KSEG1(0x1be00cfc))
#define ADDRESS_ENABLE 0x80000000u
#define SLOTS	       32
#define FUNCTIONS      8
#define PIIX4_SLOT     0x0a

#define REG_ID	       0x00 /* vendor, device above it */
#define REG_COMMAND    0x04 /* status above it */
#define REG_HEADER     0x0c
#define REG_BAR0       0x10
#define REG_CAPS       0x34
#define REG_PIRQ       0x60 /* of the PIIX4: a byte for each of INTA..INTD */
#define COMMAND_MEMORY 0x02
#define COMMAND_MASTER 0x04
#define STATUS_CAPS    (0x10u << 16)
#define HEADER_SEVERAL (0x80u << 16) /* functions */
#define BARS	       6
#define BAR_IO	       0x01
#define BAR_64	       0x04
#define BAR_FLAGS      0x0fu
#define CAPS_MAX       48 /* of four bytes or more in 192 */

/*
 * The part of the window for PCI memory (0x10000000 to 0x17dfffff) that is given to devices. Below
 * it is the panic device (power.c); above it the boot ROM, run again by processors 8 to 15, writes to
 * 0x14000068.
 */
#define MEMORY_FIRST 0x11000000u
#define MEMORY_END   0x14000000u

static u32 memory_next = MEMORY_FIRST;

u32 pci_read(const struct pci_device *dev, u32 reg)
{
	*ADDRESS = ADDRESS_ENABLE | (u32)dev->slot << 11 | (u32)dev->function << 8 | reg;
	return *DATA;
}

void pci_write(const struct pci_device *dev, u32 reg, u32 value)
{
	*ADDRESS = ADDRESS_ENABLE | (u32)dev->slot << 11 | (u32)dev->function << 8 | reg;
	*DATA = value;
}

u8 pci_read_byte(const struct pci_device *dev, u32 reg)
{
	return (u8)(pci_read(dev, reg & ~3u) >> 8 * (reg & 3));
}

/* Slot 0 is the GT64120 itself. */
bool pci_next(struct pci_device *at)
{
	for (;;) {
		struct pci_device first = { .slot = at->slot };
		bool several = at->slot && pci_read(&first, REG_HEADER) & HEADER_SEVERAL;
		u32 id;

		if (++at->function == FUNCTIONS || !several) {
			at->function = 0;
			if (++at->slot == SLOTS)
				return false;
		}
		id = pci_read(at, REG_ID);
		at->vendor = (u16)id;
		at->device = (u16)(id >> 16);
		if (at->vendor != 0xffff && at->vendor)
			return true;
	}
}

/* Gives one base address register an address; how many registers it takes, 0: there is no room. */
static u32 assign(const struct pci_device *dev, u32 reg)
{
	u32 old = pci_read(dev, reg), size;

	if (old & BAR_IO)
		return 1; /* not driven */
	pci_write(dev, reg, ~0u);
	size = ~(pci_read(dev, reg) & ~BAR_FLAGS) + 1;
	if (!size)
		return 1;
	if (ROUND_UP(memory_next, size) + size > MEMORY_END || size > MEMORY_END - MEMORY_FIRST)
		return 0;
	memory_next = ROUND_UP(memory_next, size);
	pci_write(dev, reg, memory_next);
	memory_next += size;
	if (!(old & BAR_64))
		return 1;
	pci_write(dev, reg + 4, 0);
	return 2;
}

bool pci_enable(const struct pci_device *dev)
{
	u32 taken;

	for (u32 bar = 0; bar < BARS; bar += taken) {
		taken = assign(dev, REG_BAR0 + 4 * bar);
		if (!taken)
			return false;
	}
	pci_write(dev, REG_COMMAND, COMMAND_MEMORY | COMMAND_MASTER);
	return true;
}

volatile u8 *pci_registers(const struct pci_device *dev, u32 bar)
{
	u32 value = bar < BARS ? pci_read(dev, REG_BAR0 + 4 * bar) : BAR_IO;

	if (value & BAR_IO || !(value & ~BAR_FLAGS))
		return NULL;
	return (volatile u8 *)KSEG1((u64)(value & ~BAR_FLAGS));
}

u8 pci_capability(const struct pci_device *dev, u8 kind, u8 behind)
{
	u8 at = behind;

	if (!behind && !(pci_read(dev, REG_COMMAND) & STATUS_CAPS))
		return 0;
	for (u32 n = 0; n < CAPS_MAX; n++) {
		at = pci_read_byte(dev, at ? at + 1u : REG_CAPS) & 0xfc;
		if (!at || pci_read_byte(dev, at) == kind)
			return at;
	}
	return 0;
}

/* ---- interrupts ---- */

static void (*handlers[2])(void); /* fixed after boot */

static void interrupt(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(handlers) && handlers[i]; i++)
		handlers[i]();
}

void pci_handle(void (*handler)(void))
{
	const struct pci_device piix4 = { .slot = PIIX4_SLOT };
	u32 i = 0;

	while (handlers[i])
		if (++i == ARRAY_SIZE(handlers))
			panic("more than %u drivers of PCI devices", i);
	handlers[i] = handler;
	pci_write(&piix4, REG_PIRQ, PCI_LINE * 0x01010101u);
	isa_handle(PCI_LINE, interrupt);
}
