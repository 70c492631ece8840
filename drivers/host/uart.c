/* SPDX-License-Identifier: MIT */
/*
 * The Malta's first serial line: 16550 at ISA port 0x3f8, behind the GT64120's I/O window that the
 * boot ROM and U-Boot set up. Polled: the console reads it at every tick of node 0.
 */
#include "drivers/dev.h"

#define UART	      ((volatile u8 *)0xffffffffb80003f8ul) /* KSEG1 */
#define UART_DATA     0
#define UART_LSR      5
#define LSR_READY     0x01
#define LSR_THR_EMPTY 0x20

void serial_put(char c)
{
	while (!(UART[UART_LSR] & LSR_THR_EMPTY))
		;
	UART[UART_DATA] = c;
}

int serial_get(void) { return UART[UART_LSR] & LSR_READY ? UART[UART_DATA] : -1; }
