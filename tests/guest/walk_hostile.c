/* SPDX-License-Identifier: MIT */
/*
 * Rule: page tables are the guest's word. Pointers to anywhere - out of memory, not aligned, to the
 * monitor, to the special page, to themselves - and descriptions of any shape give the guest
 * exceptions or memory of its own, and nothing else. kernel/abi/disco.h.
 *
 * Method: every kind of pointer at each level, loads, stores and fetches through it; random tables;
 * random descriptions. At the end good tables work, and what the test did not name is as it was.
 */
#include "tests/guest/walk.h"

static u64 seed = 7;

static u64 random64(void)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return seed ^ seed >> 29;
}

static const u64 places[] = {
	0,
	1,
	4,
	~0ul,
	~7ul,
	0xfff8,
	DISCO_XSSEG_BASE + (1ul << 29),
	DISCO_XSSEG_BASE + (1ul << 47),
	DISCO_XSSEG_BASE - 8,
	DISCO_XSSEG_BASE + 0xfffffffffffff8,
	DISCO_CSSEG_BASE + 0x0ffff000,
	DISCO_CSSEG_MAPPED,
	DISCO_SPECIAL_PAGE,
	DISCO_SPECIAL_PAGE - PAGE_SIZE,
	0xffffffffe0000000,
	0xffffffff80000000,
	0xffffffff80100000,
	0x9800000000000000,
	0x9800000080000000,
	0x8000000000000000,
	0xc000000000000000,
	USER_DATA,
	VA_USER,
};

PROBE(p_jump, "move $8, $31\n\tjr $4\n\tnop");

/* Memory that random tables may reach: loads only, so that the test itself survives. */
static void touch(u64 va, bool write)
{
	load(MODE_KERNEL, va);
	if (write) {
		store(MODE_KERNEL, va, 0x5a5a);
		probe(p_jump, va, 0, 0);
	}
}

static void pointers(u64 p)
{
	volatile u64 *words[3] = { &walk_root[VA_XUSER >> 30 & 511],
				   &walk_middle[(VA_USER + (8ul << 20)) >> 21 & 511],
				   walk_entry(walk_last, VA_USER + 8 * PAGE_SIZE) };
	u64 vas[3] = { VA_XUSER & 0x7fffffffff, VA_USER + (8ul << 20), VA_USER + 8 * PAGE_SIZE };

	for (unsigned i = 0; i < 3; i++) {
		words[0] = &walk_root[vas[0] >> 30 & 511];
		*words[i] = p;
		walk_flush(0, 0, 0);
		touch(vas[i], true);
		touch(vas[i] + PAGE_SIZE, true);
		*words[i] = 0;
	}
	hypercall(DISCO_HC_MMU_SWITCH, 0, p); /* as root; kernel pages need none */
	load(MODE_KERNEL, VA_USER);
	load(MODE_KERNEL, USER_CODE);
	walk_switch(0, walk_root);
}

static void random_tables(void)
{
	static table_t wild __attribute__((aligned(PAGE_SIZE)));

	/*
	 * words that lead somewhere half of the time, without the bits that a walk would set there
	 */
	for (unsigned i = 0; i < 512; i++) {
		u64 r = random64();

		wild[i] = r & 1	  ? random64()
			  : r & 2 ? walk_pointer(wild) + (r >> 8 & (r & 4 ? 0xfff : 0xff8))
				  : PTE(page_pa(r >> 8 & 63), r >> 40 & 0x7fe);
	}
	hypercall(DISCO_HC_MMU_SWITCH, random64(), walk_pointer(wild));
	for (unsigned i = 0; i < 64; i++)
		load(MODE_KERNEL, random64() & 0xfffffffff8);
	walk_switch(0, walk_root);
}

static void random_descriptions(void)
{
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned k = 0; k < DISCO_MMU_WORDS; k++)
			walk_block[k] = random64();
		/* bits that it may set: none, or the tables would be random, too */
		for (unsigned k = DISCO_MMU_ACCESSED; k <= DISCO_MMU_DIRTY; k++)
			walk_block[k] = 0;
		if (i & 1)
			walk_block[DISCO_MMU_SHIFTS] = 30 | 10 << 8 | 21 << 16 |
						       (random64() % 12 + 1) << 24 | 12ul << 32 |
						       (random64() % 12 + 1) << 40;
		if (i & 2)
			walk_block[DISCO_MMU_ROTATE] = random64() % 66;
		if (i & 4)
			walk_block[DISCO_MMU_KERNEL_ROOT] =
				walk_pointer(walk_root) + (random64() & 0xff8);
		walk_setup();
		walk_switch(i, walk_root);
		load(MODE_KERNEL, VA_USER);
		load(MODE_KERNEL, VA_CSSEG + (random64() & 0xfffff8));
		load(MODE_KERNEL, random64() & 0xfffffffff8);
	}
	check_eq("block beyond memory", (u64)hypercall(DISCO_HC_MMU_SETUP, 1ul << 40, 0),
		 (u64)-DISCO_EFAULT);
	check_eq("block that wraps", (u64)hypercall(DISCO_HC_MMU_SETUP, ~7ul, 0),
		 (u64)-DISCO_EFAULT);
	walk_describe(0);
	walk_block[DISCO_MMU_SHIFTS] = 0;
	check_eq("no shape", (u64)walk_setup(), (u64)-DISCO_EINVAL);
	walk_describe(0);
	walk_block[DISCO_MMU_ROTATE] = 64;
	check_eq("rotated by 64", (u64)walk_setup(), (u64)-DISCO_EINVAL);
	walk_block[DISCO_MMU_ROTATE] = 0;
	check_eq("rotated by 0", (u64)walk_setup(), (u64)-DISCO_EINVAL);
}

int main(void)
{
	need_monitor();
	for (unsigned i = 0; i < 64; i++)
		tag_page(i, 0x7000 + i);
	for (unsigned w = 0; w < 2; w++) {
		walk_window = w ? DISCO_CSSEG_BASE : DISCO_XSSEG_BASE;
		walk_on();
		for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
			pointers(places[i]);
		/* tables of its own, in places where none should be */
		for (unsigned off = 1; off < 16; off++)
			pointers(walk_pointer(walk_last) + off);
		pointers(walk_pointer(walk_root));
		for (unsigned i = 0; i < 100; i++)
			random_tables();
		random_descriptions();
		walk_on();
		*walk_entry(walk_last, VA_USER) = PTE(page_pa(3), PRESENT | WRITE);
		walk_flush(0, 0, DISCO_ALL_ASIDS);
		check_value("good tables", load(MODE_USER, VA_USER), 0x7003);
	}
	for (unsigned i = 4; i < 64; i++)
		check(page_va(i)[0] == 0x7000 + i || page_va(i)[0] == 0x5a5a, "page %u: %lx", i,
		      (unsigned long)page_va(i)[0]);
	return verdict();
}
