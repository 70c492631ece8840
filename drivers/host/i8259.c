/* SPDX-License-Identifier: MIT */
/*
 * The Malta's two 8259s: ISA interrupts 0..15, of which all are masked until somebody handles them.
 * Their common output is the board's interrupt line (arch_board_interrupt), which node 0 takes. A
 * line is level-triggered here: it asks again as long as its device does, so a handler may leave
 * work for the next time, and no edge is lost. No lock: only node 0 comes here.
 */
#include "arch/mips/arch.h"
#include "drivers/dev.h"

#define PORT(n)	  ((volatile u8 *)0xffffffffb8000000ul + (n)) /* KSEG1 */
#define MASTER	  PORT(0x20)
#define SLAVE	  PORT(0xa0)
#define COMMAND	  0 /* offsets from these */
#define DATA	  1
#define ELCR	  PORT(0x4d0) /* a bit a line, from there on: level, not edge */
#define ICW1_ICW4 0x11	      /* initialize; ICW4 follows */
#define ICW4_8086 0x01
#define EOI	  0x60 /* of the line in the low three bits */
#define CASCADE	  2    /* where the slave is on the master */
#define VECTOR	  0x20 /* of line 0 */
#define ISA_LINES 16
#define GT_INTA	  ((volatile u32 *)0xffffffffbbe00c34ul) /* reading acknowledges */

static void (*handlers[ISA_LINES])(void); /* fixed after boot */

static void init_one(volatile u8 *chip, u8 vector, u8 cascade)
{
	chip[COMMAND] = ICW1_ICW4;
	chip[DATA] = vector;
	chip[DATA] = cascade;
	chip[DATA] = ICW4_8086;
}

static void unmask(unsigned line)
{
	volatile u8 *chip = line < 8 ? MASTER : SLAVE;

	ELCR[line / 8] |= (u8)(1u << line % 8);
	chip[DATA] &= (u8) ~(1u << line % 8);
}

static void end_of_interrupt(unsigned line)
{
	if (line >= 8)
		SLAVE[COMMAND] = (u8)(EOI | (line - 8));
	MASTER[COMMAND] = (u8)(EOI | (line < 8 ? line : CASCADE));
}

/* One line a time: if another is up, the board's interrupt still is. A spurious one has no handler,
 * and no end. */
static void interrupt(void)
{
	u32 line = (*GT_INTA & 0xff) - VECTOR;

	if (line >= ISA_LINES || !handlers[line])
		return;
	handlers[line]();
	end_of_interrupt(line);
}

void isa_init(void)
{
	init_one(MASTER, VECTOR, 1u << CASCADE);
	init_one(SLAVE, VECTOR + 8, CASCADE);
	MASTER[DATA] = (u8) ~(1u << CASCADE);
	SLAVE[DATA] = 0xff;
	arch_board_interrupt(interrupt);
}

void isa_handle(unsigned line, void (*handler)(void))
{
	handlers[line] = handler;
	unmask(line);
}
