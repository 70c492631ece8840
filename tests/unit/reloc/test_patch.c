/* SPDX-License-Identifier: MIT */
/*
 * kernel/reloc/patch.c: random places patched and pages given up, against a model that knows of each place only whether
 * it is patched. What csseg shows of a page is its words but for these, each of which leads to the trampoline of its
 * own; every copy and every trampoline is somebody's or free.
 */
#include "tests/unit/unit.h"

#include "kernel/abi/disco.h"
#include "kernel/reloc/patch.h"
#include "tests/unit/reloc/draw.h"

#define PAGES  512u /* of the VM: 2 MB */
#define USED   96u  /* of these have code: more than there are copies */
#define WORDS  (PAGE_SIZE / 4)
#define ROUNDS 200000

static struct patch patch;
static bool patched[USED * WORDS];
#define FOR_EVER (PATCH_DROPS + PATCH_ASKED)
static u8 drops[USED];
static u32 again;
/* What the VM's memory holds: LD of as many registers and offsets. */
static u32 word_at(u32 place)
{
	return 0x37u << 26 | (place / 4 % 30 + 1) << 21 | (place / 128 % 32) << 16 | place % 0x8000;
}

static bool is_copied(u32 page) { return patch_page(&patch, page); }

/* No page's first word: arch/mips/patched.c asks for none. */
static void add(u32 place)
{
	u32 page = place >> PAGE_SHIFT, word = word_at(place);
	const struct tramp t = { .insn = word, .base = word >> 21 & 31 };
	u8 *copy = patch_page(&patch, page);
	enum patch_why why;

	if (!copy) {
		u32 before = patch.copied;

		copy = patch_copy_page(&patch, page);
		if (drops[page] >= PATCH_DROPS && drops[page] < FOR_EVER &&
		    ++drops[page] == FOR_EVER) {
			drops[page] = PATCH_DROPS - 1; /* it was asked for often enough */
			again++;
		}
		assert_int_equal(copy == NULL,
				 drops[page] >= PATCH_DROPS || before == patch.ncopies);
		if (!copy)
			return;
		for (u32 i = 0; i < WORDS; i++)
			((u32 *)copy)[i] = word_at((page << PAGE_SHIFT) + 4 * i);
	}
	why = patch_add(&patch, place, &t);
	assert_int_equal(why == PATCH_AGAIN, patched[place / 4]);
	if (why == PATCH_NOW)
		patched[place / 4] = true;
	else if (why == PATCH_FULL)
		assert_int_equal(patch.patched - patch.freed, patch.nsites);
}

static void drop(u32 page, bool for_ever)
{
	bool was = is_copied(page);

	assert_int_equal(patch_drop(&patch, page, for_ever), was);
	if (for_ever)
		drops[page] = FOR_EVER;
	else if (was && drops[page] < PATCH_DROPS)
		drops[page]++;
	assert_false(is_copied(page));
	memset(&patched[page * WORDS], 0, WORDS * sizeof(bool));
}

static void check_page(u32 page)
{
	const u32 *copy = (const u32 *)patch_page(&patch, page);

	for (u32 i = 0; i < WORDS; i++) {
		u32 place = (page << PAGE_SHIFT) + 4 * i, at;
		const struct patch_site *s;
		u64 to;

		assert_int_equal(patch_is_patched(&patch, place), patched[place / 4]);
		if (!copy) {
			assert_false(patched[place / 4]);
			continue;
		}
		if (!patched[place / 4]) {
			assert_int_equal(copy[i], word_at(place));
			continue;
		}
		to = place + 4 + ((s64)((u64)copy[i] << 38) >> 36);
		s = patch_find(&patch, to, &at);
		assert_non_null(s);
		assert_int_equal(at, 0);
		assert_int_equal(s->place, place);
		assert_int_equal(s->tramp.insn, word_at(place));
	}
}

static void check_all(void)
{
	u32 copied = 0, places = 0, sites = 0;
	u32 free_sites = patch.nsites - patch.fresh_site,
	    free_copies = patch.ncopies - patch.fresh_copy;

	for (u32 page = 0; page < USED; page++) {
		check_page(page);
		copied += is_copied(page);
	}
	for (u32 i = 0; i < USED * WORDS; i++)
		places += patched[i];
	for (u32 i = 0; i < patch.nsites; i++)
		sites += patch.site[i].place != 0;
	for (u16 i = patch.free_site; i; i = patch.site[i - 1].next)
		free_sites++;
	for (u16 i = patch.free_copy; i; i = patch.copy[i - 1].next)
		free_copies++;
	assert_int_equal(copied, patch.copied);
	assert_int_equal(copied + free_copies, patch.ncopies);
	assert_int_equal(places, patch.patched - patch.freed);
	assert_int_equal(places, sites);
	assert_int_equal(sites + free_sites, patch.nsites);
}

static void csseg_shows_what_is_patched_and_no_more(void **state)
{
	void *storage = aligned_alloc(PAGE_SIZE, patch_bytes(PAGES));
	u32 hot = 0;

	(void)state;
	assert_non_null(storage);
	memset(storage, 0, patch_bytes(PAGES));
	patch_init(&patch, storage, PAGES);
	assert_true(patch.ncopies < USED);
	for (u32 i = 0; i < ROUNDS; i++) {
		if (i % 512 == 0)
			hot = draw() % USED;
		if (draw() % 60 == 0)
			drop(draw() % 4 ? draw() % USED : hot, draw() % 200 == 0);
		else
			add((u32)((draw() % 4 ? hot : draw() % USED) << PAGE_SHIFT |
				  (draw() % (WORDS - 1) + 1) * 4));
		if (i % 20000 == 0)
			check_all();
		if (i % 50000 == 49999) { /* a start of the VM */
			patch_reset(&patch);
			memset(patched, 0, sizeof(patched));
			memset(drops, 0, sizeof(drops));
			check_all();
		}
	}
	check_all();
	assert_true(again > 10);
	free(storage);
}

static void large_memory_is_out_of_reach(void **state)
{
	(void)state;
	assert_true(patch_bytes(0x4000) > 0);
	assert_true(patch_bytes(122 << 8) > 0);
	assert_int_equal(patch_bytes(123 << 8), 0);
	assert_int_equal(patch_bytes(DISCO_CSSEG_WINDOW >> PAGE_SHIFT), 0);
}

static u32 model[PATCH_JUMPS + 1], nmodel;

static void forget(u32 i)
{
	nmodel--;
	memmove(&model[i], &model[i + 1], (nmodel - i) * sizeof(model[0]));
}

/* The noted jumps are the latest ones of pages that have a copy still, each once, in their order, with their registers. */
static void jumps_are_noted_once_and_the_oldest_goes(void **state)
{
	void *storage = aligned_alloc(PAGE_SIZE, patch_bytes(PAGES));
	bool full = false;
	u32 dropped = 0;

	(void)state;
	assert_non_null(storage);
	memset(storage, 0, patch_bytes(PAGES));
	patch = (struct patch){ 0 };
	patch_init(&patch, storage, PAGES);
	nmodel = 0;
	for (u32 i = 0; i < ROUNDS; i++) {
		u32 place = (u32)(draw() % (4 * PATCH_JUMPS)) * 16, at = 0, page = draw() % 4;

		if (draw() % 256 == 0 && patch_copy_page(&patch, page)) {
			assert_true(patch_drop(&patch, page, false));
			while (at < nmodel)
				if (model[at] >> PAGE_SHIFT == page) {
					forget(at);
					dropped++;
				} else {
					at++;
				}
		} else if (draw() % 8 == 0 && nmodel) {
			at = (u32)(draw() % nmodel);
			patch_forget_jump(&patch, at);
			forget(at);
		} else {
			patch_note_jump(&patch, place, place / 16 % 31);
			while (at < nmodel && model[at] != place)
				at++;
			if (at == nmodel)
				model[nmodel++] = place;
			full |= nmodel > PATCH_JUMPS;
			if (nmodel > PATCH_JUMPS)
				forget(0);
		}
		assert_int_equal(patch.njumps, nmodel);
		assert_memory_equal(patch.jump, model, nmodel * sizeof(model[0]));
		for (u32 j = 0; j < nmodel; j++)
			assert_int_equal(patch.jump_reg[j], model[j] / 16 % 31);
	}
	assert_true(full && dropped);
	free(storage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csseg_shows_what_is_patched_and_no_more),
		cmocka_unit_test(jumps_are_noted_once_and_the_oldest_goes),
		cmocka_unit_test(large_memory_is_out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
