/* SPDX-License-Identifier: MIT */
/* The platform below a guest: QEMU's Malta itself. Polled UART, power-off register; the exit code
 * has nowhere to go. */
#include "guests/lib/guest.h"

#define UART	    ((volatile u8 *)0xffffffffb80003f8)
#define UART_LSR    5
#define LSR_THRE    0x20
#define SOFTRES	    ((volatile u32 *)0xffffffffbf000500)
#define SOFTRES_OFF 0x42

const bool platform_is_native = true;
const u64 platform_window = 0xffffffff80000000;

void platform_write(const char *s, size_t n)
{
	for (; n; s++, n--) {
		while (!(UART[UART_LSR] & LSR_THRE))
			;
		UART[0] = (u8)*s;
	}
}

void platform_off(int code)
{
	(void)code;
	*SOFTRES = SOFTRES_OFF;
	for (;;)
		;
}
