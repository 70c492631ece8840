/* SPDX-License-Identifier: MIT */
/*
 * Rule: RESET loads and starts the VM afresh: the image as it was, the rest of its memory zero, CP0
 * as at the start, the other VCPUs stopped. kernel/abi/disco.h.
 *
 * Method: looks for marks in data, memory and CP0, gives its verdict, leaves marks, starts VCPU 1,
 * resets. Each start must find none; the runner stops it after a few.
 *
 * Needs: vcpus=2
 *
 * Ends: resets
 */
#include "tests/guest/walk.h"

#define MARK 0x5e5e7777ul

static volatile u64 in_data = 1, in_bss;

static void second(u64 arg)
{
	(void)arg;
	for (;;)
		in_data++;
}

static table_t other_root __attribute__((aligned(PAGE_SIZE)));

/* Until MMU_SWITCH says another, the root is the kernel's; not what it was in the life before. */
static void walker_is_new(void)
{
	walk_tables();
	page_va(400)[0] = MARK;
	*walk_entry(walk_last, VA_USER) = PTE(page_pa(400), PRESENT);
	walk_describe(walk_pointer(walk_root));
	check_eq("MMU_SETUP", (u64)walk_setup(), 0);
	check_value("the walker's root", load(MODE_KERNEL, VA_USER), MARK);
	walk_switch(1, other_root);
	check_fault("an empty root", load(MODE_KERNEL, VA_USER), EXC_TLBL, 0, VA_USER);
	hypercall(DISCO_HC_MMU_SETUP, 0, 0);
	cp0_write_entryhi(0);
}

int main(void)
{
	volatile u64 *rest = (volatile u64 *)(DISCO_SPECIAL_PAGE + PAGE_SIZE - 8);

	need_monitor();
	check_eq("the special page's rest", *rest, 0);
	*rest = MARK;
	check_eq("data", in_data, 1);
	check_eq("bss", in_bss, 0);
	for (unsigned i = 0; i < 300; i++)
		if (page_va(i)[5] || page_va(i)[511])
			check(false, "page %u is not zero", i);
	check_eq("Status at the start", guest_boot.status & (ST_BEV | ST_IE | ST_EXL | ST_CU1),
		 ST_BEV);
	check_eq("KScratch2", cp0_read_kscratch2(), 0);
	check_eq("UserLocal", cp0_read_userlocal(), 0);
	check_eq("Cause.TI", cp0_read_cause() & CAUSE_TI, 0);
	check_eq("tlbp", (u64)tlb_probe(VA_USER, 0), -1ul);
	check_miss("useg", VA_USER);
	walker_is_new();
	verdict();
	in_data = in_bss = MARK;
	for (unsigned i = 0; i < 300; i++)
		page_va(i)[5] = page_va(i)[511] = MARK;
	cp0_write_kscratch2(MARK);
	cp0_write_userlocal(MARK);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)) | LO_G, LO_G);
	load(MODE_KERNEL, VA_USER);
	guest_start_vcpu(1, second, 0);
	while (in_data == MARK)
		hypercall(DISCO_HC_YIELD, 0, 0);
	cp0_write_status(ST_BASE | ST_CU1 | ST_FR);
	hypercall(DISCO_HC_RESET, 0, 0);
	print("RESET came back\n");
	return 1;
}
