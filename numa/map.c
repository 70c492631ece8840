/* SPDX-License-Identifier: MIT */
/*
 * The heat map, node by node, in the terminal: a row is a processor, a column a memory, the shade
 * says how much of all misses that is; behind it the VCPUs that are on the node. And the same figures as log lines, for tools/numa-report:
 * numa-log=MS on the command line.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"
#include "numa/show.h"
#include "numa/topology.h"

#define LOG_MS_MIN  10u
#define LOG_MS_MAX  10000u
#define LIVE_MS	    1000u
#define VCPUS_SHOWN 4u

/* Colours of the 256 of a terminal, dark to bright; the first is its own background's. */
static const u8 shades[] = { 0, 17, 18, 54, 90, 126, 161, 196, 202, 208, 214, 220, 226 };

struct look {
	u64 misses[MAX_NODES][MAX_NODES];
};

static u32 draw_ms;		 /* how often the live map is drawn */
static struct look seen, logged; /* at the last look of each; node 0 only */

/* How many more there are than at the last look, which this one becomes. */
static void look(struct look *last, struct look *more)
{
	for (u32 i = 0; i < nnodes; i++)
		for (u32 j = 0; j < nnodes; j++) {
			u64 now = show_misses(i, j);

			more->misses[i][j] = now - last->misses[i][j];
			last->misses[i][j] = now;
		}
}

/* ---- the map ---- */

/* In at most five characters. */
static void print_count(u64 n)
{
	if (n < 100000)
		kprintf("%5lu", n);
	else if (n < 10000000)
		kprintf("%4luk", n / 1000);
	else
		kprintf("%4luM", n / 1000000);
}

/* Shades go by the square root, so that a tenth of the most still shows. */
static u32 shade_of(u64 n, u64 most)
{
	u32 level = 0, top = ARRAY_SIZE(shades) - 1;

	while (level < top && n * top * top > (u64)level * level * most)
		level++;
	return shades[level];
}

static void print_cell(u64 n, u64 most)
{
	u32 shade = n ? shade_of(n, most) : 0;

	if (shade)
		kprintf("\033[48;5;%u;38;5;%um", shade, shade > 200 ? 16 : 231);
	print_count(n);
	kprintf(" %s", shade ? "\033[0m" : "");
}

/* Those that have a guest's state, as VM/NUMBER; how many more there are behind the last that has room. */
static void print_vcpus(const struct node *node)
{
	u32 shown = 0, more = 0;

	for (u32 i = 0; i < nvms; i++)
		for (u32 id = 0; id < vms[i]->nvcpus; id++) {
			const struct vcpu *v = vms[i]->vcpus[id];

			if (v->node != node || vcpu_state(v) == VCPU_OFFLINE)
				continue;
			if (shown < VCPUS_SHOWN)
				kprintf("%s%s/%u", shown++ ? " " : "  ", vms[i]->name, id);
			else
				more++;
		}
	if (more)
		kprintf(" and %u more", more);
}

static void print_map(const struct look *more)
{
	u64 most = 1, all = 0, local = 0, row;

	for (u32 i = 0; i < nnodes; i++)
		for (u32 j = 0; j < nnodes; j++) {
			most = MAX(most, more->misses[i][j]);
			all += more->misses[i][j];
			local += i == j ? more->misses[i][j] : 0;
		}
	kprintf("misses of processor (row) on memory of (column): %lu, %lu %% local\n    ", all,
		show_percent(local, all));
	for (u32 j = 0; j < nnodes; j++)
		kprintf("%5u ", j);
	kprintf("  local %%  pages   VCPUs\n");
	for (u32 i = 0; i < nnodes; i++) {
		kprintf("%3u ", i);
		row = 0;
		for (u32 j = 0; j < nnodes; j++) {
			row += more->misses[i][j];
			print_cell(more->misses[i][j], most);
		}
		kprintf("  %7lu  %-6lu", show_percent(more->misses[i][i], row),
			show_guest_pages(i));
		print_vcpus(nodes[i]);
		kprintf("\n");
	}
	if (show_nobody_counts())
		kprintf("%s\n", show_nobody_counts());
}

static void draw(void)
{
	struct look more;

	look(&seen, &more);
	kprintf("\033[H\033[J");
	print_map(&more);
	kprintf("each %u ms; any key ends it\n", draw_ms);
}

void map_show(const char *how)
{
	struct look more;
	u64 ms = LIVE_MS;

	if (how && !strcmp(how, "once")) {
		look(&seen, &more);
		print_map(&more);
		return;
	}
	if (how && (!word_number(word_of(how), LOG_MS_MAX, &ms) || ms < LOG_MS_MIN)) {
		kprintf("numa map: found %s, allowed once or %u..%u ms\n", how, LOG_MS_MIN,
			LOG_MS_MAX);
		return;
	}
	draw_ms = ms;
	draw();
	console_live(draw, draw_ms);
}

/* ---- the log ---- */

static u64 log_ticks, log_next; /* count64; 0: none */

void map_configure(const char *words)
{
	struct word value = words_value(words, "numa-log=");
	u64 ms = 0;

	if (!value.at)
		return;
	if (!word_number(value, LOG_MS_MAX, &ms) || ms < LOG_MS_MIN)
		log_line("main", "numa-log=: found something else than a number %u..%u: no log",
			 LOG_MS_MIN, LOG_MS_MAX);
	else
		log_ticks = ms * COUNT_MS;
}

/* "numa-log: MS NODE local remote pages migrated replicated collapsed": misses since the last line
 * of the node, the rest since the start. */
static void log_node(const struct look *more, u64 ms, u32 node)
{
	const struct node_stats *s = &nodes[node]->stats;
	u64 remote = 0;

	for (u32 j = 0; j < nnodes; j++)
		remote += j == node ? 0 : more->misses[node][j];
	log_line("numa-log", "%lu %u %lu %lu %lu %lu %lu %lu", ms, node, more->misses[node][node],
		 remote, show_guest_pages(node), s->migrated.pages, s->replicated.pages,
		 s->collapsed);
}

void map_tick(void)
{
	u64 now = count64();
	struct look more;

	if (!log_ticks || now < log_next)
		return;
	log_next = now + log_ticks;
	look(&logged, &more);
	for (u32 i = 0; i < nnodes; i++)
		log_node(&more, now / COUNT_MS, i);
}
