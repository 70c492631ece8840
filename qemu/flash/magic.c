/* SPDX-License-Identifier: MIT */
/*
 * MAGIC's counters, in machine memory, where the monitor reads them: numa/magic.h is the contract.
 */
#include <stdlib.h>
#include <string.h>

#include "qemu/flash/flash.h"

#define RAM_BASE    0x80000000ull
#define PAGE_BYTES  4096ull
#define BLOCK_BYTES (1ull << 20)   /* nodes are whole blocks, for the monitor's large pages */
#define BOOT_MEMORY (256ull << 20) /* QEMU puts the boot archive at its end */
#define SATURATED   0xffffu

static struct magic *magic;	 /* NULL: no caches */
static struct magic_page *pages; /* NULL: it keeps no counters of pages */
static struct magic_ring *rings;
static uint32_t *touched; /* pages with counts; may name one twice */
static uint64_t touched_count, touched_max;
static uint64_t clear_next; /* cycles */

static uint64_t own_bytes(uint64_t bytes)
{
	return bytes / PAGE_BYTES * sizeof(struct magic_page) +
	       MAGIC_MAX_NODES * sizeof(struct magic_ring);
}

/* Counters for each page, in the top of RAM. */
static void count_pages(struct magic *m)
{
	ram.node_bytes = (ram.bytes - own_bytes(ram.bytes)) / cpu_count & ~(BLOCK_BYTES - 1);
	m->range = RAM_BASE + ram.node_bytes * cpu_count;
	m->bytes = ram.bytes - ram.node_bytes * cpu_count;
	m->pages = m->range;
	m->rings = m->pages + ram.bytes / PAGE_BYTES * sizeof(struct magic_page);
	pages = (struct magic_page *)(ram.host + m->pages - RAM_BASE);
	for (uint64_t i = 0; i < ram.bytes / PAGE_BYTES; i++)
		pages[i].kind = MAGIC_GUEST;
	rings = (struct magic_ring *)(ram.host + m->rings - RAM_BASE);
	touched_max = ram.bytes / PAGE_BYTES;
	touched = realloc(touched, touched_max * sizeof(*touched));
	if (!touched)
		abort();
}

void magic_start(void)
{
	struct magic *m = (struct magic *)(ram.host + MAGIC_AT - RAM_BASE);
	bool wanted = options.magic == 2 ? ram.bytes > BOOT_MEMORY : options.magic;

	magic = NULL;
	pages = NULL;
	touched_count = clear_next = 0;
	ram.node_bytes = ram.bytes / cpu_count & ~(PAGE_BYTES - 1);
	if (!options.cache || cpu_count > MAGIC_MAX_NODES)
		return;
	memset(m, 0, sizeof(*m));
	m->range = RAM_BASE + ram.bytes;
	if (wanted)
		count_pages(m);
	m->node_bytes = ram.node_bytes;
	m->nodes = cpu_count;
	m->stalls = options.stalls;
	m->clock_mhz = options.mhz;
	magic = m;
	m->id = MAGIC_ID;
}

static void ring_put(struct magic_ring *ring, uint64_t page)
{
	if (ring->head - ring->tail >= MAGIC_RING) {
		ring->lost++;
		return;
	}
	ring->page[ring->head % MAGIC_RING] = page + (RAM_BASE / PAGE_BYTES);
	ring->head++;
}

static void clear(struct magic_page *p)
{
	uint16_t kind = p->kind;

	memset(p, 0, sizeof(*p));
	p->kind = kind;
}

static void clear_all(void)
{
	for (uint64_t i = 0; i < touched_count; i++)
		clear(&pages[touched[i]]);
	touched_count = 0;
}

/* The page's first count. The list is full of pages forgotten since: begin anew. */
static void touch(uint64_t page)
{
	if (touched_count == touched_max)
		clear_all();
	touched[touched_count++] = page;
}

static bool counted(const struct magic_page *p)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (p->count[i])
			return true;
	return false;
}

void magic_count(unsigned node, uint64_t page, bool write, bool upgrade)
{
	struct magic_page *p;
	bool rises;

	if (!magic)
		return;
	magic->misses[node][ram_node(page * PAGE_BYTES)]++;
	if (!pages || !magic->trigger || page >= (magic->range - RAM_BASE) / PAGE_BYTES)
		return;
	p = &pages[page];
	if (!p->count[node] && !counted(p))
		touch(page);
	rises = p->count[node] < SATURATED;
	p->count[node] += rises;
	if (write && p->writes < SATURATED)
		p->writes++;
	if (upgrade && p->upgrades < SATURATED)
		p->upgrades++;
	if (p->count[node] >= magic->sharing)
		p->sharers |= 1u << node;
	if (rises && p->count[node] % magic->trigger == 0 && ram_node(page * PAGE_BYTES) != node)
		ring_put(&rings[node], page);
}

void magic_stored(uint64_t offset)
{
	uint64_t page;

	if (!pages || !magic->forget)
		return;
	if (offset / 8 != (MAGIC_AT - RAM_BASE + offsetof(struct magic, forget)) / 8)
		return;
	page = magic->forget - 1 - RAM_BASE / PAGE_BYTES;
	if (page < ram.bytes / PAGE_BYTES)
		clear(&pages[page]);
	magic->forget = 0;
}

void magic_time(uint64_t cycles)
{
	if (!pages || !magic->interval || cycles < clear_next)
		return;
	if (clear_next)
		clear_all();
	clear_next = cycles + magic->interval;
}

unsigned magic_vm(unsigned node)
{
	unsigned vm = magic ? magic->current[node] : 0;

	return vm < MAX_VMS ? vm : 0;
}

enum magic_kind magic_kind(uint64_t page)
{
	unsigned kind = pages && page < ram.bytes / PAGE_BYTES ? pages[page].kind : MAGIC_GUEST;

	return kind < MAGIC_KINDS ? kind : MAGIC_GUEST;
}
