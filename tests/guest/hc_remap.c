/* SPDX-License-Identifier: MIT */
/*
 * Rule: REMAP gives one page what another holds, as a copy would: whoever writes either afterwards changes
 * that one alone. Addresses that are no pages of the VM's memory are refused, and nothing changes.
 * docs/guest-abi.md.
 *
 * Method: pages in chains, of one large page and far apart, of the image and of the TLB's; then pages at
 * random against a model; what the call says is "not now" is copied, as a guest has to.
 *
 * Needs: nothing
 */
#include "tests/guest/test.h"

#define PAGES  24u
#define TIMES  3000u
#define MEMORY (8ull << 20)
#define WORDS  (PAGE_SIZE / 8)

static u64 state;
static u64 image_page[WORDS] __attribute__((aligned(4096))) = { 7, 8, 9 };

static u32 below(u32 n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (state >> 33) % n;
}

static s64 remap(u64 target, u64 source) { return hypercall(DISCO_HC_REMAP, target, source); }

static void copy(u64 target, u64 source)
{
	memcpy((void *)(DISCO_XSSEG_BASE + target), (void *)(DISCO_XSSEG_BASE + source), PAGE_SIZE);
}

/* As a guest uses it: whether the page was passed. */
static bool equal(u64 target, u64 source)
{
	s64 found = remap(target, source);

	check(found == 0 || found == -DISCO_EAGAIN, "page %lx from %lx: %ld", (unsigned long)target,
	      (unsigned long)source, (long)found);
	if (found)
		copy(target, source);
	return !found;
}

static void holds(const char *what, unsigned n, u64 tag)
{
	check(page_va(n)[0] == tag && page_va(n)[WORDS - 1] == tag + 1,
	      "%s: %lx and %lx, wanted %lx", what, (unsigned long)page_va(n)[0],
	      (unsigned long)page_va(n)[WORDS - 1], (unsigned long)tag);
}

static void one_and_many(void)
{
	tag_page(0, 100);
	tag_page(1, 200);
	check(equal(page_pa(1), page_pa(0)), "a neighbour: not passed");
	holds("the neighbour", 1, 100);
	tag_page(0, 300); /* the source is written */
	holds("after the source was written", 1, 100);
	holds("the source", 0, 300);
	equal(page_pa(300), page_pa(1)); /* never used before, in another large page */
	equal(page_pa(2), page_pa(300));
	tag_page(1, 400); /* a page between is written */
	holds("far away", 300, 100);
	holds("the last of a chain", 2, 100);
	tag_page(300, 500);
	holds("the only one left", 2, 100);
	tag_page(2, 600);
	holds("its own", 2, 600);
	check_eq("itself", remap(page_pa(2), page_pa(2)), 0);
	holds("after itself", 2, 600);
	print("one and many\n");
}

/* A page that was never used is zero by either way. */
static void unused(void)
{
	tag_page(3, 700);
	equal(page_pa(3), page_pa(301));
	check(!page_va(3)[0] && !page_va(3)[WORDS - 1], "from one never used: %lx",
	      (unsigned long)page_va(3)[0]);
	print("unused\n");
}

/* What the TLB maps is the new page, and a store by it goes to a copy. */
static void mapped(void)
{
	tag_page(4, 800);
	tag_page(5, 900);
	tlb_map_at(TLB_FREE, VA_XUSER, 0, LO_RW(page_pa(4)), LO_RW(page_pa(5)));
	check_load("mapped, before", VA_XUSER, 800);
	store(MODE_KERNEL, VA_XUSER + 8, 1);
	equal(page_pa(4), page_pa(5));
	check_load("mapped", VA_XUSER, 900);
	store(MODE_KERNEL, VA_XUSER, 1000);
	check_load("mapped, after a store", VA_XUSER, 1000);
	holds("the source of what was written", 5, 900);
	store(MODE_KERNEL, VA_XUSER + PAGE_SIZE, 1100);
	check_load("the target of a source that was written", VA_XUSER, 1000);
}

/* Pages of the kernel's image, which the boot archive has: its data, and the code that runs. */
static void of_image(void)
{
	u64 code = guest_pa((void *)(u64)remap) & ~(u64)PAGE_MASK, data = guest_pa(image_page);

	tag_page(6, 1200);
	equal(page_pa(6), data);
	check(page_va(6)[0] == 7 && page_va(6)[2] == 9, "data of the image");
	equal(data, page_pa(0));
	check(image_page[0] == 300 && image_page[WORDS - 1] == 301, "into the image");
	equal(page_pa(7), code);
	equal(code, page_pa(7));
	image_page[0] = 7;
	check_eq("the source", page_va(0)[0], 300);
	print("of the image\n");
}

static void refused(const char *what, u64 bad, s64 wanted)
{
	s64 as_target = remap(bad, page_pa(0)), as_source = remap(page_pa(0), bad);

	print("%s: %ld, %ld\n", what, (long)as_target, (long)as_source);
	check(as_target == wanted && as_source == wanted, "%s: found %ld and %ld, wanted %ld", what,
	      (long)as_target, (long)as_source, (long)wanted);
	holds(what, 0, 300);
}

static void hostile(void)
{
	refused("not aligned", page_pa(1) + 8, -DISCO_EINVAL);
	refused("not aligned at the end", MEMORY - 1, -DISCO_EINVAL);
	refused("behind memory", MEMORY, -DISCO_EFAULT);
	refused("16 GB", 16ull << 30, -DISCO_EFAULT);
	refused("a device's registers", DISCO_DEVICE_BASE, -DISCO_EFAULT);
	refused("2^32 pages and one", 1ull << 44 | page_pa(1), -DISCO_EFAULT);
	refused("2^63", 1ull << 63, -DISCO_EFAULT);
	refused("the last page there is", ~(u64)PAGE_MASK, -DISCO_EFAULT);
	refused("the special page", DISCO_SPECIAL_PAGE, -DISCO_EFAULT);
	refused("an address of the window", DISCO_XSSEG_BASE + page_pa(1), -DISCO_EFAULT);
	check_eq("both wrong, and the same", remap(MEMORY, MEMORY), -DISCO_EFAULT);
}

/* Words of pages, written and passed on at random; all pages against the model now and then. */
static void at_random(void)
{
	static u64 model[PAGES][2];
	u32 passed = 0;

	for (u32 i = 0; i < PAGES; i++) {
		tag_page(i, i);
		model[i][0] = i, model[i][1] = i + 1;
	}
	for (u32 i = 0; i < TIMES; i++) {
		u32 to = below(PAGES), from = below(PAGES), end = below(2);

		if (below(2)) {
			passed += equal(page_pa(to), page_pa(from));
			memcpy(model[to], model[from], sizeof(model[to]));
		} else {
			page_va(to)[end ? WORDS - 1 : 0] = model[to][end] = i;
		}
		check(page_va(from)[end ? WORDS - 1 : 0] == model[from][end], "page %u after %u",
		      from, i);
		for (u32 n = 0; i % 100 == 0 && n < PAGES; n++)
			check(page_va(n)[0] == model[n][0] && page_va(n)[WORDS - 1] == model[n][1],
			      "page %u of all after %u", n, i);
	}
	check(passed > TIMES / 4, "only %u were passed", passed);
	print("at random\n");
}

int main(void)
{
	need_monitor();
	state = guest_seed(1);
	one_and_many();
	unused();
	mapped();
	of_image();
	hostile();
	at_random();
	return verdict();
}
