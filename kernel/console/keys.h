/* SPDX-License-Identifier: MIT */
/* Keys from the bytes that a terminal sends for them. Sequences that no key here has are swallowed
 * whole, however they are split over reads. Pure. */
#ifndef KERNEL_CONSOLE_KEYS_H
#define KERNEL_CONSOLE_KEYS_H

#include "kernel/console/text.h"

/* A key is a letter (control characters too, Ctrl-A is 1) or one of these. */
enum {
	KEY_NONE = 0x110000, /* no key: more bytes are needed, or there was none in them */
	KEY_UP,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
};
#define KEY_CTRL(letter) ((letter)&0x1fu)

/* Zeroed before the first byte. */
struct keys {
	struct utf8 utf8;
	enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_SEQUENCE, KEYS_SS3, KEYS_STRING, KEYS_ONE_MORE } state;
	u32 number, count; /* the first number of the sequence, the letters since its beginning */
};

u32 keys_next(struct keys *k, u8 byte, bool *again); /* again: as utf8_next */

#endif /* KERNEL_CONSOLE_KEYS_H */
