/* SPDX-License-Identifier: MIT */
/* Guest "physical" memory as the monitor reads and writes it, for calls and for loading. */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/copy.h"
#include "kernel/errno.h"
#include "kernel/vm/vm.h"

/*
 * Who takes a page away asks the nodes whose views show it (kernel/mem/shootdown.h). So a node without a view of the VM,
 * such as one whose guest sends a frame to it, looks through home's view, and uses what it finds under the lock of the
 * page's range alone, which who takes a page away holds.
 */
static bool is_inside(const struct vm *vm) { return pmap_has_view(&vm->pmap, node_self()->id); }

static u8 *pointer(u64 lo, gpa_t gpa)
{
	return (u8 *)mpn_ptr(arch_entry_page(lo)) + (gpa.v & PAGE_MASK);
}

/* Of a frame to the buffers of its receiver, which seldom begin alike. */
static void copy_any(void *to, const void *from, size_t len)
{
	if (len < 2 * COPY_BLOCK)
		copy_few(to, from, len);
	else
		copy_many(to, from, len);
}

static void copy_bytes(u64 lo, gpa_t gpa, u8 *buf, size_t len, bool out)
{
	u8 *at = pointer(lo, gpa);

	copy_few(out ? at : buf, out ? buf : at, len);
}

/* A page that was never used is zero, and is not given for that: a block of them takes long. 0: there is none. */
static u64 use(struct vm *vm, gpa_t gpa, u32 node, bool out)
{
	return out ? pmap_use_to_write(vm, gpa_gpn(gpa), node) : pmap_look(vm, gpa_gpn(gpa), node);
}

static bool copy_if_shown(struct vm *vm, gpa_t gpa, u8 *buf, size_t len, bool out)
{
	u64 lo;
	bool may;

	pmap_lock(&vm->pmap, gpa_gpn(gpa));
	lo = pmap_shown(&vm->pmap, gpa_gpn(gpa), vm->home->id);
	may = lo && (!out || arch_entry_writable(lo));
	if (may)
		copy_bytes(lo, gpa, buf, len, out);
	pmap_unlock(&vm->pmap, gpa_gpn(gpa));
	return may;
}

#define TIMES 16

/*
 * Between use and look the page may go again, so that a guest that does nothing but remap it could keep this node here:
 * after some times its page stays as it is, which is its own doing. Whether the page is there, or can be.
 */
static bool copy_from_outside(struct vm *vm, gpa_t gpa, u8 *buf, size_t len, bool out)
{
	for (u32 i = 0; i < TIMES; i++) {
		if (copy_if_shown(vm, gpa, buf, len, out))
			return true;
		if (!use(vm, gpa, vm->home->id, out))
			return false;
	}
	return false;
}

/* False: there is no such page. */
static bool copy_page(struct vm *vm, gpa_t gpa, u8 *buf, size_t len, bool out)
{
	u64 lo;

	if (!is_inside(vm))
		return copy_from_outside(vm, gpa, buf, len, out);
	lo = use(vm, gpa, node_self()->id, out);
	if (lo)
		copy_bytes(lo, gpa, buf, len, out);
	return lo;
}

/* Within the VM's memory. */
static int copy(struct vm *vm, gpa_t gpa, void *buf, size_t len, bool out)
{
	u8 *b = buf;

	if (gpa.v + len < gpa.v || gpa.v + len > (u64)vm->pmap.npages << PAGE_SHIFT)
		return -EFAULT;
	while (len) {
		size_t part = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));

		if (!copy_page(vm, gpa, b, part, out)) {
			if (out)
				return -EFAULT;
			memset(b, 0, part);
		}
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

	if (!is_inside(vm) || gpa_gpn(gpa).v >= vm->pmap.npages ||
	    (gpa.v & PAGE_MASK) + len > PAGE_SIZE)
		return NULL;
	lo = pmap_shown(&vm->pmap, gpa_gpn(gpa), node_self()->id);
	return lo && (!write || arch_entry_writable(lo)) ? pointer(lo, gpa) : NULL;
}

/* From a VM with a VCPU here: what is read is found after the lock, which answers shootdowns. */
size_t vm_copy_across(struct vm *from, gpa_t source, struct vm *to, gpa_t target, size_t len)
{
	gpn_t in = gpa_gpn(source), out = gpa_gpn(target);
	u64 from_lo, to_lo;

	if (!is_inside(from) || in.v >= from->pmap.npages || out.v >= to->pmap.npages)
		return 0;
	len = MIN(len, PAGE_SIZE - MAX(source.v & PAGE_MASK, target.v & PAGE_MASK));
	pmap_lock(&to->pmap, out);
	to_lo = pmap_shown(&to->pmap, out, is_inside(to) ? node_self()->id : to->home->id);
	from_lo = pmap_shown(&from->pmap, in, node_self()->id);
	if (from_lo && to_lo && arch_entry_writable(to_lo))
		copy_any(pointer(to_lo, target), pointer(from_lo, source), len);
	else
		len = 0;
	pmap_unlock(&to->pmap, out);
	return len;
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

static bool copy_over(struct vm *vm, gpa_t to, const void *from, size_t len, u32 node)
{
	gpn_t gpn = gpa_gpn(to);
	u64 lo;
	bool may;

	pmap_lock(&vm->pmap, gpn);
	lo = pmap_shown(&vm->pmap, gpn, node);
	if (!lo || !arch_entry_writable(lo))
		lo = pmap_renew_locked(vm, gpn, node);
	may = lo && arch_entry_writable(lo);
	if (may)
		copy_bytes(lo, to, (u8 *)from, len, true);
	pmap_unlock(&vm->pmap, gpn);
	return may;
}

int vm_copy_over(struct vm *vm, gpa_t to, const void *from, size_t len)
{
	u8 *at = shown(vm, to, len, true);
	bool within = gpa_gpn(to).v < vm->pmap.npages && (to.v & PAGE_MASK) + len <= PAGE_SIZE;

	if (at) {
		copy_few(at, from, len);
		return 0;
	}
	if (within && copy_over(vm, to, from, len, is_inside(vm) ? node_self()->id : vm->home->id))
		return 0;
	return copy(vm, to, (void *)from, len, true);
}
