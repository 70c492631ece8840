/* SPDX-License-Identifier: MIT */
/* The command `net`: the ports of subnets, and what became of frames. */
#include "arch/mips/arch.h"
#include "drivers/subnet/subnet.h"
#include "kernel/console/console.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"

static void show_drops(const struct port *p)
{
	static const struct {
		enum port_count count;
		const char *why;
	} drops[] = {
		{ PORT_NO_BUFFER, "no buffer at the receiver" },
		{ PORT_SHARE, "beyond its share of the buffers" },
		{ PORT_NOBODY, "to nobody" },
		{ PORT_FALSE, "from a false address" },
		{ PORT_TOO_LONG, "too long" },
		{ PORT_BAD, "malformed" },
	};
	u64 dropped[ARRAY_SIZE(drops)], sum = 0; /* read once: the port goes on */

	for (u32 i = 0; i < ARRAY_SIZE(drops); i++)
		sum += dropped[i] = p->count[drops[i].count];
	kprintf("  dropped %lu of its frames", sum);
	for (u32 i = 0; i < ARRAY_SIZE(drops); i++)
		if (dropped[i])
			kprintf(", %lu %s", dropped[i], drops[i].why);
	kprintf("\n");
}

static void show_way(const char *way, const struct port *p, enum port_count frames,
		     enum port_count bytes, enum port_count passed)
{
	u64 remapped = p->count[passed], copied = p->count[bytes] - remapped;

	kprintf("  %s %lu frames of %lu KB: %lu KB remapped, %lu KB copied\n", way,
		p->count[frames], p->count[bytes] >> 10, remapped >> 10, copied >> 10);
}

/* What each port had counted when somebody last looked: the prompt's alone. */
static struct look {
	u64 at; /* count64; 0: nobody has looked */
	u64 count[PORT_COUNTS];
} looks[PORTS_MAX];

static void show_rate(const struct port *p, struct look *last)
{
	struct look now = { .at = count64() };
	u64 ms = MAX((now.at - last->at) / COUNT_MS, 1ul), rate[PORT_COUNTS];

	for (u32 i = 0; i < PORT_COUNTS; i++) {
		now.count[i] = p->count[i];
		rate[i] = (now.count[i] - last->count[i]) * 1000 / ms;
	}
	kprintf("  a second, in the last %lu.%lu s: sent %lu frames, %lu KB; received %lu frames, %lu KB\n",
		ms / 1000, ms % 1000 / 100, rate[PORT_SENT], rate[PORT_SENT_BYTES] >> 10,
		rate[PORT_RECEIVED], rate[PORT_RECEIVED_BYTES] >> 10);
	*last = now;
}

static void show_port(const struct port *p)
{
	const u8 *a = p->desc->address;

	if (p->vm)
		kprintf("%s %s: number %u on %s, %02x:%02x:%02x:%02x:%02x:%02x, MTU %u%s\n",
			p->vm->name, p->desc->name, p->desc->number, p->desc->subnet, a[0], a[1],
			a[2], a[3], a[4], a[5], p->desc->mtu,
			p->desc->any_source ? ", any source" : "");
	else
		kprintf("uplink on %s, MTU %u\n", p->desc->subnet, p->desc->mtu);
	show_way("sent", p, PORT_SENT, PORT_SENT_BYTES, PORT_SENT_PASSED);
	show_way("received", p, PORT_RECEIVED, PORT_RECEIVED_BYTES, PORT_RECEIVED_PASSED);
	show_drops(p);
}

COMMAND(net, "",
	"network ports of VMs: frames, remapped or copied or why dropped, and what they were since the last look")
{
	const struct port *p;

	(void)argc, (void)argv;
	for (u32 n = 0; (p = port_number(n)); n++) {
		show_port(p);
		show_rate(p, &looks[n]);
	}
	if (!port_number(0))
		kprintf("no VM has a network port: configs/README.md says how to describe one\n");
}
