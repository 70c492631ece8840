/* SPDX-License-Identifier: MIT */
/*
 * Rule: the last page of csseg is the special page, there for kernel mode whatever the guest's TLB
 * says and does; the page below it is nobody's: AdEL, AdES. In user mode both are address errors.
 * kernel/abi/disco.h.
 *
 * Method: both pages in both modes; then the pair is mapped by the guest, used, replaced, probed
 * for and flushed in every way a TLB instruction has.
 */
#include "tests/guest/test.h"

#define BELOW  (DISCO_SPECIAL_PAGE - PAGE_SIZE)
#define REST   (DISCO_SPECIAL_PAGE + 0xff8) /* a word that means nothing */
#define STATUS (DISCO_SPECIAL_PAGE + DISCO_SP_REG(12, 0))

PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

static void as_it_is(const char *what)
{
	static u64 mark = 0x3333;

	EXPECT(text("%s: below", what), load(MODE_KERNEL, BELOW + 8), .exc = EXC_ADEL,
	       .at = test_ld, .has_va = true, .va = BELOW + 8);
	EXPECT(text("%s: store below", what), store(MODE_KERNEL, BELOW, 1), .exc = EXC_ADES,
	       .at = test_sd, .has_va = true, .va = BELOW);
	EXPECT(text("%s: jump below", what), probe(p_jump, BELOW, 0, 0), .exc = EXC_ADEL,
	       .at = (void *)BELOW, .no_insn = true, .has_va = true, .va = BELOW);
	mark++;
	check(!store(MODE_KERNEL, REST, mark)->taken, "%s: store", what);
	check_load(what, REST, mark);
	check_eq(what, *(volatile u32 *)STATUS, cp0_read_status());
	EXPECT("user mode", load(MODE_USER, REST), .exc = EXC_ADEL, .at = test_ld, .has_va = true,
	       .va = REST);
	EXPECT("user mode", store(MODE_USER, BELOW, 0), .exc = EXC_ADES, .at = test_sd,
	       .has_va = true, .va = BELOW);
}

int main(void)
{
	need_monitor();
	tag_page(0, 0x1111);
	tag_page(1, 0x2222);
	as_it_is("unmapped");
	for (unsigned g = 0; g < 2; g++) {
		u64 lo = g ? LO_G : 0;
		struct tlb_entry e = { .hi = HI_VPN(BELOW),
				       .lo0 = LO_RW(page_pa(0)) | lo,
				       .lo1 = LO_RW(page_pa(1)) | lo };

		tlb_write_at(TLB_FREE, e);
		as_it_is("mapped");
		tlb_probe(BELOW, 0);
		as_it_is("probed");
		tlb_map_at(TLB_FREE, VA_USER, 0, 0, 0);
		as_it_is("replaced");
		tlb_probe(BELOW, 0);
		as_it_is("probed for nothing");
		tlb_write_random(e);
		as_it_is("mapped at random");
		e.mask = PM_SIZE(1ul << 20);
		e.hi &= ~(2ul * (1ul << 20) - 1);
		tlb_write_at(TLB_FREE, e);
		as_it_is("in a large page");
		tlb_clear();
		as_it_is("cleared");
	}
	check_eq("our pages", page_va(0)[0] + page_va(1)[0], 0x3333);
	return verdict();
}
