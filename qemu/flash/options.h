/* SPDX-License-Identifier: MIT */
/* The model's options, name=value; pure. README.md says what each means. */
#ifndef QEMU_FLASH_OPTIONS_H
#define QEMU_FLASH_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum topology { TOPOLOGY_CROSSBAR, TOPOLOGY_MESH, TOPOLOGY_HYPERCUBE, TOPOLOGIES };

struct options {
	uint64_t cache, stalls, pace, magic, uma; /* switches; magic: 2, the model decides */
	uint64_t l1, l2;			  /* KB; l1 twice: instructions and data */
	uint64_t l2hit;				  /* cycles */
	uint64_t mhz;
	uint64_t local, remote, hop; /* ns */
	uint64_t occupancy;	     /* ns that a request keeps a node's controller */
	uint64_t dirty;	     /* a switch: a line that another cache may have written costs more */
	uint64_t topology;   /* enum topology */
	uint64_t quantum;    /* cycles */
	uint64_t skew;	     /* cycles */
	uint64_t interleave; /* a switch: pages are the nodes' in turn */
	uint64_t lock,
		lock_bytes; /* where a kernel's spin locks are; 0: nothing is known of them */
	uint64_t spin, spin_bytes; /* where it goes while it waits, if that is elsewhere */
	uint64_t unit;	/* whose markers begin and end the region of interest; 0: its own do */
	uint64_t tlb;	/* dual entries; 0: as QEMU has them */
	uint64_t eret;	/* cycles of an exception, beside its handler */
	char out[4096]; /* file; "": none */
};

extern const char *const topology_names[TOPOLOGIES];

void options_default(struct options *o);
/* One name=value. -1: it is wrong, and why (at most bytes) says what would be right. */
int options_parse(struct options *o, const char *text, char *why, size_t bytes);
/* All but out as the inside of a JSON object. */
void options_json(const struct options *o, char *to, size_t bytes);

#endif /* QEMU_FLASH_OPTIONS_H */
