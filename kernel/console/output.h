/* SPDX-License-Identifier: MIT */
/*
 * What goes to the serial line waits in one ring, since a byte takes the host some 10 us: nobody
 * stays in the monitor until it is out. Who makes a VM's output takes as much off the ring as was
 * added; what else is left goes by the interrupt that says there is room. All under the console's
 * lock.
 */
#ifndef KERNEL_CONSOLE_OUTPUT_H
#define KERNEL_CONSOLE_OUTPUT_H

#include "kernel/types.h"

#define OUTPUT_RING 32768
#define OUTPUT_STEP 256 /* bytes to the line at a time */

void output_put(const char *s, size_t len);  /* as it is; waits a little if the ring is full */
void output_text(const char *s, size_t len); /* newlines as a terminal wants them */
void output_string(const char *s);	     /* the same */
void output_fresh_line(void);		     /* a new line, unless the last byte began one */
/* Room in the half of the ring that guests may fill; the rest is the monitor's own. */
size_t output_room_for_guest(void);
void output_drain(u32 max); /* at most that many bytes to the line, none if it is not ready */
void output_flush(void);    /* all of it, however long it takes */
/* on: the interrupt works. Off, as at boot and after a fatal error: output waits until it is out. */
void output_by_interrupt(bool on);

#endif /* KERNEL_CONSOLE_OUTPUT_H */
