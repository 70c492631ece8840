/* SPDX-License-Identifier: MIT */
/* TLB instructions of a guest kernel: see tlb.h. */
#include "guests/lib/tlb.h"
#include "guests/lib/cp0.h"

#define TLB_INSN(word) asm volatile("ehb\n\t.word " #word "\n\tehb" : : : "memory")

unsigned tlb_entries(void) { return ((cp0_read_config1() >> 25) & 63) + 1; }

static void entry_load(struct tlb_entry e)
{
	cp0_write_pagemask(e.mask);
	cp0_write_entrylo0(e.lo0);
	cp0_write_entrylo1(e.lo1);
	cp0_write_entryhi(e.hi);
}

void tlb_write_at(unsigned index, struct tlb_entry e)
{
	u64 hi = cp0_read_entryhi();

	entry_load(e);
	cp0_write_index(index);
	TLB_INSN(0x42000002);
	cp0_write_entryhi(hi);
	cp0_write_pagemask(0);
}

void tlb_write_random(struct tlb_entry e)
{
	u64 hi = cp0_read_entryhi();

	entry_load(e);
	TLB_INSN(0x42000006);
	cp0_write_entryhi(hi);
	cp0_write_pagemask(0);
}

struct tlb_entry tlb_read_at(unsigned index)
{
	u64 hi = cp0_read_entryhi();
	struct tlb_entry e;

	cp0_write_index(index);
	TLB_INSN(0x42000001);
	e.hi = cp0_read_entryhi();
	e.lo0 = cp0_read_entrylo0();
	e.lo1 = cp0_read_entrylo1();
	e.mask = cp0_read_pagemask();
	cp0_write_entryhi(hi);
	cp0_write_pagemask(0);
	return e;
}

int tlb_probe(u64 va, unsigned asid)
{
	u64 hi = cp0_read_entryhi();
	int index;

	cp0_write_entryhi(HI_VPN(va) | asid);
	TLB_INSN(0x42000008);
	index = (int)cp0_read_index();
	cp0_write_entryhi(hi);
	return index < 0 ? -1 : index;
}

void tlb_clear(void)
{
	cp0_write_index(0);
	TLB_INSN(0x42000004);
}

void tlb_map_at(unsigned index, u64 va, unsigned asid, u64 lo0, u64 lo1)
{
	tlb_write_at(index, (struct tlb_entry){ .hi = HI_VPN(va) | asid, .lo0 = lo0, .lo1 = lo1 });
}
