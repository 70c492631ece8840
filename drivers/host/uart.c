/* SPDX-License-Identifier: MIT */
/*
 * The Malta's first serial line: 16550 at ISA port 0x3f8, behind the GT64120's I/O window that the
 * boot ROM and U-Boot set up. Writing needs nothing, not even serial_init; what is typed waits in
 * the FIFO of 16 bytes, and behind it in QEMU.
 */
#include "drivers/dev.h"

#define UART	      ((volatile u8 *)0xffffffffb80003f8ul) /* KSEG1 */
#define UART_DATA     0
#define UART_DLL      0 /* while LCR_DIVISOR is set, like the next */
#define UART_DLM      1
#define UART_IER      1
#define UART_IIR      2
#define UART_FCR      2
#define UART_LCR      3
#define UART_MCR      4
#define UART_LSR      5
#define IER_RECEIVED  0x01
#define IER_THR_EMPTY 0x02
#define FCR_ENABLE    0x01
#define FCR_AT_14     0xc0 /* bytes that wait, before it interrupts; fewer: soon */
#define LCR_8_BITS    0x03
#define LCR_DIVISOR   0x80
#define MCR_READY     0x0b /* DTR, RTS, and OUT2, which lets interrupts out */
#define LSR_READY     0x01
#define LSR_THR_EMPTY 0x20
#define EARLY_MAX     4096
#define QUIET_READS   20000 /* of a register, some 2 ms */
#define UART_LINE     4	    /* ISA interrupt */

static u8 asked;	      /* the register IER */
static char early[EARLY_MAX]; /* bytes that came before there was a FIFO */
static u32 early_head, early_tail;

bool serial_ready(void) { return UART[UART_LSR] & LSR_THR_EMPTY; }

void serial_put(char c)
{
	while (!serial_ready())
		;
	UART[UART_DATA] = c;
}

static int receive(void) { return UART[UART_LSR] & LSR_READY ? UART[UART_DATA] : -1; }

bool serial_has_early(void) { return early_tail != early_head; }

int serial_get(void) { return serial_has_early() ? (u8)early[early_tail++] : receive(); }

/* Turning the FIFO on loses the byte that waits then: so not before none has come for a while. */
static void receive_early(void)
{
	for (u32 quiet = 0; quiet < QUIET_READS && early_head < EARLY_MAX; quiet++) {
		int c = receive();

		if (c < 0)
			continue;
		early[early_head++] = (char)c;
		quiet = 0;
	}
}

/* 115200 baud: QEMU's line is as fast as its other end, but how soon the FIFO interrupts for fewer
 * than 14 bytes goes by the speed. */
void serial_init(void)
{
	UART[UART_LCR] = LCR_8_BITS | LCR_DIVISOR;
	UART[UART_DLL] = 1;
	UART[UART_DLM] = 0;
	UART[UART_LCR] = LCR_8_BITS;
	UART[UART_MCR] = MCR_READY;
	UART[UART_IER] = 0;
	receive_early();
	UART[UART_FCR] = FCR_ENABLE | FCR_AT_14;
}

void serial_interrupt_on(void (*handler)(void)) { isa_handle(UART_LINE, handler); }

static void ask(u8 what, bool on)
{
	u8 now = on ? asked | what : asked & (u8)~what;

	if (now != asked)
		UART[UART_IER] = asked = now;
}

void serial_ask_received(bool on) { ask(IER_RECEIVED, on); }

void serial_ask_room(bool on) { ask(IER_THR_EMPTY, on); }

void serial_seen(void) { (void)UART[UART_IIR]; }
