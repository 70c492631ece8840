/* SPDX-License-Identifier: MIT */
/* kernel/vm/device.c: which devices a VM has and where, whose registers an address is, and lines that
 * several devices share. */
#include "tests/unit/unit.h"

#include "drivers/dev.h"
#include "kernel/panic.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/vm.h"

static struct vm vm;
static struct vm_desc desc;
static struct vcpu vcpu[2];
static u32 lines_up, lines_up_second, created, resets, shutdowns, works, asked;
static struct node home;
static struct device *raises_meanwhile; /* another node raises this one while a line is cleared */
static u32 delivered_meanwhile;		/* another node delivers these lines when VCPU 0's is up */

static u32 two_if_manual(const struct vm_desc *d) { return d->manual ? 2 : 0; }

static void create(struct device *dev)
{
	created++;
	assert_ptr_equal(dev->vm, &vm);
	memset(dev->state, 0x5a, dev->type->state_bytes);
}

static void reset(struct device *dev)
{
	resets++;
	assert_int_equal(dev->vm->raised[dev->line], 0);
}

static void shutdown(struct device *dev)
{
	(void)dev;
	shutdowns++;
}

static u32 worked[4],
	always_more; /* parts that each device has done; bit = device that has more for ever */

static void work(struct device *dev)
{
	u32 i = (u32)(dev - vm.devices);

	works++;
	worked[i]++;
	if (works < 3 || always_more & 1u << i)
		device_ask_work(dev); /* there is more */
}

#define COMMON .work = work, .create = create, .reset = reset, .shutdown = shutdown
static const struct device_type calls_only = { .name = "a", .state_bytes = 5, .line = 2, COMMON };
static struct device_type optional = { .name = "b",
				       .count = two_if_manual,
				       .state_bytes = 200,
				       .register_bytes = 0x200,
				       .line = 3,
				       COMMON };
static const struct device_type last = {
	.name = "c", .state_bytes = 8, .register_bytes = 0x14, .line = 3, COMMON
};
const struct device_type *const device_types[] = { &calls_only, &optional, &last };
const unsigned device_ntypes = ARRAY_SIZE(device_types);

/* ---- stand-ins ---- */

_Noreturn void panic(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

struct node *node_self(void)
{
	static struct node node;

	return &node;
}

void node_resched(struct node *n)
{
	assert_ptr_equal(n, &home);
	asked++;
}

void vcpu_post_irq(struct vcpu *v, unsigned line)
{
	u32 lines = delivered_meanwhile;

	*(v == &vcpu[0] ? &lines_up : &lines_up_second) |= 1u << line;
	delivered_meanwhile = 0;
	if (lines)
		devices_delivered(&vm, lines);
}

void vcpu_clear_irq(struct vcpu *v, unsigned line)
{
	struct device *other = raises_meanwhile;

	raises_meanwhile = NULL;
	if (other)
		device_raise(other);
	*(v == &vcpu[0] ? &lines_up : &lines_up_second) &= ~(1u << line);
}

static void make(bool all)
{
	static u8 memory[2048] __attribute__((aligned(DEVICE_ALIGN)));

	memset(&vm, 0, sizeof(vm));
	memset(memory, 0, sizeof(memory));
	desc.manual = all;
	vm.desc = &desc;
	vm.nvcpus = 2;
	for (u32 i = 0; i < 2; i++) {
		vcpu[i] = (struct vcpu){ .id = i, .vm = &vm };
		vm.vcpus[i] = &vcpu[i];
	}
	vm.home = &home;
	works = asked = 0;
	vm.state = VM_RUNNING;
	lines_up = lines_up_second = created = resets = shutdowns = 0;
	raises_meanwhile = NULL;
	delivered_meanwhile = 0;
	assert_true(devices_bytes(&desc) <= sizeof(memory) / 2);
	devices_create(&vm, memory);
	for (size_t i = devices_bytes(&desc); i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0); /* no more than was asked for */
}

static void a_vm_has_what_it_wants(void **state)
{
	(void)state;
	make(false);
	assert_int_equal(created, 2);
	assert_int_equal(devices_bytes(&desc), 2 * DEVICE_ALIGN);
	assert_ptr_equal(vm.devices[1].type, &last);
	assert_int_equal(vm.devices[1].base, DISCO_DEVICE_BASE);
	make(true);
	assert_int_equal(created, 4);
	assert_int_equal(devices_bytes(&desc), 6 * DEVICE_ALIGN);
	assert_int_equal(vm.devices[1].base, DISCO_DEVICE_BASE);
	for (u32 i = 1; i < 4; i++)
		assert_int_equal(vm.devices[i].base,
				 DISCO_DEVICE_BASE + (i - 1) * DISCO_DEVICE_BYTES);
	assert_ptr_equal(vm.devices[2].type, &optional);
	assert_int_equal(vm.devices[1].index, 0);
	assert_int_equal(vm.devices[2].index, 1);
	assert_int_equal(vm.devices[3].index, 0);
	assert_ptr_equal(vm.devices[2].state, (u8 *)vm.devices[1].state + 2 * DEVICE_ALIGN);
}

/* Each has a page of its own, which comes before all states. */
static void registers_that_are_read_from_a_page(void **state)
{
	static u8 memory[6 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

	(void)state;
	optional.shown = true;
	make(false);
	memset(&vm, 0, sizeof(vm));
	vm.desc = &desc;
	desc.manual = true;
	assert_int_equal(devices_bytes(&desc), 2 * PAGE_SIZE + 6 * DEVICE_ALIGN);
	devices_create(&vm, memory);
	assert_null(vm.devices[0].page);
	assert_ptr_equal(vm.devices[1].page, memory);
	assert_ptr_equal(vm.devices[2].page, memory + PAGE_SIZE);
	assert_null(vm.devices[3].page);
	assert_ptr_equal(vm.devices[0].state, memory + 2 * PAGE_SIZE);
	assert_int_equal(device_page(&vm, DISCO_DEVICE_BASE + PAGE_SIZE + 0xfff).v,
			 maddr_mpn(ptr_maddr(memory + PAGE_SIZE)).v);
	assert_false(mpn_valid(device_page(&vm, DISCO_DEVICE_BASE + 2 * PAGE_SIZE)));
	assert_false(mpn_valid(device_page(&vm, DISCO_DEVICE_BASE - 1)));
	assert_false(mpn_valid(device_page(&vm, 0)));
	optional.shown = false;
}

static void all_live_with_the_vm(void **state)
{
	(void)state;
	make(true);
	device_raise(&vm.devices[2]);
	devices_reset(&vm);
	assert_int_equal(resets, 4);
	devices_shutdown(&vm);
	assert_int_equal(shutdowns, 4);
}

static void an_address_is_one_device_s(void **state)
{
	const u64 base = DISCO_DEVICE_BASE;

	(void)state;
	make(true);
	assert_null(device_at(&vm, 0)); /* the first has no registers */
	assert_null(device_at(&vm, base - 1));
	assert_ptr_equal(device_at(&vm, base), &vm.devices[1]);
	assert_ptr_equal(device_at(&vm, base + 0x1ff), &vm.devices[1]);
	assert_null(device_at(&vm, base + 0x200));
	assert_ptr_equal(device_at(&vm, base + 0x1000), &vm.devices[2]);
	assert_ptr_equal(device_at(&vm, base + 0x2013), &vm.devices[3]);
	assert_null(device_at(&vm, base + 0x2014));
	assert_null(device_at(&vm, ~0ul));
}

static void accesses_are_aligned_and_inside(void **state)
{
	struct device *dev = &vm.devices[3];

	(void)state;
	make(true);
	for (u64 offset = 0; offset < 0x30; offset++)
		for (unsigned bytes = 1; bytes <= 8; bytes *= 2)
			assert_int_equal(device_allows(dev, dev->base + offset, bytes),
					 offset % bytes == 0 && offset + bytes <= 0x14);
	assert_false(device_allows(dev, dev->base - 8, 8));
}

static void a_line_is_up_while_anybody_raises_it(void **state)
{
	struct device *one = &vm.devices[1], *two = &vm.devices[2];

	(void)state;
	make(true);
	device_raise(one);
	assert_int_equal(lines_up, 1u << 3);
	device_raise(two);
	device_lower(one);
	assert_int_equal(lines_up, 1u << 3);
	device_raise(&vm.devices[0]);
	device_lower(two);
	assert_int_equal(lines_up, 1u << 2);
	device_lower(&vm.devices[0]);
	assert_int_equal(lines_up, 0);
}

/* Delivered, on whichever VCPU: the device lets go, others hold the line; what is raised on the way holds it, too. */
static void a_line_that_is_raised_once_goes_down_by_itself(void **state)
{
	struct device *one = &vm.devices[1], *two = &vm.devices[2];

	(void)state;
	make(true);
	device_set_once(one, true);
	device_raise(one);
	devices_delivered(&vm, 1u << 2); /* another line */
	assert_int_equal(lines_up, 1u << 3);
	devices_delivered(&vm, 1u << 3 | 1u << 7);
	assert_int_equal(lines_up | lines_up_second, 0);
	assert_int_equal(vm.raised[3], 0);

	device_raise(two); /* a level */
	device_raise(one);
	devices_delivered(&vm, 1u << 3);
	assert_int_equal(lines_up & lines_up_second, 1u << 3);
	device_lower(two);
	assert_int_equal(lines_up | lines_up_second, 0);

	device_raise(one);
	raises_meanwhile = one;
	devices_delivered(&vm, 1u << 3);
	assert_int_equal(lines_up & lines_up_second, 1u << 3);
	devices_delivered(&vm, 1u << 3);
	assert_int_equal(lines_up | lines_up_second, 0);

	device_set_once(one, false);
	device_raise(one);
	devices_delivered(&vm, 1u << 3);
	assert_int_equal(lines_up, 1u << 3);
	device_lower(one);
	device_set_once(one, true);
	devices_reset(&vm);
	assert_int_equal(vm.raised_once, 0);
}

/* VCPU 0 takes the interrupt before VCPU 1's line is up: that would stay up, and nobody would ever let go of it. */
static void a_line_taken_while_it_is_raised_is_up_nowhere(void **state)
{
	struct device *one = &vm.devices[1], *two = &vm.devices[2];

	(void)state;
	make(true);
	device_set_once(one, true);
	delivered_meanwhile = 1u << 3;
	device_raise(one);
	assert_int_equal(lines_up | lines_up_second, 0);
	assert_int_equal(vm.raised[3], 0);

	device_raise(one);
	lines_up = 0; /* it is started anew */
	delivered_meanwhile = 1u << 3;
	devices_raise_again(&vcpu[0]);
	assert_int_equal(lines_up | lines_up_second, 0);

	device_raise(two); /* a level, which the delivery leaves alone */
	delivered_meanwhile = 1u << 3;
	device_raise(one);
	assert_int_equal(lines_up & lines_up_second, 1u << 3);
}

/* But one that is used by calls alone tells VCPU 0. */
static void lines_of_devices_with_registers_go_to_all_vcpus(void **state)
{
	(void)state;
	make(true);
	device_raise(&vm.devices[0]);
	device_raise(&vm.devices[1]);
	assert_int_equal(lines_up, 1u << 2 | 1u << 3);
	assert_int_equal(lines_up_second, 1u << 3);
	lines_up = lines_up_second = 0; /* both are started anew */
	devices_raise_again(&vcpu[1]);
	assert_int_equal(lines_up, 0);
	assert_int_equal(lines_up_second, 1u << 3);
	devices_raise_again(&vcpu[0]);
	assert_int_equal(lines_up, 1u << 2 | 1u << 3);
	device_lower(&vm.devices[1]);
	assert_int_equal(lines_up, 1u << 2);
	assert_int_equal(lines_up_second, 0);
}

static void an_interrupt_raised_meanwhile_is_not_lost(void **state)
{
	(void)state;
	make(true);
	device_raise(&vm.devices[1]);
	raises_meanwhile = &vm.devices[2];
	device_lower(&vm.devices[1]);
	assert_int_equal(lines_up, 1u << 3);
}

/* Every second device of a type may have another line: who shares one is not told of the other's. */
static void odd_ones_have_another_line(void **state)
{
	(void)state;
	optional.odd_line = 6;
	make(true);
	device_raise(&vm.devices[2]);
	assert_int_equal(lines_up, 1u << 6);
	device_raise(&vm.devices[1]);
	device_raise(&vm.devices[3]);
	assert_int_equal(lines_up, 1u << 3 | 1u << 6);
	device_lower(&vm.devices[1]); /* the last one has it still */
	assert_int_equal(lines_up, 1u << 3 | 1u << 6);
	device_lower(&vm.devices[1]); /* once more: it is not its to take */
	device_lower(&vm.devices[2]);
	assert_int_equal(lines_up, 1u << 3);
	device_lower(&vm.devices[3]);
	assert_int_equal(lines_up, 0);
	optional.odd_line = 0;
}

static void nothing_is_raised_in_a_vm_that_does_not_run(void **state)
{
	(void)state;
	make(true);
	vm.state = VM_STOPPED;
	device_raise(&vm.devices[1]);
	assert_int_equal(lines_up, 0);
	assert_int_equal(vm.raised[3], 0);
}

static void work_is_done_at_home_in_parts(void **state)
{
	(void)state;
	make(true);
	assert_false(devices_have_work(&vm));
	devices_work(&vm); /* nothing */
	device_ask_work(&vm.devices[1]);
	device_ask_work(&vm.devices[1]);
	assert_int_equal(asked, 1); /* home knows */
	for (u32 i = 1; i <= 3; i++) {
		assert_true(devices_have_work(&vm));
		devices_work(&vm);
		assert_int_equal(works, i);
	}
	assert_false(devices_have_work(&vm));
	device_ask_work(&vm.devices[0]);
	device_ask_work(&vm.devices[2]);
	devices_work(&vm); /* of one at a time */
	assert_true(devices_have_work(&vm));
	devices_work(&vm);
	assert_false(devices_have_work(&vm));
	device_ask_work(&vm.devices[2]);
	devices_reset(&vm); /* what was before is forgotten */
	assert_false(devices_have_work(&vm));
}

/* Two that never come to an end, and others that have little to do between them and behind. */
static void a_device_that_has_always_more_keeps_no_other_waiting(void **state)
{
	(void)state;
	make(true);
	works = 3;
	memset(worked, 0, sizeof(worked));
	always_more = 1u << 0 | 1u << 2;
	for (u32 i = 0; i < 4; i++)
		device_ask_work(&vm.devices[i]);
	for (u32 i = 0; i < 8; i++)
		devices_work(&vm);
	assert_int_equal(worked[1], 1);
	assert_int_equal(worked[3], 1);
	assert_int_equal(worked[0] + worked[2], 6);
	assert_int_equal(worked[0], 3);
	always_more = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vm_has_what_it_wants),
		cmocka_unit_test(all_live_with_the_vm),
		cmocka_unit_test(registers_that_are_read_from_a_page),
		cmocka_unit_test(an_address_is_one_device_s),
		cmocka_unit_test(accesses_are_aligned_and_inside),
		cmocka_unit_test(a_line_is_up_while_anybody_raises_it),
		cmocka_unit_test(a_line_that_is_raised_once_goes_down_by_itself),
		cmocka_unit_test(a_line_taken_while_it_is_raised_is_up_nowhere),
		cmocka_unit_test(lines_of_devices_with_registers_go_to_all_vcpus),
		cmocka_unit_test(an_interrupt_raised_meanwhile_is_not_lost),
		cmocka_unit_test(work_is_done_at_home_in_parts),
		cmocka_unit_test(a_device_that_has_always_more_keeps_no_other_waiting),
		cmocka_unit_test(odd_ones_have_another_line),
		cmocka_unit_test(nothing_is_raised_in_a_vm_that_does_not_run),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
