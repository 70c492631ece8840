/* SPDX-License-Identifier: MIT */
/*
 * Rule: the VM's memory is seen from physical 0 on, without any TLB entry, in the csseg window and
 * in xsseg alike; a guest's own TLB entries do not disturb that. Memory that the VM does not have
 * gives a bus error in csseg; in xsseg those addresses are the guest's TLB's, and give a bus error
 * when that maps them. kernel/abi/disco.h.
 *
 * Method: pages at several places written through one window and read through the other; an address
 * beyond the VM's memory (the size is in its device tree; 512 MB is more than any test has) in both
 * windows.
 */
#include "tests/guest/test.h"

#define XSSEG(pa)  (DISCO_XSSEG_BASE + (pa))
#define BEYOND	   0x0fff0000ull /* last pages of the csseg window */
#define FAR_BEYOND 0x20000000ull

static const struct trap *beyond(u64 va, bool write)
{
	const struct trap *t = write ? store(MODE_KERNEL, va, 1) : load(MODE_KERNEL, va);

	print("%s beyond: %s\n", write ? "store" : "load", trap_name(t->exc));
	check(t->taken && t->exc == EXC_DBE && t->f.vector == 0x180, "%s at vector %x",
	      trap_name(t->exc), (u32)t->f.vector);
	check_eq("EPC", t->f.epc, (u64)(write ? test_sd : test_ld));
	return t;
}

PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

int main(void)
{
	need_monitor();
	for (unsigned i = 0; i < 500; i += 71) {
		u64 pa = page_pa(i);

		check(!store(MODE_KERNEL, XSSEG(pa), 0x7000 + i)->taken, "store by xsseg");
		check_load("csseg", (u64)guest_va(pa), 0x7000 + i);
		check(!store(MODE_KERNEL, (u64)guest_va(pa), 0x7100 + i)->taken, "store by csseg");
		check_load("xsseg", XSSEG(pa), 0x7100 + i);
	}
	check_load("physical 0 by xsseg", XSSEG(0), *(volatile u64 *)guest_va(0));
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(1)), 0);
	tlb_clear();
	check_load("after tlbinvf", XSSEG(page_pa(0)), 0x7100);
	/* entries of the guest's own for addresses of the windows change nothing there */
	tag_page(2, 0x7200);
	tag_page(3, 0x7300);
	tlb_map_at(TLB_FREE, (u64)page_va(2), 0, LO_RW(page_pa(4)) | LO_G,
		   LO_RW(page_pa(4)) | LO_G);
	tlb_map_at(TLB_FREE + 1, XSSEG(page_pa(2)), 0, LO_RW(page_pa(4)), LO_RW(page_pa(4)));
	check_load("csseg over an entry", (u64)page_va(2), 0x7200);
	check_load("csseg over an entry, odd page", (u64)page_va(3), 0x7300);
	check_load("xsseg over an entry", XSSEG(page_pa(2)), 0x7200);
	check_load("xsseg over an entry, odd page", XSSEG(page_pa(3)), 0x7300);
	tlb_clear();
	beyond(DISCO_CSSEG_BASE + BEYOND, false);
	beyond(DISCO_CSSEG_BASE + BEYOND, true);
	check_miss("xsseg beyond", XSSEG(BEYOND));
	EXPECT("jump beyond", probe(p_jump, DISCO_CSSEG_BASE + BEYOND, 0, 0), .exc = EXC_IBE,
	       .at = (void *)(DISCO_CSSEG_BASE + BEYOND), .no_insn = true);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(FAR_BEYOND), LO_RW(BEYOND));
	beyond(VA_USER, false);
	beyond(VA_USER + PAGE_SIZE, true);
	return verdict();
}
