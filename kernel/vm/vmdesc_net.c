/* SPDX-License-Identifier: MIT */
/* The description of a VM's network ports: their properties, and the addresses that follow from names. */
#include <libfdt.h>
#include <string.h>

#include "kernel/vm/props.h"
#include "kernel/vm/vmdesc.h"

#define NET(field)	 offsetof(struct net_desc, field)
#define NET_CHARS(field) (sizeof(((struct net_desc *)0)->field) - 1)

static const struct prop_rule net_rules[] = {
	{ "compatible", PROP_COMPATIBLE, PROP_REQUIRED, 0, 0, 0, "disco,net" },
	{ "subnet", PROP_STRING, PROP_REQUIRED, 1, NET_CHARS(subnet), NET(subnet), CHARS_LABEL },
	{ "mtu", PROP_CELL, 0, VMDESC_MTU_MIN, VMDESC_MTU_MAX, NET(mtu), NULL },
	{ "any-source", PROP_FLAG, 0, 0, 0, NET(any_source), NULL },
};

/*
 * FNV-1a over the label, its final 0 and the port's number in the VM. Of the first byte bit 0 is clear, an
 * address of one port, and bit 1 is set, an address that nobody was given by the IEEE.
 */
void vmdesc_net_address(const char *label, u32 index, u8 address[NET_ADDRESS_BYTES])
{
	u64 hash = 0xcbf29ce484222325;

	for (const char *c = label;; c++) {
		hash = (hash ^ (u8)*c) * 0x100000001b3;
		if (!*c)
			break;
	}
	hash = (hash ^ (index + 1)) * 0x100000001b3;
	hash ^= hash >> 32;
	address[0] = 0x02;
	for (u32 i = 1; i < NET_ADDRESS_BYTES; i++)
		address[i] = hash >> 8 * (i - 1);
}

/* The port against those before it, of the VM and of the VMs before. vm has its label. */
static int check_others(const struct machine_desc *machine, const struct vm_desc *vm,
			const struct net_desc *d, const struct report *r)
{
	for (const struct vm_desc *other = machine->vms; other <= vm; other++) {
		for (u32 i = 0; i < other->nnets && &other->nets[i] != d; i++) {
			const struct net_desc *o = &other->nets[i];

			if ((other != vm && !other->valid) || strcmp(o->subnet, d->subnet) != 0)
				continue;
			if (other == vm)
				return props_fail(
					r, "subnet: found \"%s\", which %s has, allowed any other",
					d->subnet, o->name);
			if (memcmp(o->address, d->address, sizeof(d->address)) == 0)
				return props_fail(
					r,
					"found the link address of /vms/%s/%s, allowed another: change the VM's label",
					other->name, o->name);
		}
	}
	return 0;
}

int vmdesc_read_net(const void *fdt, int node, const struct machine_desc *machine,
		    const struct vm_desc *vm, void *part, struct report *r)
{
	struct net_desc *d = part;
	int err;

	d->mtu = VMDESC_MTU_DEFAULT;
	err = props_read(fdt, node, net_rules, ARRAY_SIZE(net_rules), d, r);
	vmdesc_net_address(vm->label, (u32)(d - vm->nets), d->address);
	return err ? err : check_others(machine, vm, d, r);
}
