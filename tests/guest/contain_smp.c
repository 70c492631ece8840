/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever the VCPUs of a VM do at the same time, on whichever nodes, harms their own VM only:
 * that VM may end, be killed or spin, the others do not notice.
 *
 * Method: each VCPU for three seconds makes calls with random arguments, writes CP0 registers, TLB
 * entries, page table words and descriptions of tables that all of them use, and loads, stores and
 * executes at random addresses. An even seed is tame and leaves out what soon ruins the program
 * itself; an odd one does all.
 *
 * Needs: vcpus=4 nodes=4
 *
 * Ends: anyhow
 */
#include "tests/guest/walk.h"

#define VCPUS	4
#define SECONDS 3
#define TICKS	166666667u /* a second */
#define TABLES	3
#define CODE	600 /* page of VCPU 0's own code; the others' follow */
#define WILD	50  /* of so many steps of an odd seed one is ruinous */

static u64 seed_of_all;
static volatile u64 over, steps[VCPUS];
static table_t tables[TABLES] __attribute__((aligned(PAGE_SIZE)));
static u64 descriptions[VCPUS][DISCO_MMU_WORDS];

PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");
PROBE(p_tlbwi, "tlbwi");
PROBE(p_tlbwr, "tlbwr");
PROBE(p_tlbp, "tlbp\n\ttlbr");
PROBE(p_tlbinv, ".word 0x42000003");
PROBE(p_tlbinvf, ".word 0x42000004");

struct hostile {
	u64 id;
	u64 seed;
	bool wild; /* this step */
};

static void hostile(u64 arg);

static u64 next(struct hostile *h)
{
	h->seed = h->seed * 6364136223846793005ul + 1442695040888963407ul;
	return h->seed ^ h->seed >> 31;
}

/* Addresses and numbers at which something may be wrong, and some at which something is right. */
static u64 value(struct hostile *h)
{
	static const u64 bases[] = { 0,
				     ~0xfffful,
				     VA_USER,
				     VA_XUSER,
				     VA_CSSEG,
				     VA_XSSEG,
				     DISCO_XSSEG_BASE + (8ul << 20) - 0x8000,
				     DISCO_SPECIAL_PAGE - 0x8000,
				     DISCO_SPECIAL_PAGE + 0x1000,
				     DISCO_DEVICE_BASE,
				     0xffffffff80100000,
				     0x9800000000000000,
				     0xc000000000000000 };
	u64 r = next(h);

	switch (r >> 60) {
	case 0: return next(h);
	case 1: return ~next(h) >> (r & 63);
	case 2: return 1ul << (r & 63);
	case 3:
	case 4: return r & 15;
	case 5: return ~0ul;
	case 6: return page_pa(r & 63);
	case 7: return walk_pointer(tables[r % TABLES]) + (r & 0x1000 ? 0 : r >> 16 & 0xfff);
	default: return bases[r % ARRAY_SIZE(bases)] + (r >> 16 & 0xfff8);
	}
}

static void call(struct hostile *h)
{
	u64 r = next(h), nr = r % (DISCO_HC_COUNT_ + 2), id = r >> 8 & (VCPUS - 1);

	switch (nr) {
	case DISCO_HC_RESET: return; /* the VM would do the same again */
	case DISCO_HC_POWEROFF: return;
	case DISCO_HC_CONSOLE_WRITE:
	case DISCO_HC_CONSOLE_PUTC:
		if (r >> 32 & 63)
			return; /* the log need not be long */
		break;
	case DISCO_HC_VCPU_STOP:
		if (!h->id && !h->wild)
			return; /* VCPU 0 starts the others again */
		break;
	case DISCO_HC_VCPU_START:
		if (!h->wild) {
			guest_start_vcpu((unsigned)id, hostile, id);
			return;
		}
		break;
	case DISCO_HC_IPI:
	case DISCO_HC_YIELD_TO: hypercall(nr, r & 1 << 16 ? value(h) : id + 1, r >> 17 & 1); return;
	}
	hypercall4(nr, value(h), value(h), value(h), r & 1 << 16 ? value(h) : DISCO_ALL_ASIDS);
}

/* Runs one instruction, or more, that no C can write: at this VCPU's own page of code. */
static void execute(struct hostile *h, const u32 *words, unsigned n, u64 a1)
{
	volatile u32 *code = (volatile u32 *)page_va(CODE + (unsigned)h->id);

	for (unsigned i = 0; i < n; i++)
		code[i] = words[i];
	code[n] = 0x03e00009; /* jr ra */
	code[n + 1] = 0;
	asm volatile("synci 0(%0)\n\tsynci 64(%0)\n\tsync" : : "r"(code) : "memory");
	probe(p_jump, (u64)code, a1, a1);
}

/* DMTC0 or MTC0 a1 to any register but, when tame, Status, EBase, KScratch1 and PageGrain. */
static void cp0(struct hostile *h)
{
	u64 r = next(h);
	u32 reg = r & 31, sel = r >> 5 & 7;
	u32 word = (r & 256 ? 0x40a00000 : 0x40800000) | 5 << 16 | reg << 11 | sel;

	if (!h->wild && (reg == 12 || reg == 15 || (reg == 31 && sel == 2) || (reg == 5 && sel)))
		return;
	execute(h, &word, 1, value(h));
}

static void tlb(struct hostile *h)
{
	static const void *const instructions[] = { p_tlbwi, p_tlbwr,  p_tlbwi,	 p_tlbwr,
						    p_tlbp,  p_tlbinv, p_tlbinvf };
	u64 r = next(h);

	cp0_write_index(r & 63);
	cp0_write_entryhi(value(h));
	if (r & 64)
		cp0_write_pagemask((u32)value(h));
	cp0_write_entrylo0(r & 128 ? LO_RW(page_pa(r >> 8 & 63)) : value(h));
	cp0_write_entrylo1(r & 256 ? LO_RW(page_pa(r >> 14 & 63)) : value(h));
	probe(instructions[(r >> 20) % ARRAY_SIZE(instructions)], 0, 0, 0);
	cp0_write_pagemask(0);
}

static void page_tables(struct hostile *h)
{
	u64 *d = descriptions[h->id];

	for (unsigned i = 0; i < 16; i++) {
		u64 r = next(h);

		tables[r % TABLES][r >> 8 & 511] =
			r & 1 << 20   ? PTE(page_pa(r >> 32 & 63), r >> 40 & 0x7fe)
			: r & 1 << 21 ? walk_pointer(tables[(r >> 32) % TABLES])
				      : value(h);
	}
	walk_describe(walk_pointer(tables[0]));
	for (unsigned i = 0; i < DISCO_MMU_WORDS; i++)
		d[i] = walk_block[i];
	if (h->wild)
		d[next(h) % DISCO_MMU_WORDS] = value(h);
	hypercall(DISCO_HC_MMU_SETUP, next(h) & 3 ? guest_pa(d) : 0, 0);
	hypercall(DISCO_HC_MMU_SWITCH, next(h) & 0x3ff,
		  next(h) & 7 ? walk_pointer(tables[next(h) % TABLES]) : value(h));
}

/* A window shows the program itself: stores go elsewhere, when tame. */
static void access(struct hostile *h)
{
	u64 va = value(h), r = next(h);

	if (r & 3)
		va = r & 4 ? VA_USER + (r >> 16 & 0xfffff8) : r >> 16 & 0x7ffffffff8;
	load(MODE_KERNEL, va);
	if (h->wild || va >> 62 == 0)
		store(MODE_KERNEL, va, value(h));
	if (r & 8)
		probe(p_jump, h->wild || va >> 62 == 0 ? va : va | 1, 0, 0);
	load(MODE_USER, va);
}

static void garbage(struct hostile *h)
{
	u32 words[24];

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		u64 r = next(h);

		words[i] = r & 1   ? (u32)(r >> 32)
			   : r & 2 ? 0x40000000 | (r >> 32 & 0x01ffffff)
				   : 0x42000000 | (r >> 32 & 0x3f);
	}
	timer_set(200000);
	cp0_write_status(ST_BASE | ST_IE | ST_IM(7));
	execute(h, words, ARRAY_SIZE(words), page_pa(4));
	cp0_write_status(ST_BASE);
}

static void step(struct hostile *h)
{
	u64 r = next(h);

	h->wild = (seed_of_all & 1) && (r >> 8) % WILD == 0;
	switch (r >> 32 & 7) {
	case 0:
	case 1:
	case 2: call(h); break;
	case 3: cp0(h); break;
	case 4: tlb(h); break;
	case 5: page_tables(h); break;
	case 6: access(h); break;
	case 7:
		if (h->wild)
			garbage(h);
		else
			cp0_write_status(ST_BASE | (r & (ST_IE | ST_CU1 | ST_FR)) |
					 (r & (ST_IM(0) | ST_IM(1) | ST_IM(7))));
		break;
	}
}

/* An interrupt outside of probes: nothing is pending any more. Anything else: the next instruction. */
static bool goes_on(struct frame *f)
{
	if (guest_this_cpu()->probe)
		return false;
	if (frame_exc(f)) {
		frame_skip(f);
		return true;
	}
	f->status &= ~(u64)ST_IE;
	hypercall(DISCO_HC_IPI_CLEAR, 0, 0);
	hypercall(DISCO_HC_IPI_CLEAR, 1, 0);
	return true;
}

/* A VCPU that was stopped comes here again, with other numbers. */
static void hostile(u64 id)
{
	struct hostile h = { .id = id, .seed = seed_of_all * VCPUS + id + (steps[id] << 32) };

	while (!over) {
		step(&h);
		steps[id]++;
	}
}

int main(void)
{
	struct hostile h = { .id = 0 };
	u64 made = 0;
	u32 start;

	need_monitor();
	seed_of_all = guest_seed(2);
	h.seed = seed_of_all * VCPUS;
	trap_hook = goes_on;
	for (unsigned id = 1; id < VCPUS; id++)
		check_eq("start", (u64)guest_start_vcpu(id, hostile, id), 0);
	start = cp0_read_count();
	while (cp0_read_count() - start < SECONDS * TICKS) {
		step(&h);
		steps[0]++;
	}
	over = 1;
	for (unsigned id = 0; id < VCPUS; id++)
		made += steps[id];
	print("%lu steps\n", (unsigned long)made);
	check(made > VCPUS, "no steps");
	return verdict();
}
