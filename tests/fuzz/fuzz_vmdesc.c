/* SPDX-License-Identifier: MIT */
/* Any bytes as a device tree: what is accepted obeys every limit of kernel/vm/vmdesc.h, the rest has
 * an error text. */
#include <stdlib.h>
#include <string.h>

#include "kernel/vm/vmdesc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_disk(const struct machine_desc *m, const struct disk_desc *d)
{
	int image = vmdesc_host_image(m, d);

	if (!memchr(d->image, 0, sizeof(d->image)) || !d->image[0] ||
	    !memchr(d->serial, 0, sizeof(d->serial)) || !d->serial[0])
		abort();
	if (d->mode > DISK_PERSISTENT || d->limit_mb > VMDESC_DISK_LIMIT_MAX ||
	    (image < 0) != d->in_archive)
		abort();
	/* what is written is nobody else's */
	if (d->mode == DISK_PERSISTENT && vmdesc_host_disk(m, (u32)image) != d)
		abort();
}

/* Its name is its own on the VM, its subnet no other port's of the VM, its address nobody else's there. */
static void check_net(const struct machine_desc *m, const struct vm_desc *vm,
		      const struct net_desc *d)
{
	if (!memchr(d->subnet, 0, sizeof(d->subnet)) || !d->subnet[0] || d->mtu < VMDESC_MTU_MIN ||
	    d->mtu > VMDESC_MTU_MAX)
		abort();
	for (u32 i = 0; i < m->nvms; i++)
		for (u32 k = 0; m->vms[i].valid && k < m->vms[i].nnets; k++) {
			const struct net_desc *o = &m->vms[i].nets[k];

			if (o == d || strcmp(o->subnet, d->subnet))
				continue;
			if (&m->vms[i] == vm || !memcmp(o->address, d->address, NET_ADDRESS_BYTES))
				abort();
		}
}

static void check_vm(const struct machine_desc *m, const struct vm_desc *vm)
{
	if (!vm->valid) {
		if (strncmp(vm->error, "/vms/", 5) != 0)
			abort();
		return;
	}
	if (!memchr(vm->label, 0, sizeof(vm->label)) || !vm->label[0] ||
	    !memchr(vm->kernel, 0, sizeof(vm->kernel)) || !vm->kernel[0] ||
	    !memchr(vm->ramdisk, 0, sizeof(vm->ramdisk)) ||
	    !memchr(vm->bootargs, 0, sizeof(vm->bootargs)))
		abort();
	if (vm->memory_mb < VMDESC_VM_MB_MIN || vm->memory_mb > VMDESC_VM_MB_MAX || vm->vcpus < 1 ||
	    vm->vcpus > VMDESC_VCPUS_MAX || vm->nodes.n > vm->vcpus)
		abort();
	for (u32 i = 0; i < vm->nodes.n; i++)
		if (vm->nodes.list[i] >= m->nodes)
			abort();
	if (vm->ndisks > VMDESC_DISKS_MAX)
		abort();
	for (u32 i = 0; i < vm->ndisks; i++)
		check_disk(m, &vm->disks[i]);
	if (vm->nnets > VMDESC_NETS_MAX)
		abort();
	for (u32 i = 0; i < vm->nnets; i++)
		check_net(m, vm, &vm->nets[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct machine_desc m;
	char why[VMDESC_ERROR_BYTES] = "";
	void *copy = malloc(size ? size : 1);
	u32 i;

	/*
	 * malloc's alignment is the one the contract asks for; the fuzzer's buffer may have another
	 */
	memcpy(copy, data, size);
	if (vmdesc_parse(copy, size, &m, why, sizeof(why)) != 0) {
		if (why[0] != '/' || m.nvms != 0)
			abort();
	} else if (m.nvms > VMDESC_MAX_VMS || m.nodes < VMDESC_NODES_MIN ||
		   m.nodes > VMDESC_NODES_MAX) {
		abort();
	}
	for (i = 0; i < m.nvms; i++)
		check_vm(&m, &m.vms[i]);
	free(copy);
	return 0;
}
