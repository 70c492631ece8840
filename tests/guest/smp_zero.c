/* SPDX-License-Identifier: MIT */
/*
 * Rule: memory that nobody has written is zero for every VCPU, however it is read and in what order; what one of them
 * writes there all others see, also those that have read the zeroes before, and nothing else changes with it; LL and SC work
 * there as elsewhere. kernel/abi/disco.h; kernel/mem/pmap_zero.c.
 *
 * Method: four VCPUs on four nodes read all of 8 MB through both windows, then take turns in writing pages of it: who has
 * read a page waits for the value in the page itself. Then they count in pages that were only read, by LL and SC,
 * and one goes by a mapping of user memory. At the end what was never written is zero.
 *
 * Needs: vcpus=4 nodes=4 memory=16
 */
#include "tests/guest/smp.h"

#define VCPUS	4
#define PAGES	2048 /* eight blocks of 1 MB, which each come with their first write */
#define TURNS	32
#define STRIDE	(PAGES / TURNS / 2) /* in the first half */
#define COUNTED (PAGES / 2 + 128)   /* pages from here on are counted in, in a block of their own */
#define COUNTS	8
#define TIMES	200
#define USER	(PAGES - 512)

static volatile u64 ready, readers, counters, bad;

static volatile u64 *in_xsseg(unsigned page)
{
	return (volatile u64 *)(DISCO_XSSEG_BASE + page_pa(page));
}

static void read_all(u64 id)
{
	u64 sum = 0;

	for (unsigned i = 0; i < PAGES; i++) {
		unsigned page = (i * 7 + (unsigned)id * 501) % PAGES;

		sum |= page_va(page)[id] | in_xsseg(page)[511 - id];
	}
	if (sum)
		smp_add(&bad, 1);
}

static void take_turns(u64 id)
{
	for (unsigned turn = 0; turn < TURNS; turn++) {
		volatile u64 *word = page_va(turn * STRIDE);

		if (turn % VCPUS == id)
			*word = turn + 1;
		smp_wait(word, turn + 1);
		if (word[1] || word[511] || page_va(turn * STRIDE + 1)[0])
			smp_add(&bad, 1);
	}
}

static void count(void)
{
	for (unsigned i = 0; i < TIMES; i++)
		smp_add(page_va(COUNTED + i % COUNTS), 1);
}

static void run(u64 id)
{
	smp_add(&ready, 1);
	smp_wait(&ready, VCPUS);
	read_all(id);
	smp_add(&readers, 1);
	smp_wait(&readers, VCPUS);
	take_turns(id);
	count();
	smp_add(&counters, 1);
}

static void user_memory(void)
{
	tlb_map_at(TLB_FREE, VA_USER, 0, LO_RW(page_pa(USER)), LO_RW(page_pa(USER + 1)));
	check_eq("user page", *(volatile u64 *)VA_USER | *(volatile u64 *)(VA_USER + PAGE_SIZE), 0);
	*(volatile u64 *)(VA_USER + PAGE_SIZE + 8) = 42;
	check_eq("user page, written", page_va(USER + 1)[1], 42);
	check_eq("user page beside it", *(volatile u64 *)VA_USER | page_va(USER)[1], 0);
	page_va(USER)[0] = 43;
	check_eq("user page, by its window", *(volatile u64 *)VA_USER, 43);
	page_va(USER)[0] = page_va(USER + 1)[1] = 0;
}

int main(void)
{
	u64 sum = 0;

	need_monitor();
	for (unsigned id = 1; id < VCPUS; id++)
		check_eq("start", (u64)smp_start(id, run, id), 0);
	run(0);
	smp_wait(&counters, VCPUS);
	check_eq("words that were not zero", bad, 0);
	check_eq("waits that came to nothing", smp_late, 0);
	for (unsigned i = 0; i < COUNTS; i++)
		check_eq("counts", page_va(COUNTED + i)[0], VCPUS * TIMES / COUNTS);
	user_memory();
	for (unsigned i = 0; i < TURNS; i++)
		page_va(i * STRIDE)[0] = 0;
	for (unsigned i = 0; i < COUNTS; i++)
		page_va(COUNTED + i)[0] = 0;
	for (unsigned i = 0; i < PAGES; i++)
		for (unsigned word = 0; word < PAGE_SIZE / 8; word += 73)
			sum |= page_va(i)[word];
	check_eq("what was never written", sum, 0);
	return verdict();
}
