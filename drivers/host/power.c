/* SPDX-License-Identifier: MIT */
/* The Malta's reset register: with QEMU's -no-reboot it ends the emulator. */
#include "drivers/dev.h"

#define SOFTRES ((volatile u32 *)0xffffffffbf000500ul) /* KSEG1 */
#define GORESET 0x42

_Noreturn void machine_off(void)
{
	*SOFTRES = GORESET;
	for (;;)
		__asm__ volatile("wait");
}
