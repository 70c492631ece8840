/* SPDX-License-Identifier: MIT */
/*
 * The door to numa/: which memory belongs to which node, free pages near a node, where a page goes
 * first, and what undoes replication. Addresses are machine addresses, sizes in 4 KB pages unless a
 * name says bytes.
 */
#ifndef NUMA_NUMA_H
#define NUMA_NUMA_H

#include "kernel/types.h"

/*
 * MAGIC, the timing model's node controller (numa/magic.h), if the machine has it and it counts.
 * magic_init looks for it, says so, and returns how many bytes from base are left for n nodes. Boot
 * only, before memory is used; magic() is NULL until then, and without the model.
 */
struct magic;
u64 magic_init(u32 n, maddr_t base, u64 bytes);
struct magic *magic(void);
void magic_note_vm(u32 node, u32 vm); /* whose VCPU the node runs from now on */

/* Splits [base, base + bytes) into n equal ranges; below boot_end is the monitor's image. Boot
 * only. */
void topology_init(u32 n, maddr_t base, u64 bytes, maddr_t boot_end);
/* One range, wherever it lies, that is never given to anybody: the boot archive. Boot only. */
void topology_keep(maddr_t start, u64 bytes);
maddr_t topology_base(u32 node);
u64 topology_bytes(u32 node);
u32 topology_distance(u32 from, u32 to); /* hops: 0 for the node itself */

/* Memory of a node for the monitor itself, zeroed, never given back. Boot only. NULL: the node has
 * no more. */
void *nodemem_boot_alloc(u32 node, size_t bytes, size_t align);
u64 nodemem_boot_left(u32 node); /* bytes, alignment not counted */
/* The rest of the node's range becomes its free pages. */
void nodemem_init(u32 node);

/*
 * A zeroed free page of the node, else of the nearest that has one; MPN_NONE when the machine is
 * full. The caller says in memmap what becomes of it. Takes RANK_NODEMEM locks.
 */
mpn_t nodemem_alloc(u32 node);
mpn_t nodemem_alloc_here(u32 node); /* of this node only, with whatever it held before */
/* The same for a whole block, aligned to its size; of this node only. MPN_NONE: it has none. */
mpn_t nodemem_alloc_block(u32 node);
#define BLOCK_SHIFT 8 /* 1 MB: the largest page that windows are mapped with */
#define BLOCK_PAGES (1u << BLOCK_SHIFT)
void nodemem_free(mpn_t mpn); /* state FREE already */

/* Promises: a VM reserves its whole memory when it starts. -ENOMEM: pages more than are left
 * unpromised. */
int nodemem_reserve(u64 pages);
void nodemem_unreserve(u64 pages);
u64 nodemem_unreserved(void);

u64 nodemem_free_pages(u32 node);
u64 nodemem_monitor_bytes(u32 node); /* what the monitor keeps of the node */

/* Where a page of a VM goes when it is used first. */
enum placement {
	PLACE_HOME,	   /* the VM's home node */
	PLACE_FIRST_TOUCH, /* the node of the VCPU that uses it first */
	PLACE_ROUND_ROBIN, /* page n on node n modulo their number */
};
enum placement numa_placement(void);
void numa_place(enum placement p); /* pages given from now on */

struct vm;
/*
 * A page is about to be written by a VCPU of node: one copy is left, and no view holds it. Under
 * the VM's pmap lock; answers shootdowns.
 */
void numa_collapse(struct vm *vm, gpn_t gpn, u32 node);
/* All replicas of all VMs, when memory is short. Takes RANK_PMAP locks. */
void numa_reclaim(void);

#endif /* NUMA_NUMA_H */
