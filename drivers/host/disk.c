/* SPDX-License-Identifier: MIT */
/*
 * The machine's disks: which device has which image, and the requests that wait for a device or fly
 * in it, as the table in disk.h says. A lock a disk; done is called without it.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "drivers/host/disk.h"
#include "drivers/host/virtio_blk.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/vm/vmdesc.h"
#include "kernel/words.h"
#include "numa/numa.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_BLOCK  0x1042 /* device of a modern one */
#define LATE_MS_MAX   600000
#define ID_WAIT_MS    2000
#define ERRORS_TOLD   8

/* Requests in the order of their coming. */
struct io_list {
	struct host_io *first, *last;
	u32 n;
};

struct host_disk {
	const char *image; /* fixed after boot, like the next two */
	char id[VBLK_ID + 1];
	bool read_only;
	struct lock lock; /* all below */
	bool dead;
	struct vblk device;
	struct io_list waiting, flying, ended;
	u64 sectors;
	u32 resets; /* since it has done anything */
	struct host_disk_stats stats;
};

static struct host_disk *disks[VMDESC_MAX_VMS * VMDESC_DISKS_MAX]; /* fixed after boot */
static u32 ndisks;
static u64 late_ticks = HOST_LATE_MS * COUNT_MS;

/* ---- lists ---- */

static void append(struct io_list *l, struct host_io *io)
{
	io->next = NULL;
	io->prev = l->last;
	*(l->last ? &l->last->next : &l->first) = io;
	l->last = io;
	l->n++;
}

static void prepend(struct io_list *l, struct host_io *io)
{
	io->prev = NULL;
	io->next = l->first;
	*(l->first ? &l->first->prev : &l->last) = io;
	l->first = io;
	l->n++;
}

static void take_out(struct io_list *l, struct host_io *io)
{
	*(io->prev ? &io->prev->next : &l->first) = io->next;
	*(io->next ? &io->next->prev : &l->last) = io->prev;
	l->n--;
}

/* ---- what becomes of requests; all under the disk's lock ---- */

static u64 sectors_of(const struct host_io *io)
{
	u64 bytes = 0;

	for (u32 i = 0; i < io->npieces; i++)
		bytes += io->pieces[i].bytes;
	return bytes / HOST_SECTOR;
}

static void count(struct host_disk *d, const struct host_io *io)
{
	struct host_disk_stats *s = &d->stats;

	switch (io->op) {
	case HOST_READ: s->reads++, s->sectors_read += sectors_of(io); break;
	case HOST_WRITE: s->writes++, s->sectors_written += sectors_of(io); break;
	default: s->flushes++;
	}
}

static void end(struct host_disk *d, struct host_io *io, int err)
{
	io->err = err;
	if (err)
		d->stats.errors++;
	else
		count(d, io);
	append(&d->ended, io);
}

static void die(struct host_disk *d, const char *why)
{
	struct host_io *io;

	d->dead = true;
	log_line("disk", "%s: %s: every request is an error from now on", d->image, why);
	while ((io = d->waiting.first)) {
		take_out(&d->waiting, io);
		end(d, io, -EIO);
	}
}

static const char *const names[] = { "read", "write", "flush", "get-id" };

/* The first errors of a disk are told of, then ever fewer. */
static bool is_told(u64 n) { return n <= ERRORS_TOLD || (n & (n - 1)) == 0; }

static void tell_error(const struct host_disk *d, const struct host_io *io, const char *what)
{
	u64 number = d->stats.errors + 1;

	if (is_told(number))
		log_line("disk", "%s: error %lu: %s at sector %lu %s", d->image, number,
			 names[io->op], io->sector, what);
}

/* Ends the first that waits with an error, if it can not fly while the device keeps what was given up;
 * false: it can. */
static bool end_hopeless(struct host_disk *d)
{
	struct host_io *io = d->waiting.first;
	bool stuck = d->device.given_up && !d->flying.n; /* if the queue is full, with that alone */

	if (!stuck && !(io->op != HOST_READ && d->device.changes_given_up))
		return false;
	take_out(&d->waiting, io);
	tell_error(d, io, "is behind one that took too long");
	end(d, io, -EIO);
	return true;
}

/* Puts into the device what it has room for, in order. */
static void fly(struct host_disk *d)
{
	struct host_io *io;
	bool put = false;

	while (!d->dead && (io = d->waiting.first)) {
		bool waits_for_lost = io->op != HOST_READ && d->device.changes_given_up;

		if (waits_for_lost || !vblk_put(&d->device, io)) {
			if (end_hopeless(d))
				continue;
			break;
		}
		take_out(&d->waiting, io);
		append(&d->flying, io);
		io->late = count64() + late_ticks;
		put = true;
	}
	if (put)
		vblk_kick(&d->device);
}

/* Starts the device anew: what flew waits again. */
static void reset(struct host_disk *d, const char *why)
{
	bool started = vblk_start(&d->device);
	struct host_io *io;

	d->stats.resets++;
	log_line("disk", "%s: %s: the device is reset, %u requests in it", d->image, why,
		 d->flying.n);
	while ((io = d->flying.last)) {
		take_out(&d->flying, io);
		prepend(&d->waiting, io);
	}
	if (!started)
		die(d, "the device does not start again");
	else if (++d->resets == HOST_RESETS)
		die(d, "the device does nothing");
}

/* Those that fly too long, which are the first, are given up. */
static void give_up_late(struct host_disk *d)
{
	struct host_io *io;

	while ((io = d->flying.first) && count64() >= io->late) {
		vblk_give_up(&d->device, io);
		take_out(&d->flying, io);
		tell_error(d, io, "takes too long");
		end(d, io, -EIO);
	}
}

static void landed(struct host_disk *d, struct host_io *io, bool ok)
{
	take_out(&d->flying, io);
	d->resets = 0;
	if (!ok && io->op != HOST_FLUSH && --io->tries) {
		d->stats.retries++;
		prepend(&d->waiting, io);
		return;
	}
	if (!ok)
		tell_error(d, io, "failed");
	end(d, io, ok ? 0 : -EIO);
}

/* Everything the device is done with; then there may be room for more. */
static void collect(struct host_disk *d)
{
	struct host_io *io;
	bool ok;
	int got;

	while ((got = vblk_take(&d->device, &io, &ok)) > 0)
		if (io)
			landed(d, io, ok);
	if (got < 0)
		reset(d, "it returned what it was not given");
}

/* What is in the list belongs to this node alone. */
static void call_done(struct io_list ended)
{
	struct host_io *io, *next;

	for (io = ended.first; io; io = next) {
		next = io->next;
		io->done(io, io->err);
	}
}

/* Under the lock, released by this: what ended is told of. Node 0. */
static void fly_and_release(struct host_disk *d)
{
	struct io_list ended = d->ended;

	fly(d);
	d->ended = (struct io_list){ 0 };
	lock_release(&d->lock);
	call_done(ended);
}

/* ---- interrupts and the tick: node 0 ---- */

static void interrupt_of(struct host_disk *d)
{
	u8 why;

	lock_take(&d->lock);
	why = d->dead ? 0 : virtio_pci_interrupt(&d->device.port);
	if (why & VIRTIO_CONFIG) {
		if (virtio_pci_needs_reset(&d->device.port))
			reset(d, "it wants to be");
		d->sectors = vblk_sectors(&d->device);
	}
	if (why)
		collect(d);
	fly_and_release(d);
}

static void interrupt(void)
{
	for (u32 i = 0; i < ndisks; i++)
		interrupt_of(disks[i]);
}

/* What was done while no interrupt came, because it was lost or is still to come, is not late. */
static void tick_of(struct host_disk *d)
{
	lock_take(&d->lock);
	if (d->flying.n)
		collect(d);
	give_up_late(d);
	fly_and_release(d);
}

void host_disks_tick(void)
{
	for (u32 i = 0; i < ndisks; i++) {
		const struct host_disk *d = disks[i];

		if (d->flying.n || d->ended.n)
			tick_of(disks[i]);
	}
}

/* ---- the door ---- */

/* Is it a request that the disk can do? */
static bool is_right(const struct host_disk *d, const struct host_io *io)
{
	u64 bytes = 0;

	if (io->op == HOST_FLUSH)
		return io->npieces == 0;
	if (!io->npieces || io->npieces > HOST_PIECES_MAX || (io->op == HOST_WRITE && d->read_only))
		return false;
	for (u32 i = 0; i < io->npieces; i++) {
		if (!io->pieces[i].bytes)
			return false;
		bytes += io->pieces[i].bytes;
	}
	return bytes % HOST_SECTOR == 0 && bytes <= HOST_BYTES_MAX && io->sector <= d->sectors &&
	       bytes / HOST_SECTOR <= d->sectors - io->sector;
}

void host_disk_submit(struct host_disk *d, struct host_io *io)
{
	io->tries = HOST_TRIES;
	lock_take(&d->lock);
	if (d->dead || !is_right(d, io)) {
		end(d, io, -EIO); /* node 0's next tick tells of it */
	} else {
		append(&d->waiting, io);
		fly(d);
	}
	lock_release(&d->lock);
}

const char *host_disk_image(const struct host_disk *d) { return d->image; }
u64 host_disk_sectors(const struct host_disk *d) { return d->sectors; }
bool host_disk_read_only(const struct host_disk *d) { return d->read_only; }

struct host_disk_stats host_disk_stats(const struct host_disk *d)
{
	struct host_disk_stats s = d->stats;

	s.flying = d->flying.n;
	s.waiting = d->waiting.n;
	s.given_up = d->device.given_up;
	return s;
}

struct host_disk *host_disk_find(const char *image)
{
	for (u32 i = 0; i < ndisks; i++)
		if (disks[i]->image && strcmp(disks[i]->image, image) == 0)
			return disks[i];
	return NULL;
}

struct host_disk *host_disk_named(const char *name)
{
	for (u32 i = 0; i < ndisks; i++)
		if (disks[i]->image && strcmp(disks[i]->id, name) == 0)
			return disks[i];
	return NULL;
}

/* ---- boot ---- */

static void id_done(struct host_io *io, int err) { *(int *)io->owner = err; }

/* The device's serial number, by a request; interrupts are not there yet. */
static bool read_id(struct host_disk *d)
{
	struct host_piece piece = { ptr_maddr(d->id), VBLK_ID };
	struct host_io io = { VBLK_OP_GET_ID, .pieces = &piece, .npieces = 1, .done = id_done };
	u64 until = count64() + ID_WAIT_MS * COUNT_MS;
	int err = 1;

	io.owner = &err;
	io.tries = 1;
	lock_take(&d->lock);
	append(&d->waiting, &io);
	fly(d);
	lock_release(&d->lock);
	while (err > 0 && count64() < until) {
		interrupt_of(d);
		arch_yield();
	}
	if (err > 0)
		virtio_pci_reset(&d->device.port);
	d->stats = (struct host_disk_stats){ 0 };
	return err == 0;
}

static void add_disk(const struct pci_device *pci)
{
	struct host_disk *d = nodemem_boot_alloc(0, sizeof(*d), VBLK_ALIGN);
	u8 *memory = nodemem_boot_alloc(0, vblk_bytes(), VBLK_ALIGN);

	if (!d || !memory) {
		log_line("disk", "slot %u.%u: no memory for it", pci->slot, pci->function);
		return;
	}
	d->lock.rank = RANK_HOST_DISK;
	d->image = "?";
	vblk_init(&d->device, memory);
	if (!virtio_pci_open(&d->device.port, pci) || !vblk_start(&d->device) || !read_id(d)) {
		log_line("disk", "slot %u.%u: found no virtio disk that answers", pci->slot,
			 pci->function);
		return;
	}
	d->read_only = vblk_read_only(&d->device);
	d->sectors = vblk_sectors(&d->device);
	d->image = NULL; /* name_disks */
	disks[ndisks++] = d;
}

/* Which device is which image of the description: by serial numbers. */
static void name_disks(const struct machine_desc *machine)
{
	const struct disk_desc *desc;
	char id[VBLK_ID + 1];

	for (u32 n = 0; (desc = vmdesc_host_disk(machine, n)); n++) {
		ksnprintf(id, sizeof(id), VMDESC_HOST_SERIAL, n);
		for (u32 i = 0; i < ndisks; i++)
			if (strcmp(disks[i]->id, id) == 0)
				disks[i]->image = desc->image;
	}
	for (u32 i = 0; i < ndisks; i++)
		log_line("disk", "%s: %s: %lu KB%s", disks[i]->id,
			 disks[i]->image ? disks[i]->image : "not described",
			 disks[i]->sectors >> 1, disks[i]->read_only ? ", read-only" : "");
}

void host_disks_init(const struct machine_desc *machine, const char *words)
{
	struct pci_device at = { 0 };
	u64 ms = HOST_LATE_MS;

	word_number(words_value(words, "disklate="), LATE_MS_MAX, &ms);
	late_ticks = ms * COUNT_MS;
	ndisks = 0;
	while (pci_next(&at) && ndisks < ARRAY_SIZE(disks))
		if (at.vendor == VIRTIO_VENDOR && at.device == VIRTIO_BLOCK)
			add_disk(&at);
	name_disks(machine);
	if (ndisks)
		pci_handle(interrupt);
}
