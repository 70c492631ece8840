/* SPDX-License-Identifier: MIT */
/*
 * What a kernel that knows nothing of us finds of its board (kernel/reloc/reloc.h), where QEMU's Malta has it: the
 * registers of a 16550 serial line, polled, without an interrupt, which is the VM's console; the display of eight
 * characters, which nobody sees; the register that switches the machine off, or, which a Malta's does not, resets it; and the one that says which board
 * this is. What firmware finds beside these is malta.c's.
 */
#include "drivers/dev.h"
#include "kernel/vm/gdtb.h"
#include "kernel/vm/vm.h"

#define SERIAL_BASE   0x180003f8
#define SERIAL_CLOCK  1843200	 /* Hz, 16 of them a bit at the highest speed */
#define PANEL_BASE    0x1f000400 /* the display, and the switch behind it */
#define PANEL_BYTES   0x108
#define POWER	      0x100 /* offset */
#define POWER_OFF     0x42
#define POWER_RESET   0x52
#define REVISION_BASE 0x1fc00010
#define REVISION      0x420 /* a Core LV: a Malta with a GT-64120 */

/* Registers of the serial line. With DIVISOR set in LINE_CONTROL the first two are the divisor of its clock. */
enum { DATA, ENABLE, FIFO, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };
#define DIVISOR		0x80
#define FIFO_ON		0x01 /* FIFO as it is written */
#define FIFO_IS_ON	0xc0 /* and as it is read */
#define ON_RECEIVED	0x01 /* ENABLE */
#define ON_EMPTY	0x02
#define NO_INTERRUPT	0x01 /* FIFO as it is read: what there would be an interrupt for */
#define IS_EMPTY	0x02
#define IS_RECEIVED	0x04
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY	0x60 /* the register and the line */
#define MODEM_READY	0xb0 /* carrier, data set ready, clear to send */

/* A byte that the console did not take waits here. Any VCPU, no lock: two that write at once may lose one, as on the board. */
struct serial {
	char held;
	bool holds;
	bool told;  /* that the register is empty, since it was stored to or ENABLE */
	u8 kept[8]; /* what was stored and is read again, as the table below says */
	u8 divisor[2];
};

/* The bits of each register that keep what is stored. */
static const u8 keeps[8] = {
	[ENABLE] = 0x0f, [FIFO] = FIFO_ON, [LINE_CONTROL] = 0xff, [MODEM_CONTROL] = 0x1f, [SCRATCH] = 0xff
};

u32 board_count(const struct vm_desc *desc) { return desc->rewrite; }

static void serial_reset(struct device *dev)
{
	*(struct serial *)dev->state = (struct serial){ 0 };
}

static void send(struct device *dev)
{
	struct serial *s = dev->state;

	if (s->holds && vcons_write(dev->vm->cons, &s->held, 1))
		s->holds = false;
}

/* The divisor's registers are in the place of this one now. */
static bool is_divisor(const struct serial *s, u64 offset)
{
	return offset <= ENABLE && (s->kept[LINE_CONTROL] & DIVISOR);
}

/* Why the line would interrupt, which whoever polls it by a timer goes by. */
static u64 pending(struct device *dev)
{
	struct serial *s = dev->state;

	if ((s->kept[ENABLE] & ON_RECEIVED) && vcons_has_input(dev->vm->cons))
		return IS_RECEIVED;
	send(dev);
	if (!(s->kept[ENABLE] & ON_EMPTY) || s->holds || s->told)
		return NO_INTERRUPT;
	s->told = true;
	return IS_EMPTY;
}

static u64 serial_read(struct device *dev, u64 offset, unsigned bytes)
{
	struct serial *s = dev->state;
	char c;

	(void)bytes;
	if (is_divisor(s, offset))
		return s->divisor[offset];
	switch (offset) {
	case DATA: return vcons_take(dev->vm->cons, &c, 1) ? (u8)c : 0;
	case FIFO: return pending(dev) | (s->kept[FIFO] ? FIFO_IS_ON : 0);
	case MODEM_STATUS: return MODEM_READY;
	case LINE_STATUS:
		send(dev);
		return (s->holds ? 0 : STATUS_EMPTY) |
		       (vcons_has_input(dev->vm->cons) ? STATUS_RECEIVED : 0);
	default: return s->kept[offset];
	}
}

static void serial_write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	struct serial *s = dev->state;

	(void)bytes;
	if (is_divisor(s, offset)) {
		s->divisor[offset] = value;
		return;
	}
	s->kept[offset] = value & keeps[offset];
	if (offset <= ENABLE)
		s->told = false;
	if (offset != DATA)
		return;
	send(dev);
	s->held = value;
	s->holds = true;
	send(dev);
}

static u32 serial_properties(struct device *dev, struct gdtb_property *list)
{
	static const u8 hz[4] = { 0, SERIAL_CLOCK >> 16, SERIAL_CLOCK >> 8 & 0xff,
				  SERIAL_CLOCK & 0xff };

	(void)dev;
	list[0] = (struct gdtb_property){ "clock-frequency", hz, sizeof(hz) };
	return 1;
}

const struct device_type serial_type = {
	.name = "serial",
	.compatible = "ns16550a",
	.count = board_count,
	.state_bytes = sizeof(struct serial),
	.register_bytes = 8,
	.fixed_base = SERIAL_BASE,
	.reset = serial_reset,
	.read = serial_read,
	.write = serial_write,
	.properties = serial_properties,
};

static void panel_write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	(void)bytes;
	if (offset == POWER && value == POWER_OFF)
		vm_poweroff(dev->vm, 0);
	else if (offset == POWER && value == POWER_RESET)
		vm_reset(dev->vm);
}

/* How a kernel of no particular board finds it. */
static const struct gdtb_switch panel_switches[] = {
	{ "poweroff", "syscon-poweroff", POWER, POWER_OFF },
	{ "reboot", "syscon-reboot", POWER, POWER_RESET },
};

const struct device_type panel_type = {
	.name = "panel",
	.compatible = "syscon",
	.count = board_count,
	.register_bytes = PANEL_BYTES,
	.fixed_base = PANEL_BASE,
	.write = panel_write,
	.switches = panel_switches,
	.nswitches = ARRAY_SIZE(panel_switches),
};

static u64 revision_read(struct device *dev, u64 offset, unsigned bytes)
{
	(void)dev, (void)bytes;
	return REVISION >> 8 * offset;
}

const struct device_type revision_type = {
	.name = "revision",
	.count = board_count,
	.register_bytes = 4,
	.fixed_base = REVISION_BASE,
	.read = revision_read,
};
