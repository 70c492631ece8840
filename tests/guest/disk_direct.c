/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest that writes a buffer while a disk reads or fills it (Linux: O_DIRECT) has in each word what one of
 * the two put there. A write that has ended is on the disk as it was: no word of it is older than when it was asked
 * for, none is younger than its end, and nothing that is written to the buffer afterwards, at once or much later,
 * changes what the disk gives. That holds for pages that become the disk's without a copy (drivers/disk/own.c), for
 * pages that equal ones of another VM took the place of (alike.c), and for parts that are copied.
 *
 * Method: VCPU 1 fills the buffer with rising versions, word by word, without end; VCPU 0 writes and reads it.
 *
 * Needs: vcpus=2 nodes=2 disk
 */
#include "guests/lib/blk.h"
#include "tests/guest/smp.h"

#define SECTOR	512
#define PLACE	20000 /* sectors */
#define PAGES	16
#define WORDS	((PAGES + 1) * PAGE_SIZE / 8)
#define ROUNDS	12
#define WORD(n) ((n) << 32)

static struct virtio_device disk;
static volatile struct virtio_queue queue;
static volatile u64 buffer[WORDS] __attribute__((aligned(4096)));
static u32 place = PLACE;
static u64 found[WORDS] __attribute__((aligned(4096))), again[WORDS] __attribute__((aligned(4096)));
static volatile u64 begun, over; /* the version that VCPU 1 is at, and the last that is whole */
static volatile u64 stop, stopped;

static void rewriter(u64 arg)
{
	(void)arg;
	while (!stop) {
		u64 version = begun + 1;

		__atomic_store_n(&begun, version, __ATOMIC_SEQ_CST);
		for (u32 i = 0; i < WORDS; i++)
			buffer[i] = WORD(version) | i;
		__atomic_store_n(&over, version, __ATOMIC_SEQ_CST);
		if (version % 4 == 0)
			hypercall(DISCO_HC_YIELD, 0, 0);
	}
	smp_add(&stopped, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

static void request(u32 type, volatile void *at, u32 bytes)
{
	check_eq("status", blk_request(&disk, &queue, type, place, at, bytes), BLK_OK);
}

/* Words first .. first + n of the buffer, as they were found on the disk, are of these versions. */
static void look(const char *what, u32 first, u32 n, u64 from, u64 to)
{
	for (u32 i = 0; i < n; i++) {
		u64 version = found[i] >> 32;

		if (!check((u32)found[i] == first + i && version >= from && version <= to,
			   "%s: word %u is %lx, wanted versions %lx to %lx", what, i,
			   (unsigned long)found[i], (unsigned long)from, (unsigned long)to))
			return;
	}
}

/* A write of what is being written, from word `first` on; then the disk gives the same twice, whatever the buffer has. */
static void write_what_changes(const char *what, u32 first, u32 bytes)
{
	rule(what);
	for (u32 round = 0; round < ROUNDS; round++) {
		u64 from = over, to;

		request(BLK_OUT, buffer + first, bytes);
		to = begun;
		request(BLK_IN, found, bytes);
		look(what, first, bytes / 8, from, to);
		smp_wait(&over, to + 2); /* all of it was written again */
		request(BLK_IN, again, bytes);
		check(!memcmp(found, again, bytes), "%s: the disk changed behind a write", what);
	}
}

/* What a read brings into pages that are written meanwhile: of the disk, or of the writer. */
static void read_what_changes(const char *what, u32 first, u32 bytes)
{
	rule(what);
	request(BLK_IN, again, bytes);
	for (u32 round = 0; round < ROUNDS; round++) {
		u64 from = over, to;

		request(BLK_IN, buffer + first, bytes);
		for (u32 i = 0; i < bytes / 8; i++)
			found[i] = buffer[first + i];
		to = begun;
		for (u32 i = 0; i < bytes / 8; i++)
			if (found[i] == again[i]) /* the disk's, which is older */
				found[i] = WORD(from) | (first + i);
		look(what, first, bytes / 8, from, to);
		smp_wait(&over, to + 2);
		request(BLK_IN, found, bytes);
		check(!memcmp(found, again, bytes), "%s: the disk changed behind a read", what);
	}
}

/* What stands still is written; then it changes at once, several times. */
static void write_what_changes_afterwards(const char *what, u32 first, u32 bytes, u64 salt)
{
	rule(what);
	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 i = 0; i < bytes / 8; i++)
			buffer[first + i] = salt + round * WORDS + i;
		request(BLK_OUT, buffer + first, bytes);
		for (u32 i = 0; i < bytes / 8; i += 1 + i % 64)
			buffer[first + i] = ~0ul;
		for (u32 n = 0; n < 2; n++) {
			request(BLK_IN, found, bytes);
			for (u32 i = 0; i < bytes / 8; i++)
				if (!check(found[i] == salt + round * WORDS + i,
					   "%s: word %u is %lx", what, i, (unsigned long)found[i]))
					return;
		}
	}
}

int main(void)
{
	need_monitor();
	check(blk_begin(&disk, &queue), "the disk refuses its own features");
	/* Another VM writes the same, if one runs beside this one (alike.c): here the later one finds what the first has left, */
	place = PLACE + 256;
	write_what_changes_afterwards("pages rewritten that two have alike", 0, PAGES * PAGE_SIZE,
				      3ul << 60);
	/* and here what it has for a moment, if both are here at once. */
	place = PLACE;
	write_what_changes_afterwards("pages rewritten behind their write", 0, PAGES * PAGE_SIZE,
				      1ul << 60);
	write_what_changes_afterwards("parts rewritten behind their write", 3, 9 * SECTOR,
				      1ul << 61);
	check_eq("VCPU 1", (u64)smp_start(1, rewriter, 0), 0);
	smp_wait(&over, 1);
	write_what_changes("one page rewritten in flight", 0, PAGE_SIZE);
	write_what_changes("pages rewritten in flight", 0, PAGES * PAGE_SIZE);
	write_what_changes("parts rewritten in flight", 5, 11 * SECTOR);
	read_what_changes("pages written while they are read", 0, PAGES * PAGE_SIZE);
	read_what_changes("parts written while they are read", 5, 11 * SECTOR);
	stop = 1;
	smp_wait(&stopped, 1);
	check(begun > 10, "found %lu versions: nothing was rewritten", (unsigned long)begun);
	return verdict();
}
