/* SPDX-License-Identifier: MIT */
/* kernel/seed.c: ChaCha20 against RFC 8439, and what seeds may and may not have to do with each other. */
#include "tests/unit/unit.h"

#include "kernel/seed.c"

#define GIVEN "0123456789abcdef00112233445566778899aabbccddeefffedcba9876543210"

static u64 now; /* Count */

u64 count64(void) { return now; }

void lock_take(struct lock *l) { assert_int_equal(l->next++, l->serving); }

void lock_release(struct lock *l) { l->serving++; }

static char digits[sizeof(GIVEN)];

static void begin(const char *given)
{
	memset(key, 0, sizeof(key));
	strcpy(digits, given);
	seed_init(digits);
}

static void is_chacha20(void **state)
{
	/* RFC 8439, 2.3.2: key 00 01 .. 1f, counter 1, nonce 00 00 00 09 00 00 00 4a 00 00 00 00 */
	static const u32 last_row[4] = { 1, 0x09000000, 0x4a000000, 0 };
	static const u32 wanted[WORDS] = { 0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
					   0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
					   0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
					   0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2 };
	u32 out[WORDS], k[KEY_WORDS];

	(void)state;
	for (unsigned i = 0; i < SEED_BYTES; i++)
		((u8 *)k)[i] = i;
	chacha20_block(k, last_row, out);
	assert_memory_equal(out, wanted, sizeof(out));
}

static void no_two_are_equal(void **state)
{
	static u8 seeds[64][SEED_BYTES];

	(void)state;
	now = 1000;
	begin(GIVEN);
	for (unsigned i = 0; i < 64; i++) {
		assert_true(seed_draw(seeds[i]));
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(seeds[i], seeds[j], SEED_BYTES);
		assert_memory_not_equal(seeds[i], key, SEED_BYTES);
	}
}

static void the_same_start_gives_the_same(void **state)
{
	u8 first[SEED_BYTES], again[SEED_BYTES];

	(void)state;
	now = 1000;
	begin(GIVEN);
	seed_draw(first);
	begin(GIVEN);
	seed_draw(again);
	assert_memory_equal(first, again, SEED_BYTES);
	begin(GIVEN);
	now++; /* another moment */
	seed_draw(again);
	assert_memory_not_equal(first, again, SEED_BYTES);
}

static void nothing_is_left_of_what_was_given(void **state)
{
	(void)state;
	begin(GIVEN);
	assert_int_equal(strspn(digits, "0"), strlen(GIVEN));
}

/* Each digit counts. */
static void another_start_gives_another(void **state)
{
	u8 first[SEED_BYTES], other[SEED_BYTES];
	char given[] = GIVEN;

	(void)state;
	now = 1000;
	begin(GIVEN);
	seed_draw(first);
	for (unsigned i = 0; i < sizeof(GIVEN) - 1; i++) {
		given[i] = given[i] == '7' ? '8' : '7';
		begin(given);
		seed_draw(other);
		assert_memory_not_equal(first, other, SEED_BYTES);
		given[i] = GIVEN[i];
	}
}

static void without_a_start_there_are_none(void **state)
{
	u8 seed[SEED_BYTES];

	(void)state;
	seed_init(NULL);
	assert_false(seed_draw(seed));
	begin("");
	assert_false(seed_draw(seed));
	begin("0123456789");
	assert_false(seed_draw(seed));
	begin("nothing of the kind");
	assert_false(seed_draw(seed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_chacha20),
		cmocka_unit_test(no_two_are_equal),
		cmocka_unit_test(the_same_start_gives_the_same),
		cmocka_unit_test(nothing_is_left_of_what_was_given),
		cmocka_unit_test(another_start_gives_another),
		cmocka_unit_test(without_a_start_there_are_none),
	};

	return cmocka_run_group_tests_name("seed", tests, NULL, NULL);
}
