/* SPDX-License-Identifier: MIT */
/*
 * Rule: exceptions go to the page that EBase names, as soon as it was changed; CPUNum in its low
 * bits does not change. MD00090 9.29.
 *
 * Method: the vectors are copied to another page, with the offset they load changed; an exception
 * of each vector before, after and back again.
 */
#include "tests/guest/test.h"

extern char guest_vectors[];
PROBE1(p_sys, "syscall");

static u32 vector_of(void) { return (u32)probe(p_sys, 0, 0, 0)->f.vector; }

int main(void)
{
	u32 old = cp0_read_ebase(), num = old & EBASE_CPUNUM;
	volatile u32 *copy = (volatile u32 *)page_va(0);
	const u32 *from = (const u32 *)guest_vectors;

	for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
		copy[i] = i < 0x100 ? from[i] : 0;
	/* the last word of an entry is `li k1, offset`, in the slot of its jr */
	for (unsigned off = 0; off < 0x280; off += 0x80)
		for (unsigned i = off / 4; i < off / 4 + 16; i++)
			if ((copy[i] >> 16) == 0x241b)
				copy[i] += 1;
	asm volatile("synci 0(%0)\n\tsync\n\tehb" : : "r"(copy) : "memory");
	check_eq("before", vector_of(), 0x180);
	cp0_write_status(ST_BASE | ST_BEV);
	cp0_write_ebase((s32)(u64)copy);
	cp0_write_status(ST_BASE);
	check_eq("CPUNum", cp0_read_ebase() & EBASE_CPUNUM, num);
	check_eq("EBase", (cp0_read_ebase() ^ (u32)(u64)copy) & 0x3ffff000, 0);
	check_eq("general", vector_of(), 0x181);
	check_eq("refill", load(MODE_KERNEL, VA_USER)->f.vector, 0x81);
	cp0_write_ebase((s32)old);
	check_eq("back", vector_of(), 0x180);
	print("EBase moved and came back\n");
	return verdict();
}
