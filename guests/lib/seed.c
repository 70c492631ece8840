/* SPDX-License-Identifier: MIT */
/* The seed that whoever starts a guest may give: see guest.h. */
#include <stdlib.h>
#include <string.h>

#include "guests/lib/guest.h"

#define BOOTED_BY_UHI ((u64)-2) /* a0, when a1 is the address of a device tree */
#define TREE_SIZE     4		/* offset of its size, big-endian, in bytes */

u64 guest_seed(u64 otherwise)
{
	const char *tree = (const char *)guest_boot.a[1];
	u64 seed = otherwise;

	if (guest_boot.a[0] == BOOTED_BY_UHI) {
		const char *end = tree + __builtin_bswap32(*(const u32 *)(tree + TREE_SIZE));

		/* bootargs is the one string of the tree that begins so */
		for (const char *s = tree; s + 6 < end; s++)
			if (!memcmp(s, "seed=", 5)) {
				seed = strtoul(s + 5, NULL, 0);
				break;
			}
	}
	print("seed %lu\n", (unsigned long)seed);
	return seed;
}
