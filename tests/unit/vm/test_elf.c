/* SPDX-License-Identifier: MIT */
/* kernel/vm/elf.c: one good image, then one change at a time and the message it must give. */
#include "tests/unit/unit.h"

#include <elf.h>

#include "kernel/vm/elf.h"

#include "kernel/abi/disco.h"

#define ENTRY 0xffffffffc0100000ull
#define LIMIT (64ull << 20)

struct image {
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	uint8_t text[64];
	uint8_t data[32];
};

static char why[160];
static struct elf_image out;

static struct image good_image(void)
{
	struct image i = {
		.h = { .e_type = ET_EXEC,
		       .e_machine = EM_MIPS,
		       .e_version = 1,
		       .e_entry = ENTRY + 8,
		       .e_phoff = offsetof(struct image, p),
		       .e_flags = 0xa0000007,
		       .e_phentsize = sizeof(Elf64_Phdr),
		       .e_phnum = 3 },
		.p = { { .p_type = PT_LOAD,
			 .p_flags = PF_R | PF_X,
			 .p_offset = offsetof(struct image, text),
			 .p_vaddr = ENTRY,
			 .p_filesz = 64,
			 .p_memsz = 64 },
		       { .p_type = PT_NOTE, .p_vaddr = 1, .p_offset = ~0ull },
		       { .p_type = PT_LOAD,
			 .p_flags = PF_R | PF_W,
			 .p_offset = offsetof(struct image, data),
			 .p_vaddr = ENTRY + 0x1000,
			 .p_filesz = 32,
			 .p_memsz = 0x2000 } },
	};

	memcpy(i.h.e_ident, ELFMAG, 4);
	i.h.e_ident[EI_CLASS] = ELFCLASS64;
	i.h.e_ident[EI_DATA] = ELFDATA2LSB;
	return i;
}

static int check(const struct image *i, size_t size, u64 limit)
{
	void *copy = exact_copy(i, size);
	int err = elf_check(copy, size, limit, false, &out, why, sizeof(why));

	free(copy);
	return err;
}

static void expect_error(const struct image *i, const char *text)
{
	assert_true(check(i, sizeof(*i), LIMIT) < 0);
	assert_string_equal(why, text);
}

static void accepts_a_good_image(void **state)
{
	struct image i = good_image();

	(void)state;
	assert_int_equal(elf_check(&i, sizeof(i), LIMIT, false, &out, why, sizeof(why)), 0);
	assert_int_equal(out.nsegs, 2);
	assert_int_equal(out.entry, ENTRY + 8);
	assert_int_equal(out.segs[0].phys.v, 0x100000);
	assert_ptr_equal(out.segs[0].src, i.text);
	assert_true(out.segs[0].exec);
	assert_int_equal(out.segs[1].phys.v, 0x101000);
	assert_int_equal(out.segs[1].filesz, 32);
	assert_int_equal(out.segs[1].memsz, 0x2000);
	assert_false(out.segs[1].exec);
	assert_int_equal(out.end.v, 0x103000);
}

static void rejects_every_truncation(void **state)
{
	struct image i = good_image();
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(i); n++)
		assert_true(check(&i, n, LIMIT) < 0);
	assert_int_equal(check(&i, sizeof(i), LIMIT), 0);
	check(&i, 10, LIMIT);
	assert_string_equal(why, "ELF header: found a file of 10 bytes, allowed 64 or more");
}

static void survives_every_single_byte_change(void **state)
{
	size_t n;
	int bit;

	(void)state;
	for (n = 0; n < offsetof(struct image, text); n++) {
		for (bit = 0; bit < 8; bit++) {
			struct image i = good_image();

			((uint8_t *)&i)[n] ^= 1u << bit;
			why[0] = 0;
			if (check(&i, sizeof(i), LIMIT) < 0)
				assert_true(strlen(why) > 10);
		}
	}
}

static void names_what_is_wrong_in_the_header(void **state)
{
	struct image i = good_image();

	(void)state;
	i.h.e_ident[0] = 'M';
	expect_error(&i, "ELF magic: found 4d 45 4c 46, allowed 7f 45 4c 46");
	i = good_image();
	i.h.e_ident[EI_CLASS] = ELFCLASS32;
	expect_error(&i, "ELF class: found 1, allowed 2 (64 bit)");
	i = good_image();
	i.h.e_ident[EI_DATA] = ELFDATA2MSB;
	expect_error(&i, "ELF byte order: found 2, allowed 1 (little endian)");
	i = good_image();
	i.h.e_type = ET_DYN;
	expect_error(&i, "ELF type: found 3, allowed 2 (executable)");
	i = good_image();
	i.h.e_machine = EM_X86_64;
	expect_error(&i, "ELF machine: found 62, allowed 8 (MIPS)");
	i = good_image();
	i.h.e_flags = 0x80000007; /* MIPS64R2 */
	expect_error(&i, "ELF architecture: found flags 0x80000007, allowed 0xa0000000 (MIPS64R6) "
			 "in the top digit");
	i = good_image();
	i.h.e_phnum = 0;
	expect_error(&i, "ELF program headers: found 0, allowed 1 or more");
	i = good_image();
	i.h.e_phoff = ~0ull;
	assert_true(check(&i, sizeof(i), LIMIT) < 0);
}

static void names_what_is_wrong_in_a_segment(void **state)
{
	struct image i = good_image();

	(void)state;
	i.p[2].p_filesz = 0x2001;
	expect_error(&i, "ELF segment 2: found file size 0x2001, allowed up to its memory size "
			 "0x2000");
	i = good_image();
	i.p[0].p_vaddr = 0xffffffff80100000ull; /* KSEG0: a kernel for the bare machine */
	expect_error(&i, "ELF segment 0: found address 0xffffffff80100000, size 0x40, allowed "
			 "0xffffffffc0000000 up to 0xffffffffd0000000");
	i = good_image();
	i.p[2].p_vaddr = DISCO_CSSEG_MAPPED - 0x1000;
	assert_true(check(&i, sizeof(i), ~0ull) < 0);
	i.p[2].p_vaddr = DISCO_CSSEG_MAPPED - 0x2000;
	assert_int_equal(check(&i, sizeof(i), ~0ull), 0);
	i = good_image();
	i.p[2].p_memsz = ~0ull;
	assert_true(check(&i, sizeof(i), ~0ull) < 0);
	i = good_image();
	i.p[2].p_offset = ~0ull - 8;
	assert_true(check(&i, sizeof(i), ~0ull) < 0);
	i = good_image();
	i.p[2].p_vaddr = ENTRY + 63;
	expect_error(&i, "ELF segment 2: found at 0x10003f, inside another segment at 0x100000");
}

static void keeps_to_the_guests_memory(void **state)
{
	struct image i = good_image();

	(void)state;
	assert_int_equal(check(&i, sizeof(i), 0x103000), 0);
	assert_true(check(&i, sizeof(i), 0x102fff) < 0);
	assert_string_equal(why, "ELF segment 2: found end 0x103000 in guest memory, allowed up to "
				 "its size 0x102fff");
	assert_true(check(&i, sizeof(i), 0) < 0);
}

static void wants_the_entry_in_code(void **state)
{
	struct image i = good_image();

	(void)state;
	i.h.e_entry = ENTRY + 2;
	expect_error(&i, "ELF entry: found 0xffffffffc0100002, allowed a 4-byte aligned address in "
			 "an executable segment");
	i.h.e_entry = ENTRY + 0x1000;
	assert_true(check(&i, sizeof(i), LIMIT) < 0);
	i.h.e_entry = ENTRY + 64;
	assert_true(check(&i, sizeof(i), LIMIT) < 0);
	i.h.e_entry = ENTRY + 60;
	assert_int_equal(check(&i, sizeof(i), LIMIT), 0);
	i.p[0].p_type = PT_NULL;
	i.p[2].p_type = PT_NULL;
	expect_error(&i, "ELF segments: found none to load, allowed 1..16");
}

static void limits_the_number_of_segments(void **state)
{
	struct {
		struct image i;
		Elf64_Phdr p[ELF_MAX_SEGMENTS + 1];
	} many = { .i = good_image() };
	int k;

	(void)state;
	for (k = 0; k <= ELF_MAX_SEGMENTS; k++) {
		many.p[k] = many.i.p[0];
		many.p[k].p_vaddr += (u64)k * 0x1000;
	}
	many.i.h.e_phoff = (uint8_t *)many.p - (uint8_t *)&many;
	many.i.h.e_phnum = ELF_MAX_SEGMENTS;
	assert_int_equal(elf_check(&many, sizeof(many), LIMIT, false, &out, why, sizeof(why)), 0);
	many.i.h.e_phnum++;
	assert_true(elf_check(&many, sizeof(many), LIMIT, false, &out, why, sizeof(why)) < 0);
	assert_string_equal(why, "ELF segments: found more than 16 to load, allowed 1..16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_a_good_image),
		cmocka_unit_test(rejects_every_truncation),
		cmocka_unit_test(survives_every_single_byte_change),
		cmocka_unit_test(names_what_is_wrong_in_the_header),
		cmocka_unit_test(names_what_is_wrong_in_a_segment),
		cmocka_unit_test(keeps_to_the_guests_memory),
		cmocka_unit_test(wants_the_entry_in_code),
		cmocka_unit_test(limits_the_number_of_segments),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}
