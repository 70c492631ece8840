/* SPDX-License-Identifier: MIT */
/*
 * What memory costs that is used for the first time, PAGES of it a page after the other, by what is done with it first, between the marks of a unit
 * (qemu/flash): memory.py has their names.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE  4096
#define PAGES 4096
#define MB    (1 << 20)

#define BEGIN(unit) asm volatile("sltiu $0, $0, %0" : : "i"(0x5100 + (unit)) : "memory")
#define END(unit)   asm volatile("sltiu $0, $0, %0" : : "i"(0x5200 + (unit)) : "memory")

static volatile uint64_t *fresh(void) { return aligned_alloc(MB, PAGES * PAGE); }

static uint64_t read_all(const volatile uint64_t *word)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < PAGES; i++)
		sum += word[i * PAGE / 8 + i % 16];
	return sum;
}

int main(void)
{
	volatile uint64_t *table = fresh(), *counters = fresh(), *results = fresh();
	uint64_t sum = 0;

	if (!table || !counters || !results)
		return 1;
	BEGIN(80);
	sum += read_all(table);
	END(80);
	BEGIN(81);
	sum += read_all(table);
	END(81);
	BEGIN(82);
	for (unsigned i = 0; i < PAGES; i++)
		counters[i * PAGE / 8]++;
	END(82);
	BEGIN(83);
	for (unsigned i = 0; i < PAGES; i++)
		results[i * PAGE / 8] = i;
	END(83);
	BEGIN(84); /* a table that was looked through, and gets an entry in one page of 16 */
	for (unsigned i = 0; i < PAGES; i += 16)
		table[i * PAGE / 8] = 1;
	END(84);
	printf("zero: %s\n", sum ? "not zero" : "done");
	return 0;
}
