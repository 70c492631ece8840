/* SPDX-License-Identifier: MIT */
/* qemu/flash/tlb.c: what is found in QEMU is what was meant, or nothing is touched. */
#include "tests/flash/flash_test.h"

#include "qemu/flash/tlb.h"

static bool any_memory(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)from < 4096)
		return false;
	memcpy(to, from, bytes);
	return true;
}

/* ---- the description ---- */

#define CONFIG1(entries) ((int32_t)(0x80000000u | ((entries)-1) << 25 | 0x1234))
#define OTHERS		 3

static struct tlb_processor list[OTHERS + 1];

static void describe(void)
{
	static const struct tlb_processor others[OTHERS] = {
		{ "I6400", 0x1a900, 0, CONFIG1(16), 0, 0, 0 },
		{ NULL, 0x1b000, 0, CONFIG1(16), 0, 0, 0 },
		{ "I6500!", 0x1b000, 0, CONFIG1(16), 0, 0, 0 },
	};

	memcpy(list, others, sizeof(others));
	list[OTHERS] = (struct tlb_processor){ "I6500", 0x1b000, 1, CONFIG1(16), 2, 3, 4 };
}

static struct tlb_processor *find(void)
{
	return tlb_find_processor(list, sizeof(list), any_memory);
}

static void the_description_is_found_or_not_touched(void **state)
{
	(void)state;
	describe();
	assert_ptr_equal(find(), &list[OTHERS]);
	list[OTHERS].config1 = CONFIG1(32); /* another I6500 than the one known */
	assert_null(find());
	describe();
	list[OTHERS].prid++;
	assert_null(find());
	describe();
	list[0] = list[OTHERS]; /* which of the two? */
	assert_null(find());
	assert_null(tlb_find_processor(list, sizeof(list[0]) - 1, any_memory));
}

static void the_number_of_entries_is_where_programs_look(void **state)
{
	static const unsigned sizes[] = { 16, 32, 64, 128 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct tlb_processor *p = &list[OTHERS];
		uint32_t size;

		describe();
		tlb_set_entries(p, sizes[i]);
		size = ((uint32_t)p->config1 >> 25 & 63) + 1;
		if (sizes[i] > 64) {
			assert_int_equal((uint32_t)p->config4 >> 14 & 3, 3);
			size += ((uint32_t)p->config4 >> 24 & 15) << 6;
		} else {
			assert_int_equal(p->config4, 4);
		}
		assert_int_equal(size, sizes[i]);
		assert_int_equal(p->config1 & 0x81ffffff, 0x80001234);
	}
}

/* ---- a processor's TLB ---- */

static char code[64];

static bool is_code(const void *address)
{
	return (const char *)address >= code && (const char *)address < code + sizeof(code);
}

static void (*function(unsigned i))(void *env) { return (void (*)(void *))(void *)&code[i]; }

static struct tlb_context good(unsigned entries)
{
	return (struct tlb_context){ entries,	  entries,     code,
				     function(1), function(2), function(3),
				     function(4), function(5), function(6) };
}

static void the_tlb_is_found_or_not_touched(void **state)
{
	static uint64_t processor[40];
	static char nothing[64];
	struct tlb_context tlb = good(64), other = good(64);
	const size_t bytes = sizeof(processor);

	(void)state;
	processor[3] = 1; /* no memory there */
	processor[5] = (uintptr_t)nothing;
	assert_null(tlb_find(processor, bytes, 64, any_memory, is_code));
	processor[20] = (uintptr_t)&tlb;
	assert_ptr_equal(tlb_find(processor, bytes, 64, any_memory, is_code), &tlb);
	processor[21] = (uintptr_t)&tlb; /* the same */
	assert_ptr_equal(tlb_find(processor, bytes, 64, any_memory, is_code), &tlb);
	assert_null(tlb_find(processor, bytes, 16, any_memory, is_code));
	assert_null(tlb_find(processor, 20 * sizeof(uint64_t), 64, any_memory, is_code));
	tlb.in_use = 65; /* QEMU keeps something there already */
	assert_null(tlb_find(processor, bytes, 64, any_memory, is_code));
	tlb = good(64);
	tlb.tlbp = (void (*)(void *))(void *)nothing;
	assert_null(tlb_find(processor, bytes, 64, any_memory, is_code));
	tlb = good(64);
	processor[30] = (uintptr_t)&other; /* which of the two? */
	assert_null(tlb_find(processor, bytes, 64, any_memory, is_code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_description_is_found_or_not_touched),
		cmocka_unit_test(the_number_of_entries_is_where_programs_look),
		cmocka_unit_test(the_tlb_is_found_or_not_touched),
	};

	return cmocka_run_group_tests_name("tlb", tests, NULL, NULL);
}
