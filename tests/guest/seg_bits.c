/* SPDX-License-Identifier: MIT */
/*
 * Rule: Status.UX, SX and KX open the 64-bit parts of the user, supervisor and kernel segments:
 * while a bit is 0 an address that is not a sign-extended 32-bit one is an address error there,
 * whatever the TLB holds, and a miss in the 32-bit part goes to the TLB refill vector (offset 0)
 * instead of the XTLB one. csseg goes by KX (QEMU; the manual says SX). In Release 6 KX = 0 forces
 * SX to 0, and SX = 0 UX. MD00090 4.4, 6.2.18.
 *
 * Method: pages in both parts, mapped while the bits are 1; each bit cleared and set again; misses
 * with each bit.
 */
#include "tests/guest/test.h"

PROBE1(p_lw, "lw $2, 0($4)"); /* with UX = 0 user mode has no 64-bit instructions either */
PROBE1(p_daddu, "daddu $2, $4, $4");

static void refused(const char *what, int mode, u64 va)
{
	EXPECT(what, load(mode, va), .exc = EXC_ADEL, .at = test_ld, .has_va = true, .va = va);
}

static void miss(const char *what, int mode, u64 va, u32 vector)
{
	const struct trap *t = load(mode, va);

	print("%s: %s at %03x\n", what, trap_name(t->exc), (u32)t->f.vector);
	check(t->taken && t->exc == EXC_TLBL && t->f.vector == vector, "%s: %s at %x, wanted %x",
	      what, trap_name(t->exc), (u32)t->f.vector, vector);
}

static void value(const char *what, int mode, u64 va, u64 v)
{
	const struct trap *t = load(mode, va);

	print("%s: %s\n", what, trap_name(t->exc));
	check(!t->taken && t->v0 == v, "%s: %s, %lx", what, trap_name(t->exc),
	      (unsigned long)t->v0);
}

static void all_open(void)
{
	cp0_write_status(ST_BASE);
	probe_user_status = ST_BASE;
	value("kernel: useg", MODE_KERNEL, VA_USER, 0xe000);
	value("kernel: xuseg", MODE_KERNEL, VA_XUSER, 0xe100);
	value("kernel: xsseg", MODE_KERNEL, VA_XSSEG, 0xe100);
	value("kernel: csseg", MODE_KERNEL, VA_CSSEG, 0xe000);
	value("user: useg", MODE_USER, VA_USER, 0xe000);
	value("user: xuseg", MODE_USER, VA_XUSER, 0xe100);
	miss("kernel: useg miss", MODE_KERNEL, VA_USER + 0x100000, 0x80);
	miss("kernel: csseg miss", MODE_KERNEL, VA_CSSEG + 0x100000, 0x80);
}

int main(void)
{
	const struct trap *t;

	tag_page(0, 0xe000);
	tag_page(1, 0xe100);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	tlb_map_at(TLB_FREE + 1, VA_XUSER, 0, LO_RW(page_pa(1)), 0);
	tlb_map_at(TLB_FREE + 2, VA_XSSEG, 0, LO_RW(page_pa(1)), 0);
	tlb_map_at(TLB_FREE + 3, VA_CSSEG, 0, LO_RW(page_pa(0)) | LO_G, LO_G);
	all_open();
	/* UX = 0 */
	probe_user_status = ST_KX | ST_SX;
	t = probe_user(p_lw, VA_USER, 0, 0);
	print("UX = 0, user: useg: %s\n", trap_name(t->exc));
	check(!t->taken && t->v0 == 0xe000, "UX = 0, user: useg: %s", trap_name(t->exc));
	EXPECT("UX = 0, user: xuseg", probe_user(p_lw, VA_XUSER, 0, 0), .exc = EXC_ADEL,
	       .at = p_lw_at, .has_va = true, .va = VA_XUSER);
	EXPECT("UX = 0, user: at 2 GB", probe_user(p_lw, 1ul << 31, 0, 0), .exc = EXC_ADEL,
	       .at = p_lw_at, .has_va = true, .va = 1ul << 31);
	t = probe_user(p_lw, VA_USER + 0x100000, 0, 0);
	check(t->taken && t->exc == EXC_TLBL && t->f.vector == 0, "miss: %s at %x",
	      trap_name(t->exc), (u32)t->f.vector);
	check_eq("BadVAddr", t->f.badvaddr, VA_USER + 0x100000);
	EXPECT("UX = 0, user: daddu", probe_user(p_daddu, 0, 0, 0), .exc = EXC_RI,
	       .at = p_daddu_at);
	cp0_write_status(ST_KX | ST_SX);
	value("UX = 0, kernel: useg", MODE_KERNEL, VA_USER, 0xe000);
	refused("UX = 0, kernel: xuseg", MODE_KERNEL, VA_XUSER);
	miss("UX = 0, kernel: useg miss", MODE_KERNEL, VA_USER + 0x100000, 0);
	value("UX = 0, kernel: xsseg", MODE_KERNEL, VA_XSSEG, 0xe100);
	expect_none("UX = 0, kernel: daddu", probe(p_daddu, 0, 0, 0));
	all_open();
	/* SX = 0: UX goes with it */
	cp0_write_status(ST_KX | ST_UX);
	check_eq("Status with SX = 0", cp0_read_status() & ST_BASE, ST_KX);
	refused("SX = 0, kernel: xsseg", MODE_KERNEL, VA_XSSEG);
	refused("SX = 0, kernel: xsseg miss", MODE_KERNEL, VA_XSSEG + 0x100000);
	refused("SX = 0, kernel: xuseg", MODE_KERNEL, VA_XUSER);
	value("SX = 0, kernel: csseg", MODE_KERNEL, VA_CSSEG, 0xe000);
	miss("SX = 0, kernel: csseg miss", MODE_KERNEL, VA_CSSEG + 0x100000, 0x80);
	all_open();
	/* KX = 0: all go */
	cp0_write_status(ST_SX | ST_UX);
	check_eq("Status with KX = 0", cp0_read_status() & ST_BASE, 0);
	value("KX = 0, kernel: csseg", MODE_KERNEL, VA_CSSEG, 0xe000);
	miss("KX = 0, kernel: csseg miss", MODE_KERNEL, VA_CSSEG + 0x100000, 0);
	refused("KX = 0, kernel: xsseg", MODE_KERNEL, VA_XSSEG);
	miss("KX = 0, kernel: useg miss", MODE_KERNEL, VA_USER + 0x100000, 0);
	all_open();
	return verdict();
}
