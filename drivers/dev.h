/* SPDX-License-Identifier: MIT */
/* The door to drivers/: the machine's serial line and power switch, and the devices of VMs. */
#ifndef DRIVERS_DEV_H
#define DRIVERS_DEV_H

#include "kernel/types.h"
#include "kernel/vm/device.h"

struct vcons;

/* ---- host/i8259.c: interrupts of the board's devices, all on node 0 ---- */
void isa_init(void); /* boot only, before any handler */
/* handler is called on node 0, no lock held, each time it looks at its interrupts while the ISA line
 * (0..15) is up. Boot only. */
void isa_handle(unsigned line, void (*handler)(void));

/* ---- host/uart.c: the serial line; no lock (kernel/console has it) ---- */
void serial_init(void);	     /* FIFO, speed; boot only. Writing works before */
bool serial_ready(void);     /* a byte can be put at once */
void serial_put(char c);     /* as it is; waits until it can be put */
int serial_get(void);	     /* -1: nothing there */
bool serial_has_early(void); /* bytes from before serial_init wait: nothing interrupts for them */
void serial_interrupt_on(void (*handler)(void)); /* as isa_handle; boot only, after isa_init */
/* Whether the handler is called while bytes wait that were not got; when there is room to put. */
void serial_ask_received(bool on);
void serial_ask_room(bool on);
void serial_seen(void); /* the handler, first: room is told of once */

/* ---- host/power.c ---- */
_Noreturn void machine_off(void);
_Noreturn void machine_fail(void); /* the same; qemu/run.sh ends with status 1 */

/* ---- host/rtc.c: the time of day ---- */
/* The clock's registers as they are read; b says how the numbers are written. */
struct rtc_regs {
	u8 seconds, minutes, hours, day, month, year, century, b;
};
/* Seconds since 1970-01-01 00:00 UTC; 0: these registers show no date. Pure. */
u64 rtc_decode(const struct rtc_regs *r);
u64 rtc_seconds(void); /* now; one caller at a time */

/*
 * ---- host/disk.c: the machine's own disks, one for each image of the host that the description names
 * (host/disk.h: requests) ----
 */
struct host_disk;
struct machine_desc;
/* Finds them, with memory of node 0, and starts them: boot, after isa_init, before nodemem_init. */
void host_disks_init(const struct machine_desc *machine, const char *words);
void host_disks_tick(void); /* every tick of node 0, no lock held */
/* The disk with that image of the description; NULL: this machine has no such device. */
struct host_disk *host_disk_find(const char *image);
u64 host_disk_sectors(const struct host_disk *disk); /* of 512 bytes; now: QEMU may resize it */
bool host_disk_read_only(const struct host_disk *disk);

/* ---- subnet/uplink.c: the machine's network device as a port of a subnet ---- */
/* Finds and starts it, if the description has one: boot, after isa_init, before nodemem_init. */
void uplink_init(const struct machine_desc *machine);
void uplink_tick(void); /* every tick of node 0, no lock held */

/* ---- board.c: what kernels that know nothing of us expect (kernel/reloc/reloc.h) ---- */
u32 board_count(const struct vm_desc *desc); /* of each device of a board: one, if they are such */
extern const struct device_type serial_type, panel_type, revision_type;

/* ---- malta.c: and what their firmware does ---- */
extern const struct device_type ports_type, controller_type, controller_old_type;

/* ---- identity.c ---- */
extern const struct device_type identity_type;

/* ---- disk/: the disks of VMs; their front end is virtio/blk.c ---- */
void disks_start(void); /* boot, once there is free memory */
void disks_tick(void);	/* every tick of node 0, no lock held */
void disks_event(void); /* a time that this node asked for (vtimer_ask_event), no lock held */
/* A part of the shared buffer cache goes, for a VM that wants to start; false: nothing is left of it. */
bool disks_reclaim_step(void);

/* ---- virtio/: devices that every guest knows ---- */
extern const struct device_type rng_type, balloon_type, console_type;
extern const struct device_type blk_type; /* one for each disk of the VM */
extern const struct device_type net_type; /* one for each of its ports on subnets (subnet/) */
void balloons_tick(void);		  /* every tick of node 0, no lock held */

/* ---- types.c: every type of device that a VM may have (kernel/vm/device.h) ---- */
extern const struct device_type *const device_types[];
extern const unsigned device_ntypes;

/*
 * ---- vcons.c: the console of a VM, which every VM has (vm->cons) and reaches by monitor calls. A
 * reset forgets unread input; at the end of the VM an unfinished line is shown. ----
 */
extern const struct device_type vcons_type;
#define VCONS_REPLAY	       16384  /* bytes of output kept */
#define VCONS_INPUT	       16384  /* bytes of input that wait */
#define VCONS_IN_ORDER	       256    /* waiting bytes that Ctrl-C does not overtake */
#define VCONS_LINE	       200    /* bytes of a line that is shown; longer ones are cut */
#define VCONS_WRITE	       256    /* bytes of output taken at a time, at most */
#define VCONS_BYTES_PER_SECOND 131072 /* the budget for lines of a guest that is not attached */
#define VCONS_BURST	       262144 /* bytes that it may save */

/*
 * Guest output: raw to the serial line if attached, else whole lines, "[name] line". How many bytes
 * were taken: fewer than len, so that one call is short; 0 if the guest is attached and the line
 * takes no more now. Any node.
 */
size_t vcons_write(struct vcons *c, const char *buf, size_t len);
/* Next byte of input; -1: none, or that is all until the next tick. Drops the line's interrupt then. */
int vcons_read(struct vcons *c);
/*
 * The same for a device of the guest: input goes to it only in a VM that has not called vcons_read since
 * its start. Whether there is any now; as much of it as buf holds.
 */
bool vcons_has_input(struct vcons *c);
size_t vcons_take(struct vcons *c, char *buf, size_t len);
/* tell: called, on any node and no lock held, when there may be input, room for output or another size. Boot. */
void vcons_tell(struct vcons *c, struct device *other, void (*tell)(struct device *other));
void vcons_tick(struct vcons *c); /* every tick of node 0 */
/* Typed; raises the guest's console interrupt. A full ring drops what comes. */
void vcons_input(struct vcons *c, char ch);
/*
 * The same for a byte that may not wait long: before all that the guest has not read, if that is
 * more than VCONS_IN_ORDER bytes. What is typed, a line with a control character in it, say, stays
 * in its order.
 */
void vcons_input_first(struct vcons *c, char ch);
/* False: the ring is full and the guest takes from it; wait with more. Under the console's lock. */
bool vcons_takes_input(const struct vcons *c);
/* The terminal's size, 1..65535 each: the guest may ask for it; a new one raises its interrupt. */
void vcons_set_size(struct vcons *c, u32 rows, u32 columns);
u32 vcons_size(struct vcons *c); /* rows << 16 | columns; 0: nobody has set it */
/* The kept output as text: no colours, nothing a terminal acts on. Under the console's lock. */
void vcons_replay(struct vcons *c);

#endif /* DRIVERS_DEV_H */
