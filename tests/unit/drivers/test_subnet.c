/* SPDX-License-Identifier: MIT */
/*
 * drivers/subnet/subnet.c and transfer.c against models: who gets a frame and what is counted, however small the parts of the work
 * are; and which bytes come, for frames in any parts, read and copied in any order. Guest memory is an array here.
 */
#include "tests/unit/unit.h"

#include "drivers/subnet/subnet.h"
#include "kernel/options.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"

#define PORTS	11
#define SUBNETS 3
#define MEMORY	(1u << 17)
#define RANGES	200
#define BYTES	5000

static u8 memory[MEMORY], target[BYTES];
static struct vm vm, owner[PORTS];

/* ---- stand-ins ---- */

_Noreturn void panic(const char *fmt, ...)
{
	mock_assert(0, fmt, __FILE__, __LINE__);
	abort();
}
struct node *node_self(void)
{
	static struct node self;

	return &self;
}
bool option_on(enum option option)
{
	(void)option;
	return true;
}
bool dma_is_shared(const struct vm *of, gpn_t gpn)
{
	(void)of;
	return gpn.v % 2;
}
void dma_gather(struct vm *of, const struct dma_range *range, u64 skip, void *to, u32 bytes)
{
	u8 *next = to;

	(void)of;
	assert_true(skip < range->bytes); /* who looks for it has found it */
	for (; bytes; range++, skip = 0) {
		u32 part = MIN(bytes, range->bytes - (u32)skip);

		memcpy(next, memory + range->gpa + skip, part);
		next += part;
		bytes -= part;
	}
}
size_t dma_copy_data(struct vm *from, u64 source, struct vm *to, u64 at, size_t bytes)
{
	size_t some = rand() % 300; /* 0: not now */

	(void)from, (void)to;
	bytes = MIN(bytes, some);
	memcpy(target + at, memory + source, bytes);
	return bytes;
}
int dma_write_data(struct vm *of, u64 at, const void *from, size_t bytes)
{
	(void)of;
	memcpy(target + at, from, bytes);
	return 0;
}

/* What was in the page goes, and it is the buffer's, all of it. */
static u32 buffer;
int dma_write_over(struct vm *of, u64 at, const void *from, size_t bytes)
{
	assert_true(at % PAGE_SIZE == 0 && buffer - at >= PAGE_SIZE && bytes <= PAGE_SIZE);
	memset(target + at, 0xa5, MIN(PAGE_SIZE, sizeof(target) - at));
	return dma_write_data(of, at, from, bytes);
}

/* ---- a frame ---- */

static struct dma_range range[RANGES];
static struct frame_place place;
static struct frame frame;
static u8 part[FRAME_PART], want[BYTES];
static u32 passed, pieces;

/* Of random parts, at random places; what it holds is in `want`. */
static void any_frame(u32 bytes)
{
	u32 skip = 12, all = skip + bytes, at = 0;

	place = (struct frame_place){ 0, 0 };
	frame = (struct frame){ .vm = &vm,
				.range = range,
				.place = &place,
				.skip = skip,
				.bytes = bytes,
				.part = part,
				.passed = &passed,
				.pieces = &pieces };
	while (at < all) {
		u32 left = all - at, n = 1 + rand() % (rand() % 4 ? 40 : 3000);

		n = frame.nranges == RANGES - 1 ? left : MIN(n, left);
		range[frame.nranges] = (struct dma_range){ rand() % (MEMORY - n), n };
		for (u32 i = 0; i < n; i++, at++)
			if (at >= skip)
				want[at - skip] = memory[range[frame.nranges].gpa + i];
		frame.nranges++;
	}
	memcpy(frame.header, want, FRAME_HEADER);
}

static void bytes_come_whatever_the_parts(void **state)
{
	(void)state;
	srand(1);
	for (u32 i = 0; i < MEMORY; i++)
		memory[i] = rand();
	for (u32 round = 0; round < 3000; round++) {
		u32 bytes = FRAME_HEADER + 2 + rand() % (BYTES - FRAME_HEADER - 2);
		bool sums = rand() % 2;
		u8 sum[2] = { rand(), rand() };

		any_frame(bytes);
		frame.checksum = sums;
		frame.checksum_start = FRAME_HEADER;
		frame.checksum_at = FRAME_HEADER + rand() % (bytes - FRAME_HEADER - 1);
		if (sums)
			memcpy(want + frame.checksum_at, sum, 2);
		for (u32 times = 0; times < 8; times++) { /* there and back */
			u32 at = rand() % bytes, n = 1 + rand() % (bytes - at);

			memset(target, 0, n);
			buffer = rand() % 2 ? n : MAX(n, (u32)PAGE_SIZE);
			frame_copy(&frame, at, n, (struct frame_target){ &vm, 0, buffer },
				   sums ? sum : NULL);
			assert_memory_equal(target, want + at, n);
		}
	}
}

/* In order each part is looked for once: what a frame costs does not grow with the square of its parts. */
static void parts_are_found_in_order(void **state)
{
	(void)state;
	any_frame(FRAME_HEADER);
	for (u32 i = 0; i < RANGES; i++)
		range[i] = (struct dma_range){ i, 1 };
	frame.nranges = RANGES;
	frame.bytes = RANGES - frame.skip;
	memcpy(frame.header, memory + frame.skip, FRAME_HEADER);
	for (u32 i = 0; i < frame.bytes; i++) {
		frame_copy(&frame, i, 1, (struct frame_target){ &vm, 0, 1 }, NULL);
		assert_int_equal(target[0], memory[frame.skip + i]);
		assert_in_range(place.range, frame.skip + i, frame.skip + i);
	}
}

/* ---- the switch ---- */

static struct port port[PORTS];
static struct net_desc desc[PORTS];
static u32 came[PORTS];
static enum port_count answer[PORTS];

static enum port_count receive(struct port *to, const struct frame *f)
{
	assert_ptr_equal(f, &frame);
	came[to - port]++;
	pieces = rand() % 300;
	passed = rand() % 2 * PAGE_SIZE;
	return answer[to - port];
}

static void any_ports(void)
{
	for (u32 i = 0; i < PORTS; i++) {
		desc[i] = (struct net_desc){ .subnet_number = rand() % SUBNETS,
					     .mtu = rand() % 4 ? BYTES : 1000,
					     .any_source = rand() % 4 == 0,
					     .address = { 2, 0, 0, 0, 0, i } };
		if (!port[i].receive) {
			port[i] = (struct port){ .desc = &desc[i], .receive = receive };
			port[i].vm = i ? &owner[i] : NULL; /* the first is the uplink */
			port_add(&port[i]);
		}
		memset(port[i].count, 0, sizeof(port[i].count));
		answer[i] = rand() % 3 ? PORT_SENT : PORT_NOBODY + rand() % 3;
	}
}

static bool belongs(const u8 *address, u32 subnet)
{
	for (u32 i = 1; i < PORTS; i++)
		if (desc[i].subnet_number == subnet && !memcmp(desc[i].address, address, 6))
			return true;
	return false;
}

/* By the rules of subnet.h: what the sender counts of each kind, and who gets the frame. */
static void model(u32 from, u64 *count, bool *gets)
{
	const u8 *to = frame.header, *source = to + 6;
	bool group = to[0] & 1, known = belongs(to, desc[from].subnet_number), got = false,
	     any = false;
	bool may = from ? desc[from].any_source || !memcmp(source, desc[from].address, 6)
			: !belongs(source, desc[from].subnet_number);

	if (frame.bytes > desc[from].mtu + FRAME_HEADER || !may) {
		count[frame.bytes > desc[from].mtu + FRAME_HEADER ? PORT_TOO_LONG : PORT_FALSE]++;
		return;
	}
	for (u32 i = 0; i < PORTS; i++) {
		bool wants = group || !memcmp(to, desc[i].address, 6) ||
			     (desc[i].any_source && !known);

		if (i == from || desc[i].subnet_number != desc[from].subnet_number || !wants)
			continue;
		any = true;
		gets[i] = frame.bytes <= desc[i].mtu + FRAME_HEADER;
		if (!gets[i])
			count[PORT_TOO_LONG]++;
		else if (answer[i] == PORT_SENT)
			got = true;
		else if (answer[i] != PORT_NOBODY || !group)
			count[answer[i]]++;
	}
	count[PORT_SENT] += got;
	count[PORT_NOBODY] += !any && !group;
}

static void who_gets_a_frame(void **state)
{
	static const enum port_count counted[] = { PORT_SENT,	PORT_TOO_LONG,	PORT_FALSE,
						   PORT_NOBODY, PORT_NO_BUFFER, PORT_SHARE };

	(void)state;
	srand(2);
	for (u32 round = 0; round < 100000; round++) {
		u32 from = rand() % PORTS, calls = 0;
		u64 count[PORT_COUNTS] = { 0 };
		bool gets[PORTS] = { false };
		u8 to = rand() % (PORTS + 2),
		   source = rand() % 4 ? from : (u32)rand() % (PORTS + 2);

		any_ports();
		any_frame(FRAME_HEADER + rand() % 1200);
		memcpy(frame.header, (u8[]){ 2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, source }, 12);
		if (rand() % 4 == 0) /* to all, or to some group */
			memcpy(frame.header, (u8[]){ 3 + rand() % 2 * 0x30, 0x33, 0, 0, 0, to }, 6);
		memset(came, 0, sizeof(came));
		model(from, count, gets);
		for (bool done = false; !done; calls++) {
			u32 budget = 65 + rand() % 2000; /* more than a look */

			done = port_send(&port[from], &frame, &budget);
		}
		assert_in_range(calls, 1, PORTS + 1); /* each has done something */
		for (u32 i = 0; i < PORTS; i++)
			assert_int_equal(came[i], gets[i]);
		for (u32 i = 0; i < ARRAY_SIZE(counted); i++)
			assert_int_equal(port[from].count[counted[i]], count[counted[i]]);
		assert_int_equal(port[from].next, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_whatever_the_parts),
		cmocka_unit_test(parts_are_found_in_order),
		cmocka_unit_test(who_gets_a_frame),
	};

	return cmocka_run_group_tests_name("subnet", tests, NULL, NULL);
}
