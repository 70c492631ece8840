/* SPDX-License-Identifier: MIT */
/*
 * Rule: with injected delays (latency=on) a miss on a remote page is charged, once for each time
 * the page comes into a cache of 256 pages. A walk over more pages is charged, so that no page in
 * use stays hidden behind the L2TLB; a page that stays in the cache is not, however long it is
 * used. Without them nothing is. The monitor's rule: docs/numa.md.
 *
 * Method: pages are sorted into local and remote by their first charge; then walks over each kind.
 *
 * Needs: memory=48
 */
#include "tests/guest/test.h"

#define PAGES  8192 /* 32 MB: more than the node has, in the test that wants remote pages */
#define WALK   320
#define ROUNDS 4
#define LOADS  200000

static u16 remote[WALK], local[WALK];
static unsigned nremote, nlocal;

static u64 stat(u64 which) { return (u64)hypercall(DISCO_HC_STAT, which, 0); }
static u64 charged(void) { return stat(DISCO_STAT_CHARGED); }

/* Each page twice as far from the last as needed, so that nothing stays in a cache. */
static void sort_pages(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		u64 before = charged();

		*page_va(i) = 0; /* what was only read is its reader's node's zero page */
		if (charged() > before) {
			if (nremote < WALK)
				remote[nremote++] = i;
		} else if (nlocal < WALK) {
			local[nlocal++] = i;
		}
	}
}

static u64 walk(const u16 *pages, unsigned n, bool write)
{
	u64 before = charged();

	for (unsigned i = 0; i < n; i++) {
		if (write)
			*page_va(pages[i]) = i;
		else
			(void)*page_va(pages[i]);
	}
	return charged() - before;
}

static void check_remote(void)
{
	u64 before = stat(DISCO_STAT_CHARGED_NS), n;

	walk(remote, nremote, false);
	for (unsigned round = 0; round < ROUNDS; round++) {
		n = walk(remote, nremote, round & 1);
		/*
		 * what the machine's TLB still holds of 160 pairs is no miss, but for a first write
		 */
		check(n <= nremote && n > (round & 1 ? nremote - 1 : nremote * 9 / 10),
		      "walk %u over %u remote pages: %lu charged", round, nremote,
		      (unsigned long)n);
	}
	check(stat(DISCO_STAT_CHARGED_NS) > before, "the charge takes no time");
	before = charged();
	for (unsigned i = 0; i < LOADS; i++)
		(void)*page_va(remote[0]);
	n = charged() - before;
	check(n <= 1, "%u loads of one page: %lu charged", LOADS, (unsigned long)n);
}

int main(void)
{
	u64 n;

	need_monitor();
	sort_pages();
	n = walk(local, nlocal, false) + walk(local, nlocal, true);
	check(n == 0, "walks over local pages: %lu charged", (unsigned long)n);
	if (nremote)
		check_remote();
	else
		check(!stat(DISCO_STAT_CHARGED) && !stat(DISCO_STAT_CHARGED_NS), "charged");
	print("%s\n", nremote == WALK ? "delays" : nremote ? "few remote pages" : "no delays");
	return verdict();
}
