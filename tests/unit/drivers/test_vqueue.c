/* SPDX-License-Identifier: MIT */
/* drivers/virtio/queue.c: chains as a driver makes them, and everything that a driver must not make. */
#include "tests/unit/unit.h"

#include "drivers/virtio/queue.h"
#include "tests/unit/drivers/vqueue_memory.h"

#define SIZE	  8
#define AVAILABLE 1024
#define USED	  2048
#define TABLE	  4096 /* an indirect one */
#define DATA	  8192

#define NEXT	 1
#define WRITE	 2
#define INDIRECT 4

struct descriptor {
	u64 address;
	u32 bytes;
	u16 flags, next;
};

static struct vqueue q;
static struct vqueue_chain chain;

static int fresh(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	q = (struct vqueue){ .size = SIZE, .available = AVAILABLE, .used = USED, .indirect = true };
	assert_true(vqueue_start(&q));
	return 0;
}

static void put16(u64 at, u16 value) { memcpy(memory + at, &value, 2); }

static u16 get16(u64 at)
{
	u16 value;

	memcpy(&value, memory + at, 2);
	return value;
}

static void describe(u64 table, u32 i, u64 address, u32 bytes, u16 flags, u16 next)
{
	struct descriptor d = { address, bytes, flags, next };

	memcpy(memory + table + 16 * i, &d, sizeof(d));
}

static void offer(u16 head)
{
	u16 index = get16(AVAILABLE + 2);

	put16(AVAILABLE + 4 + 2 * (index % SIZE), head);
	put16(AVAILABLE + 2, index + 1);
}

static void broken(const char *error)
{
	assert_int_equal(vqueue_next(&q, &chain), -EINVAL);
	assert_int_equal(q.state, VQUEUE_BROKEN);
	assert_string_equal(q.error, error);
	assert_int_equal(vqueue_next(&q, &chain), -EINVAL); /* and stays so */
	assert_false(vqueue_give_back(&q, 0, 0));
	assert_false(vqueue_wants_interrupt(&q));
	assert_false(vqueue_ask_to_notify(&q));
	vqueue_reset(&q);
	assert_int_equal(q.state, VQUEUE_OFF);
}

static void a_chain_is_what_its_descriptors_say(void **state)
{
	(void)state;
	assert_int_equal(vqueue_next(&q, &chain), 0);
	describe(0, 3, DATA, 16, NEXT, 5);
	describe(0, 5, DATA + 100, 4096, NEXT | WRITE, 1);
	describe(0, 1, MEMORY_BYTES - 1, 1, WRITE, 77);
	offer(3);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_int_equal(chain.head, 3);
	assert_int_equal(chain.nread, 1);
	assert_int_equal(chain.nwritten, 2);
	assert_int_equal(chain.read_bytes, 16);
	assert_int_equal(chain.written_bytes, 4097);
	assert_int_equal(chain.range[1].gpa, DATA + 100);
	assert_int_equal(vqueue_next(&q, &chain), 0);
	assert_true(vqueue_give_back(&q, 3, 4097));
	assert_int_equal(get16(USED + 2), 1);
	assert_int_equal(get16(USED + 4), 3);
	assert_int_equal(get16(USED + 8), 4097);
}

static void an_indirect_table_is_walked(void **state)
{
	(void)state;
	describe(0, 0, TABLE, 3 * 16, INDIRECT, 0);
	describe(TABLE, 0, DATA, 1, NEXT, 2);
	describe(TABLE, 2, DATA, 2, NEXT | WRITE, 1);
	describe(TABLE, 1, DATA, 3, WRITE, 0);
	offer(0);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_int_equal(chain.nread, 1);
	assert_int_equal(chain.nwritten, 2);
	assert_int_equal(chain.range[2].bytes, 3);
	describe(0, 0, DATA, 8, NEXT, 1); /* behind ordinary ones, too */
	describe(0, 1, TABLE, 3 * 16, INDIRECT, 0);
	offer(0);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_int_equal(chain.nread, 2);
}

/* A read of a page as most drivers make it, with head 0. */
static void describe_page(void)
{
	describe(0, 0, TABLE, 3 * 16, INDIRECT, 7);
	describe(TABLE, 0, DATA + 8, 16, NEXT, 1);
	describe(TABLE, 1, 3 * PAGE_SIZE, PAGE_SIZE, NEXT | WRITE, 2);
	describe(TABLE, 2, MEMORY_BYTES - 1, 1, WRITE, 3);
}

/* With one of these on offer, and the places of both tables found. */
static void page_on_offer(void)
{
	fresh(NULL);
	shows = true;
	describe_page();
	offer(0);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	offer(0);
}

static void a_read_of_a_page_is_seen(void **state)
{
	struct vqueue_page page;

	(void)state;
	page_on_offer();
	for (u32 i = 0; i < 2; i++) { /* looking takes nothing */
		assert_true(vqueue_sees_page(&q, &page));
		assert_int_equal(page.head, 0);
		assert_int_equal(page.header, DATA + 8);
		assert_int_equal(page.page, 3 * PAGE_SIZE);
		assert_int_equal(page.status, MEMORY_BYTES - 1);
	}
	vqueue_took_page(&q);
	assert_false(vqueue_sees_page(&q, &page)); /* none is left */
	assert_int_equal(vqueue_next(&q, &chain), 0);
	assert_true(vqueue_give_back(&q, page.head, 4097));
	assert_int_equal(get16(USED + 2), 1);
	offer(0);
	assert_true(vqueue_sees_page(&q, &page));
	shown++; /* the guest's memory is elsewhere now */
	assert_false(vqueue_sees_page(&q, &page));
	assert_int_equal(vqueue_next(&q, &chain), 1);
	shows = false; /* and no view shows it */
	shown++;
	offer(0);
	assert_false(vqueue_sees_page(&q, &page));
	assert_int_equal(vqueue_next(&q, &chain), 1);
	shows = true;
}

/* Each is a little different; it may be right or wrong, and whoever looks only does not say. */
static void anything_else_is_not_seen(void **state)
{
	static const struct {
		u64 table;
		u32 i;
		struct descriptor d;
		int next; /* what vqueue_next says */
	} rows[] = {
		{ 0, 0, { TABLE, 48, 0, 0 }, 1 },
		{ 0, 0, { TABLE, 48, INDIRECT | NEXT, 0 }, -EINVAL },
		{ 0, 0, { TABLE, 48, INDIRECT | WRITE, 0 }, 1 },
		{ 0, 0, { TABLE, 64, INDIRECT, 0 }, 1 },
		{ 0, 0, { TABLE, 32, INDIRECT, 0 }, -EINVAL },
		{ 0, 0, { TABLE + PAGE_SIZE, 48, INDIRECT, 0 }, -EINVAL },
		{ 0, 0, { MEMORY_BYTES, 48, INDIRECT, 0 }, -EINVAL },
		{ 0, 0, { ~0ul, 48, INDIRECT, 0 }, -EINVAL },
		{ 0, 0, { TABLE + PAGE_SIZE - 8, 48, INDIRECT, 0 }, -EINVAL },
		{ TABLE, 0, { DATA, 15, NEXT, 1 }, 1 },
		{ TABLE, 0, { DATA, 16, NEXT, 2 }, 1 },
		{ TABLE, 0, { DATA, 16, 0, 1 }, 1 },
		{ TABLE, 0, { DATA, 16, NEXT | WRITE, 1 }, 1 },
		{ TABLE, 0, { DATA, 16, NEXT | INDIRECT, 1 }, -EINVAL },
		{ TABLE, 0, { DATA, 16, NEXT, 0x8001 }, -EINVAL },
		{ TABLE, 0, { MEMORY_BYTES - 8, 16, NEXT, 1 }, -EINVAL },
		{ TABLE, 1, { PAGE_SIZE + 512, PAGE_SIZE, NEXT | WRITE, 2 }, 1 },
		{ TABLE, 1, { PAGE_SIZE, PAGE_SIZE, NEXT, 2 }, 1 },
		{ TABLE, 1, { PAGE_SIZE, 2 * PAGE_SIZE, NEXT | WRITE, 2 }, 1 },
		{ TABLE, 1, { PAGE_SIZE, 512, NEXT | WRITE, 2 }, 1 },
		{ TABLE, 1, { PAGE_SIZE, PAGE_SIZE, NEXT | WRITE, 1 }, -EINVAL },
		{ TABLE, 1, { MEMORY_BYTES, PAGE_SIZE, NEXT | WRITE, 2 }, -EINVAL },
		{ TABLE, 1, { ~0ul << PAGE_SHIFT, PAGE_SIZE, NEXT | WRITE, 2 }, -EINVAL },
		{ TABLE, 2, { DATA, 2, WRITE, 0 }, 1 },
		{ TABLE, 2, { DATA, 1, 0, 0 }, -EINVAL },
		{ TABLE, 2, { DATA, 1, WRITE | NEXT, 0 }, -EINVAL },
		{ TABLE, 2, { DATA, 1, WRITE | INDIRECT, 0 }, -EINVAL },
		{ TABLE, 2, { MEMORY_BYTES, 1, WRITE, 0 }, -EINVAL },
		{ TABLE, 2, { ~0ul, 1, WRITE, 0 }, -EINVAL },
	};
	struct vqueue_page page;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct descriptor *d = &rows[i].d;

		page_on_offer();
		describe(rows[i].table, rows[i].i, d->address, d->bytes, d->flags, d->next);
		assert_false(vqueue_sees_page(&q, &page));
		assert_int_equal(q.state, VQUEUE_READY);
		assert_int_equal(vqueue_next(&q, &chain), rows[i].next);
	}
	page_on_offer();
	q.indirect = false;
	assert_false(vqueue_sees_page(&q, &page));
	page_on_offer();
	put16(AVAILABLE + 4 + 2, SIZE); /* a head that there is not */
	assert_false(vqueue_sees_page(&q, &page));
	assert_int_equal(vqueue_next(&q, &chain), -EINVAL);
	assert_false(vqueue_sees_page(&q, &page)); /* broken */
	page_on_offer();
	put16(AVAILABLE + 2, 2 + SIZE); /* more than can be */
	assert_false(vqueue_sees_page(&q, &page));
	assert_int_equal(vqueue_next(&q, &chain), -EINVAL);
	vqueue_reset(&q);
	assert_false(vqueue_sees_page(&q, &page));
}

static void the_rings_go_round(void **state)
{
	(void)state;
	describe(0, 2, DATA, 8, WRITE, 0);
	for (u32 i = 0; i < 70000; i++) {
		offer(2);
		assert_int_equal(vqueue_next(&q, &chain), 1);
		assert_true(vqueue_give_back(&q, 2, i));
	}
	assert_int_equal(get16(USED + 2), (u16)70000);
}

/* Of a queue of that size, with the heads available one by one: how often memory was read, where no view shows it. */
static unsigned reads_of(u32 size, const u16 *heads, u32 n)
{
	unsigned before;

	shows = false;
	vqueue_reset(&q);
	memset(memory, 0, sizeof(memory));
	q.size = size;
	q.available = AVAILABLE * 4;
	q.used = AVAILABLE * 5;
	assert_true(vqueue_start(&q));
	for (u32 i = 0; i < n; i++) {
		describe(0, heads[i], DATA + 16 * i, 1 + i, WRITE, 0);
		memcpy(memory + q.available + 4 + 2 * i, &heads[i], 2);
	}
	put16(q.available + 2, n);
	before = reads;
	for (u32 i = 0; i < n; i++) {
		assert_int_equal(vqueue_next(&q, &chain), 1);
		assert_int_equal(chain.head, heads[i]);
		assert_int_equal(chain.range[0].gpa, DATA + 16 * i);
		assert_int_equal(chain.range[0].bytes, 1 + i);
	}
	assert_int_equal(vqueue_next(&q, &chain), 0);
	shows = true;
	return reads - before;
}

static void descriptors_near_each_other_are_read_at_once(void **state)
{
	static const u16 up[] = { 4, 5, 6, 7, 8 }, down[] = { 40, 39, 37, 36, 12 },
			 far[] = { 1, 60, 2, 61 }, beyond[] = { 3, 4, 63, 31, 32 };

	(void)state;
	/* the index, heads and descriptors, the index again */
	assert_int_equal(reads_of(64, up, ARRAY_SIZE(up)), 4);
	assert_int_equal(reads_of(64, down, ARRAY_SIZE(down)), 4);
	/* each descriptor by itself */
	assert_int_equal(reads_of(64, far, ARRAY_SIZE(far)), 3 + 4);
	/* two at once, then heads again, with two of the others and the last */
	assert_int_equal(reads_of(64, beyond, ARRAY_SIZE(beyond)), 3 + 1 + 1 + 3);
}

/* Behind one that is one buffer, and read with it. */
static void second_of_two(u64 address, u32 bytes, u16 flags)
{
	fresh(NULL);
	shows = false;
	describe(0, 0, DATA, 8, WRITE, 7);
	describe(0, 1, address, bytes, flags, 2);
	describe(0, 2, DATA + 512, 16, WRITE, 0);
	offer(0);
	offer(1);
	assert_true(vqueue_next(&q, &chain) == 1 && q.nahead == 2);
	shows = true;
}

static void what_was_read_at_once_is_checked(void **state)
{
	(void)state;
	second_of_two(MEMORY_BYTES - 7, 8, WRITE);
	broken("a buffer outside memory");
	second_of_two(DATA, 0, WRITE);
	broken("an empty buffer");
	second_of_two(DATA, 16, INDIRECT | WRITE | NEXT);
	broken("an indirect descriptor with a next one");
	second_of_two(DATA, 8, 0);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_true(chain.nread == 1 && chain.read_bytes == 8 && !chain.nwritten);
	second_of_two(DATA, 8, WRITE | NEXT);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_true(chain.nwritten == 2 && chain.written_bytes == 24);
	second_of_two(MEMORY_BYTES - 8, 8, WRITE);
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_true(chain.head == 1 && chain.nwritten == 1 && !chain.nread);
}

static void interrupts_are_the_guests_choice(void **state)
{
	(void)state;
	describe(0, 2, DATA, 8, WRITE, 0);
	assert_false(vqueue_wants_interrupt(&q)); /* for nothing */
	vqueue_give_back(&q, 2, 0);
	assert_true(vqueue_wants_interrupt(&q));
	assert_false(vqueue_wants_interrupt(&q)); /* once */
	put16(AVAILABLE, 1);
	vqueue_give_back(&q, 2, 0);
	assert_false(vqueue_wants_interrupt(&q));
	q.event_index = true;
	put16(AVAILABLE + 4 + 2 * SIZE, 3); /* when the fourth is there */
	vqueue_give_back(&q, 2, 0);
	assert_false(vqueue_wants_interrupt(&q));
	vqueue_give_back(&q, 2, 0);
	assert_true(vqueue_wants_interrupt(&q));
	put16(AVAILABLE + 4 + 2 * SIZE, 5);
	vqueue_give_back(&q, 2, 0);
	vqueue_give_back(&q, 2, 0);
	vqueue_give_back(&q, 2, 0);
	assert_true(vqueue_wants_interrupt(&q)); /* the sixth is among them */
}

static void notification_is_asked_for_where_the_device_is(void **state)
{
	(void)state;
	q.event_index = true;
	describe(0, 2, DATA, 8, WRITE, 0);
	assert_false(vqueue_ask_to_notify(&q));
	assert_int_equal(get16(USED + 4 + 8 * SIZE), 0);
	offer(2);
	assert_true(vqueue_ask_to_notify(&q)); /* it came meanwhile */
	assert_int_equal(vqueue_next(&q, &chain), 1);
	assert_false(vqueue_ask_to_notify(&q));
	assert_int_equal(get16(USED + 4 + 8 * SIZE), 1);
}

static void queues_that_cannot_be(void **state)
{
	static const struct vqueue wrong[] = {
		{ .size = 0 },
		{ .size = 3 },
		{ .size = VQUEUE_SIZE_MAX * 2 },
		{ .size = ~0u },
		{ .size = SIZE, .descriptors = 8 },
		{ .size = SIZE, .available = 1 },
		{ .size = SIZE, .used = 2 },
		{ .size = SIZE, .descriptors = MEMORY_BYTES - 16 },
		{ .size = SIZE, .available = MEMORY_BYTES - 8 },
		{ .size = SIZE, .used = MEMORY_BYTES - 64 },
		{ .size = SIZE, .descriptors = ~15ul },
		{ .size = SIZE, .available = ~1ul },
		{ .size = SIZE, .used = ~3ul },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		q = wrong[i];
		assert_false(vqueue_start(&q));
		assert_int_equal(q.state, VQUEUE_BROKEN);
		assert_non_null(q.error);
	}
}

static void chains_that_cannot_be(void **state)
{
	(void)state;
	put16(AVAILABLE + 2, SIZE + 1);
	broken("more chains available than the queue has descriptors");

	fresh(NULL);
	offer(SIZE);
	broken("a descriptor behind the table's end");

	fresh(NULL);
	describe(0, 0, DATA, 8, NEXT, 0); /* a loop */
	offer(0);
	broken("a chain longer than its table");

	fresh(NULL);
	describe(0, 0, DATA, 0, 0, 0);
	offer(0);
	broken("an empty buffer");

	fresh(NULL);
	describe(0, 0, MEMORY_BYTES, 1, 0, 0);
	offer(0);
	broken("a buffer outside memory");

	fresh(NULL);
	describe(0, 0, DATA, ~0u, WRITE, 0);
	offer(0);
	broken("a buffer outside memory");

	fresh(NULL);
	describe(0, 0, ~0ul, 2, 0, 0);
	offer(0);
	broken("a buffer outside memory");

	fresh(NULL);
	describe(0, 0, DATA, 1, WRITE | NEXT, 1);
	describe(0, 1, DATA, 1, 0, 0);
	offer(0);
	broken("a buffer to read behind one to write");
}

static void tables_that_cannot_be(void **state)
{
	(void)state;
	q.indirect = false;
	describe(0, 0, TABLE, 16, INDIRECT, 0);
	offer(0);
	broken("an indirect descriptor, which was not negotiated");

	fresh(NULL);
	describe(0, 0, TABLE, 16, INDIRECT | NEXT, 1);
	offer(0);
	broken("an indirect descriptor with a next one");

	fresh(NULL);
	describe(0, 0, TABLE, 17, INDIRECT, 0);
	offer(0);
	broken("an indirect table that is not made of descriptors");

	fresh(NULL);
	describe(0, 0, MEMORY_BYTES - 16, 32, INDIRECT, 0);
	offer(0);
	broken("an indirect table outside memory");

	fresh(NULL);
	describe(0, 0, TABLE, 16, INDIRECT, 0);
	describe(TABLE, 0, TABLE, 16, INDIRECT, 0); /* itself */
	offer(0);
	broken("an indirect descriptor in an indirect table");

	fresh(NULL);
	describe(0, 0, TABLE, 32, INDIRECT, 0);
	describe(TABLE, 0, DATA, 1, NEXT, 2);
	offer(0);
	broken("a descriptor behind the table's end");

	fresh(NULL);
	describe(0, 0, TABLE, 16 * 600, INDIRECT, 0);
	for (u32 i = 0; i < 600; i++)
		describe(TABLE, i, DATA, 1, NEXT, i + 1);
	offer(0);
	broken("a chain longer than its table");

	fresh(NULL);
	describe(0, 0, DATA, 1, NEXT, 1);
	describe(0, 1, TABLE, 16 * 600, INDIRECT, 0);
	for (u32 i = 0; i < 600; i++)
		describe(TABLE, i, DATA, 1, NEXT, i + 1);
	offer(0);
	broken("a chain of too many buffers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_chain_is_what_its_descriptors_say, fresh),
		cmocka_unit_test_setup(an_indirect_table_is_walked, fresh),
		cmocka_unit_test_setup(a_read_of_a_page_is_seen, fresh),
		cmocka_unit_test_setup(anything_else_is_not_seen, fresh),
		cmocka_unit_test_setup(the_rings_go_round, fresh),
		cmocka_unit_test_setup(descriptors_near_each_other_are_read_at_once, fresh),
		cmocka_unit_test_setup(what_was_read_at_once_is_checked, fresh),
		cmocka_unit_test_setup(interrupts_are_the_guests_choice, fresh),
		cmocka_unit_test_setup(notification_is_asked_for_where_the_device_is, fresh),
		cmocka_unit_test_setup(queues_that_cannot_be, fresh),
		cmocka_unit_test_setup(chains_that_cannot_be, fresh),
		cmocka_unit_test_setup(tables_that_cannot_be, fresh),
	};

	return cmocka_run_group_tests_name("vqueue", tests, NULL, NULL);
}
