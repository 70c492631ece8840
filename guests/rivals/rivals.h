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
	register u64 v0 asm("$2") = DISCO_HC_MMU_FLUSH;
	register u64 a0 asm("$4") = 0;
	register u64 a1 asm("$5") = 0;
	register u64 a2 asm("$6") = mask;
	register u64 a3 asm("$7") = DISCO_ALL_ASIDS;

	asm volatile(".word " DISCO_STR(DISCO_HYPCALL_INSN)
		     : "+r"(v0)
		     : "r"(a0), "r"(a1), "r"(a2), "r"(a3)
		     : "memory");
	return (s64)v0;
}

#endif /* GUESTS_RIVALS_H */
