/* SPDX-License-Identifier: MIT */
/*
 * Rule: what goes into the transmit queue of the console device is output of the VM's console, in buffers of
 * any shape, each byte once and in order. What is typed comes into the receive queue once the guest has
 * written by the device, until it asks for input by a call: from then on it comes by calls only. The
 * configuration says what CONSOLE_SIZE does. virtio 1.2, section 5.3; docs/guest-abi.md.
 *
 * Method: lines by the device between lines by calls; then the test types what it is asked for.
 *
 * Ends: typed
 */
#include "guests/lib/virtio.h"
#include "tests/guest/test.h"

#define CONSOLE 3
#define F_SIZE	1

enum { RECEIVE, TRANSMIT };

static struct virtio_device console;
static volatile struct virtio_queue in, out;
static char bytes_out[8192], typed[64];

static void transmit(const volatile void *from, u32 bytes, u16 flags)
{
	s64 got = virtio_request(&console, TRANSMIT, &out, from, bytes, flags);

	check(got == 0, "%u bytes: %ld", bytes, (long)got);
}

static void line(const char *s) { transmit(s, strlen(s), 0); }

/* One line in as many buffers as there are descriptors, of 1 to 16 bytes, and one to write among them. */
static void in_pieces(void)
{
	u16 before = out.used.index;
	u64 at = guest_pa(bytes_out);

	for (unsigned i = 0; i < VIRTIO_SIZE; i++) {
		out.descriptor[i] = (struct virtio_descriptor){ at, i + 1, VIRTIO_NEXT, i + 1 };
		memset(bytes_out + at - guest_pa(bytes_out), 'a' + i, i + 1);
		at += i + 1;
	}
	bytes_out[at - guest_pa(bytes_out) - 17] = '\n';
	out.descriptor[VIRTIO_SIZE - 1].flags = VIRTIO_WRITE;
	out.available.ring[out.available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	out.available.index++;
	virtio_put(&console, VIRTIO_NOTIFY, TRANSMIT);
	virtio_wait(&out, before);
	check_eq("in pieces", out.used.index, (u16)(before + 1));
}

static void offer_input(char *to, u32 bytes)
{
	in.descriptor[0] =
		(struct virtio_descriptor){ guest_pa(to), bytes, VIRTIO_WRITE | VIRTIO_NEXT, 1 };
	in.descriptor[1] = (struct virtio_descriptor){ guest_pa(to) + bytes, 1, VIRTIO_WRITE, 0 };
	in.available.ring[in.available.index % VIRTIO_SIZE] = 0;
	__sync_synchronize();
	in.available.index++;
	virtio_put(&console, VIRTIO_NOTIFY, RECEIVE);
}

/* What is typed up to a carriage return, by the receive queue. */
static void receive(char *to)
{
	u32 have = 0;

	do {
		u16 before = in.used.index;

		offer_input(to + have, 3);
		while (in.used.index == before)
			__sync_synchronize();
		have += in.used.ring[before % VIRTIO_SIZE].bytes;
	} while (to[have - 1] != '\r');
	to[have - 1] = '\0';
}

static void receive_by_call(char *to)
{
	s64 c;

	do {
		while ((c = hypercall(DISCO_HC_CONSOLE_GETC, 0, 0)) < 0)
			continue;
		*to++ = c;
	} while (c != '\r');
	to[-1] = '\0';
}

int main(void)
{
	const volatile u16 *size;
	u64 known = hypercall(DISCO_HC_CONSOLE_SIZE, 0, 0);
	u16 before;

	need_monitor();
	console = virtio_find(CONSOLE);
	size = (const volatile u16 *)(console.registers + VIRTIO_CONFIG);
	check_eq("columns, rows", size[0] | size[1] << 16, known >> 16 | (known & 0xffff) << 16);
	check(virtio_begin(&console, F_SIZE), "the device refuses its own features");
	virtio_set_up(&console, RECEIVE, &in);
	virtio_set_up(&console, TRANSMIT, &out);
	virtio_go(&console);
	offer_input(typed, 3); /* as drivers do; nothing comes before something was written */
	print("by a call\n");
	line("by the device\n");
	print("by a call\n");
	in_pieces();
	memset(bytes_out, 'y', sizeof(bytes_out));
	for (unsigned i = 99; i < sizeof(bytes_out); i += 100)
		bytes_out[i] = '\n';
	transmit(bytes_out, 6000, 0);
	transmit(bytes_out, 64, VIRTIO_WRITE);
	line("type\n");
	while (!in.used.index)
		__sync_synchronize();
	check_eq("the first bytes", typed[0], 'a');
	receive(typed + in.used.ring[0].bytes);
	check(!strcmp(typed, "a first line"), "found %s", typed);
	line("once more\n");
	receive(typed);
	check(!strcmp(typed, "a second \x03 line"), "found %s", typed);
	hypercall(DISCO_HC_CONSOLE_GETC, 0, 0);
	before = in.used.index;
	offer_input(typed, 3);
	line("and by calls\n");
	receive_by_call(typed + 16);
	check(!strcmp(typed + 16, "a third line"), "found %s", typed + 16);
	check_eq("nothing came by the device", in.used.index, before);
	return verdict();
}
