/* SPDX-License-Identifier: MIT */
/*
 * The monitor's calls (kernel/abi/disco.h) as a C function. Only meaningful under the monitor: on
 * the bare machine HYPCALL is a reserved instruction.
 */
#ifndef GUESTS_LIB_HYPERCALL_H
#define GUESTS_LIB_HYPERCALL_H

#include "kernel/abi/disco.h"
#include "kernel/types.h"

#define DISCO_STR_(x) #x
#define DISCO_STR(x)  DISCO_STR_(x)

/* Number nr with two arguments; the result is zero or positive, or -DISCO_E... */
static inline s64 hypercall(u64 nr, u64 a, u64 b)
{
	register u64 v0 asm("$2") = nr;
	register u64 a0 asm("$4") = a;
	register u64 a1 asm("$5") = b;

	asm volatile(".word " DISCO_STR(DISCO_HYPCALL_INSN)
		     : "+r"(v0)
		     : "r"(a0), "r"(a1)
		     : "memory");
	return (s64)v0;
}

/* The same with four. */
static inline s64 hypercall4(u64 nr, u64 a, u64 b, u64 c, u64 d)
{
	register u64 v0 asm("$2") = nr;
	register u64 a0 asm("$4") = a;
	register u64 a1 asm("$5") = b;
	register u64 a2 asm("$6") = c;
	register u64 a3 asm("$7") = d;

	asm volatile(".word " DISCO_STR(DISCO_HYPCALL_INSN)
		     : "+r"(v0)
		     : "r"(a0), "r"(a1), "r"(a2), "r"(a3)
		     : "memory");
	return (s64)v0;
}

#endif /* GUESTS_LIB_HYPERCALL_H */
