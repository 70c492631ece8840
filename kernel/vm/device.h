/* SPDX-License-Identifier: MIT */
/*
 * The devices of a VM. A device type (drivers/) is a table of functions; a VM has as many struct
 * devices of each type as its description asks for, made at boot, reset whenever the VM starts and
 * shut down whenever it ends.
 *
 * A device may have registers in the guest's "physical" address space, from DISCO_DEVICE_BASE on,
 * where no VM has memory. A load or store of a guest there traps, is decoded (arch/mips/access.h)
 * and comes to the type's read or write. A type whose registers can be read without any effect may ask
 * for a page instead: guests see that page, which is the monitor's, and can read but never write or
 * execute there, so that only stores trap; the device keeps it current. A device may have an interrupt line, which it shares with
 * others: the line is up while any of them raises it.
 */
#ifndef KERNEL_VM_DEVICE_H
#define KERNEL_VM_DEVICE_H

#include "kernel/types.h"

struct device;
struct vcpu;
struct vm;
struct vm_desc;
struct gdtb_property;
struct gdtb_switch;

#define VM_DEVICES_MAX 18
#define DEVICE_LINES   8 /* Cause.IP numbers */

struct device_type {
	const char *name;			  /* of its node in the guest's device tree */
	const char *compatible;			  /* of that node; NULL: it has none */
	u32 (*count)(const struct vm_desc *desc); /* how many a VM has; NULL: one */
	size_t state_bytes;			  /* of the monitor's memory, for each device */
	u64 register_bytes; /* at most DISCO_DEVICE_BYTES; 0: it has no registers */
	u64 fixed_base;	    /* where they are, of a board that kernels know; 0: the next block */
	bool shown;	    /* its registers are read from the device's page */
	u32 line;	    /* Cause.IP number of its interrupt */
	u32 odd_line;	    /* the same of those with an odd index; 0: `line`, too */

	/* Of the next five NULL is a function that does nothing, and a read gives 0. */
	/* Boot. dev->state is state_bytes of zeroes, the rest of dev is filled in. */
	void (*create)(struct device *dev);
	/* The VM is about to start: the device is as after power on. On the VM's home node. */
	void (*reset)(struct device *dev);
	/* The VM has ended: the guest's memory is not touched any more on return. Home node. */
	void (*shutdown)(struct device *dev);
	/*
	 * A guest's access, on the node of any of its VCPUs, several at once too. [offset, offset +
	 * bytes) lies within the registers, offset is a multiple of bytes, which is 1, 2, 4 or 8. Of
	 * value only the low bytes count. No lock is held; no pointer into guest memory may be kept. A
	 * type that is shown may be read here too.
	 */
	u64 (*read)(struct device *dev, u64 offset, unsigned bytes);
	void (*write)(struct device *dev, u64 offset, unsigned bytes, u64 value);
	/*
	 * What device_ask_work asked for: a bounded part of the work that one access could not do. On the
	 * VM's home node, no lock held, the VM running; its time is the VM's. NULL: there never is any.
	 */
	void (*work)(struct device *dev);
	/*
	 * The VM has ended, and shutdown is behind it: a bounded part of giving back what the device kept
	 * for it. On home; true: that was all. NULL: there never is any.
	 */
	bool (*release)(struct device *dev);
	/*
	 * What else the guest's device tree says of it: how many properties, at most GDTB_PROPERTIES_MAX,
	 * whose values stay where they are. Home; NULL: nothing.
	 */
	u32 (*properties)(struct device *dev, struct gdtb_property *list);
	const struct gdtb_switch *switches; /* and what its registers switch */
	u32 nswitches;
};

struct device {
	const struct device_type *type; /* fixed after boot, like the next six */
	u32 index;			/* among the VM's of its type, from 0 */
	struct vm *vm;
	void *state;
	u64 base;   /* "physical" address of its registers */
	void *page; /* PAGE_SIZE, zero at first, that guests read it from; NULL: loads trap */
	u32 line;   /* Cause.IP number */
};

/* The monitor's memory for all devices of a VM of that description. */
size_t devices_bytes(const struct vm_desc *desc);
/*
 * Makes the devices of vm, which has its description and home, in memory of devices_bytes() that is
 * zeroed and aligned to PAGE_SIZE. Boot only.
 */
void devices_create(struct vm *vm, void *memory);
#define DEVICE_ALIGN 128 /* of each state */
void devices_reset(struct vm *vm);
void devices_shutdown(struct vm *vm);
bool devices_release_step(struct vm *vm); /* after that; true: nothing is left to give back */

/* The device whose registers include the guest's "physical" address gpa; NULL: none. */
struct device *device_at(struct vm *vm, u64 gpa);
/* The page that guests read the registers around gpa from; MPN_NONE: none, or no registers are there. */
mpn_t device_page(struct vm *vm, u64 gpa);
/* Is [gpa, gpa + bytes) an access that dev allows: aligned, and to its registers alone? */
bool device_allows(const struct device *dev, u64 gpa, unsigned bytes);

/*
 * The device's interrupt, a level; from any node, from several at once, too: then whoever changes `raised` last counts, on all
 * VCPUs alike. Nothing is raised in a VM that is not up.
 */
void device_raise(struct device *dev);
void device_lower(struct device *dev);
/*
 * From now on, or not any more, the device lets go of its line itself, as soon as the interrupt was delivered to a
 * VCPU: its driver has no store to make for that. By the device, who raises and lowers nothing at the same time.
 */
void device_set_once(struct device *dev, bool once);
/* An interrupt is delivered, to a VCPU whose Cause.IP has these lines; those let go that do so by themselves. */
void devices_delivered(struct vm *vm, u32 lines);
/* Home calls the device's work, soon and once; from any node. */
void device_ask_work(struct device *dev);
bool devices_have_work(const struct vm *vm);
void devices_work(struct vm *vm); /* of one device; on home, the VM running */

/* The VCPU was started anew, which took its lines down: those of raised devices go up again. */
void devices_raise_again(struct vcpu *v);

#endif /* KERNEL_VM_DEVICE_H */
