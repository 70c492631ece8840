/* SPDX-License-Identifier: MIT */
/* The door to drivers/: the machine's serial line and power switch, and the guests' consoles. */
#ifndef DRIVERS_DEV_H
#define DRIVERS_DEV_H

#include "kernel/types.h"

struct vm;
struct vcons;

/* ---- host/uart.c: the serial line; polled, no lock (kernel/console/console.c has it) ---- */
void serial_put(char c); /* as it is; waits while the transmitter is full */
int serial_get(void);	 /* -1: nothing there */

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

/* ---- vcons.c: the console of a VM ---- */
#define VCONS_REPLAY 16384 /* bytes of output kept */

size_t vcons_bytes(void);
struct vcons *vcons_create(void *memory, struct vm *vm); /* memory: vcons_bytes(), zeroed */
void vcons_reset(struct vcons *c);			 /* forget unread input */
/* Guest output: raw to the serial line if attached, else whole lines, "[name] line". Any node. */
void vcons_write(struct vcons *c, const char *buf, size_t len);
void vcons_flush(struct vcons *c); /* an unfinished line is shown */
int vcons_read(struct vcons *c); /* next byte of input; -1: none. Drops the line's interrupt then */
void vcons_input(struct vcons *c, char ch); /* typed; raises the guest's console interrupt */
/* The terminal's size, 1..65535 each: the guest may ask for it; a new one raises its interrupt. */
void vcons_set_size(struct vcons *c, u32 rows, u32 columns);
u32 vcons_size(struct vcons *c);    /* rows << 16 | columns; 0: nobody has set it */
void vcons_replay(struct vcons *c); /* the kept output, raw; under the console's lock */

#endif /* DRIVERS_DEV_H */
