/* SPDX-License-Identifier: MIT */
/*
 * Rule: pages that a guest puts into the balloon, or reports to be free, read as zero afterwards and can be
 * used again; all others stay as they are, whatever the page numbers are. virtio 1.2, section 5.5;
 * docs/guest-abi.md.
 *
 * Method: 512 pages with a tag each; chains of every shape name some of them, none, or what is no page
 * of the VM's; each page is looked at after each.
 */
#include "guests/lib/virtio.h"
#include "tests/guest/test.h"

#define BALLOON	 5
#define FEATURES (BIT(0) | BIT(2) | BIT(5))
#define PAGES	 512
#define TAG(n)	 (0xba1100 + (n))

enum { INFLATE, DEFLATE, REPORT, REPORT_BY_NUMBER = 4, QUEUES };

static struct virtio_device balloon;
static volatile struct virtio_queue queues[QUEUES];
static u32 numbers[4096] __attribute__((aligned(64)));
static bool gone[PAGES];

static u32 number(unsigned n) { return page_pa(n) >> PAGE_SHIFT; }

static void start(u64 features)
{
	check(virtio_begin(&balloon, features), "the device refuses its own features");
	for (u32 n = 0; n < QUEUES; n++)
		virtio_set_up(&balloon, n, &queues[n]);
	virtio_go(&balloon);
}

static void tag_all(void)
{
	for (unsigned n = 0; n < PAGES; n++)
		tag_page(n, TAG(n));
	memset(gone, 0, sizeof(gone));
}

/* What is gone is zero, and the rest is not. */
static void look(const char *what)
{
	for (unsigned n = 0; n < PAGES; n++) {
		u64 first = page_va(n)[0], last = page_va(n)[PAGE_SIZE / 8 - 1];

		check(first == (gone[n] ? 0 : TAG(n)) && last == (gone[n] ? 0 : TAG(n) + 1),
		      "%s: page %u: %lx, %lx", what, n, (unsigned long)first, (unsigned long)last);
	}
	tag_all(); /* which uses them again */
}

static void request(const char *what, u32 queue, const volatile void *buffer, u32 bytes, u16 flags)
{
	s64 got = virtio_request(&balloon, queue, &queues[queue], buffer, bytes, flags);

	check(got == 0, "%s: %ld", what, (long)got);
}

/* ---- the balloon ---- */

static void inflate_and_deflate(void)
{
	for (unsigned i = 0; i < 100; i++) {
		numbers[i] = number(i * 3);
		gone[i * 3] = true;
	}
	request("inflate", INFLATE, numbers, 400, 0);
	request("deflate half", DEFLATE, numbers, 200, 0);
	look("inflated"); /* the other half is used without a word */
	request("deflate all", DEFLATE, numbers, 400, 0);
	request("deflate what was never there", DEFLATE, numbers, 400, 0);
	look("deflated");
}

/* Twice the same, others' pages, addresses of registers, the ends of 32 bits. */
static void odd_numbers(void)
{
	static const u32 odd[] = { 0xffffffff,
				   0x80000000,
				   0xfffff,
				   DISCO_DEVICE_BASE >> PAGE_SHIFT,
				   8 << (20 - PAGE_SHIFT),
				   (8 << (20 - PAGE_SHIFT)) + 1 };

	for (unsigned i = 0; i < 64; i++)
		numbers[i] = i % 2 ? odd[i / 2 % ARRAY_SIZE(odd)] : number(5 + i % 8);
	gone[5] = gone[7] = gone[9] = gone[11] = true;
	request("odd numbers in", INFLATE, numbers, 256, 0);
	look("odd numbers in");
	request("odd numbers out", DEFLATE, numbers, 256, 0);
	look("odd numbers out");
	numbers[0] = number(1);
	request("a number and a half", INFLATE, numbers, 6, 0);
	gone[1] = true;
	look("a number and a half");
	request("three bytes", INFLATE, numbers, 3, 0);
	request("to be written", INFLATE, numbers, 64, VIRTIO_WRITE);
	request("to be written", DEFLATE, numbers, 64, VIRTIO_WRITE);
	look("no number");
}

/* One number lies in two buffers; more numbers than are done at a time. */
static void numbers_in_pieces(void)
{
	volatile struct virtio_queue *q = &queues[INFLATE];
	u16 before = q->used.index;
	u64 at = guest_pa(numbers);

	for (unsigned i = 0; i < 4000; i++)
		numbers[i] = number(i % 200);
	for (unsigned i = 0; i < 200; i++)
		gone[i] = true;
	for (unsigned i = 0; i < VIRTIO_SIZE; i++) {
		u32 bytes = i == VIRTIO_SIZE - 1 ? 16000 - 15 * 999 : 999;

		q->descriptor[i] = (struct virtio_descriptor){ at, bytes, VIRTIO_NEXT, i + 1 };
		at += bytes;
	}
	q->descriptor[VIRTIO_SIZE - 1].flags = 0;
	q->available.ring[q->available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	q->available.index++;
	virtio_put(&balloon, VIRTIO_NOTIFY, INFLATE);
	virtio_wait(q, before);
	check_eq("used", q->used.index, (u16)(before + 1));
	look("numbers in pieces");
}

/* ---- free pages ---- */

static void report(u32 queue, u64 first_byte, u32 bytes)
{
	u64 end = first_byte + bytes;

	for (unsigned n = 0; n < PAGES; n++)
		gone[n] = n * PAGE_SIZE >= first_byte && (n + 1) * PAGE_SIZE <= end;
	request("report", queue, (volatile u8 *)page_va(0) + first_byte, bytes, VIRTIO_WRITE);
	look("reported");
}

static void free_pages(void)
{
	for (u32 queue = REPORT; queue <= REPORT_BY_NUMBER; queue += 2) {
		report(queue, 0, PAGE_SIZE);
		report(queue, 3 * PAGE_SIZE, 300 * PAGE_SIZE);
		report(queue, 0, PAGES * PAGE_SIZE);
		report(queue, 1, 2 * PAGE_SIZE);
		report(queue, 8, PAGE_SIZE);
		report(queue, PAGE_SIZE - 1, PAGE_SIZE + 2);
		report(queue, 16 * PAGE_SIZE + 1, 16 * PAGE_SIZE - 1);
		report(queue, 16 * PAGE_SIZE, 16 * PAGE_SIZE - 1);
		report(queue, 77, 1);
	}
	request("to be read", REPORT, (void *)page_va(0), 8 * PAGE_SIZE, 0);
	look("to be read");
}

/* ---- the rest ---- */

static void configuration(void)
{
	volatile u32 *config = (volatile u32 *)(balloon.registers + VIRTIO_CONFIG);

	check_eq("nothing is asked for", config[0], 0);
	config[0] = 77;
	check_eq("num_pages is the device's", config[0], 0);
	config[1] = 1234;
	check_eq("actual is the driver's", config[1], 1234);
	((volatile u8 *)config)[4] = 1;
	*(volatile u64 *)config = ~0ul;
	check_eq("as a whole", config[1], 1234);
	check_eq("behind it", config[2] | config[63], 0);
}

int main(void)
{
	need_monitor();
	balloon = virtio_find(BALLOON);
	tag_all();
	start(FEATURES);
	configuration();
	for (unsigned i = 0; i < 3; i++) {
		inflate_and_deflate();
		odd_numbers();
		numbers_in_pieces();
		free_pages();
		virtio_put(&balloon, VIRTIO_NOTIFY, DEFLATE); /* for nothing */
		numbers[0] = number(8);
		request("before a reset", INFLATE, numbers, 4, 0);
		gone[8] = true;
		start(i ? 0 : FEATURES); /* what is in the balloon stays there: it can be used */
		look("after a reset");
	}
	return verdict();
}
