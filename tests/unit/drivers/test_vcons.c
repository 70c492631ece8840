/* SPDX-License-Identifier: MIT */
/* drivers/vcons.c: whole prefixed lines while nobody is attached, raw while somebody is, replay,
 * and what a hostile guest writes. */
#include "tests/unit/unit.h"

#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/console/console.h"
#include "kernel/vm/vm.h"

static struct vm vm = { .name = "alpha" };
static struct vcpu vcpu;
static struct vm *attached;
static struct device dev = { .type = &vcons_type, .vm = &vm };
static struct vcons *cons;
static char shown[65536], raw[65536]; /* by console_show, by serial_put */
static size_t shown_len, raw_len, show_calls;
static u32 lines_up;
static bool locked;

/* ---- stand-ins of kernel/ ---- */

void console_lock(void)
{
	assert_false(locked);
	locked = true;
}

void console_unlock(void)
{
	assert_true(locked);
	locked = false;
}

struct vm *console_attached(void)
{
	assert_true(locked);
	return attached;
}

void console_show(const char *s, size_t len)
{
	assert_true(locked);
	memcpy(shown + shown_len, s, len);
	shown_len += len;
	shown[shown_len] = 0;
	show_calls++;
}

void serial_put(char c)
{
	assert_true(locked);
	raw[raw_len++] = c;
	raw[raw_len] = 0;
}

void device_raise(struct device *of)
{
	assert_false(locked); /* it may take other locks */
	lines_up |= 1u << of->type->line;
}

void device_lower(struct device *of) { lines_up &= ~(1u << of->type->line); }

static int fill(void **state)
{
	(void)state;
	vm.vcpus[0] = &vcpu;
	vm.nvcpus = 1;
	vm.state = VM_RUNNING;
	attached = NULL;
	locked = false;
	shown_len = raw_len = show_calls = 0;
	shown[0] = raw[0] = 0;
	lines_up = 0;
	dev.state = calloc(1, vcons_type.state_bytes);
	vcons_type.create(&dev);
	cons = vm.cons;
	return 0;
}

static int empty(void **state)
{
	(void)state;
	free(dev.state);
	return 0;
}

static void guest_writes(const char *s) { vcons_write(cons, s, strlen(s)); }

static void lines_are_whole_and_named(void **state)
{
	(void)state;
	guest_writes("one ");
	assert_int_equal(show_calls, 0);
	guest_writes("line\r\nand");
	assert_string_equal(shown, "[alpha] one line\n");
	guest_writes(" two\n");
	assert_string_equal(shown, "[alpha] one line\n[alpha] and two\n");
	assert_int_equal(show_calls, 2);
	assert_int_equal(raw_len, 0);
}

static void an_unfinished_line_is_shown_at_the_end(void **state)
{
	(void)state;
	guest_writes("last words");
	vcons_type.shutdown(&dev);
	assert_string_equal(shown, "[alpha] last words\n");
	vcons_type.shutdown(&dev);
	assert_int_equal(show_calls, 1);
}

static void endless_lines_are_cut(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		guest_writes("0123456789");
	assert_true(show_calls >= 40);
	assert_true(strncmp(shown, "[alpha] 0123", 12) == 0);
}

static void a_guest_cannot_write_as_another(void **state)
{
	(void)state;
	guest_writes("\033[1A\033[2K\r[beta] I am beta\b\b\a\n");
	assert_string_equal(shown, "[alpha] ?[1A?[2K[beta] I am beta???\n");
}

static void attached_it_has_the_line(void **state)
{
	(void)state;
	attached = &vm;
	guest_writes("\033[31mred\n");
	assert_string_equal(raw, "\033[31mred\r\n");
	guest_writes("x\r\n");
	assert_string_equal(raw, "\033[31mred\r\nx\r\n");
	assert_int_equal(show_calls, 0);
}

static void the_last_16k_are_replayed(void **state)
{
	char byte;
	int i;

	(void)state;
	guest_writes("first\n");
	for (i = 0; i < VCONS_REPLAY; i++) {
		byte = 'a' + i % 26;
		vcons_write(cons, &byte, 1);
	}
	console_lock();
	vcons_replay(cons);
	console_unlock();
	assert_int_equal(raw_len, VCONS_REPLAY);
	for (i = 0; i < VCONS_REPLAY; i++)
		assert_int_equal(raw[i], 'a' + i % 26);
}

static void what_is_typed_arrives_in_order(void **state)
{
	(void)state;
	assert_int_equal(vcons_read(cons), -1);
	vcons_input(cons, 'a');
	vcons_input(cons, (char)0xff);
	assert_int_equal(lines_up, 1u << DISCO_IRQ_CONSOLE);
	assert_int_equal(vcons_read(cons), 'a');
	assert_int_equal(lines_up, 1u << DISCO_IRQ_CONSOLE);
	assert_int_equal(vcons_read(cons), 0xff);
	assert_int_equal(lines_up, 0);
	assert_int_equal(vcons_read(cons), -1);
}

static void too_much_typing_is_dropped(void **state)
{
	int i, n = 0;

	(void)state;
	for (i = 0; i < 10000; i++)
		vcons_input(cons, i);
	while (vcons_read(cons) >= 0)
		n++;
	assert_in_range(n, 1000, 9999);
	vcons_input(cons, 'x');
	assert_int_equal(vcons_read(cons), 'x');
	vcons_input(cons, 'y');
	vcons_type.reset(&dev);
	assert_int_equal(vcons_read(cons), -1);
}

/* The guest is told of a change by its interrupt, which a look at the input drops. */
static void the_terminal_has_a_size(void **state)
{
	(void)state;
	assert_int_equal(vcons_size(cons), 0);
	vcons_set_size(cons, 50, 132);
	assert_int_equal(vcons_size(cons), 50 << 16 | 132);
	assert_int_equal(lines_up, 1u << DISCO_IRQ_CONSOLE);
	assert_int_equal(vcons_read(cons), -1);
	assert_int_equal(lines_up, 0);
	vcons_set_size(cons, 50, 132);
	assert_int_equal(lines_up, 0);
	vcons_set_size(cons, 24, 80);
	assert_int_equal(lines_up, 1u << DISCO_IRQ_CONSOLE);
	vcons_type.reset(&dev); /* another kernel on the same terminal */
	assert_int_equal(vcons_size(cons), 24 << 16 | 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_are_whole_and_named, fill, empty),
		cmocka_unit_test_setup_teardown(an_unfinished_line_is_shown_at_the_end, fill,
						empty),
		cmocka_unit_test_setup_teardown(endless_lines_are_cut, fill, empty),
		cmocka_unit_test_setup_teardown(a_guest_cannot_write_as_another, fill, empty),
		cmocka_unit_test_setup_teardown(attached_it_has_the_line, fill, empty),
		cmocka_unit_test_setup_teardown(the_last_16k_are_replayed, fill, empty),
		cmocka_unit_test_setup_teardown(what_is_typed_arrives_in_order, fill, empty),
		cmocka_unit_test_setup_teardown(too_much_typing_is_dropped, fill, empty),
		cmocka_unit_test_setup_teardown(the_terminal_has_a_size, fill, empty),
	};

	return cmocka_run_group_tests_name("vcons", tests, NULL, NULL);
}
