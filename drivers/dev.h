/* SPDX-License-Identifier: MIT */
/* The door to drivers/: the machine's serial line and power switch, and the devices of VMs. */
#ifndef DRIVERS_DEV_H
#define DRIVERS_DEV_H

#include "kernel/types.h"
#include "kernel/vm/device.h"

struct vcons;

/* ---- host/i8259.c: interrupts of the board's devices, all on node 0 ---- */
void isa_init(void); /* boot only, before any handler */
/* handler is called on node 0, no lock held, each time it looks at its interrupts while the ISA line
 * (0..15) is up. Boot only. */
void isa_handle(unsigned line, void (*handler)(void));

/* ---- host/uart.c: the serial line; no lock (kernel/console has it) ---- */
void serial_init(void);				 /* FIFO, speed; boot only. Writing works before */
bool serial_ready(void);			 /* a byte can be put at once */
void serial_put(char c);			 /* as it is; waits until it can be put */
int serial_get(void);				 /* -1: nothing there */
void serial_interrupt_on(void (*handler)(void)); /* as isa_handle; boot only, after isa_init */
/* Whether the handler is called while bytes wait that were not got; when there is room to put. */
void serial_ask_received(bool on);
void serial_ask_room(bool on);
void serial_seen(void); /* the handler, first: room is told of once */

/* ---- host/power.c ---- */
_Noreturn void machine_off(void);

/* ---- host/rtc.c: the time of day ---- */
/* The clock's registers as they are read; b says how the numbers are written. */
struct rtc_regs {
	u8 seconds, minutes, hours, day, month, year, century, b;
};
/* Seconds since 1970-01-01 00:00 UTC; 0: these registers show no date. Pure. */
u64 rtc_decode(const struct rtc_regs *r);
u64 rtc_seconds(void); /* now; one caller at a time */

/* ---- types.c: every type of device that a VM may have (kernel/vm/device.h) ---- */
extern const struct device_type *const device_types[];
extern const unsigned device_ntypes;

/*
 * ---- vcons.c: the console of a VM, which every VM has (vm->cons) and reaches by monitor calls. A
 * reset forgets unread input; at the end of the VM an unfinished line is shown. ----
 */
extern const struct device_type vcons_type;
#define VCONS_REPLAY 16384 /* bytes of output kept */

/* Guest output: raw to the serial line if attached, else whole lines, "[name] line". Any node. */
void vcons_write(struct vcons *c, const char *buf, size_t len);
int vcons_read(struct vcons *c); /* next byte of input; -1: none. Drops the line's interrupt then */
void vcons_input(struct vcons *c, char ch); /* typed; raises the guest's console interrupt */
/* The terminal's size, 1..65535 each: the guest may ask for it; a new one raises its interrupt. */
void vcons_set_size(struct vcons *c, u32 rows, u32 columns);
u32 vcons_size(struct vcons *c);    /* rows << 16 | columns; 0: nobody has set it */
void vcons_replay(struct vcons *c); /* the kept output, raw; under the console's lock */

#endif /* DRIVERS_DEV_H */
