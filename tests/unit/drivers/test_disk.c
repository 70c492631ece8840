/* SPDX-License-Identifier: MIT */
/*
 * drivers/disk: the tables of disk.h and cache.h. Random requests against arrays of bytes, with memory that
 * ends, transfers that end in any order or fail, devices that are reset and VMs that end.
 */
#include "tests/unit/drivers/disk_trial.h"

#define STEPS 30000

static u64 end_sector(const struct disk_request *r) { return r->sector + r->bytes / DISK_SECTOR; }

/* Requests whose order would say what is read, or written last, are not under way together. */
static bool disturbs(const struct disk *d, const struct disk_request *r)
{
	for (u32 i = 0; i < REQUESTS; i++) {
		const struct disk_request *other = &d->trial[i].request;

		if (d->trial[i].busy && (r->op != DISK_READ || other->op != DISK_READ) &&
		    r->sector < end_sector(other) && other->sector < end_sector(r))
			return true;
	}
	return false;
}

static u32 at_once; /* reads */

static void random_request(struct disk *d)
{
	struct trial *t = &d->trial[rand() % REQUESTS];
	struct disk_request *r = &t->request;
	u32 kind = rand() % 20;

	if (t->busy)
		return;
	r->op = kind < 9     ? DISK_READ
		: kind < 17  ? DISK_WRITE
		: kind == 17 ? DISK_FLUSH
		: kind == 18 ? DISK_ZERO
			     : DISK_DISCARD;
	if (r->op == DISK_DISCARD && disk_desc(d->disk)->mode == DISK_PERSISTENT)
		r->op = DISK_ZERO;
	r->lasts = (r->op == DISK_WRITE || r->op == DISK_ZERO) && rand() % 4 == 0;
	r->sector = rand() % SECTORS;
	r->bytes = (u64)DISK_SECTOR * (1 + rand() % MIN(SECTORS - r->sector, 80));
	r->ranges = NULL;
	t->npages = 0;
	if (rand() % 2 && r->bytes > BLOCK_BYTES) { /* whole blocks */
		r->sector &= ~7ul;
		r->bytes &= ~(u64)(BLOCK_BYTES - 1);
	}
	if (r->op == DISK_FLUSH)
		r->sector = r->bytes = 0;
	if (disturbs(d, r) || (r->op <= DISK_WRITE && !give_memory(d, t)))
		return;
	as_it_is = rand() % 4 == 0;
	alike = rand() % 4 == 0;
	submit(d, t);
	as_it_is = false;
}

/* A block into a page at once, if that can be, which a write under way may change. */
static void read_at_once(struct disk *d)
{
	u64 sector = rand() % 4 ? rand() % BLOCKS * 8ul : rand() % (SECTORS + 8ul);
	u32 page = find_pages(d->vm, 1), block = sector / 8;
	struct trial none = { 0 };

	if (page == GUEST || others_write(d, &none, block) ||
	    !disk_read_page(d->disk, sector, (gpn_t){ page }))
		return;
	at_once++;
	assert_int_equal(sector % 8, 0);
	assert_true(sector + 8 <= SECTORS);
	if (!d->unsure[block])
		assert_memory_equal(guest_at(d->vm, (u64)page << PAGE_SHIFT),
				    d->content + (u64)block * BLOCK_BYTES, BLOCK_BYTES);
}

static void guest_scribbles(void)
{
	u32 v = rand() % VMS, i = rand() % GUEST;

	if (!taken[v][i])
		to_guest(&vm[v], ((u64)i << PAGE_SHIFT) + rand() % PAGE_SIZE, "x", 1);
}

static void step(void)
{
	struct disk *d = &disk[rand() % DISKS];

	switch (rand() % 18) {
	case 16 ... 17: read_at_once(d); break;
	case 0 ... 5: random_request(d); break;
	case 6 ... 9: service(d); break;
	case 10 ... 12:
		if (nflying)
			finish_transfer(rand() % nflying, !errors || rand() % 8);
		break;
	case 13: guest_scribbles(); break;
	case 14: pass_time(1 + rand() % 20); break;
	default:
		if (rand() % 10 == 0)
			abort_all(d);
		else if (rand() % 40 == 0)
			end_vm(d);
		else if (rand() % 20 == 0)
			disks_reclaim_step();
	}
}

static u32 held_pages(void)
{
	u32 n = 0;

	for (u32 i = 0; i < PAGES; i++)
		n += page[i].held != 0;
	return n;
}

/* Random steps; then all of it is read and compared, and nothing but maps is left when all have ended. */
static void run(u32 seed, u32 memory, bool with_errors)
{
	srand(seed);
	promises = memory;
	errors = with_errors;
	sharing_fails = seed % 2;
	failed = lent = at_once = 0;
	for (u32 i = 0; i < STEPS; i++) {
		step();
		if (i % 64 == 0)
			check_shared();
		assert_true(promised <= promises);
	}
	assert_true(at_once);
	drain();
	for (u32 i = 0; i < DISKS; i++)
		end_vm(&disk[i]);
	drain();
	while (disks_reclaim_step())
		;
	/* descriptors, and a map page of each of 3 images and 5 disks at most */
	assert_in_range(held_pages(), 0, 1 + 3 + DISKS);
}

static void whatever_guests_and_disks_do(void **state)
{
	(void)state;
	run(1, 300, false);
	assert_true(lent > 1000);
	assert_true(reads > 100 && writes > 100 && flushes > 10);
	run(2, 300, false);
	assert_int_equal(failed, 0);
}

static void with_transfers_that_fail(void **state)
{
	(void)state;
	run(3, 300, true);
	assert_true(failed > 10);
	run(4, 300, true);
}

/* Fewer pages than what the disks would like: requests are slow, and some writes have no space. */
static void with_little_memory(void **state)
{
	(void)state;
	run(5, 60, false);
	run(6, 45, true);
	run(7, 60, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_guests_and_disks_do),
		cmocka_unit_test(with_transfers_that_fail),
		cmocka_unit_test(with_little_memory),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
