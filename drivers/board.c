/* SPDX-License-Identifier: MIT */
/*
 * What a kernel that knows nothing of us finds of its board (kernel/reloc/reloc.h), where QEMU's Malta has it: the
 * registers of a 16550 serial line, polled, without an interrupt, which is the VM's console; and the register that
 * switches the machine off.
 */
#include "drivers/dev.h"
#include "kernel/vm/vm.h"

#define SERIAL_BASE 0x180003f8
#define POWER_BASE  0x1f000500
#define POWER_OFF   0x42

enum { DATA = 0, LINE_STATUS = 5, SCRATCH = 7 };
#define STATUS_RECEIVED 0x01
#define STATUS_EMPTY	0x60 /* the register and the line */

/* A byte that the console did not take waits here. Any VCPU, no lock: two that write at once may lose one, as on the board. */
struct serial {
	char held;
	bool holds;
	u8 scratch;
};

static u32 count(const struct vm_desc *desc) { return desc->rewrite; }
static void create(struct device *dev) { (void)dev; }
static void shutdown(struct device *dev) { (void)dev; }

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

static u64 serial_read(struct device *dev, u64 offset, unsigned bytes)
{
	struct serial *s = dev->state;
	int c;

	(void)bytes;
	if (offset == DATA) {
		c = vcons_read(dev->vm->cons);
		return c < 0 ? 0 : c;
	}
	if (offset == LINE_STATUS) {
		send(dev);
		return (s->holds ? 0 : STATUS_EMPTY) |
		       (vcons_has_input(dev->vm->cons) ? STATUS_RECEIVED : 0);
	}
	return offset == SCRATCH ? s->scratch : 0;
}

static void serial_write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	struct serial *s = dev->state;

	(void)bytes;
	if (offset == SCRATCH)
		s->scratch = value;
	if (offset != DATA)
		return;
	send(dev);
	s->held = value;
	s->holds = true;
	send(dev);
}

const struct device_type serial_type = {
	.name = "serial",
	.compatible = "ns16550a",
	.count = count,
	.state_bytes = sizeof(struct serial),
	.register_bytes = 8,
	.fixed_base = SERIAL_BASE,
	.create = create,
	.reset = serial_reset,
	.shutdown = shutdown,
	.read = serial_read,
	.write = serial_write,
};

static void power_reset(struct device *dev) { (void)dev; }

static u64 power_read(struct device *dev, u64 offset, unsigned bytes)
{
	(void)dev, (void)offset, (void)bytes;
	return 0;
}

static void power_write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	(void)bytes;
	if (offset == 0 && value == POWER_OFF)
		vm_poweroff(dev->vm, 0);
}

const struct device_type power_type = {
	.name = "power",
	.count = count,
	.register_bytes = 8,
	.fixed_base = POWER_BASE,
	.create = create,
	.reset = power_reset,
	.shutdown = shutdown,
	.read = power_read,
	.write = power_write,
};
