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
	{ "forward", PROP_CELLS, UP_TO(VMDESC_FORWARD_MAX), 1, 65535, NET(forward), NULL },
};

static const struct prop_rule uplink_rules[] = {
	{ "compatible", PROP_COMPATIBLE, PROP_REQUIRED, 0, 0, 0, "disco,uplink" },
	{ "subnet", PROP_STRING, PROP_REQUIRED, 1, NET_CHARS(subnet), NET(subnet), CHARS_LABEL },
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

static int check_forward(const struct machine_desc *machine, const struct net_desc *d,
			 const struct report *r)
{
	if (!d->forward.n || (machine->has_uplink && !strcmp(machine->uplink.subnet, d->subnet)))
		return 0;
	return props_fail(
		r,
		"forward: found without an uplink on \"%s\", allowed with /uplink on that subnet",
		d->subnet);
}

int vmdesc_read_net(const void *fdt, int node, const struct machine_desc *machine,
		    const struct vm_desc *vm, void *part, struct report *r)
{
	struct net_desc *d = part;
	int err;

	d->mtu = VMDESC_MTU_DEFAULT;
	err = props_read(fdt, node, net_rules, ARRAY_SIZE(net_rules), d, r);
	vmdesc_net_address(vm->label, (u32)(d - vm->nets), d->address);
	if (!err)
		err = check_forward(machine, d, r);
	return err ? err : check_others(machine, vm, d, r);
}

/* ---- the machine ---- */

int vmdesc_read_uplink(const void *fdt, int node, struct machine_desc *machine, struct report *r)
{
	struct net_desc *d = &machine->uplink;
	struct report in_uplink = { r->why, r->size, "/", "uplink" };

	strcpy(d->name, "uplink");
	d->mtu = VMDESC_MTU_UPLINK;
	d->any_source = true;
	machine->has_uplink = true;
	return props_read(fdt, node, uplink_rules, ARRAY_SIZE(uplink_rules), d, &in_uplink);
}

/* The next port of a valid VM behind d (NULL: the first); NULL: there is none. */
static struct net_desc *next_net(struct machine_desc *machine, const struct net_desc *d)
{
	bool behind = !d;

	for (struct vm_desc *vm = machine->vms; vm < machine->vms + machine->nvms; vm++)
		for (u32 i = 0; vm->valid && i < vm->nnets; i++) {
			if (behind)
				return &vm->nets[i];
			behind = &vm->nets[i] == d;
		}
	return NULL;
}

/* Nobody is on the uplink's subnet, and no VM that is wrong might have been. */
static int check_uplink(const struct machine_desc *machine, const struct report *r)
{
	struct report in_uplink = { r->why, r->size, "/", "uplink" };

	for (u32 i = 0; i < machine->nvms; i++)
		if (!machine->vms[i].valid)
			return 0;
	return props_fail(&in_uplink, "subnet: found \"%s\", where no VM is, allowed a VM's",
			  machine->uplink.subnet);
}

int vmdesc_number_nets(struct machine_desc *machine, struct report *r)
{
	struct net_desc *d, *other, *up = &machine->uplink;
	bool found = !machine->has_uplink;
	u32 subnets = 0;

	for (d = NULL; (d = next_net(machine, d));) {
		d->subnet_number = subnets;
		d->number = 1;
		for (other = NULL; (other = next_net(machine, other)) != d;)
			if (!strcmp(other->subnet, d->subnet)) {
				d->subnet_number = other->subnet_number;
				d->number++;
			}
		subnets += d->number == 1;
		if (!found && !strcmp(up->subnet, d->subnet)) {
			up->subnet_number = d->subnet_number;
			found = true;
		}
	}
	if (!found)
		up->subnet_number = subnets; /* alone there */
	return found ? 0 : check_uplink(machine, r);
}
