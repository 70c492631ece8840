/* SPDX-License-Identifier: MIT */
/*
 * Rule: rings that cannot be make the device want a reset, rings that lie over each other or over buffers are
 * the driver's loss alone, and what comes at the wrong time changes nothing (virtio 1.2, sections 2 and 4.2);
 * after a reset the device works. docs/guest-abi.md.
 *
 * Method: the entropy device, one wrong thing at a time, each held against what should come of it.
 */
#include "tests/guest/rng.h"

/* ---- rings where none can be: the same ---- */

static void set_up_with(u32 reg, u64 address, u32 size)
{
	virtio_begin(&rng, 0);
	memset((void *)&queue, 0, sizeof(queue));
	virtio_put(&rng, VIRTIO_QUEUE_SELECT, 0);
	virtio_put(&rng, VIRTIO_QUEUE_SIZE, size);
	virtio_put64(&rng, VIRTIO_DESCRIPTORS, guest_pa(queue.descriptor));
	virtio_put64(&rng, VIRTIO_AVAILABLE, guest_pa(&queue.available));
	virtio_put64(&rng, VIRTIO_USED, guest_pa(&queue.used));
	if (reg)
		virtio_put64(&rng, reg, address);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
	virtio_go(&rng);
}

static const struct {
	const char *name;
	u32 reg;
	u64 address; /* MEMORY_END + n: so far behind the end of memory */
	u32 size;
} places[] = {
#define MEMORY_END (1ul << 63)
	{ "descriptors not aligned", VIRTIO_DESCRIPTORS, 8, VIRTIO_SIZE },
	{ "available ring not aligned", VIRTIO_AVAILABLE, 1, VIRTIO_SIZE },
	{ "used ring not aligned", VIRTIO_USED, 2, VIRTIO_SIZE },
	{ "descriptors outside memory", VIRTIO_DESCRIPTORS, 1ul << 40, VIRTIO_SIZE },
	{ "available ring outside memory", VIRTIO_AVAILABLE, 1ul << 40, VIRTIO_SIZE },
	{ "used ring outside memory", VIRTIO_USED, 1ul << 40, VIRTIO_SIZE },
	{ "descriptors at the last byte of addresses", VIRTIO_DESCRIPTORS, ~15ul, VIRTIO_SIZE },
	{ "descriptors over the end of memory", VIRTIO_DESCRIPTORS, MEMORY_END - 16, VIRTIO_SIZE },
	{ "available ring at the last bytes of memory", VIRTIO_AVAILABLE, MEMORY_END - 2,
	  VIRTIO_SIZE },
	{ "used ring over the end of memory", VIRTIO_USED, MEMORY_END - 16, VIRTIO_SIZE },
	{ "used ring in registers", VIRTIO_USED, DISCO_DEVICE_BASE, VIRTIO_SIZE },
	{ "a queue of no descriptors", 0, 0, 0 },
	{ "a queue of three descriptors", 0, 0, 3 },
	{ "a queue of more descriptors than may be", 0, 0, 256 },
	{ "a queue of 65536 descriptors", 0, 0, 65536 },
	{ "a queue of 2^32-1 descriptors", 0, 0, ~0u },
};

static void rings_where_none_can_be(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		u64 at = places[i].address;

		rule(places[i].name);
		if (at >= MEMORY_END - PAGE_SIZE && at < MEMORY_END + PAGE_SIZE)
			at += beyond - MEMORY_END;
		set_up_with(places[i].reg, at, places[i].size);
		check(status() & VIRTIO_NEEDS_RESET, "%s: status %x", places[i].name, status());
		works(places[i].name);
	}
}

/* ---- rings over each other, and over buffers: the driver's loss alone ---- */

static void used_over_available(void)
{
	set_up_with(VIRTIO_USED, guest_pa(&queue.available) & ~3ul, VIRTIO_SIZE);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
}

static void used_over_descriptors(void)
{
	set_up_with(VIRTIO_USED, guest_pa(queue.descriptor), VIRTIO_SIZE);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
}

static void available_over_descriptors(void)
{
	set_up_with(VIRTIO_AVAILABLE, guest_pa(queue.descriptor), VIRTIO_SIZE);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
}

static void buffer_over_the_queue(void) /* the device writes its own queue */
{
	set_up_with(0, 0, VIRTIO_SIZE);
	one(guest_pa(&queue), sizeof(queue), VIRTIO_WRITE, 0);
}

static void indirect_over_descriptors(void)
{
	start(INDIRECT);
	describe(&queue.descriptor[1], guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	one(guest_pa(&queue.descriptor[1]), 16, VIRTIO_INDIRECT, 0);
}

static void indirect_over_its_buffer(void) /* the device writes the table that it came by */
{
	start(INDIRECT);
	describe(&table[0], guest_pa(table), sizeof(table), VIRTIO_WRITE, 0);
	one(guest_pa(table), 16, VIRTIO_INDIRECT, 0);
}

static void indirect_over_each_other(void)
{
	start(INDIRECT);
	describe(&table[0], guest_pa(buffer), 16, VIRTIO_WRITE | VIRTIO_NEXT, 1);
	describe(&table[1], guest_pa(buffer + 16), 16, VIRTIO_WRITE, 0);
	describe(&queue.descriptor[1], guest_pa(&table[1]), 16, VIRTIO_INDIRECT, 0);
	queue.available.ring[0] = 1;
	queue.available.index = 1;
	one(guest_pa(table), 32, VIRTIO_INDIRECT, 0);
	check_eq("tables over each other", queue.used.index, 2);
}

/* ---- the order of things ---- */

static void queue_set_up_twice(void) /* what is ready stays as it is */
{
	set_up_with(0, 0, VIRTIO_SIZE);
	virtio_put(&rng, VIRTIO_QUEUE_SIZE, 2);
	virtio_put64(&rng, VIRTIO_USED, 1ul << 40);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
	check_eq("queue set up twice", virtio_read(&rng, 0, &queue, buffer, 32), 32);
}

static void no_such_queue_notified(void)
{
	start(0);
	for (u32 n = 1; n < 70000; n = n * 7 + 1)
		virtio_put(&rng, VIRTIO_NOTIFY, n);
	virtio_put(&rng, VIRTIO_NOTIFY, ~0u);
	check_eq("the first goes on", virtio_read(&rng, 0, &queue, buffer, 32), 32);
}

static void no_such_queue_set_up(void)
{
	static const u32 numbers[] = { 1, 0x10000, ~0u };

	start(0);
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		virtio_put(&rng, VIRTIO_QUEUE_SELECT, numbers[i]);
		check_eq("no such queue", virtio_get(&rng, VIRTIO_QUEUE_SIZE_MAX), 0);
		virtio_put(&rng, VIRTIO_QUEUE_SIZE, VIRTIO_SIZE);
		virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
		check_eq("is never ready", virtio_get(&rng, VIRTIO_QUEUE_READY), 0);
	}
	check_eq("the first goes on", virtio_read(&rng, 0, &queue, buffer, 32), 32);
}

static void features_behind_features_ok(void)
{
	start(0);
	virtio_put(&rng, VIRTIO_ACCEPTED_SELECT, 0);
	virtio_put(&rng, VIRTIO_ACCEPTED, INDIRECT);
	one(guest_pa(table), 16, VIRTIO_INDIRECT, 0);
	check(status() & VIRTIO_NEEDS_RESET, "features behind FEATURES_OK: status %x", status());
}

static void without_version_1(void)
{
	virtio_put(&rng, VIRTIO_STATUS, 0);
	virtio_put(&rng, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	check(!(status() & VIRTIO_FEATURES_OK), "no version 1: status %x", status());
	virtio_go(&rng);
	check(!(status() & VIRTIO_DRIVER_OK), "DRIVER_OK without features: status %x", status());
}

static void features_of_nobody(void)
{
	virtio_put(&rng, VIRTIO_STATUS, 0);
	virtio_put(&rng, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	virtio_put(&rng, VIRTIO_ACCEPTED_SELECT, 1);
	virtio_put(&rng, VIRTIO_ACCEPTED, ~0u);
	virtio_put(&rng, VIRTIO_STATUS, status() | VIRTIO_FEATURES_OK);
	check(!(status() & VIRTIO_FEATURES_OK), "features of nobody: status %x", status());
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
	check_eq("no queue without them", virtio_get(&rng, VIRTIO_QUEUE_READY), 0);
}

static void before_driver_ok(void) /* a request waits for it */
{
	virtio_begin(&rng, 0);
	virtio_set_up(&rng, 0, &queue);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	check_eq("before DRIVER_OK", queue.used.index, 0);
	virtio_go(&rng);
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
	check_eq("after DRIVER_OK", queue.used.index, 1);
	check_eq("interrupt", virtio_get(&rng, VIRTIO_INTERRUPT_STATUS), 1);
	virtio_put(&rng, VIRTIO_INTERRUPT_ACK, ~0u);
	check_eq("acknowledged", virtio_get(&rng, VIRTIO_INTERRUPT_STATUS), 0);
}

static void a_queue_that_is_off(void)
{
	start(0);
	virtio_put(&rng, VIRTIO_QUEUE_SELECT, 0);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 0);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	check_eq("a queue that is off", queue.used.index, 0);
}

static const struct {
	const char *name;
	void (*act)(void);
} odd[] = {
	{ "used ring over the available one", used_over_available },
	{ "used ring over descriptors", used_over_descriptors },
	{ "available ring over descriptors", available_over_descriptors },
	{ "a buffer over the queue", buffer_over_the_queue },
	{ "indirect table over descriptors", indirect_over_descriptors },
	{ "indirect table over its own buffer", indirect_over_its_buffer },
	{ "indirect tables over each other", indirect_over_each_other },
	{ "queue set up twice", queue_set_up_twice },
	{ "notification of no queue", no_such_queue_notified },
	{ "no such queue set up", no_such_queue_set_up },
	{ "features behind FEATURES_OK", features_behind_features_ok },
	{ "no version 1", without_version_1 },
	{ "features of nobody", features_of_nobody },
	{ "a request before DRIVER_OK", before_driver_ok },
	{ "notification of a queue that is off", a_queue_that_is_off },
};

static void odd_things(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(odd); i++) {
		rule(odd[i].name);
		odd[i].act();
		works(odd[i].name);
	}
}

int main(void)
{
	need_monitor();
	find_rng();
	works("the start");
	rings_where_none_can_be();
	odd_things();
	return verdict();
}
