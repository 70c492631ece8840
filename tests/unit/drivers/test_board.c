/* SPDX-License-Identifier: MIT */
/* drivers/board.c, drivers/malta.c: registers of a Malta as kernels and firmware use them. */
#include "tests/unit/unit.h"

#include <time.h>

#include "drivers/dev.h"
#include "kernel/vm/vm.h"
#include "kernel/wallclock.h"

static struct vm vm;
static struct device dev;
static u8 state_of[65536] __attribute__((aligned(8)));
static char written[64], typed[8];
static size_t nwritten, ntyped, off, resets;
static bool full;
static u64 now;

size_t vcons_write(struct vcons *c, const char *buf, size_t len)
{
	(void)c;
	if (full)
		return 0;
	memcpy(written + nwritten, buf, len);
	nwritten += len;
	return len;
}

bool vcons_has_input(struct vcons *c)
{
	(void)c;
	return ntyped;
}

size_t vcons_take(struct vcons *c, char *buf, size_t len)
{
	(void)c, (void)len;
	if (!ntyped)
		return 0;
	*buf = typed[0];
	memmove(typed, typed + 1, --ntyped);
	return 1;
}

void vm_poweroff(struct vm *of, u64 code)
{
	(void)of, (void)code;
	off++;
}

void vm_reset(struct vm *of)
{
	(void)of;
	resets++;
}

u64 wallclock_ns(void) { return now * 1000000000; }

static void begin(const struct device_type *type)
{
	assert_true(type->state_bytes <= sizeof(state_of));
	dev = (struct device){
		.type = type, .vm = &vm, .state = state_of, .base = type->fixed_base
	};
	if (type->reset)
		type->reset(&dev);
}

static u64 in(u64 offset, unsigned bytes)
{
	u64 all = bytes == 8 ? ~0ul : (1ul << 8 * bytes) - 1;

	assert_true(offset + bytes <= dev.type->register_bytes);
	return dev.type->read ? dev.type->read(&dev, offset, bytes) & all : 0;
}

static void out(u64 offset, unsigned bytes, u64 value)
{
	assert_true(offset + bytes <= dev.type->register_bytes);
	if (dev.type->write)
		dev.type->write(&dev, offset, bytes, value);
}

static void the_divisor_is_no_data(void **state)
{
	(void)state;
	begin(&serial_type);
	nwritten = 0;
	out(3, 1, 0x83);
	out(0, 1, 'x');
	out(1, 1, 1);
	assert_int_equal(in(0, 1), 'x');
	assert_int_equal(in(1, 1), 1);
	out(3, 1, 0x03);
	assert_int_equal(nwritten, 0);
	assert_int_equal(in(1, 1), 0);
	out(0, 1, 'y');
	assert_int_equal(nwritten, 1);
	assert_int_equal(written[0], 'y');
	assert_int_equal(in(2, 1), 1);
	out(2, 1, 0x07);
	assert_int_equal(in(2, 1), 0xc1); /* a 16550A: its FIFO is on */
	out(1, 1, 0xff);
	assert_int_equal(in(1, 1), 0x0f);
	out(7, 1, 0x5a);
	assert_int_equal(in(7, 1), 0x5a);
}

static void all_that_was_typed_comes(void **state)
{
	(void)state;
	begin(&serial_type);
	memcpy(typed, "ab", ntyped = 2);
	assert_int_equal(in(5, 1), 0x61);
	assert_int_equal(in(0, 1), 'a');
	assert_int_equal(in(5, 1), 0x61);
	assert_int_equal(in(0, 1), 'b');
	assert_int_equal(in(5, 1), 0x60);
	assert_int_equal(in(0, 1), 0);
}

static void who_polls_is_told_what_an_interrupt_would_tell(void **state)
{
	(void)state;
	begin(&serial_type);
	out(1, 1, 3);
	assert_int_equal(in(2, 1), 2);
	assert_int_equal(in(2, 1), 1); /* told once */
	out(0, 1, 'a');
	assert_int_equal(in(2, 1), 2);
	memcpy(typed, "a", ntyped = 1);
	out(0, 1, 'b');
	assert_int_equal(in(2, 1), 4); /* the first of the two */
	assert_int_equal(in(0, 1), 'a');
	assert_int_equal(in(2, 1), 2);
	full = true;
	out(0, 1, 'c');
	assert_int_equal(in(2, 1), 1);
	full = false;
	assert_int_equal(in(2, 1), 2);
	out(1, 1, 0);
	out(0, 1, 'd');
	assert_int_equal(in(2, 1), 1);
}

static void a_byte_waits_for_the_line(void **state)
{
	(void)state;
	begin(&serial_type);
	nwritten = 0;
	full = true;
	out(0, 1, 'z');
	assert_int_equal(in(5, 1), 0);
	full = false;
	assert_int_equal(in(5, 1), 0x60);
	assert_int_equal(nwritten, 1);
}

static void the_board_says_what_it_is(void **state)
{
	(void)state;
	begin(&revision_type);
	assert_int_equal(in(0, 4) >> 10 & 63, 1); /* Core LV */
	assert_int_equal(in(1, 1), 4);
	begin(&panel_type);
	out(0x18, 4, 'U');
	assert_int_equal(off, 0);
	out(0x100, 4, 0x42);
	assert_int_equal(off, 1);
	assert_int_equal(resets, 0);
	out(0x104, 4, 0x52);
	out(0x100, 4, 0x52);
	assert_int_equal(off, 1);
	assert_int_equal(resets, 1);
}

static u32 config(u32 device, u32 function, u32 reg)
{
	out(0xcf8, 4, 0x80000000 | device << 11 | function << 8 | reg);
	return in(0xcfc, 4);
}

static void set_config(u32 device, u32 function, u32 reg, u32 value)
{
	out(0xcf8, 4, 0x80000000 | device << 11 | function << 8 | reg);
	out(0xcfc, 4, value);
}

static void the_bus_has_three_functions(void **state)
{
	u32 found = 0;

	(void)state;
	begin(&controller_type);
	for (u32 device = 0; device < 32; device++)
		for (u32 function = 0; function < 8; function++)
			found += config(device, function, 0) != ~0u;
	assert_int_equal(found, 3);
	assert_int_equal(config(0, 0, 0), 0x462011ab);
	assert_int_equal(config(10, 0, 0), 0x71108086);
	assert_int_equal(config(10, 0, 12) >> 16, 0x80); /* more functions */
	assert_int_equal(config(10, 1, 8) >> 16, 0x0101);
}

static void nobody_answers_with_ones_and_an_abort(void **state)
{
	(void)state;
	begin(&controller_type);
	config(10, 0, 0);
	assert_int_equal(in(0xc18, 4), 0);
	assert_int_equal(config(11, 0, 0), 0xffffffff);
	assert_int_equal(in(0xc18, 4), 0x40000);
	out(0xc18, 4, ~0xc0000u);
	assert_int_equal(in(0xc18, 4), 0);
	set_config(11, 0, 4, 7);
	assert_int_equal(in(0xc18, 4), 0x40000);
}

static void a_range_tells_its_size(void **state)
{
	(void)state;
	begin(&controller_type);
	for (u32 reg = 0x10; reg < 0x28; reg += 4) {
		set_config(10, 1, reg, 0xffffffff);
		assert_int_equal(config(10, 1, reg), reg == 0x20 ? 0xfff1 : 0);
	}
	set_config(10, 1, 0x20, 0x1c40);
	assert_int_equal(config(10, 1, 0x20), 0x1c41);
	set_config(10, 1, 0, 0);
	set_config(10, 1, 8, 0);
	assert_int_equal(config(10, 1, 0), 0x71118086);
	assert_int_equal(config(10, 1, 8), 0x01018001);
	set_config(10, 1, 4, 5);
	assert_int_equal(config(10, 1, 4), 5);
	set_config(10, 0, 0x60, 0x0b0b0a0a);
	assert_int_equal(config(10, 0, 0x60), 0x0b0b0a0a);
}

static int clock_shows(u8 index)
{
	int n;

	out(0x70, 1, index);
	n = in(0x71, 1);
	return n / 16 * 10 + n % 16;
}

/* Each day of 400 years, at another time of day each, against the C library's calendar. */
static void the_clock_knows_the_calendar(void **state)
{
	(void)state;
	begin(&ports_type);
	for (now = 946684800; now < 946684800 + 400l * 366 * 86400; now += 86400 + 3607) {
		time_t t = now;
		struct tm tm;

		gmtime_r(&t, &tm);
		assert_int_equal(clock_shows(0), tm.tm_sec);
		assert_int_equal(clock_shows(2), tm.tm_min);
		assert_int_equal(clock_shows(4), tm.tm_hour);
		assert_int_equal(clock_shows(6), tm.tm_wday + 1);
		assert_int_equal(clock_shows(7), tm.tm_mday);
		assert_int_equal(clock_shows(8), tm.tm_mon + 1);
		assert_int_equal(clock_shows(9), tm.tm_year % 100);
		assert_int_equal(clock_shows(0x32), tm.tm_year / 100 + 19);
	}
}

static void ports_of_nobody(void **state)
{
	(void)state;
	begin(&ports_type);
	out(0x70, 1, 0x0a);
	out(0x71, 1, 0xff);
	assert_int_equal(in(0x71, 1), 0x7f); /* never at an update */
	assert_int_equal(in(0x1f7, 1), 0x7f);
	assert_int_equal(in(0x376, 1), 0x7f);
	assert_int_equal(in(0x2f8, 1), 0xff);
	assert_int_equal(in(0x200, 4), 0xffffffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_divisor_is_no_data),
		cmocka_unit_test(all_that_was_typed_comes),
		cmocka_unit_test(who_polls_is_told_what_an_interrupt_would_tell),
		cmocka_unit_test(a_byte_waits_for_the_line),
		cmocka_unit_test(the_board_says_what_it_is),
		cmocka_unit_test(the_bus_has_three_functions),
		cmocka_unit_test(nobody_answers_with_ones_and_an_abort),
		cmocka_unit_test(a_range_tells_its_size),
		cmocka_unit_test(the_clock_knows_the_calendar),
		cmocka_unit_test(ports_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
