/* SPDX-License-Identifier: MIT */
/*
 * The areas that programs reach by their TLB entries, and how the runner answers a miss there: as a
 * kernel does, with an entry that chance - the same on both machines - makes up.
 */
#include "guests/lib/cp0.h"
#include "guests/lib/guest.h"
#include "guests/lib/tlb.h"
#include "tests/diff/runner.h"

const u64 diff_area[DIFF_X_INDEX + 3] = {
	[2] = 0x20000000,	  [3] = 0x20100000,	    [4] = 0x0000123456000000,
	[5] = 0x0000ffff00000000, [6] = 0x4000000200000000, [7] = 0xffffffffd0200000,
	[8] = 0xffffffffd0300000, [9] = 0x4000ffff00000000, [10] = 0x40000000,
	[11] = 0x50000000,	  [12] = DIFF_W_VA,	    [13] = DIFF_W_CSSEG,
};

u64 diff_mix(u64 v)
{
	v = (v ^ v >> 31) * 0x9e3779b97f4a7c15;
	return v ^ v >> 29;
}

struct tlb_registers {
	u64 lo0, lo1, hi;
	u32 mask, index;
};

static struct tlb_registers tlb_save(void)
{
	return (struct tlb_registers){ cp0_read_entrylo0(), cp0_read_entrylo1(), cp0_read_entryhi(),
				       cp0_read_pagemask(), cp0_read_index() };
}

static void tlb_restore(const struct tlb_registers *t)
{
	cp0_write_entrylo0(t->lo0);
	cp0_write_entrylo1(t->lo1);
	cp0_write_entryhi(t->hi);
	cp0_write_pagemask(t->mask);
	cp0_write_index(t->index);
}

void diff_map_wired(void)
{
	tlb_map_at(0, DIFF_CODE_VA, 0, LO_RW(DIFF_CODE_PA) | LO_G,
		   LO_RW(DIFF_CODE_PA + PAGE_SIZE) | LO_G);
	tlb_map_at(1, DIFF_DATA_VA, 0, LO_RW(DIFF_DATA_PA) | LO_G,
		   LO_RW(DIFF_DATA_PA + PAGE_SIZE) | LO_G);
}

void diff_flush_tlb(void)
{
	struct tlb_registers old = tlb_save();

	tlb_clear();
	diff_map_wired();
	tlb_restore(&old);
}

void diff_write_tlb(u64 va, u64 lo0, u64 lo1)
{
	struct tlb_registers old = tlb_save();
	u64 hi = HI_VPN(va) | (old.hi & HI_ASID);
	struct tlb_entry e = { .hi = hi, .lo0 = lo0, .lo1 = lo1 };
	int index = tlb_probe(va, old.hi & HI_ASID);

	cp0_write_entryhi(hi);
	if (index < 0)
		tlb_write_random(e);
	else
		tlb_write_at((unsigned)index, e);
	tlb_restore(&old);
}

/* The entry that owns va, or 0. */
static unsigned owner(u64 va)
{
	for (unsigned i = DIFF_FIRST_INDEX; i <= DIFF_X_INDEX; i++)
		if (va - diff_area[i] < DIFF_AREA_BYTES)
			return i;
	return 0;
}

bool diff_is_w(u64 va)
{
	return va - DIFF_W_VA < DIFF_AREA_BYTES || va - DIFF_W_CSSEG < DIFF_AREA_BYTES;
}

/* What W pages map is a function of their address: who wrote the entry does not matter. */
static u64 w_lo(u64 va) { return LO_RW(DIFF_POOL_PA + (diff_mix(va >> 12) & 15) * PAGE_SIZE); }

void diff_fill_w(u64 va)
{
	struct tlb_registers old = tlb_save();
	u64 pair = va & ~0x1fffull;

	cp0_write_entryhi(HI_VPN(va) | (old.hi & HI_ASID));
	tlb_write_random((struct tlb_entry){ .hi = HI_VPN(va) | (old.hi & HI_ASID),
					     .lo0 = w_lo(pair),
					     .lo1 = w_lo(pair + PAGE_SIZE) });
	tlb_restore(&old);
}

/* Makes va usable for the access that failed; the other page of the pair gets what chance gives. */
bool diff_fill_area(u64 va, bool write, u64 salt)
{
	struct tlb_registers old = tlb_save();
	u64 chance = diff_mix(va >> 12 ^ salt);
	unsigned index = owner(va);
	u64 lo[2], asid = old.hi & HI_ASID;

	if (!index)
		return false;
	for (int i = 0; i < 2; i++) {
		u64 pa = index == DIFF_X_INDEX
				 ? DIFF_X_PA + (unsigned)i * PAGE_SIZE
				 : DIFF_POOL_PA + (chance >> (8 + 4 * i) & 15) * PAGE_SIZE;

		lo[i] = LO_PA(pa) | LO_C | (chance >> (16 + i) & 1 ? LO_V : 0) |
			(chance >> (18 + i) & 1 ? LO_D : 0) | (chance & 1 ? LO_G : 0);
	}
	lo[va >> 12 & 1] |= LO_V | (write ? LO_D : 0);
	tlb_map_at(index, va, (unsigned)asid, lo[0], lo[1]);
	tlb_restore(&old);
	return true;
}

/* Invalid, modified, read- or execute-inhibited: as a kernel does it, by TLBP, TLBR and TLBWI. */
bool diff_allow(u64 va, bool write)
{
	struct tlb_registers old = tlb_save();
	struct tlb_entry e;
	int index;

	if (!owner(va))
		return false;
	index = tlb_probe(va, old.hi & HI_ASID);
	if (index < DIFF_FIRST_INDEX || index > DIFF_X_INDEX) {
		tlb_restore(&old);
		return false;
	}
	e = tlb_read_at((unsigned)index);
	u64 *lo = va & ((e.mask + 0x2000) >> 1) ? &e.lo1 : &e.lo0;
	*lo = (*lo & ~(LO_RI | LO_XI)) | LO_V | (write ? LO_D : 0);
	tlb_write_at((unsigned)index, e);
	tlb_restore(&old);
	return true;
}
