/* SPDX-License-Identifier: MIT */
/*
 * The two ends of the machine. The Malta's reset register ends the emulator, with QEMU's -no-reboot,
 * with status 0. QEMU's panic device, a PCI card in a slot that qemu/run.sh chooses, ends it with
 * status 1. Both need nothing set up before.
 */
#include "drivers/dev.h"

#define KSEG1(pa)   (0xffffffffa0000000ul | (pa))
#define SOFTRES	    ((volatile u32 *)KSEG1(0x1f000500))
#define GORESET	    0x42
#define PCI_ADDRESS ((volatile u32 *)KSEG1(0x1be00cf8)) /* of the GT64120 */
#define PCI_DATA    ((volatile u32 *)KSEG1(0x1be00cfc))
#define PCI_ENABLE  0x80000000u
#define PCI_COMMAND 0x04 /* configuration registers */
#define PCI_BAR0    0x10
#define PCI_MEMORY  0x02	/* in PCI_COMMAND: the card answers at its BARs */
#define PANIC_SLOT  0x13	/* as in qemu/run.sh */
#define PANIC_ID    0x00111b36u /* device and vendor */
#define PANIC_AT    0x10001000u /* in the window for PCI memory; nobody else is there */
#define PANICKED    0x01

_Noreturn void machine_off(void)
{
	*SOFTRES = GORESET;
	for (;;)
		__asm__ volatile("wait");
}

static volatile u32 *config(u32 reg)
{
	*PCI_ADDRESS = PCI_ENABLE | PANIC_SLOT << 11 | reg;
	return PCI_DATA;
}

_Noreturn void machine_fail(void)
{
	if (*config(0) == PANIC_ID) {
		*config(PCI_BAR0) = PANIC_AT;
		*config(PCI_COMMAND) = PCI_MEMORY;
		*(volatile u8 *)KSEG1(PANIC_AT) = PANICKED;
	}
	machine_off();
}
