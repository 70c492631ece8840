/* SPDX-License-Identifier: MIT */
/*
 * Rule: with the monitor's page walker on, a read of a present page sets its accessed and valid
 * bits, a write of a writable one modified and dirty too, and nothing else changes; what the entry
 * does not allow is one exception at the general vector: TLBL, TLBS, Mod, TLBRI or TLBXI; a page
 * that the VM does not have is a bus error. kernel/abi/disco.h.
 *
 * Method: each kind of entry and access in kernel and in user mode, with tables named by either
 * window.
 */
#include "tests/guest/walk.h"

#define BEYOND 0x20000000ull
#define PAGE   VA_USER
#define OTHER  (VA_USER + PAGE_SIZE)

PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");
extern char p_slot_at[], p_store_at[];
PROBE(p_slot, "nop" AT(p_slot) "beq $0, $0, 1f\n\tld $2, 0($4)\n\tnop\n1:");
PROBE(p_keeps, "li $3, 0x33\n\tli $5, 0x55\n\tli $6, 0x66\n\tli $1, 0x11\n\tld $2, 0($4)\n\t"
	       "xor $2, $2, $3\n\txor $2, $2, $5\n\txor $2, $2, $6\n\txor $2, $2, $1");

static volatile u64 *pte, *odd;

static void set(u64 even_bits)
{
	*pte = PTE(page_pa(0), even_bits);
	*odd = PTE(page_pa(1), 0);
	walk_flush(PAGE, 2 * PAGE_SIZE, 0);
}

static void check_bits(const char *what, u64 wanted)
{
	check_eq(text("%s: bits", what), *pte & 0x7ff, wanted);
	check_eq(text("%s: page", what), *pte >> (ROTATE + 6), page_pa(0) >> 12);
}

static void allowed(int mode)
{
	set(PRESENT | WRITE);
	check_value("read", load(mode, PAGE), 0x1111);
	check_bits("read", PRESENT | WRITE | READ_BITS);
	check(!store(mode, PAGE, 0x2222)->taken, "write after read");
	check_eq("written", page_va(0)[0], 0x2222);
	check_bits("write after read", PRESENT | WRITE | WRITE_BITS);
	set(PRESENT | WRITE);
	check(!store(mode, PAGE, 0x1111)->taken, "write");
	check_bits("write", PRESENT | WRITE | WRITE_BITS);
	set(PRESENT);
	check_value("read-only", load(mode, PAGE), 0x1111);
	check_bits("read-only", PRESENT | READ_BITS);
	/* an entry that is valid already: the registers that the walk in assembly uses */
	set(PRESENT | READ_BITS);
	check_value("registers", probe_in(mode, p_keeps, PAGE, 0, 0),
		    0x1111 ^ 0x33 ^ 0x55 ^ 0x66 ^ 0x11);
	check_bits("valid", PRESENT | READ_BITS);
}

static void refused(int mode)
{
	const struct trap *t;

	set(0);
	t = load(mode, PAGE);
	check_fault("not present: load", t, EXC_TLBL, 0, PAGE);
	check_eq("EPC", t->f.epc, (u64)test_ld);
	check_eq("BadInstr", (u32)t->f.badinstr, *(u32 *)test_ld);
	check_eq("BD", t->f.cause & CAUSE_BD, 0);
	check_fault("not present: store", store(mode, PAGE + 8, 1), EXC_TLBS, 0, PAGE + 8);
	t = probe_in(mode, p_slot, PAGE, 0, 0);
	check_fault("not present: delay slot", t, EXC_TLBL, 0, PAGE);
	check_eq("EPC", t->f.epc, (u64)p_slot_at);
	check_eq("BD", t->f.cause & CAUSE_BD, CAUSE_BD);
	check_eq("BadInstr", (u32)t->f.badinstr, ((u32 *)p_slot_at)[1]);
	check_eq("BadInstrP", (u32)t->f.badinstrp, *(u32 *)p_slot_at);
	t = probe_in(mode, p_jump, PAGE, 0, 0);
	check_fault("not present: fetch", t, EXC_TLBL, 0, PAGE);
	check_eq("EPC", t->f.epc, PAGE);
	check_bits("not present", 0);
	set(PRESENT);
	check_fault("read-only: store", store(mode, PAGE, 1), EXC_TLBS, EXC_MOD, PAGE);
	check_bits("read-only", PRESENT);
	load(mode, PAGE);
	check_fault("read-only, valid: store", store(mode, PAGE, 1), EXC_MOD, EXC_TLBS, PAGE);
	check_eq("read-only", page_va(0)[0], 0x1111);
	set(PRESENT | WRITE | NO_READ);
	check_fault("no read: load", load(mode, PAGE), EXC_TLBRI, EXC_TLBL, PAGE);
	check_bits("no read", PRESENT | WRITE | NO_READ);
	/* QEMU lets loads through now */
	check(!store(mode, PAGE, 0x1111)->taken, "no read: store");
	set(PRESENT | NO_EXEC);
	check_fault("no exec: fetch", probe_in(mode, p_jump, PAGE, 0, 0), EXC_TLBXI, 0, PAGE);
	check_value("no exec: load", load(mode, PAGE), 0x1111);
	check_fault("no exec: fetch", probe_in(mode, p_jump, PAGE, 0, 0), EXC_TLBXI, 0, PAGE);
	/* no table, at either level; and above what the root covers */
	check_fault("no last table", load(mode, PAGE + (4ul << 20)), EXC_TLBL, 0,
		    PAGE + (4ul << 20));
	check_fault("no middle table", load(mode, 1ul << 33), EXC_TLBL, 0, 1ul << 33);
	check_fault("above the root", load(mode, 1ul << 40), EXC_TLBL, 0, 1ul << 40);
}

static void beyond(int mode)
{
	for (unsigned i = 0; i < 2; i++) {
		u64 bits = i ? PRESENT | WRITE | WRITE_BITS : PRESENT | WRITE;
		const struct trap *t;

		*pte = PTE(BEYOND, bits);
		*odd = PTE(page_pa(1), bits);
		walk_flush(PAGE, 2 * PAGE_SIZE, 0);
		t = load(mode, PAGE);
		check(t->taken && t->exc == EXC_DBE, "load: %s", trap_name(t->exc));
		t = store(mode, PAGE, 0);
		check(t->taken && t->exc == EXC_DBE, "store: %s", trap_name(t->exc));
		t = probe_in(mode, p_jump, PAGE, 0, 0);
		check(t->taken && t->exc == EXC_IBE, "fetch: %s", trap_name(t->exc));
		check_value("the pair's other page", load(mode, OTHER), 0x3333);
	}
}

int main(void)
{
	need_monitor();
	pte = walk_entry(walk_last, PAGE);
	odd = walk_entry(walk_last, OTHER);
	page_va(0)[0] = 0x1111;
	page_va(1)[0] = 0x3333;
	for (unsigned i = 0; i < 2; i++) {
		walk_window = i ? DISCO_CSSEG_BASE : DISCO_XSSEG_BASE;
		walk_on();
		for (int mode = MODE_KERNEL; mode <= MODE_USER; mode++) {
			allowed(mode);
			refused(mode);
			beyond(mode);
		}
	}
	check_eq("off", (u64)hypercall(DISCO_HC_MMU_SETUP, 0, 0), 0);
	check_miss("off", PAGE);
	return verdict();
}
