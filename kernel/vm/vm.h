/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine. Each description has one, which is made, started, stopped and destroyed any number of times (make.h).
 * Its VCPUs are on one node or on several, and may move (move.h). The node that VCPU 0 was made on is the VM's
 * home: home alone loads the VM and gives its memory back, in the time of VCPU 0, which comes home for that;
 * home does the work of its devices; everybody else asks home by vm_request. Each node takes out its own VCPUs.
 *
 *   state      VCPUs                        memory         leaves it by (who)
 *   BROKEN     none are made                none           nothing: its description is wrong
 *   ABSENT     none are made                none           request CREATE (home): MAKING
 *   MAKING     some are made, all OFFLINE   none           each node has made its part (home): STOPPED
 *                                                          one had no room (home): UNMAKING
 *   UNMAKING   all OFFLINE, fewer and fewer none           nothing is left of it, and no node looks at it (home): ABSENT
 *   STOPPED    all OFFLINE                  none           request START or RESET (home): LOADING
 *                                                          request DESTROY (home): UNMAKING
 *   LOADING    0 BUSY, the others OFFLINE   promised,      the images are in it (home): RUNNING
 *                                           being filled   no room, no image, request STOP (home): RELEASING
 *   RUNNING    some not OFFLINE             given          power-off, kill, RESET (the VCPU's node),
 *                                                          request STOP or RESET (home): STOPPING
 *                                                          request PAUSE (home): PAUSING
 *   PAUSING    some may be in their guest,  given          none is RUNNING any more (home): PAUSED
 *              none enters it                              as RUNNING: STOPPING; request RESUME (home): RUNNING
 *   PAUSED     some not OFFLINE, none in    given          request RESUME (home): RUNNING
 *              its guest                                   request STOP or RESET (home): STOPPING
 *   STOPPING   going OFFLINE                given          the last VCPU is OFFLINE (its node): RELEASING
 *   RELEASING  0 BUSY, the others OFFLINE   going back     all of it has gone back (home): STOPPED
 *
 * life.c changes the state, nobody else, by one table and under the VM's lock; pause.c asks it to.
 *
 * While a VM is PAUSED its VCPUs have their states, are started, woken and moved, and get no processor. Its devices go on
 * by what the guest has told them: a transfer of a disk ends, frames come in until there is no buffer left.
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include "kernel/lock.h"
#include "kernel/mem/pmap.h"
#include "kernel/nodemask.h"
#include "kernel/reloc/reloc.h"
#include "kernel/vm/device.h"
#include "kernel/vm/loader.h"
#include "kernel/vm/vcpu.h"
#include "kernel/vm/vmdesc.h"
#include "numa/numa.h"

#define VM_MAX_VCPUS VMDESC_VCPUS_MAX
#define MAX_VMS	     VMDESC_MAX_VMS

enum vm_state {
	VM_BROKEN,
	VM_ABSENT,
	VM_MAKING,
	VM_UNMAKING,
	VM_STOPPED, /* up to here it has no guest, and is not to have one */
	VM_LOADING,
	VM_RUNNING,
	VM_PAUSING,
	VM_PAUSED,
	VM_STOPPING,
	VM_RELEASING,
	VM_STATES
};
enum vm_request {
	VM_NOTHING,
	VM_START,
	VM_STOP,
	VM_RESET,
	VM_PAUSE,
	VM_RESUME,
	VM_CREATE, /* and START, unless its description says manual */
	VM_DESTROY /* and STOP before that: one that is asked for then changes nothing */
};

struct vcons;

/* How far LOADING or RELEASING has come; home only. */
struct progress {
	bool reserved;	 /* the VM's whole memory is promised to it */
	bool reclaiming; /* LOADING: numa_reclaim_begin, but not yet its end */
	bool begun;	 /* LOADING: load says what goes where */
	u32 evictions;	 /* LOADING: steps of disks_reclaim_step */
	bool flushed;	 /* RELEASING: no TLB and no device has anything of the VM any more */
	u32 next_page;	 /* RELEASING: for pmap_release_step */
	struct numa_reclaim reclaim;
	struct load load;
};

/* How far MAKING or UNMAKING has come (make.h). */
struct making {
	mpn_t pmap;  /* home only: what the pmap lies in; MPN_NONE: nothing */
	mpn_t patch; /* the same of vm->patch */
	struct nodemask
		parts; /* nodes that are to make their part; any node takes itself out, atomically */
	struct nodemask views; /* that have storage of a view for it; the same */
	u32 queued;	       /* of its VCPUs: in run queues; atomically */
	bool refused;	       /* somebody had no room, and vm->end says who; under the VM's lock */
	bool passing; /* home only: of each node's looks those that were over are in looks */
	u64 looks[MAX_NODES];
};

/* What the guest's device tree says of nodes (show-nodes). Its node i is the machine's node[i], and has piece pages of its memory. */
struct shown_nodes {
	u32 n; /* 0: it says nothing */
	u32 node[MAX_NODES];
	u32 piece; /* a multiple of BLOCK_PAGES; the last has what is left, too */
};

struct vm {
	/* fixed after vm_describe, but for vcpus, nvcpus and node_mask: while it is ABSENT there are none */
	char name[16];
	u32 id;
	const struct vm_desc *desc;
	struct node *home;
	struct nodemask
		node_mask; /* that have a view of it (pmap.h): home, and where VCPUs are; atomically */
	struct vcpu *vcpus[VM_MAX_VCPUS];
	u32 nvcpus;
	struct device devices[VM_DEVICES_MAX];
	u32 ndevices;
	u8 register_block[VM_DEVICES_MAX]; /* of those with registers, in order: index in devices */
	u32 nregister_blocks;
	struct vcons *cons; /* the console's own part of its device */
	u32 state;	    /* enum vm_state; under lock; any node reads it, by vm_state() */
	struct progress progress;
	struct making making;
	struct rewrite rewrite;	  /* home, while it loads; then fixed */
	struct shown_nodes shown; /* the same */
	struct patch *
		patch; /* NULL: none of its places are patched; home, while the VM is made and taken apart */
	/*
	 * What it is worth on a node against other VMs there (account.h), and how many percent of a node's
	 * processor it may use; 0: as most, and all of it. Node 0 writes, nodes read with their ticks.
	 */
	u32 weight, cap;
	u64 virtual_time; /* what it has had of the whole machine, by its weight; spread=1, any node, atomically */
	/*
	 * Count ticks that the guest's clock is behind the machine's, or LAG_STANDS: it stands still, at lag_base more.
	 * Home writes, before a state that lets VCPUs run; any node reads it, atomically, by vcpu_catch_up().
	 */
	u64 lag;
	u64 lag_base; /* home only; while PAUSED: the lag then, less count64 then */
	u64 paused;   /* home only; while PAUSED: count64 then */
	/*
	 * What other nodes ask of home is in lines of their own, away from what both only read.
	 * Bit = device, by its place in devices, that home is to call for its work; any node, atomically.
	 */
	u32 has_work __attribute__((aligned(LINE_BYTES)));
	u32 worked; /* home only: the device that has done work last, by its place in devices */
	/* any node, atomically */
	u32 raised[DEVICE_LINES] __attribute__((aligned(
		LINE_BYTES))); /* bit = device, by its place in devices, that wants the line up */
	u32 unread;	       /* line_take, for these */
	u32 raised_once; /* bit = device that does so until the interrupt is delivered; atomically */
	u32 request __attribute__((aligned(LINE_BYTES))); /* enum vm_request */
	u32 live; /* VCPUs that are neither OFFLINE nor BUSY; never 0 while RUNNING */
	struct lock lock;
	char end[VMDESC_ERROR_BYTES]; /* why it ends, under lock; BROKEN: what is wrong */
	u32 resets;		      /* by itself, ever; under lock */
	bool passing;		      /* such a one, of which the log has enough; under lock */
	struct pmap pmap;
};

extern struct vm *vms[MAX_VMS]; /* fixed after boot */
extern unsigned nvms;

/* The VM of a description, BROKEN or ABSENT, with devices. Boot only. */
void vm_describe(const struct vm_desc *desc);
struct vm *vm_find(const char *name); /* NULL: none of that name */

static inline enum vm_state vm_state(const struct vm *vm)
{
	return __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);
}
const char *vm_state_name(enum vm_state s);
#define LAG_STANDS (~0ul)

/* It has a guest, which runs or could go on. */
static inline bool vm_is_up(const struct vm *vm)
{
	enum vm_state s = vm_state(vm);

	return s >= VM_RUNNING && s <= VM_PAUSED;
}
/* No VCPU of it is to get a processor. */
static inline bool vm_is_held(const struct vm *vm)
{
	enum vm_state s = vm_state(vm);

	return s == VM_PAUSING || s == VM_PAUSED;
}

/*
 * Asks home for what a person wants of the VM; from any node. The last request counts: one that home has
 * not carried out yet is forgotten. But PAUSE and RESUME take the place of each other only.
 */
void vm_request(struct vm *vm, enum vm_request request);
enum vm_request vm_requested(const struct vm *vm); /* what home has still to carry out */
/*
 * The node's look at its VMs and VCPUs: carries out requests, starts the VCPUs that were asked for,
 * takes out those of VMs that end.
 */
void vm_service(struct node *n);
/*
 * One step, of some 100,000 instructions at most, of loading or releasing vm, whose VCPU 0 is BUSY; on
 * its home. False: that is done.
 */
bool vm_work(struct vm *vm);

/*
 * The VM ends, from any of its nodes: its guest is beyond help, powered itself off, or wants to start
 * afresh. VCPUs of this node go on to no guest instruction, those of others until they see their
 * mail. The first reason given is the one that is told, but for a person's stop.
 */
void vm_kill(struct vm *vm, const char *why);
void vm_poweroff(struct vm *vm, u64 code);
void vm_reset(struct vm *vm);
/* The guest stops this VCPU; on its node. False: it is the VM's last, nothing was done. */
bool vm_stop_vcpu(struct vcpu *v);

bool vms_all_ended(void); /* every VM that was started has stopped */

/*
 * Guest "physical" memory, from the monitor: -EFAULT if [gpa, gpa + len) is not all the VM's. Pages
 * are made as a guest's own access would make them.
 */
int vm_copy_in(struct vm *vm, void *to, gpa_t from, size_t len);
int vm_copy_out(struct vm *vm, gpa_t to, const void *from, size_t len);
/*
 * As vm_copy_out, of bytes within one page, all of which the guest gave to a device: what else is in it is of no use
 * to the guest any more, so that a shared page is not copied (pmap_renew_locked).
 */
int vm_copy_over(struct vm *vm, gpa_t to, const void *from, size_t len);
/*
 * From one VM, which has a VCPU on this node, to another, within one page of each: how many bytes, 0 if not both pages are
 * in the views now, the target to be written.
 */
size_t vm_copy_across(struct vm *from, gpa_t source, struct vm *to, gpa_t target, size_t len);

#endif /* KERNEL_VM_VM_H */
