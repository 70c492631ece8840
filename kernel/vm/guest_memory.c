/* SPDX-License-Identifier: MIT */
/* Guest "physical" memory as the monitor reads and writes it, for calls and for loading. */
#include <string.h>
#include "kernel/copy.h"
#include "kernel/errno.h"
#include "kernel/vm/vm.h"

/* Whose view the monitor looks through: this node's, if a VCPU of the VM may be running here. */
static u32 view_of(const struct vm *vm)
{
	u32 here = node_self()->id;

	return nodemask_has(vm->node_mask, here) ? here : vm->home->id;
}

static u8 *pointer(u64 lo, gpa_t gpa)
{
	return (u8 *)mpn_ptr(arch_entry_page(lo)) + (gpa.v & PAGE_MASK);
}

/* A page that was never used is zero, and is not given for that: a block of them takes long. */
static int read_page(struct vm *vm, gpa_t gpa, u8 *to, size_t len)
{
	u64 lo = pmap_look(vm, gpa_gpn(gpa), view_of(vm));

	if (lo)
		memcpy(to, pointer(lo, gpa), len);
	else
		memset(to, 0, len);
	return 0;
}

static int write_page(struct vm *vm, gpa_t gpa, const u8 *from, size_t len)
{
	u64 lo = pmap_use_to_write(vm, gpa_gpn(gpa), view_of(vm));

	if (!lo)
		return -EFAULT;
	memcpy(pointer(lo, gpa), from, len);
	return 0;
}

/* Within the VM's memory. */
static int copy(struct vm *vm, gpa_t gpa, void *buf, size_t len, bool out)
{
	u8 *b = buf;

	if (gpa.v + len < gpa.v || gpa.v + len > (u64)vm->pmap.npages << PAGE_SHIFT)
		return -EFAULT;
	while (len) {
		size_t part = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));
		int err = out ? write_page(vm, gpa, b, part) : read_page(vm, gpa, b, part);

		if (err)
			return err;
		gpa.v += part;
		b += part;
		len -= part;
	}
	return 0;
}

/*
 * Where the bytes are, if this node's view shows them, in one page and with the right that is wanted; NULL:
 * the long way. Rings of devices are read and written some bytes at a time, so this way is short.
 */
static u8 *shown(const struct vm *vm, gpa_t gpa, size_t len, bool write)
{
	u64 lo;

	if (gpa_gpn(gpa).v >= vm->pmap.npages || (gpa.v & PAGE_MASK) + len > PAGE_SIZE)
		return NULL;
	lo = pmap_shown(&vm->pmap, gpa_gpn(gpa), view_of(vm));
	return lo && (!write || arch_entry_writable(lo)) ? pointer(lo, gpa) : NULL;
}

int vm_copy_in(struct vm *vm, void *to, gpa_t from, size_t len)
{
	const u8 *at = shown(vm, from, len, false);

	if (at) {
		copy_few(to, at, len);
		return 0;
	}
	return copy(vm, from, to, len, false);
}

int vm_copy_out(struct vm *vm, gpa_t to, const void *from, size_t len)
{
	u8 *at = shown(vm, to, len, true);

	if (at) {
		copy_few(at, from, len);
		return 0;
	}
	return copy(vm, to, (void *)from, len, true);
}
