/* SPDX-License-Identifier: MIT */
/*
 * Rule: with check=1 the monitor reports a translation that the guest's tables no longer give.
 * kernel/options.h.
 *
 * Method: a page that was used is remapped without a flush; then the program runs long enough to
 * lose the processor to another VM.
 *
 * Ends: reported
 */
#include "tests/guest/walk.h"

#define TABLE (VA_USER + 16 * PAGE_SIZE) /* the program sees its own last table there */

/* uses the page, changes its entry, and stays a while */
PROBE(p_spin,
      "ld $2, 0($4)\n\tsd $6, 0($5)\n\tli $7, 20000000\n\trdhwr $3, $2\n1:\trdhwr $1, $2\n\t"
      "subu $1, $1, $3\n\tsltu $1, $1, $7\n\tbnez $1, 1b\n\tld $2, 0($4)");

int main(void)
{
	u64 entry = TABLE + (VA_USER >> 12 & 511) * 8;

	need_monitor();
	page_va(0)[0] = 0x1111;
	page_va(1)[0] = 0x2222;
	walk_on();
	cp0_write_hwrena(1u << 2);
	*walk_entry(walk_last, VA_USER) = PTE(page_pa(0), PRESENT);
	*walk_entry(walk_last, TABLE) = PTE(guest_pa(walk_last), PRESENT | WRITE);
	check(!probe_user(p_spin, VA_USER, entry, PTE(page_pa(1), PRESENT | READ_BITS))->taken,
	      "the program ended early");
	walk_flush(VA_USER, PAGE_SIZE, 0);
	check_value("flushed", load(MODE_USER, VA_USER), 0x2222);
	return verdict();
}
