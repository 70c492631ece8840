/* SPDX-License-Identifier: MIT */
/* What the programs share that try to take more of a node than is theirs. */
#ifndef GUESTS_RIVALS_H
#define GUESTS_RIVALS_H

#include <stdlib.h>
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/hypercall.h"

#define TICKS_US 167u /* of Count in a microsecond, rounded */
#define TICKS_MS 166667u

/* NAME=decimal in the VM's bootargs, the only text of the device tree that holds it; else otherwise. */
static inline u64 rivals_option(const char *name, u64 otherwise)
{
	const char *tree = (const char *)guest_boot.a[1];
	size_t len = strlen(name), bytes = __builtin_bswap32(((const u32 *)tree)[1]);

	for (size_t i = 0; i + len + 1 < bytes; i++)
		if (!memcmp(tree + i, name, len) && tree[i + len] == '=')
			return strtoul(tree + i + len + 1, NULL, 10);
	return otherwise;
}

/* MMU_FLUSH of everything, for the VCPUs of the mask. */
static inline s64 rivals_flush(u64 mask)
{
	return hypercall4(DISCO_HC_MMU_FLUSH, 0, 0, mask, DISCO_ALL_ASIDS);
}

#endif /* GUESTS_RIVALS_H */
