/* SPDX-License-Identifier: MIT */
/*
 * Builds the flattened device tree that a guest is started with (UHI boot: a1). Pure: writes into
 * the caller's buffer only. What the nodes mean is part of the guest ABI (docs/guest-abi.md).
 */
#ifndef KERNEL_VM_GDTB_H
#define KERNEL_VM_GDTB_H

#include "kernel/types.h"

/* Room that is enough for every struct gdtb_params: 16 processors on 16 nodes, 2048 characters of command line, the devices of a VM. */
#define GDTB_MAX_BYTES 12288
#define GDTB_MAX_VCPUS 16

/* A property of a node, as bytes. */
struct gdtb_property {
	const char *name;
	const void *value;
	u32 bytes;
};
#define GDTB_PROPERTIES_MAX 4

/* What happens if a value is stored to a word of a device's registers (Linux's bindings of "syscon"). */
struct gdtb_switch {
	const char *name, *compatible; /* of a node of its own */
	u32 offset, value;
};

/* A device with registers. */
struct gdtb_device {
	const char *name, *compatible;
	u64 base, bytes;
	u32 line; /* its interrupt, a Cause.IP number; 0: it has none */
	u32 nproperties;
	struct gdtb_property property[GDTB_PROPERTIES_MAX]; /* of its own */
	u32 nswitches;
	const struct gdtb_switch *switches;
};

/*
 * Nodes as the guest is shown them, from 0. Node i has piece bytes of memory from i * piece on, the last what is left, too. distance is as Linux
 * and ACPI have it: 10 on a node itself, 30 where memory takes three times as long.
 */
struct gdtb_nodes {
	u32 n; /* 0: nothing is said of nodes */
	u32 of_vcpu[GDTB_MAX_VCPUS];
	u64 piece;
	u8 distance[GDTB_MAX_VCPUS][GDTB_MAX_VCPUS]; /* from, to */
};

/*
 * Addresses are guest physical. Memory begins at 0 and has no holes. No ramdisk: initrd_start == initrd_end.
 * label and bootargs are terminated strings, never NULL.
 */
struct gdtb_params {
	const char *label;
	const char *bootargs;
	u64 memory_bytes;
	const u8 *seed;	  /* SEED_BYTES for the guest's random numbers, or NULL */
	u64 initrd_start; /* first byte */
	u64 initrd_end;	  /* one behind the last */
	u32 vcpus;	  /* 1..GDTB_MAX_VCPUS */
	u32 timer_hz;	  /* Count ticks a second */
	struct gdtb_nodes nodes;
	bool native; /* the kernel knows nothing of us: it finds its clock as on other boards */
	const struct gdtb_device *devices;
	u32 ndevices;
};

/*
 * Returns the size of the tree written at buf, -ENOSPC if size bytes are not enough, -EINVAL for
 * params outside the limits above. buf must be 8-byte aligned. After an error buf holds no tree.
 */
int gdtb_build(void *buf, size_t size, const struct gdtb_params *params);

#endif /* KERNEL_VM_GDTB_H */
