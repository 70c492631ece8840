/* SPDX-License-Identifier: MIT */
/*
 * What the firmware of a Malta finds beside board.c's registers, where QEMU's Malta has it, as far as U-Boot wants it
 * to reach its prompt: the system controller (a GT-64120) with its PCI bus, on which there are the controller itself
 * and two functions of a PIIX4, the bridge to ISA and an IDE controller without disks; and PCI's I/O space, where
 * there is a clock chip, read only. No memory of PCI devices, no DMA, no interrupts, no boot flash, no network.
 * (GT-64120 data sheet; PIIX4 data sheet; MC146818.)
 *
 * Any VCPU, no lock: two that use an index register at once get each other's, as on the board.
 */
#include <string.h>

#include "drivers/dev.h"
#include "kernel/vm/vm.h"
#include "kernel/wallclock.h"

/* ---- functions on the PCI bus ---- */

#define CONFIG_WORDS 64
#define BAR_0	     4 /* word; the last is 9 */
#define BARS	     6

/* Of which a function keeps what is stored: command and latency; and what the PIIX4 has beyond the header. */
struct function {
	u8 device, function;
	u32 id, class, header;
	u32 io_bar,
		io_bytes; /* a base address register, and how large its range is; 0: there is none */
};

static const struct function functions[] = {
	{ 0x00, 0, 0x462011ab, 0x06000010, 0x00000000, 0, 0 },
	{ 0x0a, 0, 0x71108086, 0x06010002, 0x00800000, 0, 0 },
	{ 0x0a, 1, 0x71118086, 0x01018001, 0x00000000, 4, 16 },
};

struct controller {
	u32 word[0x1000 / 4]; /* its own registers */
	u32 config[ARRAY_SIZE(functions)][CONFIG_WORDS];
};

/* Registers of the controller, in words. */
#define CAUSE	    (0xc18 / 4)
#define CONFIG_ADDR (0xcf8 / 4)
#define CONFIG_DATA (0xcfc / 4)
#define CAUSE_ABORT 0x40000 /* nobody answered */
#define ENABLED	    0x80000000

/* The function that CONFIG_ADDR names; NULL: there is none. */
static const struct function *find(const struct controller *c)
{
	u32 at = c->word[CONFIG_ADDR];

	for (u32 i = 0; i < ARRAY_SIZE(functions); i++)
		if ((at & (ENABLED | 0xffff00)) ==
		    (ENABLED | (u32)functions[i].device << 11 | (u32)functions[i].function << 8))
			return &functions[i];
	return NULL;
}

static u32 *config_word(struct controller *c, const struct function *f)
{
	return &c->config[f - functions][c->word[CONFIG_ADDR] >> 2 & (CONFIG_WORDS - 1)];
}

static u32 config_read(struct controller *c)
{
	const struct function *f = find(c);

	if (f)
		return *config_word(c, f);
	c->word[CAUSE] |= CAUSE_ABORT;
	return ~0u;
}

static void config_write(struct controller *c, u32 value)
{
	const struct function *f = find(c);
	u32 word = c->word[CONFIG_ADDR] >> 2 & (CONFIG_WORDS - 1);

	if (!f) {
		c->word[CAUSE] |= CAUSE_ABORT;
		return;
	}
	if (word == 1) /* command; of status nothing is ever set */
		*config_word(c, f) = value & 0xffff;
	else if (word == 3)
		*config_word(c, f) = f->header | (value & 0xffff);
	else if (word == 15)
		*config_word(c, f) = value & 0xff;
	else if (word - BAR_0 < BARS && f->io_bytes && word - BAR_0 == f->io_bar)
		*config_word(c, f) = (value & 0xffff & ~(f->io_bytes - 1)) | 1;
	else if (word >= 16)
		*config_word(c, f) = value;
}

/* ---- the controller ---- */

static void controller_reset(struct device *dev)
{
	struct controller *c = dev->state;

	memset(c, 0, sizeof(*c));
	for (u32 i = 0; i < ARRAY_SIZE(functions); i++) {
		c->config[i][0] = functions[i].id;
		c->config[i][2] = functions[i].class;
		c->config[i][3] = functions[i].header;
		if (functions[i].io_bytes)
			c->config[i][BAR_0 + functions[i].io_bar] = 1;
	}
}

static u64 controller_read(struct device *dev, u64 offset, unsigned bytes)
{
	struct controller *c = dev->state;
	u32 word = offset / 4 == CONFIG_DATA ? config_read(c) : c->word[offset / 4];

	(void)bytes;
	return word >> 8 * (offset & 3);
}

/* Registers are words: what is stored to a part of one is lost. */
static void controller_write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	struct controller *c = dev->state;

	if (bytes != 4)
		return;
	if (offset / 4 == CONFIG_DATA)
		config_write(c, value);
	else if (offset / 4 == CAUSE)
		c->word[CAUSE] &= value;
	else
		c->word[offset / 4] = value;
}

const struct device_type controller_type = {
	.name = "controller",
	.count = board_count,
	.state_bytes = sizeof(struct controller),
	.register_bytes = 0x1000,
	.fixed_base = 0x1be00000,
	.reset = controller_reset,
	.read = controller_read,
	.write = controller_write,
};

/* Where it is after reset; firmware moves it away with one store, before it looks at anything. */

const struct device_type controller_old_type = {
	.name = "controller-at-reset",
	.count = board_count,
	.register_bytes = 0x1000,
	.fixed_base = 0x14000000,
};

/* ---- I/O ports ---- */

#define CLOCK_INDEX 0x70
#define CLOCK_DATA  0x71
#define CLOCK_BYTES 0x80
#define IDE_NO_DISK 0x7f /* the cable pulls the bit of a busy disk down */
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, WEEKDAY = 6, DAY = 7, MONTH = 8, YEAR = 9 };
enum { CLOCK_B = 0x0b, CLOCK_D = 0x0d, CENTURY = 0x32 };
#define B_24_HOURS 0x02
#define D_VALID	   0x80

struct ports {
	u8 index;
	u8 clock[CLOCK_BYTES]; /* what was stored */
};

static u8 decimal(u64 n) { return n / 10 % 10 << 4 | n % 10; }

/* As the chip shows it, in two decimal digits: from days since 1970-01-01, with years that begin in March. */
static u8 clock_date(u8 index, u64 days)
{
	u64 z = days + 719468, era = z / 146097, of_era = z % 146097;
	u64 years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	u64 of_year = of_era - (365 * years + years / 4 - years / 100),
	    mp = (5 * of_year + 2) / 153;
	u64 month = mp < 10 ? mp + 3 : mp - 9, year = era * 400 + years + (month <= 2);

	switch (index) {
	case DAY: return decimal(of_year - (153 * mp + 2) / 5 + 1);
	case MONTH: return decimal(month);
	case YEAR: return decimal(year % 100);
	case CENTURY: return decimal(year / 100);
	default: return decimal((days + 4) % 7 + 1); /* Sunday is 1 */
	}
}

static u8 clock_read(const struct ports *p)
{
	u64 seconds = wallclock_ns() / 1000000000;

	switch (p->index) {
	case SECONDS: return decimal(seconds % 60);
	case MINUTES: return decimal(seconds / 60 % 60);
	case HOURS: return decimal(seconds / 3600 % 24);
	case WEEKDAY:
	case DAY:
	case MONTH:
	case YEAR:
	case CENTURY: return clock_date(p->index, seconds / 86400);
	case CLOCK_B: return B_24_HOURS;
	case CLOCK_D: return D_VALID;
	default: return p->clock[p->index] & (p->index == 0x0a ? 0x7f : 0xff);
	}
}

static void ports_reset(struct device *dev) { *(struct ports *)dev->state = (struct ports){ 0 }; }

static bool is_ide(u64 port) { return (port & ~0x87ul) == 0x170 || (port & ~0x80ul) == 0x376; }

/* A port of nobody reads as ones. */
static u64 ports_read(struct device *dev, u64 port, unsigned bytes)
{
	struct ports *p = dev->state;

	if (port == CLOCK_DATA && bytes == 1)
		return clock_read(p);
	return is_ide(port) ? IDE_NO_DISK : ~0ul;
}

static void ports_write(struct device *dev, u64 port, unsigned bytes, u64 value)
{
	struct ports *p = dev->state;

	if (bytes != 1)
		return;
	if (port == CLOCK_INDEX)
		p->index = value & (CLOCK_BYTES - 1);
	else if (port == CLOCK_DATA)
		p->clock[p->index] = value;
}

const struct device_type ports_type = {
	.name = "ports",
	.count = board_count,
	.state_bytes = sizeof(struct ports),
	.register_bytes = 0x1000,
	.fixed_base = 0x18000000,
	.reset = ports_reset,
	.read = ports_read,
	.write = ports_write,
};
