/* SPDX-License-Identifier: MIT */
/*
 * Rule: after MMU_FLUSH of a page, a range, an address space or all, accesses see what the tables
 * say now; address spaces that MMU_SWITCH chooses do not see each other's pages; the kernel's root
 * serves the supervisor segments in all of them. kernel/abi/disco.h.
 *
 * Method: 100 pages in two address spaces and 100 in csseg, used, remapped, flushed in each way,
 * and used again; sizes that wrap; wrong arguments.
 */
#include "tests/guest/walk.h"

#define PAGES 100

static table_t other_root __attribute__((aligned(PAGE_SIZE))),
	other_middle __attribute__((aligned(PAGE_SIZE))),
	other_last __attribute__((aligned(PAGE_SIZE))),
	kernel_root[2] __attribute__((aligned(PAGE_SIZE))),
	kernel_middle __attribute__((aligned(PAGE_SIZE))),
	kernel_last __attribute__((aligned(PAGE_SIZE)));

/* Page i of a place shows physical page base + i; returns how many do not. */
static unsigned wrong(u64 va, unsigned base)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < PAGES; i++)
		bad += *(volatile u64 *)(va + i * PAGE_SIZE) != base + i;
	return bad;
}

static void map(table_t last, u64 va, unsigned base, u64 bits)
{
	for (unsigned i = 0; i < PAGES; i++)
		*walk_entry(last, va + i * PAGE_SIZE) =
			PTE(page_pa(base + i), PRESENT | WRITE | WRITE_BITS | bits);
}

static void spaces(void)
{
	map(walk_last, VA_USER, 0, 0);
	map(other_last, VA_USER, 100, 0);
	for (unsigned i = 0; i < 20; i++) {
		walk_switch(1, walk_root);
		check_eq("space 1", wrong(VA_USER, 0), 0);
		walk_switch(2, other_root);
		check_eq("space 2", wrong(VA_USER, 100), 0);
		check_eq("EntryHi", cp0_read_entryhi() & HI_ASID, 2);
		check_eq("kernel's", wrong(VA_CSSEG, 200), 0);
	}
	/* of another space than the current one */
	map(walk_last, VA_USER, 300, 0);
	walk_flush(0, 0, 1);
	check_eq("space 2 after a flush of 1", wrong(VA_USER, 100), 0);
	walk_switch(1, walk_root);
	check_eq("space 1 after its flush", wrong(VA_USER, 300), 0);
}

static void user(const char *what, u64 bytes, u64 asid)
{
	static unsigned base;

	base = base ? 0 : 100;
	map(walk_last, VA_USER, base, 0);
	check_eq(what, (u64)walk_flush(VA_USER, bytes, asid), 0);
	check_eq(what, wrong(VA_USER, base), 0);
}

static void kernel(const char *what, u64 bytes)
{
	static unsigned base;

	base = base ? 0 : 100;
	map(kernel_last, VA_CSSEG, base, GLOBAL);
	check_eq(what, (u64)walk_flush(VA_CSSEG, bytes, DISCO_ALL_ASIDS), 0);
	for (u64 asid = 1; asid <= 2; asid++) {
		walk_switch(asid, walk_root);
		check_eq(what, wrong(VA_CSSEG, base), 0);
	}
	walk_switch(1, walk_root);
}

int main(void)
{
	need_monitor();
	for (unsigned i = 0; i < 400; i++)
		page_va(i)[0] = i;
	walk_tables();
	walk_link(other_root, other_middle, VA_USER, other_last);
	/* ten bits of index: two pages */
	kernel_root[VA_CSSEG >> 39 & 1][VA_CSSEG >> 30 & 511] = walk_pointer(kernel_middle);
	kernel_middle[VA_CSSEG >> 21 & 511] = walk_pointer(kernel_last);
	map(kernel_last, VA_CSSEG, 200, GLOBAL);
	walk_describe(walk_pointer(kernel_root[0]));
	check_eq("MMU_SETUP", (u64)walk_setup(), 0);
	spaces();
	user("page by page", PAGES * PAGE_SIZE, 1);
	user("one page more", PAGES * PAGE_SIZE + 1, 1);
	user("to the end", -VA_USER, 1);
	user("2^64 - 1 bytes", ~0ul, 1);
	user("2^64 - 8192 bytes", -8192ul, 1);
	user("the space", 0, 1);
	user("the pages in all", PAGES * PAGE_SIZE, DISCO_ALL_ASIDS);
	user("all", 0, DISCO_ALL_ASIDS);
	kernel("kernel's page by page", PAGES * PAGE_SIZE);
	kernel("kernel's, 2^64 - 1 bytes", ~0ul);
	kernel("kernel's, all", 0);
	for (unsigned i = 0; i < PAGES; i++) { /* few enough to go one by one */
		*walk_entry(walk_last, VA_USER + i * PAGE_SIZE) =
			PTE(page_pa(399 - i), PRESENT | READ_BITS);
		walk_flush(VA_USER + i * PAGE_SIZE + 0xff8, 8, 1);
		check_eq("one page", *(volatile u64 *)(VA_USER + i * PAGE_SIZE), 399 - i);
	}
	check_eq("no such ASID", (u64)walk_flush(VA_USER, 0, 0x400), (u64)-DISCO_EINVAL);
	check_eq("nobody", (u64)hypercall4(DISCO_HC_MMU_FLUSH, VA_USER, 0, 0, 1), 0);
	check_eq("the special page's pair",
		 (u64)walk_flush(DISCO_SPECIAL_PAGE - PAGE_SIZE, 2 * PAGE_SIZE, 1), 0);
	check_eq("the special page", *(volatile u32 *)(DISCO_SPECIAL_PAGE + DISCO_SP_REG(12, 0)),
		 cp0_read_status());
	return verdict();
}
