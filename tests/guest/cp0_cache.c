/* SPDX-License-Identifier: MIT */
/*
 * Rule: CACHE on mapped memory in kernel mode completes, changes no memory and no register,
 * whatever the operation; SYNC, SYNCI and PREF complete in both modes. MD00087.
 *
 * Method: the operations that Linux uses, on an address in the window and on a mapped one; the
 * memory afterwards.
 */
#include "tests/guest/test.h"

#define OP(n) PROBE(p_cache##n, "move $2, $4\n\tcache " #n ", 0($4)");
// clang-format off
OP(0x00) OP(0x01) OP(0x08) OP(0x09) OP(0x10) OP(0x11) OP(0x15) OP(0x19)
	// clang-format on
	PROBE(p_cache_slot, "beq $0, $0, 1f\n\tcache 0x15, 0($4)\n\tnop\n1:\tmove $2, $4");
PROBE1(p_sync, "sync");
PROBE1(p_synci, "synci 0($4)");
PROBE1(p_pref, "pref 0, 0($4)");
PROBE1(p_pause, "pause");

static const void *const ops[] = {
	p_cache0x00, p_cache0x01, p_cache0x08, p_cache0x09,  p_cache0x10,
	p_cache0x11, p_cache0x15, p_cache0x19, p_cache_slot,
};

int main(void)
{
	u64 a = (u64)page_va(0);
	const struct trap *t;

	page_va(0)[0] = 0x1122334455667788;
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++) {
		t = probe(ops[i], a, 0, 0);
		expect_none(text("cache operation %u, window", i), t);
		check_eq("v0", t->v0, a);
		t = probe(ops[i], VA_USER, 0, 0);
		expect_none(text("cache operation %u, mapped", i), t);
		check_eq("v0", t->v0, VA_USER);
	}
	for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
		expect_none("sync", probe_in(mode, p_sync, VA_USER, 0, 0));
		expect_none("synci", probe_in(mode, p_synci, VA_USER, 0, 0));
		expect_none("pref", probe_in(mode, p_pref, VA_USER, 0, 0));
		expect_none("pause", probe_in(mode, p_pause, VA_USER, 0, 0));
	}
	check_eq("memory", page_va(0)[0], 0x1122334455667788);
	return verdict();
}
