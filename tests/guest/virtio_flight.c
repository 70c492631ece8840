/* SPDX-License-Identifier: MIT */
/*
 * Rule: what a driver changes while a request of its is under way changes nothing of that request: the device
 * goes by the copy that it made of the chain. A reset, or a queue taken away, ends what is under way:
 * afterwards nothing of the old queue is written, and the device works. virtio 1.2, sections 2.1, 2.7,
 * 4.2; docs/guest-abi.md.
 *
 * Method: reports of free pages, which the device works off a few at a time on VCPU 0's node, while the driver
 * on VCPU 1's pulls the rug away; pages are zero that were reported, and no others.
 *
 * Needs: vcpus=2 nodes=2
 */
#include "guests/lib/virtio.h"
#include "tests/guest/smp.h"

#define BALLOON	 5
#define FEATURES (BIT(5) | BIT(28))
#define PAGES	 512
#define REPORTED 400 /* of them, the first; what is asked for meanwhile is behind */
#define TAG(n)	 (0xf11600 + (n))

enum { INFLATE, DEFLATE, REPORT, QUEUES };

static struct virtio_device balloon;
static volatile struct virtio_queue queue, other, numbers_queue[2];
static volatile struct virtio_descriptor table[300] __attribute__((aligned(16)));
static u32 numbers[PAGES];
static u32 in_flight; /* requests that were seen under way */
static volatile u64 done;

static void tag_all(void)
{
	for (unsigned n = 0; n < PAGES; n++)
		tag_page(n, TAG(n));
}

static void look_at(const char *what, unsigned n, bool maybe, bool must)
{
	u64 first = page_va(n)[0], last = page_va(n)[PAGE_SIZE / 8 - 1];
	bool gone = !first && !last, same = first == TAG(n) && last == TAG(n) + 1;

	check((gone && maybe) || (same && !must), "%s: page %u: %lx, %lx", what, n,
	      (unsigned long)first, (unsigned long)last);
}

/* The reported pages are gone, all or some of them, and no others. */
static void look(const char *what, bool all)
{
	for (unsigned n = 0; n < PAGES; n++)
		look_at(what, n, n < REPORTED, all && n < REPORTED);
}

static void start(void)
{
	check(virtio_begin(&balloon, FEATURES), "the device refuses its own features");
	virtio_set_up(&balloon, REPORT, &queue);
	virtio_set_up(&balloon, INFLATE, &numbers_queue[0]);
	virtio_set_up(&balloon, DEFLATE, &numbers_queue[1]);
	virtio_go(&balloon);
}

static void describe(volatile struct virtio_descriptor *d, unsigned first, unsigned pages,
		     u16 flags)
{
	d->address = page_pa(first);
	d->bytes = pages * PAGE_SIZE;
	d->flags = flags;
	d->next = 0;
}

static void offer(volatile struct virtio_queue *q, u32 n)
{
	q->available.ring[q->available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	q->available.index++;
	virtio_put(&balloon, VIRTIO_NOTIFY, n);
}

static void begin(void)
{
	tag_all();
	start();
	describe(&queue.descriptor[0], 0, REPORTED, VIRTIO_WRITE);
	offer(&queue, REPORT);
	in_flight += queue.used.index == 0;
}

static void wait_for(const char *what, volatile struct virtio_queue *q, u16 index)
{
	for (u32 i = 0; i < 1000000 && q->used.index != index; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	check_eq(what, q->used.index, index);
}

static void works(const char *what)
{
	tag_all();
	start();
	describe(&queue.descriptor[0], 0, REPORTED, VIRTIO_WRITE);
	offer(&queue, REPORT);
	wait_for(what, &queue, 1);
	look(what, true);
	check(!(virtio_get(&balloon, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET), "%s: needs a reset",
	      what);
}

/* ---- rules ---- */

static void descriptor_rewritten(void)
{
	begin();
	describe(&queue.descriptor[0], REPORTED, PAGES - REPORTED, VIRTIO_WRITE);
	wait_for("descriptor rewritten", &queue, 1);
	look("descriptor rewritten", true);
}

static void descriptor_made_impossible(void)
{
	begin();
	queue.descriptor[0] = (struct virtio_descriptor){ ~0ul, ~0u, 0xffff, 0xffff };
	wait_for("descriptor made impossible", &queue, 1);
	look("descriptor made impossible", true);
	check(!(virtio_get(&balloon, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET), "it was read twice");
}

static void table_rewritten(void)
{
	tag_all();
	start();
	describe(&table[0], 0, REPORTED / 2, VIRTIO_WRITE | VIRTIO_NEXT);
	describe(&table[1], REPORTED / 2, REPORTED / 2, VIRTIO_WRITE);
	table[0].next = 1;
	queue.descriptor[0] = (struct virtio_descriptor){ guest_pa(table), 32, VIRTIO_INDIRECT, 0 };
	offer(&queue, REPORT);
	describe(&table[1], REPORTED, PAGES - REPORTED, VIRTIO_WRITE);
	in_flight += queue.used.index == 0;
	wait_for("table rewritten", &queue, 1);
	look("table rewritten", true);
}

static void head_rewritten(void)
{
	begin();
	describe(&queue.descriptor[1], REPORTED, PAGES - REPORTED, VIRTIO_WRITE);
	queue.available.ring[0] = 1;
	wait_for("head rewritten", &queue, 1);
	check_eq("head", queue.used.ring[0].id, 0);
	look("head rewritten", true);
}

/* Once the store has returned nothing is worked off any more. */
static void reset_in_flight(void)
{
	begin();
	virtio_put(&balloon, VIRTIO_STATUS, 0);
	look("reset in flight", false);
	tag_all();
	for (u32 i = 0; i < 100; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	for (unsigned n = 0; n < PAGES; n++)
		look_at("after a reset in flight", n, false, false);
	check(queue.used.index <= 1, "used %u", queue.used.index);
}

static void queue_off_in_flight(void)
{
	u16 used;

	begin();
	virtio_put(&balloon, VIRTIO_QUEUE_SELECT, REPORT);
	virtio_put(&balloon, VIRTIO_QUEUE_READY, 0);
	used = queue.used.index;
	tag_all();
	for (u32 i = 0; i < 100; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	check_eq("used of a queue that is off", queue.used.index, used);
	for (unsigned n = 0; n < PAGES; n++)
		look_at("queue off in flight", n, false, false);
}

/* The new queue works, and nothing is written to the old one. */
static void queue_set_up_again(void)
{
	u16 used;

	begin();
	virtio_put(&balloon, VIRTIO_QUEUE_SELECT, REPORT);
	virtio_put(&balloon, VIRTIO_QUEUE_READY, 0);
	used = queue.used.index;
	virtio_set_up(&balloon, REPORT, &other);
	tag_all();
	describe(&other.descriptor[0], 0, REPORTED, VIRTIO_WRITE);
	offer(&other, REPORT);
	wait_for("queue set up again", &other, 1);
	look("queue set up again", true);
	check_eq("used of the old queue", queue.used.index, used);
}

/* Queues at the same time, about the same pages. */
static void queues_at_once(void)
{
	for (unsigned n = 0; n < PAGES; n++)
		numbers[n] = page_pa(n % REPORTED) >> PAGE_SHIFT;
	begin();
	for (unsigned i = 0; i < 2; i++) {
		numbers_queue[i].descriptor[0] =
			(struct virtio_descriptor){ guest_pa(numbers), sizeof(numbers), 0, 0 };
		offer(&numbers_queue[i], i);
	}
	wait_for("report", &queue, 1);
	wait_for("inflate", &numbers_queue[0], 1);
	wait_for("deflate", &numbers_queue[1], 1);
	look("queues at once", true);
}

/* Page numbers are read as the device comes to them: any mixture, but of pages that were named. */
static void numbers_rewritten(void)
{
	tag_all();
	start();
	for (unsigned n = 0; n < PAGES; n++)
		numbers[n] = page_pa(n % 100) >> PAGE_SHIFT;
	numbers_queue[0].descriptor[0] =
		(struct virtio_descriptor){ guest_pa(numbers), sizeof(numbers), 0, 0 };
	offer(&numbers_queue[0], INFLATE);
	for (unsigned n = PAGES; n-- > 0;)
		numbers[n] = n % 2 ? page_pa(n % REPORTED) >> PAGE_SHIFT : ~0u - n;
	wait_for("numbers rewritten", &numbers_queue[0], 1);
	look("numbers rewritten", false);
}

/* The queue itself is among the pages: it reads as zero then, and a reset helps. */
static void queue_reported(void)
{
	volatile struct virtio_queue *q = guest_va(page_pa(10));

	tag_all();
	check(virtio_begin(&balloon, FEATURES), "the device refuses its own features");
	virtio_set_up(&balloon, REPORT, q);
	virtio_go(&balloon);
	describe(&q->descriptor[0], 0, REPORTED, VIRTIO_WRITE);
	offer(q, REPORT);
	for (u32 i = 0; i < 100; i++)
		hypercall(DISCO_HC_YIELD, 0, 0);
	virtio_put(&balloon, VIRTIO_STATUS, 0);
	memset((void *)q, 0, PAGE_SIZE);
	tag_page(10, TAG(10));
	look("queue reported", false);
}

static void chain_longer_than_it_may_be(void)
{
	tag_all();
	start();
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
		describe(&table[i], 0, 1, VIRTIO_WRITE | VIRTIO_NEXT);
		table[i].next = i + 1;
	}
	queue.descriptor[0] =
		(struct virtio_descriptor){ guest_pa(table), sizeof(table), VIRTIO_INDIRECT, 0 };
	offer(&queue, REPORT);
	check(virtio_get(&balloon, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET, "a chain of %lu",
	      (unsigned long)ARRAY_SIZE(table));
	for (unsigned n = 0; n < PAGES; n++)
		look_at("chain longer than it may be", n, false, false);
}

/* It waits for a reset while the request of another queue is under way. */
static void malformed_in_flight(void)
{
	begin();
	numbers_queue[0].descriptor[0] = (struct virtio_descriptor){ ~0ul, 4, 0, 0 };
	offer(&numbers_queue[0], INFLATE);
	check(virtio_get(&balloon, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET, "malformed in flight");
	look("malformed in flight", false);
}

static const struct {
	const char *name;
	void (*act)(void);
} rules[] = {
	{ "descriptor rewritten in flight", descriptor_rewritten },
	{ "descriptor made impossible in flight", descriptor_made_impossible },
	{ "indirect table rewritten in flight", table_rewritten },
	{ "available ring rewritten in flight", head_rewritten },
	{ "reset in flight", reset_in_flight },
	{ "queue off in flight", queue_off_in_flight },
	{ "queue set up again in flight", queue_set_up_again },
	{ "queues about the same pages", queues_at_once },
	{ "page numbers rewritten in flight", numbers_rewritten },
	{ "a queue that is reported free", queue_reported },
	{ "malformed while another request is in flight", malformed_in_flight },
	{ "chain longer than any may be", chain_longer_than_it_may_be },
};

static void driver(u64 arg)
{
	(void)arg;
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
			if (!round)
				rule(rules[i].name);
			rules[i].act();
			works(rules[i].name);
		}
	smp_add(&done, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

int main(void)
{
	need_monitor();
	balloon = virtio_find(BALLOON);
	check_eq("VCPU 1", (u64)smp_start(1, driver, 0), 0);
	smp_wait(&done, 1);
	check(done, "the driver did not come to its end");
	check(in_flight, "no request was seen under way");
	return verdict();
}
