/* SPDX-License-Identifier: MIT */
/*
 * Rule: a kernel that changes a page looks for its entry by TLBP and rewrites it; when TLBP finds
 * none, no older translation of that page is left anywhere: not of an entry that TLBWR replaced, be
 * it global, or of a large page, or of user space. MD00090 4.6; QEMU and a monitor both keep
 * replaced entries alive.
 *
 * Method: an entry of each kind is written by TLBWR and used, evicted by many TLBWR, its page
 * changed, looked for by TLBP, and used again, under the same and under another ASID.
 */
#include "tests/guest/test.h"

/* Not where the fillers fall in the monitor's L2TLB, as VA_XUSER is not. */
#define AT_CSSEG (VA_CSSEG + 0x600000)
#define AT_XSSEG (VA_XSSEG + 0x600000)

static u64 even, odd; /* what the page tables say about the pair at va */
static u64 va;
static u32 mask;

static bool refill(struct frame *f)
{
	u64 size = mask ? (mask + 0x2000) : 2 * PAGE_SIZE;

	if (f->vector != 0x80)
		return false;
	if (f->badvaddr - va < size)
		tlb_write_random(
			(struct tlb_entry){ .hi = HI_VPN(va) | (cp0_read_entryhi() & HI_ASID),
					    .lo0 = even,
					    .lo1 = odd,
					    .mask = mask });
	else /* a filler */
		tlb_write_random((struct tlb_entry){ .hi = HI_VPN(f->badvaddr) |
							   (cp0_read_entryhi() & HI_ASID),
						     .lo0 = LO_RW(page_pa(3)),
						     .lo1 = LO_RW(page_pa(3)) });
	return true;
}

static void evict(void)
{
	for (u64 i = 0; i < 3 * tlb_entries(); i++)
		(void)*(volatile u64 *)(0x40000000 + i * 2 * PAGE_SIZE);
}

/* The kernel's part of changing a page: look for it, invalidate what is found. */
static void invalidate(u64 at)
{
	int index = tlb_probe(at, (u32)(cp0_read_entryhi() & HI_ASID));

	if (index >= 0)
		tlb_write_at((unsigned)index, (struct tlb_entry){ .hi = HI_EHINV });
}

static void one(const char *what, u64 at, u64 flags, u64 size)
{
	u64 big = ROUND_UP(page_pa(8), 256 * 1024), other = big + 256 * 1024,
	    last = size - PAGE_SIZE;

	va = at;
	mask = size == PAGE_SIZE ? 0 : PM_SIZE(size);
	for (u64 off = 0; off < 128 * 1024; off += PAGE_SIZE) {
		*(volatile u64 *)guest_va(big + off) = 0x1000000 + off;
		*(volatile u64 *)guest_va(other + off) = 0x2000000 + off;
	}
	even = LO_RW(big) | flags;
	odd = LO_RW(big + size) | flags;
	cp0_write_entryhi(2);
	check_load(text("%s, before, other ASID", what), va, 0x1000000);
	cp0_write_entryhi(1);
	check_load(text("%s, before", what), va, 0x1000000);
	check_load(text("%s, before, last page", what), va + last, 0x1000000 + last);
	check_load(text("%s, before, odd page", what), va + size, 0x1000000 + size);
	evict();
	even = LO_RW(other) | flags;
	odd = LO_RW(other + size) | flags;
	invalidate(va);
	/* not the page that was looked for first: its refill might repair the others */
	if (flags & LO_G) {
		cp0_write_entryhi(2);
		check_load(text("%s, after, other ASID", what), va, 0x2000000);
		cp0_write_entryhi(1);
	}
	check_load(text("%s, after, last page", what), va + last, 0x2000000 + last);
	check_load(text("%s, after, odd page", what), va + size, 0x2000000 + size);
	check_load(text("%s, after", what), va, 0x2000000);
	cp0_write_entryhi(0);
	tlb_clear();
}

int main(void)
{
	trap_hook = refill;
	one("user page", VA_XUSER, 0, PAGE_SIZE);
	one("global user page", VA_XUSER, LO_G, PAGE_SIZE);
	one("csseg page", AT_CSSEG, 0, PAGE_SIZE);
	one("global csseg page", AT_CSSEG, LO_G, PAGE_SIZE);
	one("16 KB user page", VA_XUSER, 0, 4 * PAGE_SIZE);
	one("64 KB user page", VA_XUSER, 0, 16 * PAGE_SIZE);
	one("64 KB global user page", VA_XUSER, LO_G, 16 * PAGE_SIZE);
	one("64 KB global csseg page", AT_CSSEG, LO_G, 16 * PAGE_SIZE);
	one("64 KB global xsseg page", AT_XSSEG, LO_G, 16 * PAGE_SIZE);
	return verdict();
}
