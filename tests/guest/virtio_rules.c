/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever a driver does to a virtio device and its queues, the device either goes on as the
 * specification says (virtio 1.2, sections 2 and 4.2), or wants a reset and says so; after a reset it works.
 * Nothing outside the buffers that were given changes. docs/guest-abi.md.
 *
 * Method: the entropy device, one wrong thing at a time, each held against what should come of it.
 */
#include "guests/lib/virtio.h"
#include "tests/guest/test.h"

#define RNG	  4
#define EVENT_IDX BIT(29)
#define INDIRECT  BIT(28)
#define VERSION_1 BIT(32)

static struct virtio_device rng;
static volatile struct virtio_queue queue;
static volatile u8 buffer[256] __attribute__((aligned(64)));
static volatile struct virtio_descriptor table[64] __attribute__((aligned(16)));
static u64 beyond; /* the first address behind the VM's memory */

static void start(u64 features)
{
	check(virtio_begin(&rng, features), "the device refuses its own features");
	virtio_set_up(&rng, 0, &queue);
	virtio_go(&rng);
}

static u32 status(void) { return virtio_get(&rng, VIRTIO_STATUS); }

/* A request is served, and only the buffer changes. */
static void works(const char *what)
{
	u32 sum = 0;
	s64 got;

	memset((void *)buffer, 0, sizeof(buffer));
	start(0);
	got = virtio_read(&rng, 0, &queue, buffer + 64, 32);
	for (u32 i = 64; i < 96; i++)
		sum += buffer[i] != 0;
	check(got == 32 && sum > 16, "%s: afterwards %ld bytes came, %u are not 0", what, (long)got,
	      sum);
	for (u32 i = 0; i < sizeof(buffer); i++)
		if (i < 64 || i >= 96)
			check(!buffer[i], "%s: byte %u was written", what, i);
}

static void describe(volatile struct virtio_descriptor *d, u64 address, u32 bytes, u16 flags,
		     u16 next)
{
	d->address = address;
	d->bytes = bytes;
	d->flags = flags;
	d->next = next;
}

static void offer(u16 head)
{
	queue.available.ring[queue.available.index % VIRTIO_SIZE] = head;
	__sync_synchronize();
	queue.available.index++;
	__sync_synchronize();
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
}

/* ---- queues that are malformed: DEVICE_NEEDS_RESET ---- */

static void one(u64 address, u32 bytes, u16 flags, u16 next)
{
	describe(&queue.descriptor[0], address, bytes, flags, next);
	offer(0);
}

static void loop(void) { one(guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 0); }
static void next_outside(void)
{
	one(guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, VIRTIO_SIZE);
}
static void head_outside(void) { offer(VIRTIO_SIZE); }
static void head_far_outside(void) { offer(0xffff); }
static void empty(void) { one(guest_pa(buffer), 0, VIRTIO_WRITE, 0); }
static void at_the_end(void) { one(beyond, 1, VIRTIO_WRITE, 0); }
static void over_the_end(void) { one(beyond - 1, 2, VIRTIO_WRITE, 0); }
static void far_away(void) { one(1ul << 40, 64, VIRTIO_WRITE, 0); }
static void wraps(void) { one(~0ul - 7, 64, VIRTIO_WRITE, 0); }
static void longest(void) { one(guest_pa(buffer), ~0u, VIRTIO_WRITE, 0); }
static void the_devices_own_registers(void) { one(DISCO_DEVICE_BASE, 64, VIRTIO_WRITE, 0); }

static void read_behind_write(void)
{
	describe(&queue.descriptor[1], guest_pa(buffer), 8, 0, 0);
	one(guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 1);
}

static void index_jumps(void)
{
	queue.available.index += VIRTIO_SIZE + 1;
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
}

static void index_goes_back(void)
{
	queue.available.index--;
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
}

static void indirect_not_negotiated(void) { one(guest_pa(table), 16, VIRTIO_INDIRECT, 0); }

static void indirect_with_next(void)
{
	describe(&table[0], guest_pa(buffer), 8, VIRTIO_WRITE, 0);
	one(guest_pa(table), 16, VIRTIO_INDIRECT | VIRTIO_NEXT, 1);
}

static void indirect_nested(void)
{
	describe(&table[0], guest_pa(&table[2]), 16, VIRTIO_INDIRECT, 0);
	one(guest_pa(table), 32, VIRTIO_INDIRECT, 0);
}

static void indirect_is_itself(void)
{
	describe(&table[0], guest_pa(table), 16, VIRTIO_INDIRECT, 0);
	one(guest_pa(table), 16, VIRTIO_INDIRECT, 0);
}

static void indirect_odd(void) { one(guest_pa(table), 24, VIRTIO_INDIRECT, 0); }
static void indirect_empty(void) { one(guest_pa(table), 0, VIRTIO_INDIRECT, 0); }
static void indirect_outside(void) { one(beyond - 16, 32, VIRTIO_INDIRECT, 0); }
static void indirect_longest(void) { one(guest_pa(table), 0xfffffff0, VIRTIO_INDIRECT, 0); }

static void indirect_loop(void)
{
	describe(&table[0], guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 1);
	describe(&table[1], guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 0);
	one(guest_pa(table), sizeof(table), VIRTIO_INDIRECT, 0);
}

static void indirect_next_outside(void)
{
	describe(&table[0], guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 2);
	one(guest_pa(table), 32, VIRTIO_INDIRECT, 0);
}

static const struct {
	const char *name;
	void (*act)(void);
	u64 features;
} malformed[] = {
	{ "descriptor loop", loop, 0 },
	{ "next descriptor outside the table", next_outside, 0 },
	{ "head outside the table", head_outside, 0 },
	{ "head far outside the table", head_far_outside, 0 },
	{ "empty buffer", empty, 0 },
	{ "buffer behind memory", at_the_end, 0 },
	{ "buffer over the end of memory", over_the_end, 0 },
	{ "buffer far away", far_away, 0 },
	{ "buffer that wraps", wraps, 0 },
	{ "buffer of 4 GB", longest, 0 },
	{ "buffer in registers", the_devices_own_registers, 0 },
	{ "read behind write", read_behind_write, 0 },
	{ "index jumps", index_jumps, 0 },
	{ "index goes back", index_goes_back, 0 },
	{ "indirect, not negotiated", indirect_not_negotiated, 0 },
	{ "indirect with next", indirect_with_next, INDIRECT },
	{ "indirect nested", indirect_nested, INDIRECT },
	{ "indirect is itself", indirect_is_itself, INDIRECT },
	{ "indirect of half a descriptor", indirect_odd, INDIRECT },
	{ "indirect empty", indirect_empty, INDIRECT },
	{ "indirect outside memory", indirect_outside, INDIRECT },
	{ "indirect of 4 GB", indirect_longest, INDIRECT },
	{ "indirect loop", indirect_loop, INDIRECT },
	{ "indirect next outside", indirect_next_outside, INDIRECT },
};

static void queues_that_are_malformed(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(malformed); i++) {
		memset((void *)buffer, 0, sizeof(buffer));
		start(malformed[i].features);
		malformed[i].act();
		check(status() & VIRTIO_NEEDS_RESET, "%s: status %x", malformed[i].name, status());
		check_eq("interrupt", virtio_get(&rng, VIRTIO_INTERRUPT_STATUS), 2);
		check_eq("used", queue.used.index, 0);
		virtio_put(&rng, VIRTIO_NOTIFY, 0); /* it is dead until a reset */
		check_eq("used", queue.used.index, 0);
		for (u32 k = 0; k < sizeof(buffer); k++)
			check(!buffer[k], "%s: byte %u was written", malformed[i].name, k);
		works(malformed[i].name);
	}
}

/* ---- rings where none can be: the same ---- */

static const struct {
	const char *name;
	u32 reg;
	u64 address;
} places[] = {
	{ "descriptors not aligned", VIRTIO_DESCRIPTORS, 8 },
	{ "available ring not aligned", VIRTIO_AVAILABLE, 1 },
	{ "used ring not aligned", VIRTIO_USED, 2 },
	{ "descriptors outside memory", VIRTIO_DESCRIPTORS, 1ul << 40 },
	{ "available ring outside memory", VIRTIO_AVAILABLE, 1ul << 40 },
	{ "used ring outside memory", VIRTIO_USED, 1ul << 40 },
	{ "descriptors at the last byte of addresses", VIRTIO_DESCRIPTORS, ~15ul },
	{ "used ring in registers", VIRTIO_USED, DISCO_DEVICE_BASE },
};

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

static void rings_where_none_can_be(void)
{
	static const u32 sizes[] = { 0, 3, 256, 65536, ~0u };

	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		set_up_with(places[i].reg, places[i].address, VIRTIO_SIZE);
		check(status() & VIRTIO_NEEDS_RESET, "%s: status %x", places[i].name, status());
		works(places[i].name);
	}
	set_up_with(VIRTIO_USED, beyond - 16, VIRTIO_SIZE);
	check(status() & VIRTIO_NEEDS_RESET, "used ring over the end: status %x", status());
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		set_up_with(0, 0, sizes[i]);
		check(status() & VIRTIO_NEEDS_RESET, "%u descriptors: status %x", sizes[i],
		      status());
	}
	works("sizes");
}

/* ---- rings over each other, and over buffers: the driver's loss alone ---- */

static void rings_over_each_other(void)
{
	set_up_with(VIRTIO_USED, guest_pa(&queue.available) & ~3ul, VIRTIO_SIZE);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	works("used over available");
	set_up_with(VIRTIO_USED, guest_pa(queue.descriptor), VIRTIO_SIZE);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	works("used over descriptors");
	set_up_with(0, 0, VIRTIO_SIZE);
	one(guest_pa(&queue), sizeof(queue), VIRTIO_WRITE, 0); /* the device writes its own queue */
	works("a buffer over the queue");
}

/* ---- the order of things ---- */

static void registers_at_the_wrong_time(void)
{
	u32 interrupt;

	virtio_put(&rng, VIRTIO_STATUS, 0);
	set_up_with(0, 0, VIRTIO_SIZE);
	virtio_put(&rng, VIRTIO_QUEUE_SIZE, 2); /* twice: what is ready stays */
	virtio_put64(&rng, VIRTIO_USED, 1ul << 40);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
	check_eq("queue set up twice", virtio_read(&rng, 0, &queue, buffer, 32), 32);

	for (u32 n = 1; n < 70000; n = n * 7 + 1) /* queues that do not exist */
		virtio_put(&rng, VIRTIO_NOTIFY, n);
	virtio_put(&rng, VIRTIO_NOTIFY, ~0u);
	virtio_put(&rng, VIRTIO_QUEUE_SELECT, 1);
	check_eq("no queue 1", virtio_get(&rng, VIRTIO_QUEUE_SIZE_MAX), 0);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
	virtio_put(&rng, VIRTIO_QUEUE_SELECT, ~0u);
	check_eq("no last queue", virtio_get(&rng, VIRTIO_QUEUE_SIZE_MAX), 0);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);
	check_eq("the first goes on", virtio_read(&rng, 0, &queue, buffer, 32), 32);

	virtio_put(&rng, VIRTIO_ACCEPTED_SELECT, 0); /* features behind FEATURES_OK */
	virtio_put(&rng, VIRTIO_ACCEPTED, INDIRECT);
	one(guest_pa(table), 16, VIRTIO_INDIRECT, 0);
	check(status() & VIRTIO_NEEDS_RESET, "features behind FEATURES_OK: status %x", status());

	virtio_put(&rng, VIRTIO_STATUS, 0);
	virtio_put(&rng, VIRTIO_STATUS, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	check(!(status() & VIRTIO_FEATURES_OK), "no version 1: status %x", status());
	virtio_go(&rng);
	check(!(status() & VIRTIO_DRIVER_OK), "DRIVER_OK without features: status %x", status());
	virtio_put(&rng, VIRTIO_ACCEPTED_SELECT, 1);
	virtio_put(&rng, VIRTIO_ACCEPTED, ~0u); /* features that it does not have */
	virtio_put(&rng, VIRTIO_STATUS, status() | VIRTIO_FEATURES_OK);
	check(!(status() & VIRTIO_FEATURES_OK), "features of nobody: status %x", status());
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
	virtio_put(&rng, VIRTIO_QUEUE_READY, 1);

	virtio_begin(&rng, 0); /* a request before DRIVER_OK waits for it */
	virtio_set_up(&rng, 0, &queue);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	check_eq("before DRIVER_OK", queue.used.index, 0);
	virtio_go(&rng);
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
	check_eq("after DRIVER_OK", queue.used.index, 1);
	interrupt = virtio_get(&rng, VIRTIO_INTERRUPT_STATUS);
	check_eq("interrupt", interrupt, 1);
	virtio_put(&rng, VIRTIO_INTERRUPT_ACK, ~0u);
	check_eq("acknowledged", virtio_get(&rng, VIRTIO_INTERRUPT_STATUS), 0);
	virtio_put(&rng, VIRTIO_QUEUE_SELECT,
		   0); /* a queue taken away is notified of for nothing */
	virtio_put(&rng, VIRTIO_QUEUE_READY, 0);
	one(guest_pa(buffer), 32, VIRTIO_WRITE, 0);
	check_eq("a queue that is off", queue.used.index, 1);
	works("the order of things");
}

/* ---- what works ---- */

static void many_at_once(void)
{
	start(EVENT_IDX);
	for (u32 i = 0; i < VIRTIO_SIZE; i++) {
		describe(&queue.descriptor[i], guest_pa(buffer + 16 * i), 16, VIRTIO_WRITE, 0);
		queue.available.ring[i] = i;
	}
	queue.available.used_event = VIRTIO_SIZE - 1;
	__sync_synchronize();
	queue.available.index = VIRTIO_SIZE;
	virtio_put(&rng, VIRTIO_NOTIFY, 0);
	for (u32 i = 0; i < 1000000 && queue.used.index != VIRTIO_SIZE; i++)
		__sync_synchronize();
	check_eq("all of a full queue", queue.used.index, VIRTIO_SIZE);
	check_eq("interrupt behind the last", virtio_get(&rng, VIRTIO_INTERRUPT_STATUS), 1);
	for (u32 i = 0; i < VIRTIO_SIZE; i++)
		check_eq("bytes", queue.used.ring[i].bytes, 16);
}

/* Loads are of any width, and see what a load of 32 bits sees; other stores keep nothing. The last half is a
 * configuration. */
static void widths(void)
{
	start(0);
	check_eq("byte", *(rng.registers + VIRTIO_MAGIC), 'v');
	check_eq("half", *(volatile u16 *)(rng.registers + VIRTIO_MAGIC), 'v' | 'i' << 8);
	check_eq("double", *(volatile u64 *)(rng.registers + VIRTIO_MAGIC) >> 32,
		 virtio_get(&rng, VIRTIO_MAGIC + 4));
	*(rng.registers + VIRTIO_STATUS) = 0;
	*(volatile u64 *)(rng.registers + VIRTIO_STATUS) = 0;
	check(status() & VIRTIO_DRIVER_OK, "status %x", status());
	for (u32 reg = 0; reg < VIRTIO_CONFIG; reg += 4)
		virtio_get(&rng, reg);
	check_eq("configuration", *(volatile u64 *)(rng.registers + VIRTIO_CONFIG), 0);
	*(volatile u64 *)(rng.registers + VIRTIO_CONFIG) = ~0ul;
	check_eq("byte of it", *(rng.registers + VIRTIO_CONFIG + 0xff), 0);
}

int main(void)
{
	need_monitor();
	rng = virtio_find(RNG);
	for (beyond = 1ul << 20; !load(MODE_KERNEL, DISCO_XSSEG_BASE + beyond)->taken;
	     beyond += 1ul << 20)
		continue;
	works("the start");
	queues_that_are_malformed();
	rings_where_none_can_be();
	rings_over_each_other();
	registers_at_the_wrong_time();
	many_at_once();
	widths();
	works("the end");
	return verdict();
}
