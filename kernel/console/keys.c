/* SPDX-License-Identifier: MIT */
/* Keys from bytes: ESC [ ... (CSI), ESC O x (SS3), ESC x (Alt), and strings that terminals answer
 * with. */
#include "kernel/console/keys.h"

#define ESC 0x1b
#define DEL 0x7f

static u32 key_of_letter(u32 letter)
{
	switch (letter) {
	case 'A': return KEY_UP;
	case 'B': return KEY_DOWN;
	case 'C': return KEY_RIGHT;
	case 'D': return KEY_LEFT;
	case 'H': return KEY_HOME;
	case 'F': return KEY_END;
	default: return KEY_NONE;
	}
}

static u32 key_of_number(u32 number)
{
	switch (number) {
	case 1:
	case 7: return KEY_HOME;
	case 4:
	case 8: return KEY_END;
	case 3: return KEY_DELETE;
	default: return KEY_NONE;
	}
}

/* ESC [ numbers letter; ESC [ [ letter is a function key of the Linux console. */
static u32 in_sequence(struct keys *k, u32 letter)
{
	if (letter >= '0' && letter <= '9' && k->number < 1000) {
		k->number = k->number * 10 + letter - '0';
	} else if (letter == ';' || (letter >= '0' && letter <= '9')) {
		k->number += 1000; /* the first number is over */
	} else if (letter == '[' && k->count == 0) {
		k->state = KEYS_ONE_MORE;
		return KEY_NONE;
	} else if (letter >= 0x40) {
		k->state = KEYS_PLAIN;
		return letter == '~' ? key_of_number(k->number % 1000) : key_of_letter(letter);
	}
	k->count++;
	return KEY_NONE;
}

static void after_escape(struct keys *k, u32 letter)
{
	k->number = k->count = 0;
	switch (letter) {
	case '[': k->state = KEYS_SEQUENCE; break;
	case 'O': k->state = KEYS_SS3; break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_': k->state = KEYS_STRING; break;
	default: k->state = KEYS_PLAIN; /* Alt and a letter */
	}
}

u32 keys_next(struct keys *k, u8 byte, bool *again)
{
	u32 letter = utf8_next(&k->utf8, byte, again);

	if (letter == UTF8_MORE)
		return KEY_NONE;
	if (letter == ESC) { /* whatever was under way; in a string: its end, ESC \ */
		k->state = KEYS_ESCAPE;
		return KEY_NONE;
	}
	if (letter < ' ') { /* no sequence has one in it: it was broken off */
		bool ends_string = k->state == KEYS_STRING && letter == '\a';

		k->state = KEYS_PLAIN;
		return ends_string ? KEY_NONE : letter;
	}
	switch (k->state) {
	case KEYS_ESCAPE: after_escape(k, letter); return KEY_NONE;
	case KEYS_SEQUENCE: return in_sequence(k, letter);
	case KEYS_SS3: k->state = KEYS_PLAIN; return key_of_letter(letter);
	case KEYS_ONE_MORE: k->state = KEYS_PLAIN; return KEY_NONE;
	case KEYS_STRING: return KEY_NONE;
	case KEYS_PLAIN: break;
	}
	if (letter == UTF8_BAD || (is_control(letter) && letter != DEL))
		return KEY_NONE;
	return letter;
}
