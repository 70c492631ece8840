/* SPDX-License-Identifier: MIT */
/*
 * patterns: access patterns over memory that VCPU 0 filled in and VCPU 1, on another node, uses:
 * what the injected delays of remote memory are calibrated with (tools/calibrate). Little but the
 * accesses, so that what misses cost is nearly all there is. The last line tells how many misses
 * the monitor charged VCPU 1 for in the section (none under the timing model, which counts misses
 * itself between the marks), and a sum.
 *
 * Bootargs: pattern=N (the number in the table below), kb=N of memory, rounds=N.
 */
#include "guests/lib/hypercall.h"
#include "guests/numa/work.h"

const char guest_name[] = "patterns";

#define LINE	   (LINE_BYTES / sizeof(u64))
#define PAGE_LINES (PAGE_SIZE / LINE_BYTES)
#define PAGE_WORDS (PAGE_SIZE / sizeof(u64))

static u64 *memory, words, lines, pages, rounds, pattern, charged, charged_ns;
static u64 seed = 11;

static u64 below(u64 n) { return (work_random(&seed) >> 32) * n >> 32; }

/* ---- the patterns: one call is one round ---- */

/* Each line once, in order: private data that is gone through. */
static u64 stream(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < words; i += LINE)
		sum += memory[i];
	return sum;
}

static u64 stream_write(void)
{
	for (u64 i = 0; i < words; i += LINE)
		memory[i] += i;
	return memory[0];
}

/* Every word: a line's worth of hits between misses. */
static u64 scan(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < words; i++)
		sum += memory[i];
	return sum;
}

/* Five points of a grid with rows of 4 KB. */
static u64 stencil(void)
{
	for (u64 i = PAGE_WORDS; i < words - PAGE_WORDS; i++)
		memory[i] = (memory[i - PAGE_WORDS] + memory[i - 1] + memory[i + 1] +
			     memory[i + PAGE_WORDS]) >>
			    2;
	return memory[words / 2];
}

/* A line anywhere. */
static u64 uniform(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < lines; i++)
		sum += memory[below(lines) * LINE];
	return sum;
}

/* The same, and each fourth access writes. */
static u64 update(void)
{
	for (u64 i = 0; i < lines; i++) {
		u64 at = below(lines) * LINE;

		if (i & 3)
			seed += memory[at] & 1;
		else
			memory[at]++;
	}
	return seed;
}

/* Where the last line says: nothing can be had before it came. */
static u64 chase(void)
{
	u64 at = 0;

	for (u64 i = 0; i < lines; i++)
		at = memory[at];
	return at;
}

/* Page p about as often as 1 / p, any line of it: tables that programs look things up in. */
static u64 zipf(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < lines; i++) {
		u64 most = 1, page;

		while (most < pages && below(2)) /* each doubling as likely as the one before */
			most *= 2;
		page = below(most < pages ? most : pages);
		sum += memory[(page * 2654435761u % pages) * PAGE_WORDS + below(PAGE_LINES) * LINE];
	}
	return sum;
}

/* Some lines side by side, somewhere: what a kernel does with its structures. */
static u64 runs(void)
{
	u64 sum = 0;

	for (u64 i = 0; i < lines / 6; i++) {
		u64 at = below(lines - 12), n = 1 + below(11);

		for (u64 j = 0; j < n; j++)
			sum += memory[(at + j) * LINE];
	}
	return sum;
}

/* Records of six lines, read and changed. */
static u64 records(void)
{
	u64 records = lines / 6;

	for (u64 i = 0; i < records; i++) {
		u64 *record = memory + below(records) * 6 * LINE;

		for (u64 j = 0; j < 6; j++)
			seed += record[j * LINE];
		record[0] = i;
	}
	return seed;
}

/* Three square matrices, row by column: one of them by pages. */
static u64 matmul(void)
{
	u64 n = 1;

	while (3 * (n + 1) * (n + 1) <= words)
		n++;
	u64 *a = memory, *b = a + n * n, *c = b + n * n, part = n / 16;

	for (u64 i = below(n - part), end = i + part; i < end; i++)
		for (u64 j = 0; j < n; j++) {
			u64 sum = 0;

			for (u64 k = 0; k < n; k++)
				sum += a[i * n + k] * b[k * n + j];
			c[i * n + j] = sum;
		}
	return c[0];
}

/* The same in squares that fit the cache and the TLB. */
static u64 blocked(void)
{
	const u64 side = 32;
	u64 n = side;

	while (3 * (n + side) * (n + side) <= words)
		n += side;
	u64 *a = memory, *b = a + n * n, *c = b + n * n, i0 = below(n / side) * side;

	for (u64 j0 = 0; j0 < n; j0 += side)
		for (u64 k0 = 0; k0 < n; k0 += side)
			for (u64 i = i0; i < i0 + side; i++)
				for (u64 j = j0; j < j0 + side; j++) {
					u64 sum = c[i * n + j];

					for (u64 k = k0; k < k0 + side; k++)
						sum += a[i * n + k] * b[k * n + j];
					c[i * n + j] = sum;
				}
	return c[0];
}

static u64 (*const patterns[])(void) = { stream, stream_write, scan, stencil, uniform, update,
					 chase,	 zipf,	       runs, records, matmul,  blocked };

/* ---- the run ---- */

/* A cycle through all lines, in an order as good as random; other words hold numbers. */
static void fill_in(void)
{
	for (u64 i = 0; i < words; i++)
		memory[i] = i;
	for (u64 i = lines - 1; i > 0; i--) {
		u64 j = below(i), was = memory[i * LINE];

		memory[i * LINE] = memory[j * LINE];
		memory[j * LINE] = was;
	}
}

static u64 stat(u64 which)
{
	return platform_is_native ? 0 : (u64)hypercall(DISCO_HC_STAT, which, 0);
}

static void run(unsigned worker)
{
	u64 sum = 0, count = stat(DISCO_STAT_CHARGED), ns = stat(DISCO_STAT_CHARGED_NS);

	if (worker != 1)
		return;
	for (u64 i = 0; i < rounds; i++)
		sum = sum * 31 + patterns[pattern]();
	charged = stat(DISCO_STAT_CHARGED) - count;
	charged_ns = stat(DISCO_STAT_CHARGED_NS) - ns;
	work_result(worker, sum);
}

int main(void)
{
	pattern = work_option("pattern", 0);
	rounds = work_option("rounds", 1);
	words = work_option("kb", 2048) << 10 >> 3;
	if (pattern >= sizeof(patterns) / sizeof(patterns[0]))
		return 1;
	lines = words / LINE;
	pages = words / PAGE_WORDS;
	memory = work_alloc(words * sizeof(*memory));
	fill_in();
	work_start();
	work_begin();
	work_all(run);
	work_end();
	print("patterns: charged %lu, %lu ns\n", (unsigned long)charged, (unsigned long)charged_ns);
	return work_report();
}
