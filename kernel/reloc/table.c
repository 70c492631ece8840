/* SPDX-License-Identifier: MIT */
/* Relocations of MIPS64 ELF files (System V ABI; 64-bit ELF Object File Specification, MIPS, table 32). */
#include "kernel/reloc/table.h"

#include <string.h>

#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/reloc/window.h"

struct elf64_section {
	u32 name, type;
	u64 flags, addr, offset, size;
	u32 link, info;
	u64 addralign, entsize;
};

struct elf64_rela {
	u64 offset;
	u32 sym;
	u8 special, type3, type2, type;
	u64 addend;
};

struct elf64_symbol {
	u32 name;
	u8 info, other;
	u16 index;
	u64 value, size;
};

_Static_assert(sizeof(struct elf64_section) == 64, "ELF64 section header layout");
_Static_assert(sizeof(struct elf64_rela) == 24, "ELF64 MIPS relocation layout");
_Static_assert(sizeof(struct elf64_symbol) == 24, "ELF64 symbol layout");

#define HEADER_SHOFF	 0x28 /* offsets in the ELF header */
#define HEADER_SHENTSIZE 0x3a
#define HEADER_SHNUM	 0x3c
#define SHT_SYMTAB	 2
#define SHT_RELA	 4
#define SHT_REL		 9
#define SHF_ALLOC	 2

/* One line in why; evaluates to the error. */
#define FAIL(...) (ksnprintf(why, why_size, __VA_ARGS__), -ENOEXEC)

/*
 * The types, by number. A field is the lowest bits of the place: those of (value + carry) >> shift. Places that
 * are relative, to pc or to gp, move together with what they name; JALR is a hint.
 */
enum kind { UNKNOWN, RELATIVE, FIELD };
static const struct type {
	u8 kind, bytes, bits, shift;
	u64 carry;
} types[256] = {
	[0] = { RELATIVE, 0, 0, 0, 0 },		     /* NONE */
	[2] = { FIELD, 4, 32, 0, 0 },		     /* 32 */
	[4] = { FIELD, 4, 26, 2, 0 },		     /* 26 */
	[5] = { FIELD, 4, 16, 16, 0x8000 },	     /* HI16 */
	[6] = { FIELD, 4, 16, 0, 0 },		     /* LO16 */
	[7] = { RELATIVE, 4, 0, 0, 0 },		     /* GPREL16 */
	[10] = { RELATIVE, 4, 0, 0, 0 },	     /* PC16 */
	[12] = { RELATIVE, 4, 0, 0, 0 },	     /* GPREL32 */
	[18] = { FIELD, 8, 64, 0, 0 },		     /* 64 */
	[28] = { FIELD, 4, 16, 32, 0x80008000 },     /* HIGHER */
	[29] = { FIELD, 4, 16, 48, 0x800080008000 }, /* HIGHEST */
	[37] = { RELATIVE, 4, 0, 0, 0 },	     /* JALR */
	[60] = { RELATIVE, 4, 0, 0, 0 },	     /* PC21_S2 */
	[61] = { RELATIVE, 4, 0, 0, 0 },	     /* PC26_S2 */
	[62] = { RELATIVE, 4, 0, 0, 0 },	     /* PC18_S3 */
	[63] = { RELATIVE, 4, 0, 0, 0 },	     /* PC19_S2 */
	[64] = { RELATIVE, 4, 0, 0, 0 },	     /* PCHI16 */
	[65] = { RELATIVE, 4, 0, 0, 0 },	     /* PCLO16 */
	[248] = { RELATIVE, 4, 0, 0, 0 },	     /* PC32 */
};

static bool inside(u64 offset, u64 bytes, u64 size)
{
	return offset <= size && bytes <= size - offset;
}

static struct elf64_section section(const struct reloc_table *t, u32 i)
{
	struct elf64_section s;

	memcpy(&s, t->image + t->headers + (u64)i * sizeof(s), sizeof(s));
	return s;
}

int reloc_begin(struct reloc_table *t, const void *image, size_t size,
		const struct elf_image *kernel, char *why, size_t why_size)
{
	const u8 *bytes = image;
	u16 entry, n;

	*t = (struct reloc_table){ .image = image, .size = size, .kernel = kernel };
	memcpy(&t->headers, bytes + HEADER_SHOFF, sizeof(t->headers));
	memcpy(&entry, bytes + HEADER_SHENTSIZE, sizeof(entry));
	memcpy(&n, bytes + HEADER_SHNUM, sizeof(n));
	if (!t->headers || !n)
		return 0;
	if (entry != sizeof(struct elf64_section))
		return FAIL("ELF section header size: found %u, allowed 64", entry);
	if (!inside(t->headers, (u64)n * entry, size))
		return FAIL("ELF section headers: found %u at offset 0x%llx, file ends at 0x%llx",
			    n, (unsigned long long)t->headers, (unsigned long long)size);
	t->nsections = n;
	return 0;
}

/* The section is a table of places that are loaded: 1, with its symbols in *symbols; 0: it is not. */
static int check_table(const struct reloc_table *t, const struct elf64_section *s,
		       struct elf64_section *symbols, char *why, size_t why_size)
{
	if ((s->type != SHT_RELA && s->type != SHT_REL) || s->info >= t->nsections ||
	    !(section(t, s->info).flags & SHF_ALLOC))
		return 0;
	if (s->type == SHT_REL)
		return FAIL("ELF section %u: found relocations without addends (REL), allowed RELA",
			    t->section);
	if (!inside(s->offset, s->size, t->size) || s->size % sizeof(struct elf64_rela))
		return FAIL("ELF section %u: found relocations of 0x%llx bytes at offset 0x%llx, "
			    "allowed a multiple of 24 up to the file's end at 0x%llx",
			    t->section, (unsigned long long)s->size, (unsigned long long)s->offset,
			    (unsigned long long)t->size);
	if (s->link >= t->nsections)
		return FAIL("ELF section %u: found symbols in section %u, allowed 0..%u",
			    t->section, (unsigned int)s->link, t->nsections - 1);
	*symbols = section(t, s->link);
	if (symbols->type != SHT_SYMTAB || !inside(symbols->offset, symbols->size, t->size))
		return FAIL("ELF section %u: found symbols in section %u, which is no symbol table "
			    "within the file",
			    t->section, (unsigned int)s->link);
	return 1;
}

/* The bytes of a place in the image; NULL: it is not loaded from there. */
static const u8 *find_place(const struct reloc_table *t, u64 va, u64 bytes, gpa_t *at)
{
	u64 phys = window_of_direct(va);

	for (unsigned int i = 0; i < t->kernel->nsegs; i++) {
		const struct elf_segment *s = &t->kernel->segs[i];

		if (phys < s->phys.v || !inside(phys - s->phys.v, bytes, s->filesz))
			continue;
		at->v = phys;
		return (const u8 *)s->src + (phys - s->phys.v);
	}
	return NULL;
}

static u64 field_of(const struct type *type, u64 value)
{
	value = (value + type->carry) >> type->shift;
	return type->bits == 64 ? value : value & (BIT(type->bits) - 1);
}

/* The address that value is moved to; itself: it is none of KSEG0 and KSEG1, or none that a window shows. */
static u64 moved(u64 value)
{
	u64 phys = window_of_direct(value);

	return phys < DISCO_CSSEG_WINDOW ? phys + DISCO_CSSEG_BASE : value;
}

/* The place of a FIELD, against the image's bytes, and what it becomes. */
static int move_field(const struct reloc_table *t, const struct elf64_rela *r, u64 value,
		      struct reloc *out, char *why, size_t why_size)
{
	const struct type *type = &types[r->type];
	const u8 *place = find_place(t, r->offset, type->bytes, &out->at);
	u64 word = 0, keep = type->bits == 64 ? 0 : ~0ul << type->bits;

	if (!place)
		return FAIL("ELF section %u: found a relocation of 0x%llx, allowed places that are "
			    "loaded from the file",
			    t->section, (unsigned long long)r->offset);
	memcpy(&word, place, type->bytes);
	if ((word & ~keep) != field_of(type, value))
		return FAIL("ELF section %u: found 0x%llx at 0x%llx, whose relocation of type %u "
			    "says 0x%llx: the table is not this image's",
			    t->section, (unsigned long long)(word & ~keep),
			    (unsigned long long)r->offset, r->type,
			    (unsigned long long)field_of(type, value));
	out->value = (word & keep) | field_of(type, moved(value));
	if (out->value != word)
		out->bytes = type->bytes;
	out->left = window_of_direct(value) != NO_WINDOW && moved(value) == value;
	return 1;
}

static int examine(const struct reloc_table *t, const struct elf64_section *symbols,
		   const struct elf64_rela *r, struct reloc *out, char *why, size_t why_size)
{
	const struct type *type = &types[r->type];
	struct elf64_symbol s = { 0 };
	u64 value;

	*out = (struct reloc){ .where = r->offset, .type = r->type };
	if ((u64)r->sym >= symbols->size / sizeof(s))
		return FAIL("ELF section %u: found symbol %u, allowed 0..%llu", t->section,
			    (unsigned int)r->sym,
			    (unsigned long long)(symbols->size / sizeof(s)) - 1);
	memcpy(&s, t->image + symbols->offset + (u64)r->sym * sizeof(s), sizeof(s));
	value = s.value + r->addend;
	if (type->kind == FIELD && !r->type2 && !r->type3)
		return move_field(t, r, value, out, why, why_size);
	if (type->kind == UNKNOWN || r->type2 || r->type3)
		out->left = true;
	else if (type->bytes && r->sym && window_of_direct(value) == NO_WINDOW)
		out->left = r->type != 7 && r->type != 12; /* gp's are small numbers */
	return 1;
}

int reloc_next(struct reloc_table *t, struct reloc *out, char *why, size_t why_size)
{
	for (; t->section < t->nsections; t->section++, t->entry = 0) {
		struct elf64_section s = section(t, t->section), symbols;
		struct elf64_rela r;
		int err = check_table(t, &s, &symbols, why, why_size);

		if (err < 0)
			return err;
		if (!err || t->entry >= s.size / sizeof(r))
			continue;
		t->any = true;
		memcpy(&r, t->image + s.offset + t->entry++ * sizeof(r), sizeof(r));
		return examine(t, &symbols, &r, out, why, why_size);
	}
	return 0;
}
