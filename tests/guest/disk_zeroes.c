/* SPDX-License-Identifier: MIT */
/*
 * Rule: a guest that writes a buffer while a disk fills it with the zeroes of a block has in each word what one of the two
 * put there, and no store is lost that was made after the request ended. Pages that only zeroes were read to take no
 * memory; who writes one has it at once. docs/guest-abi.md.
 *
 * Method: VCPU 1 fills the buffer with rising versions, word by word, without end; VCPU 0 has blocks zeroed and reads
 * them, whole pages and parts, then waits until the buffer was written over twice: no word is zero then, or older. On the
 * way VCPU 2 reads all of it: versions never go back but to zero.
 *
 * Needs: vcpus=3 nodes=3 disk
 */
#include "guests/lib/blk.h"
#include "tests/guest/smp.h"

#define SECTOR 512
#define PLACE  20000 /* sectors */
#define PAGES  6
#define WORDS  (PAGES * PAGE_SIZE / 8)
#define STEP   16 /* words from one that is written to the next */
#define ROUNDS 40

static struct virtio_device disk;
static volatile struct virtio_queue queue;
static volatile u64 buffer[WORDS] __attribute__((aligned(4096)));
static u64 last[WORDS];
static volatile u64 over, stop, stopped, odd, looks, lost;

static void rewriter(u64 arg)
{
	(void)arg;
	while (!stop) {
		for (u32 i = 0; i < WORDS; i += STEP)
			buffer[i] = over + 1;
		__atomic_store_n(&over, over + 1, __ATOMIC_SEQ_CST);
		if (over % 4 == 0)
			hypercall(DISCO_HC_YIELD, 0, 0);
	}
	smp_add(&stopped, 1);
}

static void reader(u64 arg)
{
	(void)arg;
	while (!stop) {
		for (u32 i = 0; i < WORDS; i += STEP) {
			u64 found = buffer[i];

			if (found && found < last[i])
				smp_add(&odd, 1);
			if (found)
				last[i] = found;
		}
		looks++;
		hypercall(DISCO_HC_YIELD, 0, 0);
	}
	smp_add(&stopped, 1);
}

static void read_zeroes(u32 first, u32 bytes)
{
	u8 *at = (u8 *)buffer + first;

	check_eq("status", blk_request(&disk, &queue, BLK_IN, PLACE, at, bytes), BLK_OK);
	smp_wait(&over, over + 2);
	for (u32 i = 0; i < WORDS; i += STEP) {
		u64 written = over; /* before the word is looked at */

		if (buffer[i] < written)
			smp_add(&lost, 1);
	}
}

int main(void)
{
	struct {
		u64 sector;
		u32 sectors, flags;
	} segment = { PLACE, PAGES * PAGE_SIZE / SECTOR, 0 };

	need_monitor();
	check(blk_begin(&disk, &queue), "the disk refuses its own features");
	check_eq("zeroes", blk_request(&disk, &queue, BLK_ZEROES, 0, &segment, sizeof(segment)),
		 BLK_OK);
	check_eq("start", (u64)smp_start(1, rewriter, 0), 0);
	check_eq("start", (u64)smp_start(2, reader, 0), 0);
	for (u32 i = 0; i < ROUNDS; i++) {
		read_zeroes(0, PAGES * PAGE_SIZE);
		read_zeroes(PAGE_SIZE, PAGE_SIZE);
		read_zeroes(3 * SECTOR, 2 * PAGE_SIZE);
	}
	stop = 1;
	smp_wait(&stopped, 2);
	check_eq("waits that came to nothing", smp_late, 0);
	check_eq("stores that were lost", lost, 0);
	check_eq("words that went back", odd, 0);
	/* nobody writes it now */
	check_eq("status", blk_request(&disk, &queue, BLK_IN, PLACE, buffer, sizeof(buffer)),
		 BLK_OK);
	for (u32 i = 0; i < WORDS; i++)
		lost += buffer[i] != 0;
	check_eq("words that are not zero", lost, 0);
	buffer[WORDS / 2] = 1;
	check_eq("the word beside it", buffer[WORDS / 2 + 1] | buffer[WORDS / 2 - 1], 0);
	return verdict();
}
