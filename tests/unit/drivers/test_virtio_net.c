/* SPDX-License-Identifier: MIT */
/* drivers/host/virtio_net.c against a device that does what it should, and one that does not. */
#include "tests/unit/unit.h"

#include <string.h>

#include "drivers/host/virtio_net.h"
#include "kernel/errno.h"

static u8 memory[1 << 20] __attribute__((aligned(VNET_ALIGN)));
static struct vnet net;

/* ---- the device ---- */

static struct {
	struct vring ring[VNET_QUEUES];
	u32 size;
	u32 notified[VNET_QUEUES];
} device;

bool virtio_pci_reset(struct virtio_port *port)
{
	(void)port;
	return true;
}

u64 virtio_pci_start(struct virtio_port *port, u64 wanted, const struct vring *ring, u32 n,
		     u32 *size)
{
	(void)port;
	assert_int_equal(n, VNET_QUEUES);
	assert_int_equal(wanted, 0);
	memcpy(device.ring, ring, sizeof(device.ring));
	*size = MIN(*size, device.size);
	return *size ? VIRTIO_F_VERSION_1 : 0;
}

void virtio_pci_notify(struct virtio_port *port, u32 queue)
{
	(void)port;
	device.notified[queue]++;
}

static u8 *buffer_of(u32 queue, u32 id)
{
	return memory + (device.ring[queue].desc[id].address - ptr_maddr(memory).v);
}

static void give(u32 queue, u32 id, u32 bytes)
{
	struct vring *r = &device.ring[queue];

	r->used->ring[r->used->idx % device.size].id = id;
	r->used->ring[r->used->idx % device.size].bytes = bytes;
	r->used->idx++;
}

static int start(void **state)
{
	(void)state;
	memset(&net, 0, sizeof(net));
	memset(memory, 0, sizeof(memory));
	memset(&device, 0, sizeof(device));
	device.size = VNET_QUEUE;
	assert_true(vnet_bytes() <= sizeof(memory));
	vnet_init(&net, memory);
	return !vnet_start(&net);
}

/* ---- what it should do ---- */

static void has_all_buffers_to_receive(void **state)
{
	const struct vring *r = &device.ring[VNET_RECEIVE];

	(void)state;
	assert_int_equal(r->avail->idx, VNET_QUEUE);
	assert_int_equal(device.notified[VNET_RECEIVE], 1);
	for (u32 i = 0; i < VNET_QUEUE; i++) {
		assert_int_equal(r->avail->ring[i], i);
		assert_int_equal(r->desc[i].bytes, VNET_BUFFER);
		assert_int_equal(r->desc[i].flags, VRING_WRITE);
		memset(buffer_of(VNET_RECEIVE, i), (int)i, VNET_BUFFER); /* they do not overlap */
	}
	for (u32 i = 0; i < VNET_QUEUE; i++)
		assert_int_equal(buffer_of(VNET_RECEIVE, i)[VNET_BUFFER - 1], i);
}

static void receives(void **state)
{
	const u8 *frame;
	u32 bytes;

	(void)state;
	assert_int_equal(vnet_take(&net, &frame, &bytes), 0);
	memset(buffer_of(VNET_RECEIVE, 7) + VNET_HEADER, 0x5a, 100);
	give(VNET_RECEIVE, 7, VNET_HEADER + 100);
	give(VNET_RECEIVE, 0, VNET_HEADER);
	assert_int_equal(vnet_take(&net, &frame, &bytes), 1);
	assert_int_equal(bytes, 100);
	assert_int_equal(frame[0], 0x5a);
	assert_int_equal(frame[99], 0x5a);
	vnet_give_back(&net);
	assert_int_equal(device.ring[VNET_RECEIVE].avail->idx, VNET_QUEUE + 1);
	assert_int_equal(device.ring[VNET_RECEIVE].avail->ring[0], 7);
	assert_int_equal(vnet_take(&net, &frame, &bytes), 1);
	assert_int_equal(bytes, 0);
	vnet_give_back(&net);
	assert_int_equal(vnet_take(&net, &frame, &bytes), 0);
}

static void sends_until_there_is_no_room(void **state)
{
	const struct vring *r = &device.ring[VNET_TRANSMIT];
	int room;
	u16 id;

	(void)state;
	for (u32 i = 0; i < VNET_QUEUE; i++) {
		room = vnet_room(&net);
		assert_true(room >= 0);
		memset(vnet_frame(&net, (u32)room), (int)i, VNET_FRAME);
		vnet_put(&net, (u32)room, i + 14);
		id = r->avail->ring[i];
		assert_int_equal(r->desc[id].bytes, VNET_HEADER + i + 14);
		assert_int_equal(r->desc[id].flags, 0);
		assert_int_equal(buffer_of(VNET_TRANSMIT, id)[VNET_HEADER], i);
	}
	assert_int_equal(device.notified[VNET_TRANSMIT], VNET_QUEUE);
	assert_true(vnet_room(&net) < 0);
	give(VNET_TRANSMIT, 3, 0);
	room = vnet_room(&net);
	assert_int_equal(room, 3);
	vnet_put(&net, 3, 14);
	assert_int_equal(r->avail->ring[0], 3);
	assert_true(vnet_room(&net) < 0);
}

static void takes_what_a_small_device_has(void **state)
{
	int room;

	(void)state;
	device.size = 4;
	assert_true(vnet_start(&net));
	assert_int_equal(device.ring[VNET_RECEIVE].avail->idx, 4);
	for (u32 i = 0; i < 4; i++) {
		room = vnet_room(&net);
		assert_in_range(room, 0, 3);
		vnet_put(&net, (u32)room, 60);
	}
	assert_true(vnet_room(&net) < 0);
	device.size = 0;
	assert_false(vnet_start(&net));
}

/* ---- what it should not ---- */

static void refuses_nonsense(void **state)
{
	static const struct {
		u32 id, bytes;
	} wrong[] = {
		{ VNET_QUEUE, 100 },	{ 0xffffffff, 100 }, { 0, VNET_HEADER - 1 }, { 0, 0 },
		{ 0, VNET_BUFFER + 1 }, { 0, 0xffffffff },
	};
	const u8 *frame;
	u32 bytes;

	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		start(state);
		give(VNET_RECEIVE, wrong[i].id, wrong[i].bytes);
		assert_int_equal(vnet_take(&net, &frame, &bytes), -EINVAL);
	}
}

/* A buffer that comes back twice, that the device never had, or that its taker still fills, is free once. */
static void has_no_more_room_than_buffers(void **state)
{
	int filled = vnet_room(&net), room = vnet_room(&net);
	u32 n = 0;

	(void)state;
	assert_true(filled >= 0 && room >= 0 && filled != room);
	vnet_put(&net, (u32)room, 60);
	give(VNET_TRANSMIT, (u32)filled, 0);
	for (u32 i = 0; i < 3; i++)
		give(VNET_TRANSMIT, device.ring[VNET_TRANSMIT].avail->ring[0], 0);
	give(VNET_TRANSMIT, 5, 0);
	give(VNET_TRANSMIT, VNET_QUEUE, 0);
	give(VNET_TRANSMIT, 0xffffffff, 0);
	for (; (room = vnet_room(&net)) >= 0; n++) {
		assert_int_not_equal(room, filled);
		vnet_put(&net, (u32)room, 60);
	}
	assert_int_equal(n, VNET_QUEUE - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(has_all_buffers_to_receive, start),
		cmocka_unit_test_setup(receives, start),
		cmocka_unit_test_setup(sends_until_there_is_no_room, start),
		cmocka_unit_test_setup(takes_what_a_small_device_has, start),
		cmocka_unit_test_setup(refuses_nonsense, start),
		cmocka_unit_test_setup(has_no_more_room_than_buffers, start),
	};

	return cmocka_run_group_tests_name("virtio_net", tests, NULL, NULL);
}
