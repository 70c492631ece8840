/* SPDX-License-Identifier: MIT */
/*
 * What comes from a guest or a keyboard, as letters: bytes of UTF-8 put together, and text made
 * harmless for a terminal. A guest's bytes may be anything. Pure.
 */
#ifndef KERNEL_CONSOLE_TEXT_H
#define KERNEL_CONSOLE_TEXT_H

#include "kernel/types.h"

#define LETTER_BYTES 4 /* of the longest letter in UTF-8 */

/* A letter on its way; zeroed before the first byte. */
struct utf8 {
	u8 byte[LETTER_BYTES];
	u32 have, need; /* bytes of it; need is 0 between letters */
};

#define UTF8_MORE 0xffffffffu /* the letter goes on */
#define UTF8_BAD  0xfffffffeu /* bytes that are no letter */

/*
 * The letter that this byte ends. UTF8_BAD: what had come is none; then, if *again, the byte
 * itself was not used and is to be given once more. Never again twice.
 */
u32 utf8_next(struct utf8 *u, u8 byte, bool *again);
u32 utf8_put(char to[LETTER_BYTES], u32 letter); /* its bytes, how many */

/* Columns that the letter takes on a terminal: 0 (it goes on top of the one before), 1 or 2. */
u32 letter_width(u32 letter);
/* C0, DEL, C1: a terminal obeys them. */
static inline bool is_control(u32 letter)
{
	return letter < ' ' || (letter >= 0x7f && letter < 0xa0);
}

#define HARMLESS_BYTES LETTER_BYTES

/*
 * Text for lines that stand beside those of others: each letter as it is, tabs and newlines too, '?'
 * for every other control character and for what is no letter. Gives how many bytes of to it has
 * written; *letter is the letter then. As utf8_next a byte may have to be given again.
 */
u32 text_harmless(struct utf8 *u, u8 byte, char to[HARMLESS_BYTES], u32 *letter, bool *again);

/* Text that was shown once and is shown again: the same, but control characters and whole sequences
 * (colours, cursor, titles, queries) are left out, so that no terminal acts on them or answers. */
struct plain {
	struct utf8 utf8;
	enum { PLAIN_TEXT, PLAIN_ESCAPE, PLAIN_SEQUENCE, PLAIN_STRING, PLAIN_STRING_ESCAPE } state;
};
u32 text_plain(struct plain *p, u8 byte, char to[HARMLESS_BYTES], bool *again);

#endif /* KERNEL_CONSOLE_TEXT_H */
