/* SPDX-License-Identifier: MIT */
/*
 * Formatting. Our own and small, not the C library's: it must work on every node at once, before
 * memory is set up and after a fatal error, without a lock or an allocation. Pure: tests/unit and
 * tools/dtscheck use it on the host.
 */
#include <string.h>
#include "kernel/log.h"

struct out {
	char *at, *end; /* end: last byte, for the terminator */
	int length;	/* what it would have been */
};

static void put(struct out *o, char c)
{
	if (o->at < o->end)
		*o->at++ = c;
	o->length++;
}

static void put_padded(struct out *o, const char *s, int len, int width, char pad, bool left)
{
	for (int i = len; !left && i < width; i++)
		put(o, pad);
	for (int i = 0; i < len; i++)
		put(o, s[i]);
	for (int i = len; left && i < width; i++)
		put(o, ' ');
}

static void put_number(struct out *o, u64 val, unsigned base, bool negative, int width, char pad,
		       bool left)
{
	char digits[24];
	int n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	if (negative)
		digits[--n] = '-';
	put_padded(o, digits + n, (int)sizeof(digits) - n, width, pad, left);
}

struct spec {
	int width;
	char pad;
	bool left, is_long;
};

static const char *parse_spec(const char *f, struct spec *s)
{
	*s = (struct spec){ .pad = ' ' };
	for (; *f == '-' || *f == '0'; f++) {
		if (*f == '-')
			s->left = true;
		else
			s->pad = '0';
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + *f - '0';
	for (; *f == 'l' || *f == 'z'; f++)
		s->is_long = true;
	return f;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { buf, size ? buf + size - 1 : buf, 0 };
	struct spec s;

	for (const char *f = fmt; *f; f++) {
		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = parse_spec(f + 1, &s);
		switch (*f) {
		case 'd': {
			s64 v = s.is_long ? va_arg(ap, s64) : va_arg(ap, int);

			put_number(&o, v < 0 ? -(u64)v : (u64)v, 10, v < 0, s.width, s.pad, s.left);
			break;
		}
		case 'u':
		case 'x': {
			u64 v = s.is_long ? va_arg(ap, u64) : va_arg(ap, u32);

			put_number(&o, v, *f == 'x' ? 16 : 10, false, s.width, s.pad, s.left);
			break;
		}
		case 'p': put_number(&o, va_arg(ap, u64), 16, false, 16, '0', false); break;
		case 's': {
			const char *str = va_arg(ap, const char *);

			put_padded(&o, str, strlen(str), s.width, ' ', s.left);
			break;
		}
		case 'c': put(&o, va_arg(ap, int)); break;
		case '\0': f--; break;
		default: put(&o, *f);
		}
	}
	if (size)
		*o.at = '\0';
	return o.length;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
