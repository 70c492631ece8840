/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever a driver does to a virtio device and its queues, the device either goes on as the
 * specification says (virtio 1.2, sections 2 and 4.2), or wants a reset and says so; after a reset it works.
 * Nothing outside the buffers that were given changes. docs/guest-abi.md.
 *
 * Method: the entropy device, chains that cannot be, one at a time, and what a good driver may do. Rings
 * that cannot be, and the order of things, are in virtio_order.c.
 */
#include "tests/guest/rng.h"

/* ---- queues that are malformed: DEVICE_NEEDS_RESET ---- */

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
static void longest_by_two(void)
{
	describe(&queue.descriptor[1], guest_pa(buffer), ~0u, VIRTIO_WRITE, 0);
	one(guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 1);
}

static void longer_than_the_queue(void) /* each descriptor but the first twice */
{
	for (u16 i = 1; i < VIRTIO_SIZE; i++)
		describe(&queue.descriptor[i], guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT,
			 i + 1 < VIRTIO_SIZE ? i + 1 : 1);
	one(guest_pa(buffer), 8, VIRTIO_WRITE | VIRTIO_NEXT, 1);
}

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
	{ "chain longer than the queue", longer_than_the_queue, 0 },
	{ "next descriptor outside the table", next_outside, 0 },
	{ "head outside the table", head_outside, 0 },
	{ "head far outside the table", head_far_outside, 0 },
	{ "empty buffer", empty, 0 },
	{ "buffer behind the last byte of memory", at_the_end, 0 },
	{ "buffer over the end of memory", over_the_end, 0 },
	{ "buffer far away", far_away, 0 },
	{ "buffer that wraps", wraps, 0 },
	{ "buffer of 2^32-1 bytes", longest, 0 },
	{ "buffer of 2^32-1 bytes behind another", longest_by_two, 0 },
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
	{ "indirect of 2^32-16 bytes", indirect_longest, INDIRECT },
	{ "indirect loop", indirect_loop, INDIRECT },
	{ "indirect next outside", indirect_next_outside, INDIRECT },
};

static void queues_that_are_malformed(void)
{
	for (u32 i = 0; i < ARRAY_SIZE(malformed); i++) {
		rule(malformed[i].name);
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
	find_rng();
	works("the start");
	queues_that_are_malformed();
	many_at_once();
	widths();
	works("the end");
	return verdict();
}
