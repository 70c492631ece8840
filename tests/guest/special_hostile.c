/* SPDX-License-Identifier: MIT */
/*
 * Rule: no value in any word of the special page harms anyone but the guest that stored it; with
 * the words put back it works on. kernel/abi/disco.h.
 *
 * Method: all ones, zero and random values in each word, then traps of all kinds and every
 * privileged instruction; Status, EBase and KScratch1, without which this program does not get its
 * own exceptions, are contain_special.c's.
 */
#include "tests/guest/test.h"

#define WORDS 512

static volatile u64 *const page = (volatile u64 *)DISCO_SPECIAL_PAGE;
static u64 saved[WORDS];
static u64 seed;

PROBE(p_sys, "syscall");
PROBE(p_break, "break");
PROBE(p_trap, "teq $0, $0");
PROBE(p_fpu, ".set hardfloat\n\tdmtc1 $4, $f0\n\tdmfc1 $2, $f0");
PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");
PROBE(p_slot, "beq $0, $0, 1f\n\tld $2, 0($4)\n\tnop\n1:");
/* what leaves the guest's control to nobody: TLB instructions, moves, RDHWR */
PROBE(p_tlb, "tlbp\n\ttlbr\n\ttlbwi\n\ttlbwr\n\t.word 0x42000003");
PROBE(p_flush, ".word 0x42000004\n\tdmtc0 $0, $10\n\tmtc0 $0, $5\n\tmtc0 $0, $6\n\tehb");
PROBE(p_moves, "dmfc0 $2, $10\n\tmfc0 $2, $9\n\tmfc0 $2, $12\n\tmfc0 $2, $13\n\tdmfc0 $2, $14\n\t"
	       "mtc0 $2, $0\n\trdhwr $2, $29\n\tdmfc0 $2, $4\n\tdmtc0 $2, $4\n\tmfc0 $2, $16, 5");
PROBE(p_hypcall, "li $2, 12\n\t.word 0x42000028");

static void traps(void)
{
	static const void *const kernel[] = { p_sys,   p_break, p_trap,	  p_fpu,
					      p_moves, p_tlb,	p_hypcall };

	for (unsigned i = 0; i < ARRAY_SIZE(kernel); i++)
		probe(kernel[i], 1, 0, 0);
	load(MODE_KERNEL, VA_USER);
	store(MODE_KERNEL, VA_CSSEG, 1);
	probe(p_slot, VA_XSSEG, 0, 0);
	probe(p_jump, VA_USER, 0, 0);
	probe(p_jump, 1, 0, 0);
	probe(p_jump, 0xffffffff80100000, 0, 0);
	probe_user(p_sys, 0, 0, 0);
	probe_user(p_fpu, 1, 0, 0);
	probe_user(p_slot, VA_USER, 0, 0);
	hypercall(DISCO_HC_YIELD, 0, 0);
	timer_set(1000);
}

static void put_back(void)
{
	for (unsigned i = 0; i < WORDS; i++)
		page[i] = saved[i];
	probe(p_flush, 0, 0, 0);
	cp0_write_cause(0);
}

static bool essential(unsigned word)
{
	return word == DISCO_SP_REG(12, 0) / 8 || word == DISCO_SP_REG(15, 1) / 8 ||
	       word == DISCO_SP_REG(31, 2) / 8;
}

static u64 value(unsigned kind)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return kind == 0   ? ~0ul
	       : kind == 1 ? 0
	       : kind == 2 ? 1ul << (seed >> 58)
			   : seed ^ seed >> 29;
}

int main(void)
{
	need_monitor();
	seed = guest_seed(3);
	tag_page(0, 0x4444);
	cp0_write_status(ST_BASE);
	for (unsigned i = 0; i < WORDS; i++)
		saved[i] = page[i];
	for (unsigned kind = 0; kind < 4; kind++) {
		for (unsigned i = 0; i < 260; i++) {
			if (essential(i))
				continue;
			page[i] = value(kind);
			traps();
			put_back();
		}
		/* all at once */
		for (unsigned i = 0; i < WORDS; i++)
			if (!essential(i))
				page[i] = value(kind);
		traps();
		put_back();
	}
	check_eq("KScratch2", cp0_read_kscratch2(), saved[DISCO_SP_REG(31, 3) / 8]);
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(0)), 0);
	check_load("a page", VA_USER, 0x4444);
	EXPECT("a system call", probe_user(p_sys, 0, 0, 0), .exc = EXC_SYS, .at = p_sys);
	return verdict();
}
