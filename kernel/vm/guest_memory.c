/* SPDX-License-Identifier: MIT */
/* Guest "physical" memory as the monitor reads and writes it, for calls and for loading. */
#include <string.h>
#include "kernel/errno.h"
#include "kernel/vm/vm.h"

/* Whose view the monitor looks through: this node's, if a VCPU of the VM may be running here. */
static u32 view_of(const struct vm *vm)
{
	u32 here = node_self()->id;

	return nodemask_has(vm->node_mask, here) ? here : vm->home->id;
}

static int copy(struct vm *vm, gpa_t gpa, void *buf, size_t len, bool out)
{
	u8 *b = buf;

	if (gpa.v + len < gpa.v || gpa.v + len > (u64)vm->pmap.npages << PAGE_SHIFT)
		return -EFAULT;
	while (len) {
		size_t part = MIN(len, PAGE_SIZE - (gpa.v & PAGE_MASK));
		u64 lo = out ? pmap_use_to_write(vm, gpa_gpn(gpa), view_of(vm))
			     : pmap_use(vm, gpa_gpn(gpa), view_of(vm));
		u8 *page;

		if (!lo)
			return -EFAULT;
		page = (u8 *)mpn_ptr(arch_entry_page(lo)) + (gpa.v & PAGE_MASK);
		memcpy(out ? page : b, out ? b : page, part);
		gpa.v += part;
		b += part;
		len -= part;
	}
	return 0;
}

int vm_copy_in(struct vm *vm, void *to, gpa_t from, size_t len)
{
	return copy(vm, from, to, len, false);
}

int vm_copy_out(struct vm *vm, gpa_t to, const void *from, size_t len)
{
	return copy(vm, to, (void *)from, len, true);
}
