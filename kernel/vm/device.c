/* SPDX-License-Identifier: MIT */
/* The devices of VMs: which a VM has, their life with it, their registers, their interrupt lines. */
#include "kernel/vm/device.h"
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"

static u32 count(const struct device_type *type, const struct vm_desc *desc)
{
	return type->count ? type->count(desc) : 1;
}

static size_t state_bytes(const struct device_type *type)
{
	return ROUND_UP(type->state_bytes, DEVICE_ALIGN);
}

/* Of the pages that guests read registers from: they come first. */
static size_t pages_bytes(const struct vm_desc *desc)
{
	size_t sum = 0;

	for (unsigned i = 0; i < device_ntypes; i++)
		if (device_types[i]->shown)
			sum += count(device_types[i], desc) * PAGE_SIZE;
	return sum;
}

size_t devices_bytes(const struct vm_desc *desc)
{
	size_t sum = 0;

	for (unsigned i = 0; i < device_ntypes; i++)
		sum += count(device_types[i], desc) * state_bytes(device_types[i]);
	return pages_bytes(desc) + sum;
}

static void create(struct vm *vm, const struct device_type *type, u32 index, void *page,
		   void *state)
{
	struct device *dev = &vm->devices[vm->ndevices];

	*dev = (struct device){
		.type = type, .index = index, .vm = vm, .page = page, .state = state
	};
	dev->line = index % 2 && type->odd_line ? type->odd_line : type->line;
	if (type->fixed_base) {
		dev->base = type->fixed_base;
	} else if (type->register_bytes) {
		dev->base = DISCO_DEVICE_BASE + vm->nregister_blocks * DISCO_DEVICE_BYTES;
		vm->register_block[vm->nregister_blocks++] = vm->ndevices;
	}
	vm->ndevices++;
	if (type->create)
		type->create(dev);
}

void devices_create(struct vm *vm, void *memory)
{
	u8 *page = memory, *state = page + pages_bytes(vm->desc);

	for (unsigned i = 0; i < device_ntypes; i++) {
		const struct device_type *type = device_types[i];
		u32 n = count(type, vm->desc);

		if (n > VM_DEVICES_MAX - vm->ndevices)
			panic("VM %s has more than %u devices", vm->name, VM_DEVICES_MAX);
		for (u32 index = 0; index < n; index++) {
			create(vm, type, index, type->shown ? page : NULL, state);
			page += type->shown ? PAGE_SIZE : 0;
			state += state_bytes(type);
		}
	}
}

void devices_reset(struct vm *vm)
{
	for (u32 line = 0; line < DEVICE_LINES; line++)
		__atomic_store_n(&vm->raised[line], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->raised_once, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->has_work, 0, __ATOMIC_RELAXED);
	for (u32 i = 0; i < vm->ndevices; i++)
		if (vm->devices[i].type->reset)
			TEXT_HERE(vm->devices[i].type->reset)(&vm->devices[i]);
}

void devices_shutdown(struct vm *vm)
{
	for (u32 i = 0; i < vm->ndevices; i++)
		if (vm->devices[i].type->shutdown)
			TEXT_HERE(vm->devices[i].type->shutdown)(&vm->devices[i]);
}

bool devices_release_step(struct vm *vm)
{
	for (u32 i = 0; i < vm->ndevices; i++) {
		struct device *dev = &vm->devices[i];

		if (dev->type->release && !TEXT_HERE(dev->type->release)(dev))
			return false;
	}
	return true;
}

/* ---- registers ---- */

/* Those below the blocks: of a VM whose kernel knows a board. */
static struct device *fixed_device_at(struct vm *vm, u64 gpa)
{
	for (u32 i = 0; i < vm->ndevices; i++) {
		struct device *dev = &vm->devices[i];

		if (dev->type->fixed_base && gpa - dev->base < dev->type->register_bytes)
			return dev;
	}
	return NULL;
}

struct device *device_at(struct vm *vm, u64 gpa)
{
	u64 n = (gpa - DISCO_DEVICE_BASE) / DISCO_DEVICE_BYTES;
	struct device *dev;

	if (n >= vm->nregister_blocks)
		return fixed_device_at(vm, gpa);
	dev = &vm->devices[vm->register_block[n]];
	return gpa - dev->base < dev->type->register_bytes ? dev : NULL;
}

mpn_t device_page(struct vm *vm, u64 gpa)
{
	const struct device *dev = device_at(vm, gpa & ~PAGE_MASK);

	return dev && dev->page ? maddr_mpn(ptr_maddr(dev->page)) : MPN_NONE;
}

bool device_allows(const struct device *dev, u64 gpa, unsigned bytes)
{
	u64 offset = gpa - dev->base;

	return offset % bytes == 0 && offset < dev->type->register_bytes &&
	       bytes <= dev->type->register_bytes - offset;
}

/* ---- interrupt lines ---- */

/*
 * The lines of devices with registers are wired to all VCPUs, since a kernel lets such a line through on the
 * processor that looked for the device, which may be any. The console's is VCPU 0's. A VCPU that masks the line costs
 * one atomic operation and is not interrupted (vcpu_post_irq), so that nobody keeps who listens.
 */
static u32 wired_to(const struct device *dev)
{
	return dev->type->register_bytes ? dev->vm->nvcpus : 1;
}

static u32 bit_of(const struct device *dev) { return BIT(dev - dev->vm->devices); }

static bool is_raised(const struct device *dev)
{
	return __atomic_load_n(&dev->vm->raised[dev->line], __ATOMIC_SEQ_CST);
}

/*
 * The line of dev becomes what `raised` says, at VCPUs first to end - 1. Other nodes change `raised` meanwhile, and come here
 * afterwards. Whoever writes the line of a VCPU last has looked at `raised` once more behind that, and found no change: so in
 * the end no line is up that nobody raises, and none is down that somebody does.
 */
static void drive(const struct device *dev, u32 first, u32 end)
{
	bool up;

	do {
		up = is_raised(dev);
		for (u32 i = first; i < end; i++)
			if (up)
				vcpu_post_irq(dev->vm->vcpus[i], dev->line);
			else
				vcpu_clear_irq(dev->vm->vcpus[i], dev->line);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (is_raised(dev) != up);
}

void device_raise(struct device *dev)
{
	if (!vm_is_up(dev->vm))
		return;
	line_take(&dev->vm->unread);
	__atomic_fetch_or(&dev->vm->raised[dev->line], bit_of(dev), __ATOMIC_SEQ_CST);
	drive(dev, 0, wired_to(dev));
}

void devices_raise_again(struct vcpu *v)
{
	for (u32 i = 0; i < v->vm->ndevices; i++) {
		const struct device *dev = &v->vm->devices[i];

		if (v->id < wired_to(dev) && is_raised(dev))
			drive(dev, v->id, v->id + 1);
	}
}

/*
 * These devices let go of the line of dev, which is one of them. The last one that does takes the line down. Devices that share
 * a line are wired alike.
 */
static void let_go(const struct device *dev, u32 which)
{
	u32 *raised = &dev->vm->raised[dev->line];

	if (!(__atomic_fetch_and(raised, ~which, __ATOMIC_SEQ_CST) & ~which))
		drive(dev, 0, wired_to(dev));
}

void device_lower(struct device *dev)
{
	/* else it has let go already, whatever another node does at this moment */
	if (__atomic_load_n(&dev->vm->raised[dev->line], __ATOMIC_RELAXED) & bit_of(dev))
		let_go(dev, bit_of(dev));
}

void device_set_once(struct device *dev, bool once)
{
	if (once)
		__atomic_fetch_or(&dev->vm->raised_once, bit_of(dev), __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&dev->vm->raised_once, ~bit_of(dev), __ATOMIC_RELAXED);
}

void devices_delivered(struct vm *vm, u32 lines)
{
	u32 once = __atomic_load_n(&vm->raised_once, __ATOMIC_RELAXED);

	for (u32 left = once ? lines : 0; left; left &= left - 1) {
		u32 which = once &
			    __atomic_load_n(&vm->raised[__builtin_ctz(left)], __ATOMIC_RELAXED);

		if (which)
			let_go(&vm->devices[__builtin_ctz(which)], which);
	}
}

/* ---- work ---- */

void device_ask_work(struct device *dev)
{
	if (!(__atomic_fetch_or(&dev->vm->has_work, bit_of(dev), __ATOMIC_SEQ_CST) & bit_of(dev)))
		node_resched(dev->vm->home);
}

/*
 * The next device that was asked for, behind the one whose turn was last: one that always has more to do keeps no other
 * waiting. NULL: none was.
 */
static struct device *next_to_work(const struct vm *vm)
{
	u32 asked = __atomic_load_n(&vm->has_work, __ATOMIC_RELAXED);
	u32 behind = asked & ~(u32)(BIT(vm->worked + 1) - 1);

	if (!asked)
		return NULL;
	return (struct device *)&vm->devices[__builtin_ctz(behind ? behind : asked)];
}

bool devices_have_work(const struct vm *vm) { return next_to_work(vm); }

void devices_work(struct vm *vm)
{
	struct device *dev = next_to_work(vm);

	if (!dev)
		return;
	vm->worked = dev - vm->devices;
	__atomic_fetch_and(&vm->has_work, ~bit_of(dev), __ATOMIC_SEQ_CST);
	TEXT_HERE(dev->type->work)(dev);
}
