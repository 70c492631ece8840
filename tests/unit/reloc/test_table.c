/* SPDX-License-Identifier: MIT */
/* kernel/reloc/table.c: one image with a relocation of each type, then one change at a time and what comes of it. */
#include "tests/unit/unit.h"

#include <elf.h>

#include "kernel/abi/disco.h"
#include "kernel/reloc/table.h"
#include "kernel/vm/elf.h"

#define BASE 0xffffffff80100000ull
#define THERE \
	(BASE + 0x19004) /* what all name: the LO16 is negative, and carries into the others */
#define LIMIT (64ull << 20)

/* No padding, so that the two first words of a relocation are written as they lie in the file. */
struct relocation {
	u64 offset;
	u32 symbol;
	u8 special, type3, type2, type;
	u64 addend;
};

struct image {
	Elf64_Ehdr h;
	Elf64_Phdr p;
	u32 text[10];
	u64 word;
	struct relocation r[8];
	Elf64_Sym symbols[2];
	Elf64_Shdr s[4];
};

#define AT(i) (BASE + 4 * (i))

static char why[160];
static struct elf_image kernel;
static struct reloc_table table;
static struct reloc found[8];

static struct image good_image(void)
{
	struct image i = {
		.h = { .e_type = ET_EXEC,
		       .e_machine = EM_MIPS,
		       .e_version = 1,
		       .e_entry = BASE,
		       .e_phoff = offsetof(struct image, p),
		       .e_shoff = offsetof(struct image, s),
		       .e_flags = 0xa0000007,
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 1,
		       .e_shentsize = sizeof(Elf64_Shdr),
		       .e_shnum = 4 },
		.p = { .p_type = PT_LOAD,
		       .p_flags = PF_R | PF_X,
		       .p_offset = offsetof(struct image, text),
		       .p_vaddr = BASE,
		       .p_filesz = 48,
		       .p_memsz = 4096 },
		.text = { 0x3c02ffff, 0x64420000, 0x3c038012, 0x64639004, 0x0c046401, 0x10000002, 0,
			  0x80119004, 0x8f820010, 0 },
		.word = THERE,
		.r = { { AT(0), 1, 0, 0, 0, R_MIPS_HIGHEST, 4 },
		       { AT(1), 1, 0, 0, 0, R_MIPS_HIGHER, 4 },
		       { AT(2), 1, 0, 0, 0, R_MIPS_HI16, 4 },
		       { AT(3), 1, 0, 0, 0, R_MIPS_LO16, 4 },
		       { AT(4), 1, 0, 0, 0, R_MIPS_26, 4 },
		       { AT(5), 1, 0, 0, 0, R_MIPS_PC16, 4 },
		       { AT(7), 1, 0, 0, 0, R_MIPS_32, 4 },
		       { AT(10), 1, 0, 0, 0, R_MIPS_64, 4 } },
		.symbols = { { 0 }, { .st_value = THERE - 4 } },
		.s = { { 0 },
		       { .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC },
		       { .sh_type = SHT_RELA,
			 .sh_offset = offsetof(struct image, r),
			 .sh_size = sizeof(i.r),
			 .sh_link = 3,
			 .sh_info = 1 },
		       { .sh_type = SHT_SYMTAB,
			 .sh_offset = offsetof(struct image, symbols),
			 .sh_size = sizeof(i.symbols) } },
	};

	memcpy(i.h.e_ident, ELFMAG, 4);
	i.h.e_ident[EI_CLASS] = ELFCLASS64;
	i.h.e_ident[EI_DATA] = ELFDATA2LSB;
	/* the value is 0xffffffff80119004: carries make the two upper halves 0 and 0 */
	i.text[0] = 0x3c020000;
	i.text[1] = 0x64420000;
	return i;
}

/* How many relocations the image has, in found; or the error. */
static int walk(const struct image *i)
{
	struct image *copy = exact_copy(i, sizeof(*i));
	struct reloc r;
	int n = 0, err;

	assert_int_equal(elf_check(copy, sizeof(*copy), LIMIT, true, &kernel, why, sizeof(why)), 0);
	err = reloc_begin(&table, copy, sizeof(*copy), &kernel, why, sizeof(why));
	while (!err && (err = reloc_next(&table, &r, why, sizeof(why))) > 0) {
		if (n < 8)
			found[n] = r;
		n++;
		err = 0;
	}
	free(copy);
	return err < 0 ? err : n;
}

static void expect_error(const struct image *i, const char *text)
{
	assert_true(walk(i) < 0);
	assert_string_equal(why, text);
}

static void expect_moved(const struct reloc *r, u8 bytes, u64 value)
{
	assert_int_equal(r->bytes, bytes);
	if (bytes)
		assert_int_equal(r->value, value);
	assert_false(r->left);
}

static void moves_each_type(void **state)
{
	struct image i = good_image();

	(void)state;
	assert_int_equal(walk(&i), 8);
	assert_true(table.any);
	expect_moved(&found[0], 0, 0); /* the upper halves are those of every such address */
	expect_moved(&found[1], 0, 0);
	expect_moved(&found[2], 4, 0x3c03c012);
	expect_moved(&found[3], 0, 0); /* the distance is a multiple of 64 KB, */
	expect_moved(&found[4], 0, 0); /* and of 256 MB */
	expect_moved(&found[5], 0, 0);
	expect_moved(&found[6], 4, 0xc0119004);
	expect_moved(&found[7], 8, THERE + 0x40000000);
	assert_int_equal(found[7].at.v, 0x100028);
}

static void moves_kseg1_by_another_distance(void **state)
{
	struct image i = good_image();

	(void)state;
	i.symbols[1].st_value += 0x20000000;
	i.text[2] = 0x3c03a012;
	i.text[7] = 0xa0119004;
	i.word = THERE + 0x20000000;
	assert_int_equal(walk(&i), 8);
	expect_moved(&found[2], 4, 0x3c03c012);
	expect_moved(&found[7], 8, THERE + 0x40000000);
}

static void leaves_what_no_window_shows(void **state)
{
	struct image i = good_image();

	(void)state;
	i.r[7].addend = 0x18000000;
	i.word = THERE - 4 + 0x18000000; /* physical 0x18...: a device */
	i.r[5].type = R_MIPS_GOT16;
	i.r[6].type2 = R_MIPS_64;
	assert_int_equal(walk(&i), 8);
	for (int n = 5; n < 8; n++) {
		assert_true(found[n].left);
		assert_int_equal(found[n].bytes, 0);
	}
	assert_int_equal(found[5].type, R_MIPS_GOT16);
}

static void leaves_other_addresses(void **state)
{
	struct image i = good_image();

	(void)state;
	i.symbols[1].st_value = 0x12345678 - 4;
	i.text[2] = 0x3c031234;
	i.text[3] = 0x64635678;
	i.text[4] = 0x0c000000 | 0x12345678 >> 2;
	i.text[5] = 0; /* relative to pc, of what does not move: left */
	i.text[7] = 0x12345678;
	i.word = 0x12345678;
	assert_int_equal(walk(&i), 8);
	for (int n = 0; n < 8; n++) {
		assert_int_equal(found[n].bytes, 0);
		assert_int_equal(found[n].left, n == 5);
	}
}

static void has_no_tables_without_sections(void **state)
{
	struct image i = good_image();

	(void)state;
	i.h.e_shnum = 0;
	assert_int_equal(walk(&i), 0);
	assert_false(table.any);
	i = good_image();
	i.s[1].sh_flags = 0; /* of a section that is not loaded */
	assert_int_equal(walk(&i), 0);
	assert_false(table.any);
}

static void names_what_is_wrong(void **state)
{
	struct image i = good_image();

	(void)state;
	i.h.e_shentsize = 40;
	expect_error(&i, "ELF section header size: found 40, allowed 64");
	i = good_image();
	i.h.e_shnum = 5;
	assert_true(walk(&i) < 0);
	assert_non_null(strstr(why, "ELF section headers: found 5 at offset"));
	i = good_image();
	i.s[2].sh_size -= 1;
	assert_true(walk(&i) < 0);
	assert_non_null(strstr(why, "ELF section 2: found relocations of 0xbf bytes"));
	i = good_image();
	i.s[2].sh_offset = ~0ull - 8;
	assert_true(walk(&i) < 0);
	i = good_image();
	i.s[2].sh_link = 4;
	expect_error(&i, "ELF section 2: found symbols in section 4, allowed 0..3");
	i = good_image();
	i.s[3].sh_size = 1 << 20;
	expect_error(&i,
		     "ELF section 2: found symbols in section 3, which is no symbol table within "
		     "the file");
	i = good_image();
	i.s[2].sh_type = SHT_REL;
	expect_error(&i, "ELF section 2: found relocations without addends (REL), allowed RELA");
	i = good_image();
	i.r[2].symbol = 2;
	expect_error(&i, "ELF section 2: found symbol 2, allowed 0..1");
}

static void names_a_bad_place(void **state)
{
	struct image i = good_image();

	(void)state;
	i.r[7].offset = BASE + 44; /* its upper half lies behind the segment's bytes */
	expect_error(&i, "ELF section 2: found a relocation of 0xffffffff8010002c, allowed places "
			 "that are loaded from the file");
	i.r[7].offset = 0;
	assert_true(walk(&i) < 0);
	i = good_image();
	i.r[2].addend = 0x10004;
	expect_error(&i, "ELF section 2: found 0x8012 at 0xffffffff80100008, whose relocation of "
			 "type 5 says 0x8013: the table is not this image's");
	i = good_image(); /* two of one place cannot both be right */
	i.r[6].offset = i.r[7].offset + 4;
	assert_true(walk(&i) < 0);
}

static void survives_every_single_bit_change(void **state)
{
	(void)state;
	for (size_t n = offsetof(struct image, text); n < sizeof(struct image); n++) {
		for (int bit = 0; bit < 8; bit++) {
			struct image i = good_image();

			((uint8_t *)&i)[n] ^= 1u << bit;
			why[0] = 0;
			if (walk(&i) < 0)
				assert_true(strlen(why) > 10);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_each_type),
		cmocka_unit_test(moves_kseg1_by_another_distance),
		cmocka_unit_test(leaves_what_no_window_shows),
		cmocka_unit_test(leaves_other_addresses),
		cmocka_unit_test(has_no_tables_without_sections),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(names_a_bad_place),
		cmocka_unit_test(survives_every_single_bit_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
