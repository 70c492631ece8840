/* SPDX-License-Identifier: MIT */
/*
 * The uplink: the machine's own network device (host/virtio_net.h) as one more port of a subnet, so that
 * what is at its other end, QEMU's user network on the host, reaches guests and they answer it.
 *
 *   a frame from a guest   copied by the guest's home into a buffer of the device that it has taken under uplink's lock, and gives
 *                          the device under it; if none is free the frame is dropped, and the sender's count says so
 *   a frame from outside   stays in the device's buffer until node 0 has copied it to everybody, in the
 *                          interrupt: at most VNET_QUEUE frames at a time, the rest in the tick
 *
 * Who is outside has addresses that the monitor does not know: the port gets what nobody else on the subnet
 * has, and may send from any address but those of VMs. A device that does what it should not is reset for
 * good, with one line in the log; VMs see each other as before.
 */
#include <string.h>
#include "drivers/dev.h"
#include "drivers/host/virtio_net.h"
#include "drivers/virtio/net.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "numa/numa.h"

#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_NET    0x1041 /* device of a modern one */

_Static_assert(VMDESC_MTU_UPLINK + FRAME_HEADER <= VNET_FRAME, "every frame fits");

static struct uplink {
	struct port port;
	struct lock lock; /* the transmit queue, and the two below; node 0 alone receives */
	bool works;
	struct vnet device;
	/* node 0's: a frame from outside, and its way to a receiver */
	struct frame frame;
	struct net_delivery delivery;
} * uplink; /* fixed after boot; NULL: the machine has none */

static void fail(struct uplink *u, const char *why)
{
	lock_take(&u->lock);
	if (u->works) {
		log_line("uplink", "the machine's network device %s: the uplink is down", why);
		virtio_pci_reset(&u->device.port);
	}
	u->works = false;
	lock_release(&u->lock);
}

/* ---- frames of guests ---- */

/* A buffer of the device, ours from now on; negative: the frame is dropped, and *why says what that counts as. */
static int take_buffer(struct uplink *u, enum port_count *why)
{
	int buffer = -1;

	lock_take(&u->lock);
	*why = u->works ? PORT_NO_BUFFER : PORT_NOBODY;
	if (u->works)
		buffer = vnet_room(&u->device);
	lock_release(&u->lock);
	return buffer;
}

/* A device that was reset meanwhile is down for good, with its buffers. */
static enum port_count send(struct uplink *u, const struct frame *f, u32 buffer)
{
	enum port_count what = PORT_NOBODY;

	lock_take(&u->lock);
	if (u->works) {
		vnet_put(&u->device, buffer, f->bytes);
		u->port.count[PORT_RECEIVED]++;
		u->port.count[PORT_RECEIVED_BYTES] += f->bytes;
		what = PORT_SENT;
	}
	lock_release(&u->lock);
	return what;
}

/* The guest's memory is read without a lock: its page may have to be looked for first, with a look at this node's mail (kernel/mem/pmap.h). */
static enum port_count receive(struct port *to, const struct frame *f)
{
	struct uplink *u = uplink;
	enum port_count why;
	int buffer = take_buffer(u, &why);
	u8 *frame;

	(void)to;
	if (buffer < 0)
		return why;
	frame = vnet_frame(&u->device, (u32)buffer);
	frame_read(f, 0, frame, f->bytes);
	if (f->checksum)
		frame_sum(f, frame + f->checksum_at);
	f->delivery->passed = f->delivery->npieces = 0;
	return send(u, f, (u32)buffer);
}

/* ---- frames from outside: node 0 ---- */

static void pass_on(struct uplink *u, const u8 *bytes, u32 n)
{
	struct frame *f = &u->frame;
	u32 budget = ~0u;

	if (n < FRAME_HEADER) {
		u->port.count[PORT_BAD]++;
		return;
	}
	*f = (struct frame){ .own = bytes,
			     .bytes = n,
			     .delivery = &u->delivery,
			     .passed = &u->delivery.passed,
			     .pieces = &u->delivery.npieces };
	memcpy(f->header, bytes, FRAME_HEADER);
	port_send(&u->port, f, &budget);
}

static void take_frames(struct uplink *u)
{
	const u8 *frame;
	u32 bytes;

	for (u32 i = 0; i < VNET_QUEUE; i++) {
		int found = vnet_take(&u->device, &frame, &bytes);

		if (found < 0)
			fail(u, "returned what it was not given");
		if (found <= 0)
			return;
		pass_on(u, frame, bytes);
		vnet_give_back(&u->device);
	}
}

static void interrupt(void)
{
	if (!uplink->works || !virtio_pci_interrupt(&uplink->device.port))
		return;
	if (virtio_pci_needs_reset(&uplink->device.port))
		fail(uplink, "wants to be reset");
	else
		take_frames(uplink);
}

void uplink_tick(void)
{
	if (uplink && uplink->works)
		take_frames(uplink);
}

/* ---- boot ---- */

void uplink_init(const struct machine_desc *machine)
{
	struct pci_device at = { 0 };
	struct uplink *u;
	void *memory;

	if (!machine->has_uplink)
		return;
	u = nodemem_boot_alloc(0, sizeof(*u), _Alignof(struct uplink));
	memory = nodemem_boot_alloc(0, vnet_bytes(), VNET_ALIGN);
	while (pci_next(&at) && (at.vendor != VIRTIO_VENDOR || at.device != VIRTIO_NET))
		;
	if (!u || !memory || at.device != VIRTIO_NET) {
		log_line("uplink", "%s: VMs are not reached from outside",
			 u && memory ? "found no virtio network device on PCI" : "no memory");
		return;
	}
	u->lock.rank = RANK_UPLINK;
	vnet_init(&u->device, memory);
	if (!virtio_pci_open(&u->device.port, &at) || !vnet_start(&u->device)) {
		log_line("uplink", "slot %u.%u: found no virtio network device that answers",
			 at.slot, at.function);
		return;
	}
	u->port.desc = &machine->uplink;
	u->port.receive = receive;
	u->works = true;
	uplink = u;
	port_add(&u->port);
	pci_handle(interrupt);
}
