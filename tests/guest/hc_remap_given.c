/* SPDX-License-Identifier: MIT */
/*
 * Rule: REMAP of a page that the guest has put into the balloon, or reported to be free, is a copy as any, or EAGAIN; giving
 * away one of two pages that are the same leaves the other as it is. A page that a disk reads into or writes from while
 * it is remapped has in each word what the disk or REMAP put there, and the disk keeps what it got. docs/guest-abi.md.
 *
 * Method: every order of giving away and remapping, looked at after each; then VCPU 1 gives away, and then remaps, without end,
 * what VCPU 0 remaps, and has in requests of a disk.
 *
 * Needs: vcpus=2 nodes=2 disk
 */
#include "guests/lib/blk.h"
#include "tests/guest/smp.h"

#define BALLOON	 5
#define FEATURES (BIT(0) | BIT(2) | BIT(5))
#define WORDS	 (PAGE_SIZE / 8)
#define PAGES	 16
#define TAG(n)	 (0x9e3a0000ul + 2 * (n))
#define TIMES	 2000
#define ROUNDS	 40
#define PLACE	 24000 /* sectors */

enum { INFLATE, DEFLATE, REPORT, QUEUES };

static struct virtio_device balloon, disk;
static volatile struct virtio_queue queues[QUEUES], queue;
static u32 numbers[PAGES];
static volatile u64 stop, stopped, rounds;

static s64 remap(unsigned to, unsigned from)
{
	return hypercall(DISCO_HC_REMAP, page_pa(to), page_pa(from));
}

/* As a guest uses it. */
static void equal(unsigned to, unsigned from)
{
	s64 found = remap(to, from);

	check(found == 0 || found == -DISCO_EAGAIN, "page %u from %u: %ld", to, from, (long)found);
	if (found)
		memcpy((void *)page_va(to), (void *)page_va(from), PAGE_SIZE);
}

static void holds(const char *what, unsigned n, u64 tag)
{
	check(page_va(n)[0] == tag && page_va(n)[WORDS - 1] == (tag ? tag + 1 : 0),
	      "%s: page %u is %lx and %lx, wanted %lx", what, n, (unsigned long)page_va(n)[0],
	      (unsigned long)page_va(n)[WORDS - 1], (unsigned long)tag);
}

/* ---- pages that are given away ---- */

static void give(u32 queue_number, unsigned first, unsigned pages)
{
	s64 got;

	for (unsigned i = 0; i < pages; i++)
		numbers[i] = page_pa(first + i) >> PAGE_SHIFT;
	if (queue_number == REPORT)
		got = virtio_request(&balloon, REPORT, &queues[REPORT], page_va(first),
				     pages * PAGE_SIZE, VIRTIO_WRITE);
	else
		got = virtio_request(&balloon, queue_number, &queues[queue_number], numbers,
				     pages * sizeof(u32), 0);
	check(got == 0, "giving away: %ld", (long)got);
}

static void in_order(const char *what, u32 how)
{
	rule(what);
	for (unsigned n = 0; n < 4; n++)
		tag_page(n, TAG(n));
	give(how, 1, 1);
	equal(1, 0);
	holds("into one given away", 1, TAG(0));
	give(how, 0, 1);
	holds("when its source is given away", 1, TAG(0));
	holds("the source", 0, 0);
	give(how, 0, 1);
	equal(2, 0);
	holds("from one given away", 2, 0);
	equal(2, 1);
	equal(3, 1);
	give(how, 1, 1);
	holds("given away between two", 2, TAG(0));
	holds("given away between two", 3, TAG(0));
	give(how, 0, 2);
	equal(0, 1);
	holds("both given away", 0, 0);
	tag_page(0, TAG(7));
	holds("the other one of both", 1, 0);
	give(how, 2, 2);
	check_eq("itself, given away", remap(2, 2), 0);
	holds("itself, given away", 2, 0);
	give(DEFLATE, 0, 4);
}

static void giver(u64 how)
{
	for (u32 i = 0; !stop; i++) {
		give(how, i % 4, 1 + i % 5);
		give(DEFLATE, i % 4, 1 + i % 3);
		rounds++;
	}
	smp_add(&stopped, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

/* A word of a page is what somebody wrote there, or 0. */
static bool is_known(u64 word, u64 end)
{
	return !word || (word - end >= TAG(0) && word - end < TAG(PAGES) && !((word - end) & 1));
}

static void at_once(const char *what, u32 how)
{
	u64 before = rounds;
	u32 passed = 0;

	rule(what);
	stop = stopped = 0;
	check_eq("VCPU 1", (u64)smp_start(1, giver, how), 0);
	for (u32 i = 0; i < TIMES || rounds < before + 20; i++) {
		unsigned to = i % 8, from = i / 8 % 8;

		if (i % 3 == 0)
			tag_page(from, TAG(from));
		passed += to != from && !remap(to, from);
		if (!check(is_known(page_va(to)[0], 0) && is_known(page_va(to)[WORDS - 1], 1),
			   "%s: page %u is %lx and %lx", what, to, (unsigned long)page_va(to)[0],
			   (unsigned long)page_va(to)[WORDS - 1]))
			break;
	}
	stop = 1;
	smp_wait(&stopped, 1);
	check(passed > TIMES / 20, "%s: only %u of %u were remapped", what, passed, TIMES);
	give(DEFLATE, 0, 8);
}

/* ---- pages that a disk has ---- */

/* The buffer of requests, what is remapped to it, and what it is remapped to. */
enum { BUFFER = 32, SOURCE = BUFFER + PAGES, TARGET = SOURCE + PAGES, FOUND = TARGET + PAGES };

static void fill(unsigned first, u64 tag)
{
	for (u32 i = 0; i < PAGES * WORDS; i++)
		page_va(first)[i] = tag << 32 | i;
}

static void remapper(u64 arg)
{
	(void)arg;
	for (u32 i = 0; !stop; i++) {
		u32 n = i % PAGES;

		remap(BUFFER + n, SOURCE + n);
		remap(TARGET + n, BUFFER + n);
		rounds++;
	}
	smp_add(&stopped, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

/* Each word is of one of two fillings. */
static bool is_of(const char *what, unsigned first, u64 one, u64 other)
{
	for (u32 i = 0; i < PAGES * WORDS; i++) {
		u64 word = page_va(first)[i];

		if (!check((u32)word == i && (word >> 32 == one || word >> 32 == other),
			   "%s: word %u is %lx", what, i, (unsigned long)word))
			return false;
	}
	return true;
}

static void request(u32 type, unsigned first)
{
	check_eq("status",
		 blk_request(&disk, &queue, type, PLACE, page_va(first), PAGES * PAGE_SIZE),
		 BLK_OK);
}

static void in_flight(void)
{
	rule("remapped while a disk has it");
	fill(SOURCE, 1);
	fill(TARGET, 2);
	stop = stopped = rounds = 0;
	for (u32 round = 0; round < ROUNDS; round++) {
		fill(BUFFER, 2);
		if (round == 0)
			check_eq("VCPU 1", (u64)smp_start(1, remapper, 0), 0);
		request(BLK_OUT, BUFFER);
		request(BLK_IN, FOUND);
		if (!is_of("written", FOUND, 1, 2))
			break;
		request(BLK_IN, BUFFER);
		if (!is_of("read", BUFFER, 1, 2) || !is_of("passed on", TARGET, 1, 2))
			break;
		fill(FOUND, 3);
		request(BLK_IN, FOUND);
		if (!is_of("read again", FOUND, 1, 2))
			break;
	}
	smp_wait(&rounds, ROUNDS);
	stop = 1;
	smp_wait(&stopped, 1);
	is_of("the source", SOURCE, 1, 1);
}

int main(void)
{
	need_monitor();
	balloon = virtio_find(BALLOON);
	check(virtio_begin(&balloon, FEATURES), "the balloon refuses its own features");
	for (u32 n = 0; n < QUEUES; n++)
		virtio_set_up(&balloon, n, &queues[n]);
	virtio_go(&balloon);
	check(blk_begin(&disk, &queue), "the disk refuses its own features");
	in_order("REMAP of pages in the balloon", INFLATE);
	in_order("REMAP of pages reported to be free", REPORT);
	at_once("pages put into the balloon under REMAP", INFLATE);
	at_once("pages reported under REMAP", REPORT);
	in_flight();
	return verdict();
}
