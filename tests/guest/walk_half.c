/* SPDX-License-Identifier: MIT */
/*
 * Rule: a page without G belongs to its address space, also when the page beside it, with which it
 * makes a pair, has G; a flush of its ASID takes it. kernel/abi/disco.h.
 *
 * Method: kernel pages of which either half of the pair has G, used in either order, then replaced
 * and flushed by page and by address space.
 */
#include "tests/guest/walk.h"

static table_t kernel_root[2] __attribute__((aligned(PAGE_SIZE))),
	kernel_middle __attribute__((aligned(PAGE_SIZE))),
	kernel_last __attribute__((aligned(PAGE_SIZE)));

static u64 see(u64 va) { return *(volatile u64 *)va; }

static void map(u64 va, unsigned page, u64 bits)
{
	*walk_entry(kernel_last, va) = PTE(page_pa(page), PRESENT | WRITE | WRITE_BITS | bits);
}

/* other: the page with G; first: the one that is used first. */
static void half(const char *what, u64 va, u64 other, u64 first)
{
	const struct trap *t;

	map(va, 0, 0);
	map(other, 1, GLOBAL);
	walk_flush(0, 0, DISCO_ALL_ASIDS);
	see(first);
	check_eq(what, see(va), 0);
	check_eq(what, see(other), 1);
	map(va, 2, 0);
	walk_flush(va, PAGE_SIZE, 1);
	check_eq(text("%s: after a flush of the page", what), see(va), 2);
	map(va, 3, 0);
	walk_flush(0, 0, 1);
	check_eq(text("%s: after a flush of the space", what), see(va), 3);
	walk_switch(2, walk_root);
	map(va, 4, 0);
	walk_flush(va, PAGE_SIZE, 2);
	check_eq(text("%s: in another space", what), see(va), 4);
	walk_switch(1, walk_root);
	walk_flush(0, 0, 1);
	check_eq(text("%s: and back", what), see(va), 4);
	*walk_entry(kernel_last, va) = 0;
	walk_flush(0, 0, 1);
	t = load(MODE_KERNEL, va);
	check_fault(what, t, EXC_TLBL, 0, va);
	map(other, 5, GLOBAL);
	walk_flush(other, PAGE_SIZE, DISCO_ALL_ASIDS);
	check_eq(text("%s: the one with G", what), see(other), 5);
}

int main(void)
{
	need_monitor();
	for (unsigned i = 0; i < 8; i++)
		page_va(i)[0] = i;
	walk_tables();
	kernel_root[VA_CSSEG >> 39 & 1][VA_CSSEG >> 30 & 511] = walk_pointer(kernel_middle);
	kernel_middle[VA_CSSEG >> 21 & 511] = walk_pointer(kernel_last);
	walk_describe(walk_pointer(kernel_root[0]));
	check_eq("MMU_SETUP", (u64)walk_setup(), 0);
	walk_switch(1, walk_root);
	for (u64 i = 0; i < 2; i++) {
		u64 va = VA_CSSEG + i * PAGE_SIZE, other = va ^ PAGE_SIZE;

		half(text("page %lu, used first", (unsigned long)i), va, other, va);
		half(text("page %lu, used second", (unsigned long)i), va, other, other);
	}
	return verdict();
}
