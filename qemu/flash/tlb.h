/* SPDX-License-Identifier: MIT */
/*
 * The processors' TLBs: as many dual entries as the option tlb says, and none behind them.
 *
 * QEMU has an I6500 with 16 entries. TLBWR puts what it replaces into one of 112 more, which nobody can see and which
 * translate like the others: programs that need up to 128 entries never miss. The model makes the entries that are seen
 * as many as it is told, and keeps QEMU from using the others. Which entry TLBWR replaces is QEMU's own
 * random number, the next one of one row for all processors: equal runs are equal.
 *
 * Two things of QEMU are changed for that, both found by what is in them and not by where they should be:
 *
 *   the description of the I6500   before the machine is made: Config1 says how many entries there are, and QEMU makes
 *                                  as many; 128 do not fit there, Config4 has the rest
 *   each processor's TLB           once it is made: the word that says how many entries are in use is 128 while TLBWR
 *                                  works, so that it finds no room to keep anything, and back afterwards
 */
#ifndef QEMU_FLASH_TLB_H
#define QEMU_FLASH_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLB_QEMU    0	/* the option's value that leaves all as it is */
#define TLB_MAX	    128 /* entries that QEMU has room for */
#define TLB_CONFIG1 64	/* that Config1 can say */

/* As QEMU 7.2 has it (target/mips: struct CPUMIPSTLBContext); the entries follow. */
struct tlb_context {
	uint32_t entries, in_use;
	void *map_address;
	void (*tlbwi)(void *env), (*tlbwr)(void *env), (*tlbp)(void *env), (*tlbr)(void *env),
		(*tlbinv)(void *env), (*tlbinvf)(void *env);
};

/* The beginning of a description (struct mips_def_t). */
struct tlb_processor {
	const char *name;
	int32_t prid, config0, config1, config2, config3, config4;
};

/* Memory of QEMU that may be anything: copies bytes from an address; false: there is none. */
typedef bool (*tlb_read_fn)(void *to, const void *from, size_t bytes);
/* It is an address in QEMU's own program. */
typedef bool (*tlb_is_code_fn)(const void *address);

/* ---- pure, but for what the functions given do ---- */

/* The I6500 among the descriptions in so many bytes, which has 16 entries; NULL: there is none, or two. */
struct tlb_processor *tlb_find_processor(void *descriptions, size_t bytes, tlb_read_fn read);
void tlb_set_entries(struct tlb_processor *p, unsigned entries);
/* The TLB with so many entries to which a word of the processor's bytes points; NULL: none does, or two. */
struct tlb_context *tlb_find(const void *processor, size_t bytes, unsigned entries,
			     tlb_read_fn read, tlb_is_code_fn is_code);

/* ---- for plugin.c; false: why says what was not as it should be ---- */

bool tlb_define(unsigned entries, char *why, size_t bytes); /* before the machine is made */
bool tlb_take(unsigned cpu, const void *processor, unsigned entries, char *why, size_t bytes);

#endif /* QEMU_FLASH_TLB_H */
