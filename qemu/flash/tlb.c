/* SPDX-License-Identifier: MIT */
/* TLBs of a given size in QEMU 7.2: what is found in it, and what is changed. */
#define _GNU_SOURCE /* dladdr1, dl_iterate_phdr, process_vm_readv */
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "qemu/flash/flash.h"
#include "qemu/flash/tlb.h"

#define NAME	       "I6500"
#define PRID	       0x1b000
#define DEFINED	       16 /* entries */
#define CONFIG1_SHIFT  25 /* MMUSize: entries - 1, 6 bits */
#define CONFIG1_MASK   0x3f
#define CONFIG4_EXTDEF (3u << 14) /* VTLBSizeExt has more bits of the same */
#define CONFIG4_SHIFT  24	  /* VTLBSizeExt */

/* ---- pure ---- */

static unsigned entries_of(const struct tlb_processor *p)
{
	return ((uint32_t)p->config1 >> CONFIG1_SHIFT & CONFIG1_MASK) + 1;
}

static bool is_the_one(const struct tlb_processor *p, tlb_read_fn read)
{
	char name[sizeof(NAME)];

	return p->prid == PRID && entries_of(p) == DEFINED && read(name, p->name, sizeof(name)) &&
	       !memcmp(name, NAME, sizeof(name));
}

struct tlb_processor *tlb_find_processor(void *descriptions, size_t bytes, tlb_read_fn read)
{
	struct tlb_processor *found = NULL;

	for (size_t at = 0; at + sizeof(*found) <= bytes; at += sizeof(void *)) {
		struct tlb_processor *p = (void *)((char *)descriptions + at);

		if (!is_the_one(p, read))
			continue;
		if (found)
			return NULL;
		found = p;
	}
	return found;
}

void tlb_set_entries(struct tlb_processor *p, unsigned entries)
{
	uint32_t last = entries - 1;

	p->config1 = (int32_t)(((uint32_t)p->config1 & ~((uint32_t)CONFIG1_MASK << CONFIG1_SHIFT)) |
			       (last & CONFIG1_MASK) << CONFIG1_SHIFT);
	if (last > CONFIG1_MASK)
		p->config4 = (int32_t)((uint32_t)p->config4 | CONFIG4_EXTDEF |
				       last >> 6 << CONFIG4_SHIFT);
}

static bool is_tlb(const struct tlb_context *t, unsigned entries, tlb_is_code_fn is_code)
{
	return t->entries == entries && t->in_use == entries && is_code(t->map_address) &&
	       is_code((void *)t->tlbwi) && is_code((void *)t->tlbwr) && is_code((void *)t->tlbp) &&
	       is_code((void *)t->tlbr) && is_code((void *)t->tlbinv) &&
	       is_code((void *)t->tlbinvf) && t->tlbwi != t->tlbwr;
}

struct tlb_context *tlb_find(const void *processor, size_t bytes, unsigned entries,
			     tlb_read_fn read, tlb_is_code_fn is_code)
{
	struct tlb_context *found = NULL, *t, copy;

	for (size_t at = 0; at + sizeof(t) <= bytes; at += sizeof(t)) {
		memcpy(&t, (const char *)processor + at, sizeof(t));
		if ((uintptr_t)t % sizeof(void *) || t == found || !read(&copy, t, sizeof(copy)) ||
		    !is_tlb(&copy, entries, is_code))
			continue;
		if (found)
			return NULL;
		found = t;
	}
	return found;
}

/* ---- this process ---- */

static bool read_own(void *to, const void *from, size_t bytes)
{
	struct iovec here = { to, bytes }, there = { (void *)from, bytes };

	return from && process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)bytes;
}

/* The program is the first that dl_iterate_phdr tells of. */
static int in_program(struct dl_phdr_info *info, size_t size, void *address)
{
	uintptr_t at = (uintptr_t)address - info->dlpi_addr;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X &&
		    at - info->dlpi_phdr[i].p_vaddr < info->dlpi_phdr[i].p_memsz)
			return 1;
	return -1;
}

static bool is_code(const void *address)
{
	return dl_iterate_phdr(in_program, (void *)address) == 1;
}

/* The descriptions are constant data that hold addresses: read-only once the program is loaded. */
static bool change_description(struct tlb_processor *p, unsigned entries)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *start = (char *)((uintptr_t)p & ~(page - 1));
	size_t bytes = (char *)(p + 1) - start;

	if (mprotect(start, bytes, PROT_READ | PROT_WRITE))
		return false;
	tlb_set_entries(p, entries);
	return mprotect(start, bytes, PROT_READ) == 0;
}

bool tlb_define(unsigned entries, char *why, size_t bytes)
{
	void *descriptions = dlsym(RTLD_DEFAULT, "mips_defs");
	struct tlb_processor *p;
	const ElfW(Sym) * symbol;
	Dl_info info;

	if (!descriptions || !dladdr1(descriptions, &info, (void **)&symbol, RTLD_DL_SYMENT)) {
		snprintf(why, bytes, "tlb=%u: found no mips_defs: not the QEMU known", entries);
		return false;
	}
	p = tlb_find_processor(descriptions, symbol->st_size, read_own);
	if (!p || !change_description(p, entries)) {
		snprintf(why, bytes,
			 "tlb=%u: found no " NAME " with %u TLB entries: not the QEMU known",
			 entries, DEFINED);
		return false;
	}
	return true;
}

/* ---- the processors ---- */

static struct {
	const char *object; /* its CPUState, whose bytes have env among them */
	size_t bytes;
	struct tlb_context *tlb;
	void (*tlbwr)(void *env);
} taken[MAX_CPUS];

static void write_random(void *env)
{
	unsigned i = 0;

	while ((size_t)((char *)env - taken[i].object) >= taken[i].bytes)
		i++;
	taken[i].tlb->in_use = TLB_MAX;
	taken[i].tlbwr(env);
	taken[i].tlb->in_use = taken[i].tlb->entries;
}

bool tlb_take(unsigned cpu, const void *processor, unsigned entries, char *why, size_t bytes)
{
	size_t size = malloc_usable_size((void *)processor);
	unsigned made = entries > TLB_CONFIG1 ? TLB_CONFIG1 : entries;
	struct tlb_context *t = tlb_find(processor, size, made, read_own, is_code);

	if (!t) {
		snprintf(why, bytes,
			 "tlb=%u: found no TLB of processor %u, needed: -cpu " NAME
			 " in the QEMU known",
			 entries, cpu);
		return false;
	}
	taken[cpu].object = processor;
	taken[cpu].bytes = size;
	taken[cpu].tlb = t;
	taken[cpu].tlbwr = t->tlbwr;
	t->entries = t->in_use = entries;
	t->tlbwr = write_random;
	return true;
}
