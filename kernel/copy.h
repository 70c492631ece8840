/* SPDX-License-Identifier: MIT */
/*
 * memcpy for a few bytes: what fields and elements of rings mostly are is copied by some loads and stores, and
 * each aligned field of 2 bytes by one, whatever a guest does at the same time.
 */
#ifndef KERNEL_COPY_H
#define KERNEL_COPY_H

#include <string.h>

#include "kernel/types.h"

typedef u16 __attribute__((may_alias)) any_u16;
typedef u32 __attribute__((may_alias)) any_u32;
typedef u64 __attribute__((may_alias)) any_u64;

static inline void copy_words(any_u32 *to, const any_u32 *from, size_t words)
{
	for (size_t i = 0; i < words; i++)
		to[i] = from[i];
}

static inline void copy_doubles(any_u64 *to, const any_u64 *from)
{
	u64 first = from[0], second = from[1];

	to[0] = first;
	to[1] = second;
}

static inline void copy_few(void *to, const void *from, size_t bytes)
{
	u64 place = (u64)to | (u64)from;

	if (bytes == 1)
		*(u8 *)to = *(const u8 *)from;
	else if (bytes == 2 && place % 2 == 0)
		*(any_u16 *)to = *(const any_u16 *)from;
	else if (bytes == 8 && place % 4 == 0)
		copy_words(to, from, 2);
	else if (bytes == 16 && place % 8 == 0)
		copy_doubles(to, from);
	else
		memcpy(to, from, bytes);
}

#endif /* KERNEL_COPY_H */
