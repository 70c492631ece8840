/* SPDX-License-Identifier: MIT */
/*
 * A guest's identity, as a device with registers ("disco,identity", docs/guest-abi.md): what the VM is
 * called and how large it is, a word that keeps what is stored in it, and an interrupt that the guest
 * raises itself. The description's word "identity" asks for it.
 */
#include <string.h>
#include "drivers/dev.h"
#include "kernel/abi/disco.h"
#include "kernel/vm/vm.h"

struct identity {
	/* as a guest reads them, DISCO_IDENTITY_ offsets; SCRATCH by any node, unlocked: the guest's
	 * own order of accesses is all that counts */
	u8 registers[DISCO_IDENTITY_BYTES] __attribute__((aligned(8)));
};

static u32 count(const struct vm_desc *desc) { return desc->identity; }

static void put32(struct identity *id, u64 offset, u32 value)
{
	memcpy(id->registers + offset, &value, sizeof(value));
}

static void reset(struct device *dev)
{
	struct identity *id = dev->state;
	const struct vm *vm = dev->vm;

	memset(id->registers, 0, sizeof(id->registers));
	put32(id, DISCO_IDENTITY_MAGIC, DISCO_IDENTITY_MAGIC_VALUE);
	put32(id, DISCO_IDENTITY_VERSION, DISCO_ABI_VERSION);
	put32(id, DISCO_IDENTITY_VCPUS, vm->nvcpus);
	put32(id, DISCO_IDENTITY_MEMORY_MB, vm->desc->memory_mb);
	memcpy(id->registers + DISCO_IDENTITY_NAME, vm->name, sizeof(vm->name));
}

static u64 read(struct device *dev, u64 offset, unsigned bytes)
{
	const struct identity *id = dev->state;
	u64 value = 0;

	memcpy(&value, id->registers + offset, bytes);
	return value;
}

static void write(struct device *dev, u64 offset, unsigned bytes, u64 value)
{
	struct identity *id = dev->state;

	if (offset >= DISCO_IDENTITY_SCRATCH && offset < DISCO_IDENTITY_SCRATCH + 8)
		memcpy(id->registers + offset, &value, bytes);
	else if (offset == DISCO_IDENTITY_INTERRUPT && (value & 1))
		device_raise(dev);
	else if (offset == DISCO_IDENTITY_INTERRUPT)
		device_lower(dev);
}

const struct device_type identity_type = {
	.name = "identity",
	.compatible = "disco,identity",
	.count = count,
	.state_bytes = sizeof(struct identity),
	.register_bytes = DISCO_IDENTITY_BYTES,
	.line = DISCO_IRQ_DEVICE,
	.reset = reset,
	.read = read,
	.write = write,
};
