/* SPDX-License-Identifier: MIT */
/*
 * Runs the batch of programs that lies in memory, each from the same state, and prints a diff_hash
 * of each one's exceptions, registers, CP0, TLB and memory; verbosely also what is hashed. The same
 * objects run natively and under the monitor: see README.md. The programs are program.py's.
 */
#include <string.h>

#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/tlb.h"
#include "tests/diff/runner.h"

const char guest_name[] = "diff";

#define EXCEPTIONS_MAX 150

extern char diff_vectors[], diff_prologue[], diff_prologue_end[];
void diff_enter(void);
_Noreturn void diff_leave(void);
void diff_fpu_load(const u64 *f);
void diff_fpu_store(u64 *f);
u64 diff_trap(u64 vector);

u64 diff_gpr[32], diff_sp;
u8 diff_stack[16384] __attribute__((aligned(16)));

static const struct program *now;
static bool quiet;	   /* the prologue: nothing is hashed */
static bool address_error; /* the last exception with an address was one */
static u32 bad[2];	   /* BadInstr and BadInstrP at the last exception */
static unsigned exceptions;
static const char *ending;

static _Noreturn void end(const char *how)
{
	ending = how;
	if (!quiet) {
		diff_show(how, (u64)how[0]);
		diff_final(now->flags, address_error);
	}
	diff_leave();
}

/* ---- exceptions ---- */

static const char *const codes[32] = {
	"Int",	  "Mod", "TLBL",	 "TLBS",	 "AdEL",	  "AdES", "IBE",
	"DBE",	  "Sys", "Bp",		 "RI",		 "CpU",		  "Ov",	  "Tr",
	"MSAFPE", "FPE", [19] = "TLBRI", [20] = "TLBXI", [21] = "MSADis",
};

struct event {
	u64 vector, cause, status, epc, badvaddr;
	u32 code;
	bool bd, tlb, address, store, fetch;
	bool instruction; /* BadInstr is written (MD00091), with BD BadInstrP, too */
	u32 bad[2];	  /* the two of them */
};

/*
 * The rule of BadInstr, held against every exception: one that does not write it leaves it as it
 * was at the exception before. What the neighbour executes meanwhile would be seen.
 */
static void look_at_bad_instruction(struct event *e)
{
	static const u32 none = 1u << EXC_INT | 1u << EXC_IBE | 1u << EXC_DBE | 1u << EXC_TLBXI;
	bool p;

	e->bad[0] = cp0_read_badinstr();
	e->bad[1] = cp0_read_badinstrp();
	e->instruction = !(none >> e->code & 1) && !e->fetch;
	p = e->instruction && e->bd;
	if (!quiet && ((!e->instruction && e->bad[0] != bad[0]) || (!p && e->bad[1] != bad[1]))) {
		diff_show("BadInstr that changed", 1);
		print("BadInstr %08x after %08x, BadInstrP %08x after %08x at EPC %lx\n", e->bad[0],
		      bad[0], e->bad[1], bad[1], (unsigned long)e->epc);
	}
	bad[0] = e->bad[0];
	bad[1] = e->bad[1];
}

static void trace(const struct event *e)
{
	u64 before = diff_hash, gprs;

	diff_hash = HASH_START;
	for (unsigned i = 1; i < 32; i++)
		if (i != 26 && i != 27)
			diff_add(diff_gpr[i]);
	gprs = diff_hash;
	diff_hash = before;
	diff_add(e->cause);
	diff_add(e->status);
	diff_add(e->vector);
	diff_add(e->epc);
	diff_add(gprs);
	diff_add(e->address ? e->badvaddr : 0);
	diff_add(e->instruction ? e->bad[0] : 0);
	diff_add(e->instruction && e->bd ? e->bad[1] : 0);
	if (e->tlb && !(now->flags & DIFF_WALK)) { /* the walker may leave them alone */
		diff_add(cp0_read_entryhi());
		diff_add(cp0_read_context());
		diff_add(cp0_read_xcontext());
	}
	if (!diff_verbose)
		return;
	diff_show_changes();
	print("%3u %-6s EPC %016lx Status %08x Cause %08x vector %03x", exceptions,
	      codes[e->code] ? codes[e->code] : "?", (unsigned long)e->epc, (u32)e->status,
	      (u32)e->cause, (u32)e->vector);
	if (e->address)
		print(" BadVAddr %016lx", (unsigned long)e->badvaddr);
	if (e->instruction)
		print(" BadInstr %08x", e->bad[0]);
	if (e->instruction && e->bd)
		print(" BadInstrP %08x", e->bad[1]);
	if (e->tlb && !(now->flags & DIFF_WALK))
		print("\n    EntryHi %016lx Context %016lx XContext %016lx",
		      (unsigned long)cp0_read_entryhi(), (unsigned long)cp0_read_context(),
		      (unsigned long)cp0_read_xcontext());
	print("\n");
}

static bool in_program(u64 pc) { return !(pc & 3) && pc - DIFF_CODE_VA < now->words * 4ul; }

/* The timer's interrupt, pending before we return: no instruction of the program runs meanwhile. */
static void timer_pending(void)
{
	u32 due;

	for (;;) {
		due = cp0_read_count() + 3000;
		cp0_write_compare((s32)due);
		while ((s32)(cp0_read_count() - due) < 20000)
			if ((cp0_read_cause() & (CAUSE_TI | CAUSE_IP(7))) ==
			    (CAUSE_TI | CAUSE_IP(7)))
				return; /* QEMU raises the two one after the other */
	}
}

static void timer_away(void) { cp0_write_compare((s32)(cp0_read_count() - 1)); }

static u32 service(u32 status)
{
	switch (cp0_read_badinstr() >> 6 & 0xfffff) {
	case DIFF_SYS_END: end("end");
	case DIFF_SYS_KERNEL: return status & ~ST_KSU;
	case DIFF_SYS_USER: return (status & ~ST_KSU) | ST_KSU_USER;
	case DIFF_SYS_TIMER: timer_pending(); return status;
	case DIFF_SYS_TLBINVF: diff_flush_tlb(); return status;
	case DIFF_SYS_PTE:
		if (now->flags & DIFF_WALK)
			walked_change(now->seed * 1000 + exceptions);
		return status;
	default: return status;
	}
}

/* An interrupt is answered, or locked out. */
static u32 interrupt(const struct event *e, u64 chance)
{
	u32 lines = e->cause & e->status & 0x8300;

	if (chance & 3) {
		if (lines & CAUSE_IP(7))
			timer_away();
		cp0_write_cause((s32)((e->cause & ~lines) & (CAUSE_IV | 0x300)));
		return (u32)e->status;
	}
	return (u32)e->status & ~lines;
}

static bool mend(const struct event *e, u64 chance)
{
	if (e->code == EXC_CPU && CAUSE_CE((u32)e->cause) == 1)
		return chance & 1;
	if (!e->tlb || !(chance & 3))
		return false;
	if (now->flags & DIFF_WALK)
		return walked_mend(e->badvaddr, e->store);
	if (e->vector == 0x80)
		return diff_fill_area(e->badvaddr, e->store, now->seed ^ exceptions);
	return diff_allow(e->badvaddr, e->store);
}

/* Which of the two for an access that is not allowed, and where, depends on what the TLB holds. */
static void walked_exception(struct event *e)
{
	e->code = e->store ? EXC_TLBS : EXC_TLBL;
	e->cause = (e->cause & ~0x7cul) | e->code << 2;
	e->vector = 0x180;
}

u64 diff_trap(u64 vector)
{
	struct event e = { .vector = vector,
			   .cause = cp0_read_cause() & CAUSE_SEEN,
			   .status = cp0_read_status() & STATUS_SEEN,
			   .epc = cp0_read_epc(),
			   .badvaddr = cp0_read_badvaddr() };
	u32 status = (u32)e.status;
	u64 chance, next;

	e.code = CAUSE_EXC(e.cause);
	e.bd = e.cause & CAUSE_BD;
	e.tlb = e.code == EXC_MOD || e.code == EXC_TLBL || e.code == EXC_TLBS ||
		e.code == EXC_TLBRI || e.code == EXC_TLBXI;
	e.address = e.tlb || e.code == EXC_ADEL || e.code == EXC_ADES;
	e.store = e.code == EXC_MOD || e.code == EXC_TLBS || e.code == EXC_ADES;
	if (e.code == EXC_ADEL && (e.epc & 3)) /* QEMU may not have written it */
		e.badvaddr = e.epc;
	e.fetch = e.address && !e.store && e.badvaddr == e.epc + (e.bd ? 4 : 0);
	look_at_bad_instruction(&e);
	if (e.tlb && now->flags & DIFF_WALK) {
		if (walked_fill(e.badvaddr, e.store, e.fetch))
			return DIFF_ERETNC;
		walked_exception(&e);
	}
	if (e.tlb && e.vector == 0x80 && diff_is_w(e.badvaddr)) {
		diff_fill_w(e.badvaddr);
		return DIFF_ERETNC;
	}
	if (e.address)
		address_error = !e.tlb;
	if (e.address && !e.tlb) /* UNPREDICTABLE then */
		cp0_write_entryhi(cp0_read_entryhi() & HI_ASID);
	exceptions++;
	chance = diff_mix(now->seed + exceptions * 0x9e3779b97f4a7c15);
	if (!quiet)
		trace(&e);
	if (exceptions > EXCEPTIONS_MAX)
		end("limit");
	if (e.code == EXC_SYS)
		status = service(status);
	if (e.code == EXC_INT)
		status = interrupt(&e, chance);
	if (e.code == EXC_INT || mend(&e, chance)) {
		next = e.epc;
		if (e.code == EXC_CPU)
			status |= ST_CU1;
	} else if (in_program(e.epc) && !(e.fetch && !e.bd)) {
		next = e.epc + (e.bd ? 8 : 4);
	} else if (in_program(diff_gpr[30])) {
		next = diff_gpr[30];
	} else {
		end("lost");
	}
	if ((chance >> 8 & 7) == 0 && !quiet) { /* the other way back */
		cp0_write_errorepc(next);
		cp0_write_status((s32)((status & ~ST_EXL) | ST_ERL));
	} else {
		cp0_write_epc(next);
		cp0_write_status((s32)(status | ST_EXL));
	}
	if (e.code == EXC_INT || e.code == EXC_SYS) /* these, and calls, may break a reservation */
		return DIFF_ERET;
	return chance >> 16 & 1 ? DIFF_ERETNC : DIFF_ERET;
}

/* ---- programs ---- */

static void enter(u64 pc, u32 status)
{
	exceptions = 0;
	address_error = false;
	ending = "none";
	cp0_write_epc(pc);
	cp0_write_status((s32)(status | ST_EXL));
	diff_enter();
}

static void prepare_cp0(void)
{
	cp0_write_status(ST_BASE | ST_EXL | ST_CU1);
	cp0_write_pagegrain((s32)0xc8000000);
	cp0_write_cause(0);
	timer_away();
	tlb_clear();
	cp0_write_wired(0);
	diff_map_wired();
	cp0_write_wired(DIFF_WIRED);
	cp0_write_hwrena(0);
	cp0_write_context(0);
	cp0_write_xcontext(0);
	cp0_write_userlocal(0);
	cp0_write_entryhi(1);
	cp0_write_entrylo0(0);
	cp0_write_entrylo1(0);
	cp0_write_pagemask(0);
	cp0_write_index(2);
	cp0_write_errorepc(0);
	cp0_write_kscratch1(0);
	cp0_write_kscratch2(0);
	cp0_write_kscratch3(0);
	cp0_write_kscratch4(0);
	cp0_write_kscratch5(0);
	cp0_write_kscratch6(0);
	cp0_write_lladdr(0);
}

static void load_code(const void *code, size_t bytes)
{
	memcpy(guest_va(DIFF_CODE_PA), code, bytes);
}

/* A miss with known values: what no instruction can write is then the same everywhere. */
static void prologue(void)
{
	static const struct program none = { .words = 8 };

	now = &none;
	quiet = true;
	load_code(diff_prologue, (size_t)(diff_prologue_end - diff_prologue));
	memset(diff_gpr, 0, sizeof(diff_gpr));
	diff_gpr[9] = 0x70000000;
	enter(DIFF_CODE_VA, ST_BASE);
	quiet = false;
}

static void run(const struct program *p)
{
	static u64 fpu[33];
	u32 status = ST_BASE;
	u64 *data = guest_va(DIFF_DATA_PA);

	prepare_cp0();
	diff_fpu_load(fpu);
	prologue();
	prepare_cp0();
	memset(guest_va(DIFF_POOL_PA), 0, 16 * PAGE_SIZE);
	for (unsigned i = 0; i < 2 * PAGE_SIZE / 8; i++)
		data[i] = i * 0x0123456789abcdeful;
	load_code(p->code, p->words * 4ul);
	now = p;
	for (unsigned i = 1; i < 16; i++) /* small, large, negative */
		diff_gpr[i] = (s64)diff_mix(p->seed + i) >> (diff_mix(p->seed * i) & 63);
	for (unsigned i = 16; i < 25; i++)
		diff_gpr[i] = diff_area[i - 14] + 0x10000;
	diff_gpr[25] = diff_area[DIFF_X_INDEX] + 0x10000;
	diff_gpr[28] = DIFF_DATA_VA + PAGE_SIZE;
	diff_gpr[29] = diff_mix(p->seed) & 1 ? DIFF_W_VA + 0x10000 : DIFF_W_CSSEG + 0x10000;
	diff_gpr[30] = 0;
	diff_gpr[31] = 0;
	diff_hash = HASH_START;
	if (p->flags & DIFF_START_USER)
		status |= ST_KSU_USER;
	if (p->flags & DIFF_START_CU1)
		status |= ST_CU1;
	if (p->flags & DIFF_WALK)
		walked_begin(p->seed);
	enter(DIFF_CODE_VA, status);
	if (p->flags & DIFF_WALK)
		walked_end();
}

int main(void)
{
	const struct batch *b = guest_va(DIFF_BATCH_PA);
	const struct program *p = &b->first;
	u64 kscratch1 = cp0_read_kscratch1();
	u32 *x = guest_va(DIFF_X_PA);

	if (b->magic != DIFF_MAGIC) {
		print("FAIL diff: found no batch\n");
		return 1;
	}
	diff_verbose = b->flags & DIFF_VERBOSE;
	for (unsigned i = 0; i < 2 * PAGE_SIZE / 4; i++)
		x[i] = 0x0000000d | i << 6; /* BREAK */
	asm volatile("dmtc0 %0, $15, 1\n\tehb" : : "r"(diff_vectors));
	for (u32 i = 0; i < b->count; i++) {
		run(p);
		print("%u %016lx %s %u\n", i, (unsigned long)diff_hash, ending, exceptions);
		p = (const struct program *)&p->code[(p->words + 1) & ~1u];
	}
	cp0_write_kscratch1(kscratch1);
	print("PASS diff\n");
	return 0;
}
