/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever a kernel does to its TLB with the architecture's instructions, an access sees what
 * the page tables say, as long as the kernel invalidates what it changed. MD00090 4.
 *
 * Method: page tables of eight address spaces and one of global pages; a refill hook that reads
 * them; 6000 random steps: load, store, change a page and invalidate it by TLBP and TLBWI, TLBINV
 * of a whole address space, TLBINVF, change of ASID, user or kernel access. Each load must give the
 * tag of the page that the tables name, each store must reach it.
 */
#include "tests/guest/test.h"

#define SPACES 8
#define PAGES  24 /* even */
#define FRAMES 64
#define STEPS  6000

static u8 tables[SPACES][PAGES], global_table[PAGES]; /* frame number, 0: not mapped */
static u8 writable[SPACES][PAGES];
static unsigned space;
static u64 tags[FRAMES + 1];
static u64 seed = 1;

static u32 random_below(u32 n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(seed >> 33) % n;
}

static u32 asid_of(unsigned s) { return 3 + 127 * s; }

static u64 lo_of(unsigned frame, bool write)
{
	if (!frame)
		return 0;
	return LO_PA(page_pa(frame)) | LO_C | LO_V | (write ? LO_D : 0);
}

static struct tlb_entry pair_of(u64 va)
{
	unsigned i;

	if (va >= VA_CSSEG) {
		i = (unsigned)((va - VA_CSSEG) / PAGE_SIZE) & ~1u;
		return (struct tlb_entry){ .hi = HI_VPN(va) | asid_of(space),
					   .lo0 = lo_of(global_table[i], true) | LO_G,
					   .lo1 = lo_of(global_table[i + 1], true) | LO_G };
	}
	i = (unsigned)((va - VA_XUSER) / PAGE_SIZE) & ~1u;
	return (struct tlb_entry){ .hi = HI_VPN(va) | asid_of(space),
				   .lo0 = lo_of(tables[space][i], writable[space][i]),
				   .lo1 = lo_of(tables[space][i + 1], writable[space][i + 1]) };
}

static bool in_tables(u64 va)
{
	return va - VA_CSSEG < PAGES * PAGE_SIZE || va - VA_XUSER < PAGES * PAGE_SIZE;
}

/*
 * Refill as operating systems do it: no look at what is there. An invalid page goes to the probe.
 */
static bool refill(struct frame *f)
{
	if (f->vector != 0x80 || !in_tables(f->badvaddr))
		return false;
	tlb_write_random(pair_of(f->badvaddr));
	return true;
}

static void invalidate(u64 va, u32 asid)
{
	int index = tlb_probe(va, asid);

	if (index >= 0)
		tlb_write_at((unsigned)index, (struct tlb_entry){ .hi = HI_EHINV });
}

static void access_page(u64 va, unsigned frame, bool may_write)
{
	int mode = va < VA_CSSEG && random_below(2) ? MODE_USER : MODE_KERNEL;
	bool write = random_below(3) == 0;
	u64 value = seed;
	const struct trap *t;

	t = write ? store(mode, va, value) : load(mode, va);
	if (!frame) {
		check(t->taken && t->exc == (write ? EXC_TLBS : EXC_TLBL) && t->f.vector == 0x180,
		      "unmapped page: %s", trap_name(t->exc));
		return;
	}
	if (write && !may_write) {
		check(t->taken && t->exc == EXC_MOD, "page without D: %s", trap_name(t->exc));
		return;
	}
	if (!check(!t->taken, "access: %s", trap_name(t->exc)))
		return;
	if (write)
		tags[frame] = value;
	else
		check(t->v0 == tags[frame], "a load saw another page");
	check(page_va(frame)[0] == tags[frame], "memory");
}

static void change_page(void)
{
	unsigned i = random_below(PAGES), s = random_below(SPACES);

	if (random_below(4) == 0) {
		global_table[i] = (u8)random_below(FRAMES + 1);
		invalidate(VA_CSSEG + i * PAGE_SIZE, asid_of(space));
	} else {
		tables[s][i] = (u8)random_below(FRAMES + 1);
		writable[s][i] = (u8)random_below(2);
		invalidate(VA_XUSER + i * PAGE_SIZE, asid_of(s));
	}
}

static void change_space(void)
{
	space = random_below(SPACES);
	cp0_write_entryhi(asid_of(space));
}

static void invalidate_many(void)
{
	if (random_below(4)) {
		for (unsigned i = 0; i < PAGES; i++)
			tables[space][i] = (u8)random_below(FRAMES + 1);
		cp0_write_index(0);
		asm volatile("ehb\n\t.word 0x42000003\n\tehb" : : : "memory"); /* tlbinv */
	} else {
		tlb_clear();
	}
}

int main(void)
{
	for (unsigned f = 1; f <= FRAMES; f++)
		page_va(f)[0] = tags[f] = 0xf00000 + f;
	trap_hook = refill;
	change_space();
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned what = random_below(40), i = random_below(PAGES);

		if (what == 0)
			invalidate_many();
		else if (what < 6)
			change_page();
		else if (what < 9)
			change_space();
		else if (what < 16)
			access_page(VA_CSSEG + i * PAGE_SIZE, global_table[i], true);
		else
			access_page(VA_XUSER + i * PAGE_SIZE, tables[space][i], writable[space][i]);
	}
	print("%u steps\n", STEPS);
	return verdict();
}
