/* SPDX-License-Identifier: MIT */
/*
 * memcpy for many bytes between places that are not aligned alike, as those of frames. Release 6 loads and stores take any
 * address; the library's memcpy, which may not know that, has seven instructions for each eight bytes there, and 2.5
 * where both are aligned, for which it stays.
 */
#ifndef ARCH_MIPS_COPY_H
#define ARCH_MIPS_COPY_H

#include <string.h>

#include "kernel/types.h"

#define COPY_BLOCK 64

static inline void copy_unaligned(u8 *to, const u8 *from)
{
#ifdef __mips_isa_rev
	u64 a, b, c, d, e, f, g, h;

	_Static_assert(__mips_isa_rev >= 6, "loads and stores take any address");
	__asm__ volatile("ld %0, 0(%8)\n\t"
			 "ld %1, 8(%8)\n\t"
			 "ld %2, 16(%8)\n\t"
			 "ld %3, 24(%8)\n\t"
			 "ld %4, 32(%8)\n\t"
			 "ld %5, 40(%8)\n\t"
			 "ld %6, 48(%8)\n\t"
			 "ld %7, 56(%8)"
			 : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d), "=&r"(e), "=&r"(f), "=&r"(g),
			   "=&r"(h)
			 : "r"(from)
			 : "memory");
	__asm__ volatile("sd %0, 0(%8)\n\t"
			 "sd %1, 8(%8)\n\t"
			 "sd %2, 16(%8)\n\t"
			 "sd %3, 24(%8)\n\t"
			 "sd %4, 32(%8)\n\t"
			 "sd %5, 40(%8)\n\t"
			 "sd %6, 48(%8)\n\t"
			 "sd %7, 56(%8)"
			 :
			 : "r"(a), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f), "r"(g), "r"(h), "r"(to)
			 : "memory");
#else
	memcpy(to, from, COPY_BLOCK); /* a host's tests */
#endif
}

static inline void copy_many(void *to, const void *from, size_t bytes)
{
	const u8 *source = from;
	u8 *target = to;

	if (((u64)to ^ (u64)from) % 8)
		for (; bytes >= COPY_BLOCK; bytes -= COPY_BLOCK) {
			copy_unaligned(target, source);
			target += COPY_BLOCK;
			source += COPY_BLOCK;
		}
	memcpy(target, source, bytes);
}

#endif /* ARCH_MIPS_COPY_H */
