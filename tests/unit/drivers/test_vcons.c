/* SPDX-License-Identifier: MIT */
/* drivers/vcons.c: whole prefixed lines while nobody is attached, raw while somebody is, replay,
 * and what a hostile guest writes. */
#include "tests/unit/unit.h"

#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/console/console.h"
#include "kernel/console/output.h"
#include "kernel/vm/vm.h"

static struct vm vm = { .name = "alpha" };
static struct vcpu vcpu;
static struct vm *attached;
static struct device dev = { .type = &vcons_type, .vm = &vm };
static struct vcons *cons;
static char shown[65536], raw[65536]; /* by console_show, by output_put */
static size_t shown_len, raw_len, show_calls;
static u32 lines_up, drained;
static bool locked;
static size_t room; /* of the output's ring */
static u64 now;	    /* count64 */

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

void output_put(const char *text, size_t len)
{
	assert_true(locked);
	memcpy(raw + raw_len, text, len);
	raw_len += len;
	raw[raw_len] = 0;
}

/* Replays; newlines are not looked at here. */
void output_text(const char *text, size_t len) { output_put(text, len); }
size_t output_room_for_guest(void) { return room; }
void output_drain(u32 max) { drained += max; }
u64 count64(void) { return now; }

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
	room = 1000;
	now = 0;
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

/* As a guest does: what was not taken, again. */
static void guest_writes(const char *s)
{
	for (size_t len = strlen(s), n; len; s += n, len -= n) {
		n = vcons_write(cons, s, len);
		assert_in_range(n, 1, MIN(len, (size_t)VCONS_WRITE));
	}
}

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
	console_lock();
	assert_true(vcons_takes_input(cons));
	console_unlock();
	for (i = 0; i < 2 * VCONS_INPUT; i++)
		vcons_input(cons, i);
	for (i = 0; i < 1000; i++, vcons_tick(cons))
		while (vcons_read(cons) >= 0)
			n++;
	assert_int_equal(n, VCONS_INPUT);
	vcons_input(cons, 'x');
	assert_int_equal(vcons_read(cons), 'x');
	vcons_input(cons, 'y');
	vcons_type.reset(&dev);
	assert_int_equal(vcons_read(cons), -1);
}

/* A driver with a buffer of its own, smaller than ours, loses nothing. */
static void input_comes_in_portions(void **state)
{
	int n = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		vcons_input(cons, 'x');
	while (vcons_read(cons) >= 0)
		n++;
	assert_in_range(n, 100, 1023);
	assert_int_equal(lines_up, 0);
	vcons_tick(cons);
	assert_int_equal(lines_up, 1u << DISCO_IRQ_CONSOLE);
	assert_int_equal(vcons_read(cons), 'x');
}

/* The line waits for a guest that reads, not for one that has taken nothing for a second. */
static void the_line_waits_for_a_reader(void **state)
{
	(void)state;
	now = 10 * COUNT_HZ;
	vcons_read(cons);
	for (int i = 0; i < VCONS_INPUT; i++)
		vcons_input(cons, 'x');
	console_lock();
	assert_false(vcons_takes_input(cons));
	now += 2 * COUNT_HZ;
	assert_true(vcons_takes_input(cons));
	console_unlock();
}

/* Control characters within a typed line stay where they were typed. */
static void control_c_is_read_first_if_much_waits(void **state)
{
	(void)state;
	for (int i = 0; i < VCONS_IN_ORDER; i++)
		vcons_input(cons, 'a');
	vcons_input_first(cons, 3);
	for (int i = 0; i < VCONS_IN_ORDER; i++)
		assert_int_equal(vcons_read(cons), 'a');
	assert_int_equal(vcons_read(cons), 3);
	vcons_tick(cons);
	for (int i = 0; i < VCONS_IN_ORDER + 1; i++)
		vcons_input(cons, 'b');
	vcons_input_first(cons, 3);
	assert_int_equal(vcons_read(cons), 3);
	for (int i = 0; i < VCONS_IN_ORDER + 1; i++)
		assert_int_equal(vcons_read(cons), 'b');
	vcons_tick(cons);
	for (int i = 0; i < VCONS_INPUT; i++)
		vcons_input(cons, 'x');
	vcons_input_first(cons, 3);
	assert_int_equal(vcons_read(cons), 3);
	assert_int_equal(vcons_read(cons), 'x');
}

/* ---- budgets and bounds ---- */

static void a_call_is_short(void **state)
{
	char newlines[4096];

	(void)state;
	memset(newlines, '\n', sizeof(newlines));
	assert_in_range(vcons_write(cons, newlines, sizeof(newlines)), 1, VCONS_WRITE);
	assert_in_range(shown_len, 1, OUTPUT_STEP + 32);
	assert_true(drained >= shown_len);
	attached = &vm;
	assert_in_range(vcons_write(cons, newlines, sizeof(newlines)), 1, VCONS_WRITE);
	assert_in_range(raw_len, 1, 2 * VCONS_WRITE);
}

static void the_attached_guest_waits_for_the_line(void **state)
{
	(void)state;
	attached = &vm;
	room = 0;
	assert_int_equal(vcons_write(cons, "abc", 3), 0);
	room = 1000;
	assert_int_equal(vcons_write(cons, "abc", 3), 3);
	assert_string_equal(raw, "abc");
}

static void lines_over_the_budget_are_counted(void **state)
{
	const char *told;
	u32 all = VCONS_BURST / 10 + 1000, kept = 0, lost;

	(void)state;
	for (u32 i = 0; i < all; i++) {
		shown_len = 0; /* as much as there is room for here */
		guest_writes("x\n");
		kept += shown_len > 0;
	}
	assert_in_range(kept, VCONS_BURST / 12, VCONS_BURST / 9);
	shown_len = 0;
	shown[0] = 0;
	now += COUNT_HZ / 10;
	vcons_tick(cons);
	assert_string_equal(shown, ""); /* not for every few lines */
	now += 2 * COUNT_HZ;
	vcons_tick(cons);
	told = strstr(shown, "[alpha] ... ");
	assert_non_null(told);
	assert_int_equal(sscanf(told, "[alpha] ... %u lines dropped", &lost), 1);
	assert_int_equal(kept + lost, all);
	guest_writes("again\n");
	assert_non_null(strstr(shown, "[alpha] again\n"));
}

/* ---- letters ---- */

static void lines_are_cut_between_letters(void **state)
{
	char line[512] = "";

	(void)state;
	memset(line, '0', 199);
	strcpy(line + 199, "\303\251END\n");
	guest_writes(line);
	assert_non_null(strstr(shown, "0\n[alpha] \303\251END\n"));
	shown_len = 0;
	memset(line, '0', 199);
	strcpy(line + 199, "e\314\201END\n"); /* an accent on top of the last letter */
	guest_writes(line);
	assert_non_null(strstr(shown, "e\314\201\n[alpha] END\n"));
}

static void c1_does_not_get_through(void **state)
{
	(void)state;
	guest_writes("A\302\2332JB\n");
	assert_string_equal(shown, "[alpha] A?2JB\n");
}

static void replays_ask_nothing(void **state)
{
	(void)state;
	attached = &vm;
	guest_writes("\033[31mred\033[6n\033]52;c;?\a \302\2335nend\n");
	raw_len = 0;
	console_lock();
	vcons_replay(cons);
	console_unlock();
	assert_string_equal(raw, "red end\n");
}

/* The guest is told of a change by its interrupt, which a look at the input drops. */
static u32 told;

static void tell(struct device *dev)
{
	assert_non_null(dev);
	told++;
}

/* Until the guest asks by a call. */
static void a_device_takes_input(void **state)
{
	struct device other;
	char buf[8] = "";

	(void)state;
	vcons_tell(cons, &other, tell);
	told = 0;
	assert_false(vcons_has_input(cons));
	vcons_input(cons, 'a');
	vcons_input(cons, 'b');
	vcons_input(cons, 'c');
	assert_int_equal(told, 1);
	assert_true(vcons_has_input(cons));
	assert_int_equal(vcons_take(cons, buf, 2), 2);
	assert_string_equal(buf, "ab");
	vcons_tick(cons);
	assert_int_equal(told, 2); /* there is more */
	vcons_set_size(cons, 7, 9);
	assert_int_equal(told, 3);
	assert_int_equal(vcons_read(cons), 'c');
	vcons_input(cons, 'd');
	assert_false(vcons_has_input(cons));
	assert_int_equal(vcons_take(cons, buf, sizeof(buf)), 0);
	assert_int_equal(vcons_read(cons), 'd');
}

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
		cmocka_unit_test_setup_teardown(input_comes_in_portions, fill, empty),
		cmocka_unit_test_setup_teardown(the_line_waits_for_a_reader, fill, empty),
		cmocka_unit_test_setup_teardown(control_c_is_read_first_if_much_waits, fill, empty),
		cmocka_unit_test_setup_teardown(a_call_is_short, fill, empty),
		cmocka_unit_test_setup_teardown(the_attached_guest_waits_for_the_line, fill, empty),
		cmocka_unit_test_setup_teardown(lines_over_the_budget_are_counted, fill, empty),
		cmocka_unit_test_setup_teardown(lines_are_cut_between_letters, fill, empty),
		cmocka_unit_test_setup_teardown(c1_does_not_get_through, fill, empty),
		cmocka_unit_test_setup_teardown(replays_ask_nothing, fill, empty),
		cmocka_unit_test_setup_teardown(a_device_takes_input, fill, empty),
		cmocka_unit_test_setup_teardown(the_terminal_has_a_size, fill, empty),
	};

	return cmocka_run_group_tests_name("vcons", tests, NULL, NULL);
}
