/* SPDX-License-Identifier: MIT */
/*
 * Rule: MMU_SWITCH changes the address space and nothing else: v0 is 0, EntryHi what was asked for, no other register changes,
 * whatever root and EntryHi are given, and wherever it is called. Between spaces that have been used it costs no entry in C, and
 * is counted as a monitor call all the same. kernel/abi/disco.h, arch/mips/fast.S.
 *
 * Method: random switches between four spaces, whose pages say whose they are, with marks in all registers; roots that
 * are not aligned, in csseg, at the end of memory and beyond it; EntryHi with an address; in slots, with EXL set, in user mode. The
 * special page counts returns from exceptions since the last entry in C.
 *
 * Needs: memory=128, so that it runs without injected delays, which do switch in C.
 */
#include "tests/guest/walk.h"

#define SPACES	 4u
#define SWITCHES 2000u
#define MEMORY	 (128ul << 20)
#define TRIES	 100u
#define RETURNS	 (DISCO_SPECIAL_PAGE + DISCO_SP_PENDING + 4)

#define HYPCALL ".word 0x42000028"
#define NUMBER	DISCO_STR(DISCO_HC_MMU_SWITCH)

/* A switch with marks in the other registers. v0: 0, or what is wrong. */
PROBE(p_marks,
      "li $1, 0x11\n\tli $2, " NUMBER
      "\n\tli $3, 0x33\n\tmove $6, $4\n\tmove $7, $5\n\tli $8, 0x88\n\t"
      "li $9, 0x99\n\tli $10, 0xaa\n\tli $24, 0x24\n\tli $25, 0x25\n\t" HYPCALL "\n\t"
      "xori $1, $1, 0x11\n\tor $2, $2, $1\n\txori $3, $3, 0x33\n\tor $2, $2, $3\n\txor $4, $4, $6\n\tor $2, $2, $4\n\t"
      "xor $5, $5, $7\n\tor $2, $2, $5\n\txori $8, $8, 0x88\n\tor $2, $2, $8\n\txori $9, $9, 0x99\n\tor $2, $2, $9\n\t"
      "xori $10, $10, 0xaa\n\tor $2, $2, $10\n\txori $24, $24, 0x24\n\tor $2, $2, $24\n\txori $25, $25, 0x25\n\tor $2, $2, $25");
PROBE(p_slot, "li $2, " NUMBER "\n\tbeq $0, $0, 1f\n\t" HYPCALL "\n\tli $2, 99\n1:");
PROBE(p_plain, "li $2, " NUMBER "\n\t" HYPCALL);
/* With Status.EXL set; a0, a1 as for the call, a2: the special page. */
PROBE(p_exl,
      "li $2, " NUMBER "\n\tlw $8, 0x300($6)\n\tori $9, $8, 2\n\tsw $9, 0x300($6)\n\t" HYPCALL
      "\n\tsw $8, 0x300($6)");
/* An ERETNC to itself, which fast.S makes and counts, then a switch, or none; v0: the count. a2: the special page. */
#define RETURN_THEN(what)                                                              \
	"li $2, " NUMBER                                                               \
	"\n\tlapc $9, 1f\n\tsd $9, 0x380($6)\n\tlw $8, 0x300($6)\n\tori $8, $8, 2\n\t" \
	"sw $8, 0x300($6)\n\t.word 0x42000058\n\tnop\n1:" what "\n\tlw $2, 0x804($6)"
PROBE(p_return, RETURN_THEN("nop"));
PROBE(p_return_switch, RETURN_THEN(HYPCALL));

static table_t root[SPACES][2] __attribute__((aligned(PAGE_SIZE))),
	middle[SPACES] __attribute__((aligned(PAGE_SIZE))),
	last[SPACES] __attribute__((aligned(PAGE_SIZE)));

static void space(unsigned i)
{
	walk_link(root[i][0], middle[i], VA_USER, last[i]);
	walk_link(root[i][0], middle[i], USER_CODE, walk_probes);
	for (unsigned page = 0; page < 2; page++)
		*walk_entry(last[i], VA_USER + page * PAGE_SIZE) =
			PTE(page_pa(2 * i + page), PRESENT | WRITE | WRITE_BITS);
}

static void is_in(const char *what, unsigned i)
{
	check_eq(what, *(volatile u64 *)(VA_USER + PAGE_SIZE), 0x7001 + 2 * i);
	check_eq(what, *(volatile u64 *)VA_USER, 0x7000 + 2 * i);
	check_eq(what, cp0_read_entryhi() & HI_ASID, i);
}

static void random_switches(void)
{
	u64 calls, instructions, state = guest_seed(7);

	for (unsigned n = 0; n < SWITCHES; n++) {
		unsigned i = (state = state * 6364136223846793005ul + 1442695040888963407ul) >> 62;

		check_eq("a switch with marks", probe(p_marks, i, walk_pointer(root[i][0]), 0)->v0,
			 0);
		is_in("after a switch", i);
	}
	calls = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_HYPCALL, 0);
	instructions = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_PRIV, 0);
	for (unsigned n = 0; n < SWITCHES; n++)
		walk_switch(n % SPACES, root[n % SPACES][0]);
	instructions = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_PRIV, 0) - instructions;
	calls = (u64)hypercall(DISCO_HC_STAT, DISCO_STAT_HYPCALL, 0) - calls;
	check_eq("calls", calls, SWITCHES + 3);
	check(instructions >= SWITCHES + 1, "%lu privileged instructions",
	      (unsigned long)instructions);
}

/* What only C does. */
static void unusual(void)
{
	u64 end = DISCO_XSSEG_BASE + MEMORY;
	static const u64 beside[] = { 1, 8, 0xff8 };
	u64 odd[] = { end - PAGE_SIZE, end, end - 8, ~0ul, 0, DISCO_SPECIAL_PAGE, VA_USER };
	u64 hi = VA_USER | 2;

	for (unsigned n = 0; n < ARRAY_SIZE(odd); n++) {
		check_eq("an odd root", probe(p_marks, 1, odd[n], 0)->v0, 0);
		check_eq("its EntryHi", cp0_read_entryhi() & HI_ASID, 1);
		check_eq("from an odd root", probe(p_marks, 2, walk_pointer(root[2][0]), 0)->v0, 0);
		is_in("after an odd root", 2);
	}
	for (unsigned n = 0; n < ARRAY_SIZE(beside); n++) {
		probe(p_marks, 1, walk_pointer(root[1][0]) + beside[n], 0);
		probe(p_marks, 3, walk_pointer(root[3][0]), 0);
		is_in("after a root that is not aligned", 3);
	}
	check_eq("in csseg", probe(p_marks, 1, DISCO_CSSEG_BASE + guest_pa(root[1][0]), 0)->v0, 0);
	is_in("in csseg", 1);
	check_eq("with an address", probe(p_marks, hi, walk_pointer(root[2][0]), 0)->v0, 0);
	check_eq("EntryHi with an address", cp0_read_entryhi(), hi);
	is_in("with an address", 2);
	check_eq("in a slot", probe(p_slot, 3, walk_pointer(root[3][0]), 0)->v0, 0);
	is_in("in a slot", 3);
	check_eq("with EXL", probe(p_exl, 1, walk_pointer(root[1][0]), DISCO_SPECIAL_PAGE)->v0, 0);
	is_in("with EXL", 1);
	check_eq("user mode", probe_in(MODE_USER, p_plain, 2, walk_pointer(root[2][0]), 0)->exc,
		 EXC_CPU);
	is_in("after user mode", 1);
}

/* Whether the count is kept over a switch, if it is over none. */
static void unseen(void)
{
	unsigned returns = 0, switches = 0;

	for (unsigned n = 0; n < TRIES; n++) {
		u64 to = walk_pointer(root[n % SPACES][0]);

		returns += probe(p_return, 0, 0, DISCO_SPECIAL_PAGE)->v0 > 1;
		switches += probe(p_return_switch, n % SPACES, to, DISCO_SPECIAL_PAGE)->v0 > 1;
		is_in("after a return", n % SPACES);
	}
	check(!returns || switches, "all of %u switches were made in C", TRIES);
}

int main(void)
{
	need_monitor();
	for (unsigned i = 0; i < 2 * SPACES; i++)
		tag_page(i, 0x7000 + i);
	walk_on();
	for (unsigned i = 0; i < SPACES; i++)
		space(i);
	for (unsigned i = 0; i < SPACES; i++) {
		walk_switch(i, root[i][0]);
		is_in("first", i);
	}
	random_switches();
	unusual();
	unseen();
	return verdict();
}
