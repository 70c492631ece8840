/* SPDX-License-Identifier: MIT */
/*
 * Checks ELF64 images of guest kernels (System V ABI, chapters 4 and 5; MIPS supplement for
 * e_flags). Fields are copied out before they are used, so an image at any alignment works. Does
 * not load and does not look at section headers.
 */
#include "kernel/vm/elf.h"

#include <string.h>

#include "kernel/abi/disco.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/reloc/window.h"

struct elf64_header {
	u8 ident[16];
	u16 type;
	u16 machine;
	u32 version;
	u64 entry;
	u64 phoff;
	u64 shoff;
	u32 flags;
	u16 ehsize;
	u16 phentsize;
	u16 phnum;
	u16 shentsize;
	u16 shnum;
	u16 shstrndx;
};

struct elf64_segment {
	u32 type;
	u32 flags;
	u64 offset;
	u64 vaddr;
	u64 paddr;
	u64 filesz;
	u64 memsz;
	u64 align;
};

_Static_assert(sizeof(struct elf64_header) == 64, "ELF64 header layout");
_Static_assert(sizeof(struct elf64_segment) == 56, "ELF64 program header layout");

#define EI_CLASS	4
#define EI_DATA		5
#define CLASS_64	2
#define DATA_LSB	1
#define TYPE_EXEC	2
#define MACHINE_MIPS	8
#define FLAGS_ARCH	0xf0000000u
#define FLAGS_ARCH_64R6 0xa0000000u
#define PT_LOAD		1
#define PF_X		1

/* One line in why; evaluates to the error. */
#define FAIL(...) (ksnprintf(why, why_size, __VA_ARGS__), -ENOEXEC)

static int check_ident(const struct elf64_header *h, char *why, size_t why_size)
{
	if (memcmp(h->ident, "\177ELF", 4) != 0)
		return FAIL("ELF magic: found %02x %02x %02x %02x, allowed 7f 45 4c 46",
			    h->ident[0], h->ident[1], h->ident[2], h->ident[3]);
	if (h->ident[EI_CLASS] != CLASS_64)
		return FAIL("ELF class: found %u, allowed 2 (64 bit)", h->ident[EI_CLASS]);
	if (h->ident[EI_DATA] != DATA_LSB)
		return FAIL("ELF byte order: found %u, allowed 1 (little endian)",
			    h->ident[EI_DATA]);
	return 0;
}

static int check_header(const struct elf64_header *h, size_t size, char *why, size_t why_size)
{
	int err = check_ident(h, why, why_size);

	if (err)
		return err;
	if (h->type != TYPE_EXEC)
		return FAIL("ELF type: found %u, allowed 2 (executable)", h->type);
	if (h->machine != MACHINE_MIPS)
		return FAIL("ELF machine: found %u, allowed 8 (MIPS)", h->machine);
	if ((h->flags & FLAGS_ARCH) != FLAGS_ARCH_64R6)
		return FAIL(
			"ELF architecture: found flags 0x%x, allowed 0x%x (MIPS64R6) in the top digit",
			(unsigned int)h->flags, FLAGS_ARCH_64R6);
	if (h->phentsize != sizeof(struct elf64_segment))
		return FAIL("ELF program header size: found %u, allowed 56", h->phentsize);
	if (h->phnum == 0)
		return FAIL("ELF program headers: found 0, allowed 1 or more");
	if (h->phoff > size || size - h->phoff < (u64)h->phnum * sizeof(struct elf64_segment))
		return FAIL("ELF program headers: found %u at offset 0x%llx, file ends at 0x%llx",
			    h->phnum, (unsigned long long)h->phoff, (unsigned long long)size);
	return 0;
}

/* Guest "physical" address of one in the image; beyond all memory: it is in none of its segments. */
static u64 phys_of(u64 va, bool native)
{
	return native ? window_of_direct(va) : va - DISCO_CSSEG_BASE;
}

static int check_segment(const struct elf64_segment *p, unsigned int i, size_t size, u64 phys_limit,
			 bool native, char *why, size_t why_size)
{
	u64 phys = phys_of(p->vaddr, native), base = native ? NATIVE_KSEG0 : DISCO_CSSEG_BASE;

	if (p->filesz > p->memsz)
		return FAIL(
			"ELF segment %u: found file size 0x%llx, allowed up to its memory size 0x%llx",
			i, (unsigned long long)p->filesz, (unsigned long long)p->memsz);
	if (p->offset > size || size - p->offset < p->filesz)
		return FAIL(
			"ELF segment %u: found 0x%llx bytes at offset 0x%llx, file ends at 0x%llx",
			i, (unsigned long long)p->filesz, (unsigned long long)p->offset,
			(unsigned long long)size);
	if (phys >= DISCO_CSSEG_WINDOW || DISCO_CSSEG_WINDOW - phys < p->memsz)
		return FAIL("ELF segment %u: found address 0x%llx, size 0x%llx, "
			    "allowed 0x%llx up to 0x%llx",
			    i, (unsigned long long)p->vaddr, (unsigned long long)p->memsz,
			    (unsigned long long)base,
			    (unsigned long long)base + DISCO_CSSEG_WINDOW);
	if (phys > phys_limit || phys_limit - phys < p->memsz)
		return FAIL(
			"ELF segment %u: found end 0x%llx in guest memory, allowed up to its size 0x%llx",
			i, (unsigned long long)(phys + p->memsz), (unsigned long long)phys_limit);
	return 0;
}

static int check_overlap(const struct elf_image *image, unsigned int i, char *why, size_t why_size)
{
	const struct elf_segment *s = &image->segs[image->nsegs];
	unsigned int k;

	for (k = 0; k < image->nsegs; k++) {
		const struct elf_segment *o = &image->segs[k];

		if (s->phys.v < o->phys.v + o->memsz && o->phys.v < s->phys.v + s->memsz)
			return FAIL(
				"ELF segment %u: found at 0x%llx, inside another segment at 0x%llx",
				i, (unsigned long long)s->phys.v, (unsigned long long)o->phys.v);
	}
	return 0;
}

static bool entry_is_executable(const struct elf_image *image, u64 phys)
{
	unsigned int i;

	for (i = 0; i < image->nsegs; i++) {
		const struct elf_segment *s = &image->segs[i];

		/* file-backed: an entry in the zeroed tail is no program */
		if (s->exec && phys >= s->phys.v && phys - s->phys.v < s->filesz)
			return (phys & 3) == 0;
	}
	return false;
}

static int add_segment(struct elf_image *out, const u8 *image, const struct elf64_segment *p,
		       unsigned int i, bool native, char *why, size_t why_size)
{
	struct elf_segment *s = &out->segs[out->nsegs];
	int err;

	if (out->nsegs == ELF_MAX_SEGMENTS)
		return FAIL("ELF segments: found more than %u to load, allowed 1..%u",
			    ELF_MAX_SEGMENTS, ELF_MAX_SEGMENTS);
	*s = (struct elf_segment){
		.phys = { phys_of(p->vaddr, native) },
		.src = image + p->offset,
		.filesz = p->filesz,
		.memsz = p->memsz,
		.exec = (p->flags & PF_X) != 0,
	};
	err = check_overlap(out, i, why, why_size);
	if (err)
		return err;
	out->end.v = MAX(out->end.v, s->phys.v + s->memsz);
	out->nsegs++;
	return 0;
}

int elf_check(const void *image, size_t size, u64 phys_limit, bool native, struct elf_image *out,
	      char *why, size_t why_size)
{
	const u8 *bytes = image;
	struct elf64_header h;
	struct elf64_segment p;
	unsigned int i;
	int err;

	if (size < sizeof(h))
		return FAIL("ELF header: found a file of %llu bytes, allowed 64 or more",
			    (unsigned long long)size);
	memcpy(&h, bytes, sizeof(h));
	err = check_header(&h, size, why, why_size);
	if (err)
		return err;
	out->entry = phys_of(h.entry, native) + DISCO_CSSEG_BASE;
	out->end.v = 0;
	out->nsegs = 0;
	for (i = 0; i < h.phnum; i++) {
		memcpy(&p, bytes + h.phoff + (u64)i * sizeof(p), sizeof(p));
		if (p.type != PT_LOAD || p.memsz == 0)
			continue;
		err = check_segment(&p, i, size, phys_limit, native, why, why_size);
		if (!err)
			err = add_segment(out, bytes, &p, i, native, why, why_size);
		if (err)
			return err;
	}
	if (out->nsegs == 0)
		return FAIL("ELF segments: found none to load, allowed 1..%u", ELF_MAX_SEGMENTS);
	if (!entry_is_executable(out, phys_of(h.entry, native)))
		return FAIL(
			"ELF entry: found 0x%llx, allowed a 4-byte aligned address in an executable segment",
			(unsigned long long)h.entry);
	return 0;
}
