/* SPDX-License-Identifier: MIT */
/*
 * Rule: pages that all VCPUs read are replicated, and a write to one is seen by all of them at
 * once, whoever writes and whatever copies there are. docs/tour.md.
 *
 * Method: eight VCPUs add up 24 pages, over and over, and compare; then one of them, each in turn,
 * writes a word of every page, and all of them look for it, in the window and in xsseg, before they
 * go on reading. rounds=N: how often each adds up before each write, instead of 30.
 *
 * Needs: vcpus=8 nodes=8
 */
#include "tests/guest/numa.h"

#define PAGES 24

static volatile u64 wrong, over;
static volatile u64 expected;
static u64 rounds;

static u64 add_up(void)
{
	u64 sum = 0;

	for (unsigned p = 0; p < PAGES; p++)
		for (unsigned w = 0; w < PAGE_WORDS; w += LINE_WORDS)
			sum += page_va(p)[w];
	return sum;
}

static void write_all(u64 id)
{
	for (unsigned p = 0; p < PAGES; p++) {
		page_va(p)[16 * id] += 1000 + id;
		expected += 1000 + id;
	}
}

static u64 look(u64 writer, u64 before[PAGES])
{
	u64 bad = 0;

	for (unsigned p = 0; p < PAGES; p++) {
		volatile u64 *there = (volatile u64 *)(DISCO_XSSEG_BASE + page_pa(p));

		bad += page_va(p)[16 * writer] != before[p] + 1000 + writer;
		bad += there[16 * writer] != before[p] + 1000 + writer;
	}
	return bad;
}

static void reader(u64 id)
{
	for (u64 writer = 0; writer < SMP; writer++) {
		u64 before[PAGES], bad = 0;

		for (unsigned n = 0; n < rounds; n++)
			bad += add_up() != expected;
		for (unsigned p = 0; p < PAGES; p++)
			before[p] = page_va(p)[16 * writer];
		numa_meet();
		if (writer == id)
			write_all(id);
		numa_meet();
		bad += look(writer, before) + (add_up() != expected);
		smp_add(&wrong, bad);
		numa_meet();
	}
	smp_add(&over, 1);
}

int main(void)
{
	need_monitor();
	rounds = guest_number("rounds=", 30);
	for (unsigned p = 0; p < PAGES; p++)
		for (unsigned w = 0; w < PAGE_WORDS; w++)
			page_va(p)[w] = (u64)p * 7 + w;
	expected = add_up();
	smp_start_all(reader);
	reader(0);
	check(smp_wait(&over, SMP), "%lu VCPUs ended", (unsigned long)over);
	check_eq("wrong sums and words", wrong, 0);
	return verdict();
}
