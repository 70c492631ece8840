/* SPDX-License-Identifier: MIT */
/*
 * Rule: what a guest has the monitor do with its memory is its own time: reads of memory that it never wrote, blocks that come
 * for a byte, and all of it given back at once. The companion of test_sharing.py's test of that.
 *
 * Method: reads 8 MB, writes a word in each MB or each page of it, passes pages on to others and reports all of it as free,
 * without end.
 *
 * Ends: paired
 */
#include "guests/lib/virtio.h"
#include "tests/guest/test.h"

#define BALLOON 5
#define REPORT	2 /* queues */
#define REPORTS BIT(5)
#define PAGES	2048

static struct virtio_device balloon;
static volatile struct virtio_queue inflate, deflate, report;

static u64 read_all(void)
{
	u64 sum = 0;

	for (unsigned i = 0; i < PAGES; i++)
		sum += page_va(i)[i % 512];
	return sum;
}

int main(void)
{
	need_monitor();
	balloon = virtio_find(BALLOON);
	check(virtio_begin(&balloon, REPORTS), "the balloon refuses its own features");
	virtio_set_up(&balloon, 0, &inflate);
	virtio_set_up(&balloon, 1, &deflate);
	virtio_set_up(&balloon, REPORT, &report);
	virtio_go(&balloon);
	for (u64 round = 0;; round++) {
		if (read_all()) {
			check(false, "what nobody wrote, or was given back, is not zero");
			return verdict();
		}
		for (unsigned i = 0; i < PAGES; i += round % 3 ? 256 : 1)
			page_va(i)[i % 512] = round + 1;
		for (unsigned i = 0; i + 256 < PAGES; i += 64)
			hypercall(DISCO_HC_REMAP, page_pa(i + 1), page_pa(i + 256));
		if (virtio_request(&balloon, REPORT, &report, page_va(0), PAGES * PAGE_SIZE,
				   VIRTIO_WRITE) < 0) {
			check(false, "a report does not come back");
			return verdict();
		}
		if (round == 9)
			print("zero_flood: goes on\n");
	}
}
