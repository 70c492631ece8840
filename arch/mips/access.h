/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores of MIPS64 Release 6 as data, for accesses to the registers of devices, which the
 * monitor carries out in the guest's place. Pure.
 */
#ifndef ARCH_MIPS_ACCESS_H
#define ARCH_MIPS_ACCESS_H

#include "kernel/types.h"

struct access {
	u8 base;    /* general register: the address is this */
	s16 offset; /* plus that */
	u8 reg;	    /* general register that is loaded or stored */
	u8 bytes;   /* 1, 2, 4 or 8 */
	bool store;
	bool sign; /* a load extends its sign */
};

/*
 * The access that the instruction makes. -EINVAL: it is no integer load or store relative to a
 * general register. So are the loads relative to pc, LL and SC, and those of FPU and MSA registers.
 */
int access_decode(u32 insn, struct access *out);
/* What a register holds after the load of the low bytes of raw, and what a store of it stores. */
u64 access_loaded(const struct access *a, u64 raw);
u64 access_stored(const struct access *a, u64 reg);

#endif /* ARCH_MIPS_ACCESS_H */
