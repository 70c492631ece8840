/* SPDX-License-Identifier: MIT */
/*
 * The machine and VM descriptions: a flattened device tree ("disco,machine", written in configs/)
 * checked and copied into plain structs. Pure: the same code runs in the monitor and in
 * tools/dtscheck. Does not look at the images it names and does not decide whether they fit the
 * machine (kernel/vm/loader.c, tools/dtscheck do).
 */
#ifndef KERNEL_VM_VMDESC_H
#define KERNEL_VM_VMDESC_H

#include "kernel/types.h"

#define VMDESC_MAX_VMS	      16
#define VMDESC_NODES_MIN      2
#define VMDESC_NODES_MAX      16
#define VMDESC_MACHINE_MB_MIN 128
#define VMDESC_MACHINE_MB_MAX 2048
#define VMDESC_VM_MB_MIN      4
#define VMDESC_VM_MB_MAX      1024
#define VMDESC_REWRITE_MB_MAX 256 /* with `rewrite`: what the csseg window shows */
#define VMDESC_VCPUS_MAX      16
#define VMDESC_WEIGHT_MIN     64 /* 1024 is that of a VM that says nothing */
#define VMDESC_WEIGHT_MAX     16384
#define VMDESC_CAP_MAX	      100  /* percent */
#define VMDESC_BOOTARGS_MAX   2048 /* Linux takes 4096 */
#define VMDESC_ERROR_BYTES    192
#define VMDESC_DISKS_MAX      4	   /* of a VM */
#define VMDESC_DISK_LIMIT_MAX 2048 /* MB of modified data */
#define VMDESC_IMAGE_MAX      127  /* characters */
#define VMDESC_SERIAL_MAX     20   /* characters, as virtio has them */
#define VMDESC_SEEK_US_MAX    1000000
#define VMDESC_KB_SECOND_MAX  10000000
#define VMDESC_NETS_MAX	      2	  /* network ports of a VM */
#define VMDESC_MTU_MIN	      576 /* bytes of a packet; a frame has 14 more */
#define VMDESC_MTU_MAX	      65535
#define VMDESC_MTU_DEFAULT    65535
#define VMDESC_MTU_UPLINK     1500
#define VMDESC_FORWARD_MAX    8 /* TCP ports of a network port that the host reaches */
#define VMDESC_LATENCY_NS_MIN 1
#define VMDESC_LATENCY_NS_MAX 20000
#define VMDESC_LATENCIES_MAX  (VMDESC_NODES_MAX * VMDESC_NODES_MAX)

/* What the monitor keeps for itself, boot archive not counted, at most: what the check on the host
 * (vmdesc_memory_for_vms) goes by. The monitor itself counts what is left. */
#define VMDESC_MONITOR_MB 16
#define VMDESC_NODE_MB	  1
#define VMDESC_IMAGE_KB	  320 /* for each image of the host, of node 0 */
#define VMDESC_UPLINK_KB  320 /* for an uplink, of node 0 */
#define VMDESC_VIEW_SHARE 256 /* of a VM's memory, for its pmap on each of its nodes */

/* Property "node": VCPU i lives on list[i % n], and list[0] is the VM's home. n 0: anywhere. */
struct vmdesc_nodes {
	u32 n;
	u32 list[VMDESC_NODES_MAX];
};

/* In the order of the description's words. */
enum disk_mode {
	DISK_COW, /* what the VM writes is its own and gone with it; the image is only read */
	DISK_PERSISTENT, /* writes reach the image, which no other disk has */
};

/*
 * One disk of a VM. What several disks say of one image (in_archive, seek_us, kb_per_second) is equal.
 * The image is a file of the boot archive, or one of the host that QEMU shows as a device of the machine;
 * which one is vmdesc_host_image.
 */
struct disk_desc {
	char name[16];			    /* of its node: "disk0" */
	char image[VMDESC_IMAGE_MAX + 1];   /* build/IMAGE, or a path from / on */
	char serial[VMDESC_SERIAL_MAX + 1]; /* the node's name, if nothing was said; one of the VM */
	u32 mode;			    /* enum disk_mode */
	bool read_only;			    /* for the guest; never with a limit */
	bool in_archive;		    /* with DISK_COW only */
	u32 limit_mb;			    /* of modified data; 0: none. With DISK_COW only */
	u32 seek_us;	   /* modelled latency of an image in the archive, else 0 */
	u32 kb_per_second; /* modelled transfer; 0: no time at all */
};

#define NET_ADDRESS_BYTES 6

/*
 * One network port of a VM, or the uplink: the machine's own network device as a port. No VM has two on
 * one subnet, and no two ports of a subnet one address.
 */
struct net_desc {
	char name[16];	 /* of its node: "net0" */
	char subnet[16]; /* ports that name the same one see each other */
	u32 mtu;
	bool any_source; /* frames may come from addresses that are not the port's */
	struct {
		u32 n;
		u32 port[VMDESC_FORWARD_MAX]; /* 1..65535 */
	} forward;		       /* TCP ports that the host reaches by the subnet's uplink */
	u8 address[NET_ADDRESS_BYTES]; /* by vmdesc_net_address; the uplink has none: zero */
	/*
	 * Of ports of valid VMs, in the order of the tree: the number of the subnet, from 0, and of the
	 * port on it, from 1. The uplink has number 0.
	 */
	u32 subnet_number, number;
};

/*
 * One VM. valid: every field obeys the limits above and the label is nobody else's. Not valid: only
 * name and error mean anything, and the VM must not be started.
 */
struct vm_desc {
	bool valid;
	bool on_demand;	  /* not made at boot */
	bool manual;	  /* not started when it is made */
	bool gang;	  /* its VCPUs are to run at the same time */
	bool time_stops;  /* its clock stands still while it is paused */
	bool show_nodes;  /* its device tree says which node is what, and its memory is there */
	bool identity;	  /* it has the device of that name (drivers/identity.c) */
	bool rewrite;	  /* its kernel is linked for KSEG0 (kernel/reloc/reloc.h) */
	bool unpatched;	  /* and no place of it is patched while it runs (kernel/reloc/patch.h) */
	char name[16];	  /* of its node: "vm0" */
	char label[16];	  /* 1..15 of a-z 0-9 - */
	char kernel[32];  /* file in the boot archive */
	char ramdisk[32]; /* file in the boot archive, "" for none */
	char bootargs[VMDESC_BOOTARGS_MAX + 1];
	u32 memory_mb;
	u32 vcpus;
	u32 ndisks;
	struct disk_desc disks[VMDESC_DISKS_MAX]; /* in the order of the tree */
	u32 weight, cap; /* against other VMs on a node; percent of its processor. 0: not said */
	u32 nnets;
	struct net_desc nets[VMDESC_NETS_MAX]; /* in the order of the tree */
	struct vmdesc_nodes nodes;	/* each 0..nodes of the machine - 1; at most one a VCPU */
	char error[VMDESC_ERROR_BYTES]; /* "/vms/vm0: memory-mb: found 0, allowed 4..1024" */
};

/*
 * How nodes are joined: what a hop is (numa/topology.c). In the order of the description's words.
 */
enum topology_shape { TOPOLOGY_CROSSBAR, TOPOLOGY_MESH, TOPOLOGY_HYPERCUBE };

/* Numbers of a property. */
struct vmdesc_list {
	u32 count;
	u32 value[VMDESC_LATENCIES_MAX];
};

struct machine_desc {
	u32 nodes;
	u32 memory_mb;
	u32 topology; /* enum topology_shape */
	/* ns: none; local and remote; local, remote and each hop more; or from each node (row) to
	 * each (column) */
	struct vmdesc_list latency_ns;
	bool has_uplink;
	struct net_desc uplink;
	u32 nvms; /* vms[0..nvms - 1], in the order of the tree, bad ones included */
	struct vm_desc vms[VMDESC_MAX_VMS];
};

/*
 * Read the tree at blob, which may be hostile. Returns 0, or -EINVAL and a line in why (at most
 * why_size bytes, always terminated) if the machine's own part is wrong; *out is then all zero. A
 * wrong VM does not fail the call: it has valid = false. Copies everything: the blob may go
 * afterwards. The blob must be 8-byte aligned (files in the boot archive are 4-byte aligned: copy
 * it first), otherwise that is the error.
 */
int vmdesc_parse(const void *blob, size_t size, struct machine_desc *out, char *why,
		 size_t why_size);

/* One VM's node of the tree, for vmdesc_parse: the machine and the VMs before it are read. */
void vmdesc_read_vm(const void *fdt, int node, const struct machine_desc *machine,
		    struct vm_desc *vm);

/*
 * The same for one node in it: a disk, or a network port, which becomes *part, the next one in vm; only its
 * name is there. 0, or -EINVAL and the report.
 */
struct report;
int vmdesc_read_disk(const void *fdt, int node, const struct machine_desc *machine,
		     const struct vm_desc *vm, void *part, struct report *r);
int vmdesc_read_net(const void *fdt, int node, const struct machine_desc *machine,
		    const struct vm_desc *vm, void *part, struct report *r);
/* The machine's uplink, before its VMs are read: 0, or -EINVAL and the report. */
int vmdesc_read_uplink(const void *fdt, int node, struct machine_desc *machine, struct report *r);
/* After all VMs: numbers subnets and ports. 0, or -EINVAL and the report: nobody is on the uplink's subnet. */
int vmdesc_number_nets(struct machine_desc *machine, struct report *r);
/* The link address of port number index of the VM with that label. */
void vmdesc_net_address(const char *label, u32 index, u8 address[NET_ADDRESS_BYTES]);

/*
 * Images of the host are numbered from 0 in the order of the tree, valid VMs only, each once. Number n
 * is the machine's device with the serial VMDESC_HOST_SERIAL (n): qemu/run.sh attaches it, and
 * drivers/host finds it. Which number the disk's image has; -1: it is in the archive.
 */
#define VMDESC_HOST_SERIAL "image%u"
int vmdesc_host_image(const struct machine_desc *machine, const struct disk_desc *disk);
/* The first disk with host image n, whose mode is that of all; NULL: there is none. */
const struct disk_desc *vmdesc_host_disk(const struct machine_desc *machine, u32 n);

/*
 * Megabytes of the described machine that VMs may have in all, beside an archive of archive_bytes.
 */
u32 vmdesc_memory_for_vms(const struct machine_desc *machine, size_t archive_bytes);

#endif /* KERNEL_VM_VMDESC_H */
