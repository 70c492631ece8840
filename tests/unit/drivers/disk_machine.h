/* SPDX-License-Identifier: MIT */
/*
 * What drivers/disk links against, for test_disk.c alone: machine pages that are shared, guest memory that
 * has them as its own until it is written, an image on the host whose transfers end when the test says,
 * and one in the archive. Whatever happens, a page that a guest uses must not change: check_shared().
 */
#ifndef TESTS_UNIT_DRIVERS_DISK_MACHINE_H
#define TESTS_UNIT_DRIVERS_DISK_MACHINE_H

#include "tests/unit/fake/host.h"
#include "tests/unit/unit.h"

#include "drivers/dev.h"
#include "drivers/disk/own.h"
#include "drivers/host/disk.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/mem/share.h"
#include "kernel/panic.h"
#include "kernel/vm/loader.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define VMS	  2
#define PAGES	  512 /* of the machine, that can be shared */
#define GUEST	  96  /* pages of a VM */
#define SECTORS	  331 /* of an image: 41 blocks and a part of one */
#define IN_FLIGHT 64

static struct vm vm[VMS];
static u64 now = 1;
static u32 log_lines;

/* ---- the monitor around ---- */

static struct node here;
struct node *node_self(void) { return &here; }
u64 count64(void) { return now; }
static u64 event; /* when disks_event is to be called; 0: at no time */
void vtimer_ask_event(u64 when)
{
	if (!event || when < event)
		event = when;
}
void log_line(const char *module, const char *fmt, ...)
{
	(void)module, (void)fmt;
	log_lines++;
}
_Noreturn void panic(const char *fmt, ...)
{
	print_error("panic: %s\n", fmt);
	abort();
}
static u32 locked;
void lock_take(struct lock *l)
{
	assert_true(l->rank == RANK_CACHE || l->rank == RANK_ALIKE);
	assert_int_equal(locked++, 0);
}
void lock_release(struct lock *l)
{
	(void)l;
	assert_int_equal(locked--, 1);
}
void *nodemem_boot_alloc(u32 node, size_t bytes, size_t align)
{
	(void)node, (void)align;
	return calloc(1, bytes);
}

/* ---- shared pages ---- */

#define FIRST 0x80000u

static struct {
	u8 data[PAGE_SIZE] __attribute__((aligned(8)));
	u32 held, users;
} page[PAGES];
static u32 promised, promises; /* pages beyond what VMs have */

static u32 index_of(mpn_t mpn)
{
	assert_in_range(mpn.v, FIRST, FIRST + PAGES - 1);
	return mpn.v - FIRST;
}
void *fake_mpn_ptr(mpn_t mpn) { return page[index_of(mpn)].data; }

int nodemem_reserve(u64 n)
{
	if (promised + n > promises)
		return -ENOMEM;
	promised += n;
	return 0;
}
void nodemem_unreserve(u64 n)
{
	assert_true(promised >= n);
	promised -= n;
}
int numa_reserve_spare(void) { return nodemem_reserve(1); }
mpn_t share_new_promised(u32 node)
{
	(void)node;
	for (u32 i = 0; i < PAGES; i++) {
		if (page[i].held || page[i].users)
			continue;
		page[i].held = 1;
		memset(page[i].data, 0xa5, PAGE_SIZE);
		return (mpn_t){ FIRST + i };
	}
	abort(); /* there are enough for all that was promised */
}
mpn_t share_new(u32 node) { return nodemem_reserve(1) ? MPN_NONE : share_new_promised(node); }
void share_hold(mpn_t mpn)
{
	assert_true(page[index_of(mpn)].held);
	page[index_of(mpn)].held++;
}
void share_drop(mpn_t mpn)
{
	assert_true(page[index_of(mpn)].held);
	if (!--page[index_of(mpn)].held)
		nodemem_unreserve(1);
}
bool share_is(mpn_t mpn)
{
	return mpn.v >= FIRST && mpn.v < FIRST + PAGES &&
	       (page[mpn.v - FIRST].held || page[mpn.v - FIRST].users);
}
bool share_is_sole(mpn_t mpn)
{
	return page[index_of(mpn)].held == 1 && !page[index_of(mpn)].users;
}
static inline u32 page_held(mpn_t mpn) { return page[index_of(mpn)].held; }
u32 share_users(mpn_t mpn) { return page[index_of(mpn)].users; }

/* ---- guest memory ---- */

static struct {
	u8 data[PAGE_SIZE];
	u32 shared; /* 1 + the page that stands there; 0: its own */
} guest[VMS][GUEST];
static bool sharing_fails; /* now and then */
static u32 lent;

static u8 *guest_at(const struct vm *of, u64 gpa)
{
	return &guest[of->id][gpa >> PAGE_SHIFT].data[gpa & PAGE_MASK];
}
static void own_guest_page(const struct vm *of, u32 gpn)
{
	u32 *shared = &guest[of->id][gpn].shared;

	if (*shared)
		page[*shared - 1].users--;
	*shared = 0;
}
int dma_read_data(struct vm *of, void *to, u64 gpa, size_t bytes)
{
	assert_int_equal(locked, 0);
	memcpy(to, guest_at(of, gpa), bytes);
	return 0;
}
static int to_guest(struct vm *of, u64 gpa, const void *from, size_t bytes)
{
	assert_int_equal(locked, 0);
	assert_true((gpa & PAGE_MASK) + bytes <= PAGE_SIZE);
	own_guest_page(of, gpa >> PAGE_SHIFT);
	if (from)
		memcpy(guest_at(of, gpa), from, bytes);
	else
		memset(guest_at(of, gpa), 0, bytes);
	return 0;
}
int dma_write_data(struct vm *of, u64 gpa, const void *from, size_t bytes)
{
	return to_guest(of, gpa, from, bytes);
}
int dma_zero(struct vm *of, u64 gpa, size_t bytes) { return to_guest(of, gpa, NULL, bytes); }
static bool share_page(const struct vm *of, gpn_t gpn, mpn_t mpn)
{
	assert_true(page[index_of(mpn)].held);
	if (sharing_fails && rand() % 4 == 0)
		return false;
	own_guest_page(of, gpn.v);
	page[index_of(mpn)].users++;
	guest[of->id][gpn.v].shared = 1 + index_of(mpn);
	memcpy(guest[of->id][gpn.v].data, page[index_of(mpn)].data, PAGE_SIZE);
	return true;
}
static mpn_t lend_page(const struct vm *of, gpn_t gpn)
{
	u32 *shared = &guest[of->id][gpn.v].shared;

	if (sharing_fails && rand() % 4 == 0)
		return MPN_NONE;
	lent++;
	if (!*shared) {
		*shared = 1 + index_of(share_new_promised(0));
		page[*shared - 1].users = 1;
		memcpy(page[*shared - 1].data, guest[of->id][gpn.v].data, PAGE_SIZE);
	} else if (page[*shared - 1].held++) {
		nodemem_unreserve(1);
	}
	return (mpn_t){ FIRST + *shared - 1 };
}
static u32 dma_calls; /* of the next two */
u32 dma_share(struct vm *of, const struct share_at *at, u32 n)
{
	u32 shared = 0;

	assert_int_equal(locked, 0);
	assert_in_range(n, 1, SHARE_PAGES);
	dma_calls++;
	for (u32 i = 0; i < n; i++)
		if (share_page(of, at[i].gpn, at[i].page)) {
			shared |= BIT(i);
			if (at[i].given)
				share_drop(at[i].page);
		}
	return shared;
}
bool dma_share_page(struct vm *of, const struct share_at *at) { return dma_share(of, at, 1); }
void dma_lend(struct vm *of, struct share_at *at, u32 n)
{
	assert_int_equal(locked, 0);
	assert_in_range(n, 1, SHARE_PAGES);
	dma_calls++;
	for (u32 i = 0; i < n; i++)
		at[i].page = lend_page(of, at[i].gpn);
}
void dma_replace(mpn_t from, mpn_t equal)
{
	assert_int_equal(locked, 0);
	assert_true(page_held(from) && page_held(equal));
	for (u32 v = 0; v < VMS; v++)
		for (u32 i = 0; i < GUEST; i++)
			if (guest[v][i].shared == 1 + index_of(from))
				share_page(&vm[v], (gpn_t){ i }, equal);
}
static inline void check_shared(void)
{
	for (u32 v = 0; v < VMS; v++)
		for (u32 i = 0; i < GUEST; i++)
			if (guest[v][i].shared)
				assert_memory_equal(guest[v][i].data,
						    page[guest[v][i].shared - 1].data, PAGE_SIZE);
}

/* ---- images ---- */

struct host_disk {
	const char *name;
	u8 data[SECTORS * HOST_SECTOR];
};
static struct host_disk images[2] = { { .name = "base.img" }, { .name = "work.img" } };
static u8 archived[SECTORS * HOST_SECTOR];

struct host_disk *host_disk_find(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(images); i++)
		if (!strcmp(images[i].name, name))
			return &images[i];
	return NULL;
}
u64 host_disk_sectors(const struct host_disk *d)
{
	(void)d;
	return SECTORS;
}
int loader_find(const char *prop, const char *name, const void **data, size_t *size, char *why,
		size_t why_size)
{
	(void)prop, (void)name, (void)why, (void)why_size;
	*data = archived;
	*size = sizeof(archived);
	return 0;
}

/* Transfers that the device has. */
static struct {
	struct host_io *io;
	struct host_disk *disk;
} flying[IN_FLIGHT];
static u32 nflying, reads, writes, flushes;

void host_disk_submit(struct host_disk *d, struct host_io *io)
{
	u64 at = io->sector * HOST_SECTOR;

	assert_true(nflying < IN_FLIGHT);
	for (u32 i = 0; i < io->npieces; i++)
		at += io->pieces[i].bytes;
	assert_true(at <= sizeof(d->data) && at % HOST_SECTOR == 0);
	assert_true((io->op == HOST_FLUSH) == !io->npieces);
	flying[nflying].io = io;
	flying[nflying++].disk = d;
}

/* The device does one of them, or fails. */
static void finish_transfer(u32 n, bool ok)
{
	struct host_io *io = flying[n].io;
	u8 *at = flying[n].disk->data + io->sector * HOST_SECTOR;

	flying[n] = flying[--nflying];
	reads += io->op == HOST_READ;
	writes += io->op == HOST_WRITE;
	flushes += io->op == HOST_FLUSH;
	for (u32 i = 0; i < io->npieces && (ok || rand() % 2); at += io->pieces[i++].bytes) {
		u8 *memory = maddr_ptr(io->pieces[i].at);

		if (io->op == HOST_WRITE)
			memcpy(at, memory, io->pieces[i].bytes);
		else
			memcpy(memory, at, io->pieces[i].bytes);
	}
	io->done(io, ok ? 0 : -EIO);
}

#endif /* TESTS_UNIT_DRIVERS_DISK_MACHINE_H */
