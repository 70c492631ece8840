/* SPDX-License-Identifier: MIT */
/* What a miss costs, and whom it is counted for. */
#include <string.h>

#include "qemu/flash/flash.h"
#include "qemu/flash/network.h"

struct cache_system caches;
static struct controller controllers[MAX_CPUS];
static uint64_t occupancy; /* cycles */

bool memory_init(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		for (unsigned node = 0; node < cpu_count; node++)
			cpus[i].latency[node] = network_cycles(&options, cpu_count, i, node);
	occupancy = options.occupancy * options.mhz / 1000;
	return !options.cache ||
	       cache_init(&caches, cpu_count, options.l1 << 10, options.l2 << 10, ram.bytes);
}

/* What the request waits for others at the controller of its home. */
static uint64_t queue(struct cpu *c, unsigned home)
{
	uint64_t wait;

	if (!occupancy)
		return 0;
	wait = controller_wait(&controllers[home], c->n.cycles, occupancy, options.quantum);
	c->n.queued += wait;
	return wait;
}

/* The processor is in an entry to the vectors. */
static void note(struct cpu *c, uint64_t line, enum access access, enum touch touch, unsigned stall)
{
	enum magic_kind kind = access == ACCESS_FETCH ? MAGIC_TEXT
						      : magic_kind(line >> (12 - LINE_SHIFT));

	c->n.touched[c->cause][kind][touch]++;
	if (options.stalls)
		c->n.touched_stall[c->cause][kind] += stall;
}

void memory_miss(struct cpu *c, uint64_t line, enum access access)
{
	unsigned owner = cache_owner(&caches, line);
	enum outcome outcome = cache_access(&caches, c->id, line, access);
	unsigned home = ram_node(line << LINE_SHIFT), stall;
	enum where where = home == c->id ? LOCAL : REMOTE;
	enum touch touch = TOUCH_HIT;

	if (outcome != UPGRADE)
		c->n.l1[access != ACCESS_FETCH]++;
	if (outcome == HIT_L2) {
		c->n.l2_hits++;
		stall = options.l2hit;
	} else {
		touch = (outcome == MISS ? TOUCH_MISS : TOUCH_UPGRADE) + where;
		if (outcome == MISS)
			c->n.misses[access != ACCESS_FETCH][where]++;
		else
			c->n.upgrades[where]++;
		magic_count(c->id, line >> (12 - LINE_SHIFT), access == ACCESS_WRITE,
			    outcome == UPGRADE);
		stall = c->latency[home] + queue(c, home);
		if (owner) {
			c->n.dirty++;
			stall += network_dirty_cycles(&options, c->id, home, owner - 1);
		}
	}
	if (c->cause != CAUSE_NONE)
		note(c, line, access, touch, stall);
	if (!options.stalls)
		return;
	if (outcome == HIT_L2)
		c->n.stall_l2 += stall;
	else
		c->n.stall_at[where] += stall;
	c->n.stall[c->vm][c->class] += stall;
	c->n.cycles += stall;
}
