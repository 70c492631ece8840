/* SPDX-License-Identifier: MIT */
/* The numbers that whoever starts a guest may give: see guest.h. */
#include <stdlib.h>
#include <string.h>

#include "guests/lib/guest.h"

#define BOOTED_BY_UHI ((u64)-2) /* a0, when a1 is the address of a device tree */
#define TREE_SIZE     4		/* offset of its size, big-endian, in bytes */

u64 guest_number(const char *name, u64 otherwise)
{
	const char *tree = (const char *)guest_boot.a[1];
	size_t len = strlen(name);

	if (guest_boot.a[0] == BOOTED_BY_UHI) {
		const char *end = tree + __builtin_bswap32(*(const u32 *)(tree + TREE_SIZE));

		/* bootargs is the one string of the tree with it */
		for (const char *s = tree; s + len + 1 < end; s++)
			if (!memcmp(s, name, len))
				return strtoul(s + len, NULL, 0);
	}
	return otherwise;
}

u64 guest_seed(u64 otherwise)
{
	u64 seed = guest_number("seed=", otherwise);

	print("seed %lu\n", (unsigned long)seed);
	return seed;
}
