/* SPDX-License-Identifier: MIT */
/*
 * What MAGIC, the node controller of the timing model (qemu/flash/), shares with the monitor: which
 * pages each processor misses on. Included by both, so it includes nothing but integer types.
 *
 * MAGIC writes struct magic at MAGIC_AT before the monitor's first instruction; without the model
 * that page holds something else, usually zero. Everything named is little endian; addresses are
 * machine addresses, RAM from 0x80000000. MAGIC owns [range, range + bytes), the top of RAM: the
 * monitor gives none of it to anybody and splits what is below it into equal nodes of node_bytes.
 * If it counts no pages, range is the end of RAM, bytes, pages and rings are 0.
 */
#ifndef NUMA_MAGIC_H
#define NUMA_MAGIC_H

#include <stdint.h>

#define MAGIC_AT	0x80001000ul
#define MAGIC_NAME	0x4d414749ul /* "MAGI" */
#define MAGIC_MAX_NODES 16
#define MAGIC_RING	512 /* entries; a power of two */

/*
 * What a page is, for the account of what the monitor touches: fetches are of text, whatever this says. The
 * monitor writes it at boot; MAGIC clears it with the rest of the machine.
 */
enum magic_kind {
	MAGIC_GUEST, /* or free, or on a machine that says nothing */
	MAGIC_MONITOR,
	MAGIC_L2TLB,
	MAGIC_PMAP,
	MAGIC_TEXT,
	MAGIC_KINDS
};

/*
 * A machine page, since its counters were last cleared. Counts saturate. A miss is one that leaves
 * the processor's second-level cache; an upgrade of a shared line counts as a miss and a write.
 */
struct magic_page {
	uint16_t sharers; /* nodes whose count has reached sharing */
	uint16_t writes;  /* misses that wanted to write, of all nodes */
	uint16_t count[MAGIC_MAX_NODES];
	uint16_t kind;	   /* an enum magic_kind; no counter, stays */
	uint16_t upgrades; /* of all nodes: of those misses, they wrote a line that was read before */
	uint16_t unused[12]; /* 64 bytes */
};

/* Pages of other nodes that a node has just missed on trigger times, or as many times more, for
 * that node: MAGIC writes at head, the monitor reads at tail; both only count up. A full ring loses
 * the newest. */
struct magic_ring {
	uint32_t head, tail, lost, unused;
	uint64_t page[MAGIC_RING]; /* machine page numbers */
};

struct magic {
	uint64_t id; /* MAGIC_ID */
	uint64_t range, bytes;
	uint64_t node_bytes; /* memory of each node, from RAM's start up */
	uint64_t pages; /* address of struct magic_page[], one for each page of RAM below range */
	uint64_t rings; /* address of struct magic_ring[nodes] */
	uint32_t nodes, stalls; /* stalls: misses cost time, so that nobody else may charge them */
	uint32_t clock_mhz, unused; /* of the simulated processors */
	/* the monitor's to write: */
	/* misses of one node on a page that call for attention; 0: count nothing */
	uint32_t trigger;
	uint32_t sharing;  /* misses that make a node a sharer */
	uint64_t interval; /* simulated cycles between clearings of all counters; 0: never */
	/* page to be cleared now, plus 1: the monitor writes it after a move; MAGIC acts at the
	 * store */
	uint64_t forget;
	/* the VM, plus 1, whose VCPU each node runs (0: none yet): whom instructions are counted
	 * for */
	uint32_t current[MAGIC_MAX_NODES];
	/* MAGIC's: all misses since the start, of each node on memory of each */
	uint64_t misses[MAGIC_MAX_NODES][MAGIC_MAX_NODES];
};

/* The name, and the sizes of all three, so that a model built from another header is found out. */
#define MAGIC_ID                                                                                \
	((MAGIC_NAME << 32) | (sizeof(struct magic) << 20) | (sizeof(struct magic_ring) << 6) | \
	 sizeof(struct magic_page) >> 1)

#endif /* NUMA_MAGIC_H */
