/* SPDX-License-Identifier: MIT */
/* The switch: which ports there are, and who gets a frame. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/subnet/subnet.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"

/* What it costs to find a port, and a part of a frame at its sender or at a receiver, as bytes of the budget. */
#define LOOK_BYTES 64
#define PART_BYTES 512

static struct port *ports[PORTS_MAX]; /* fixed after boot */
static u32 nports;

void port_add(struct port *port)
{
	if (nports == PORTS_MAX)
		panic("more than %u network ports", PORTS_MAX);
	port->index = nports;
	ports[nports++] = port;
}

static bool on_one_subnet(const struct port *a, const struct port *b)
{
	return a->desc->subnet_number == b->desc->subnet_number;
}

struct port *port_number(u32 n) { return n < nports ? ports[n] : NULL; }

u32 port_names(const struct port *port, char names[NAMES_BYTES])
{
	u32 bytes = 0;

	for (u32 i = 0; i < nports; i++) {
		const char *label;

		if (!ports[i]->vm || !on_one_subnet(ports[i], port))
			continue;
		label = ports[i]->vm->desc->label;
		memcpy(names + bytes, label, strlen(label) + 1);
		bytes += strlen(label) + 1;
	}
	return bytes;
}

/* ---- sending ---- */

static const u8 *destination(const struct frame *f) { return f->header; }
static const u8 *source(const struct frame *f) { return f->header + NET_ADDRESS_BYTES; }

static bool same_address(const u8 *a, const u8 *b) { return !memcmp(a, b, NET_ADDRESS_BYTES); }

/* Bit 0 of the first byte: an address of several ports, or of all. */
static bool is_group(const struct frame *f) { return destination(f)[0] & 1; }

/* A VM's port on the sender's subnet has the address. */
static bool is_known(const struct port *port, const u8 *address)
{
	for (u32 i = 0; i < nports; i++)
		if (ports[i]->vm && on_one_subnet(ports[i], port) &&
		    same_address(address, ports[i]->desc->address))
			return true;
	return false;
}

/* Whether the port may send from the frame's address: from outside comes nothing in a VM's name. */
static bool may_be_source(const struct port *port, const struct frame *f)
{
	if (!port->vm)
		return !is_known(port, source(f));
	return port->desc->any_source || same_address(source(f), port->desc->address);
}

/* The sender's own rules: PORT_SENT, or what is wrong. */
static enum port_count look(const struct port *port, const struct frame *f)
{
	if (f->bytes > port->desc->mtu + FRAME_HEADER)
		return PORT_TOO_LONG;
	if (!may_be_source(port, f))
		return PORT_FALSE;
	return PORT_SENT;
}

/* A port that may send from any address may have others behind it: it gets what nobody else has. */
static bool is_for(const struct port *port, const struct port *to, const struct frame *f)
{
	if (to == port || !on_one_subnet(to, port))
		return false;
	return is_group(f) || same_address(destination(f), to->desc->address) ||
	       (to->desc->any_source && !is_known(port, destination(f)));
}

static void pay(u32 *budget, u64 bytes) { *budget -= MIN((u64)*budget, bytes); }

static void send_to(struct port *port, struct port *to, const struct frame *f)
{
	enum port_count what = PORT_TOO_LONG;

	if (f->bytes <= to->desc->mtu + FRAME_HEADER)
		what = TEXT_HERE(to->receive)(to, f);
	if (what == PORT_SENT) {
		port->got = true;
		port->passed = *f->passed;
	} else if (what != PORT_NOBODY || !is_group(f)) {
		port->count[what]++;
	}
	port->tried = true;
}

/* The frame has been everywhere. */
static void count_sent(struct port *port, const struct frame *f)
{
	if (port->got) {
		port->count[PORT_SENT]++;
		port->count[PORT_SENT_BYTES] += f->bytes;
		port->count[PORT_SENT_PASSED] += port->passed;
	} else if (!port->tried && !is_group(f)) {
		port->count[PORT_NOBODY]++;
	}
}

static bool send_part(struct port *port, struct frame *frame, u32 *budget)
{
	if (port->next == 0) {
		enum port_count what = look(port, frame);

		port->got = port->tried = false;
		frame->sender = port->index;
		if (!is_group(frame)) /* what goes to many is copied */
			frame_find_pages(frame, &port->habit);
		pay(budget, LOOK_BYTES);
		if (what != PORT_SENT) {
			port->count[what]++;
			return true;
		}
	}
	for (; port->next < nports; port->next++) {
		struct port *to = ports[port->next];

		if (!is_for(port, to, frame))
			continue;
		if (!*budget)
			return false;
		send_to(port, to, frame);
		pay(budget, frame->bytes + (u64)*frame->pieces * PART_BYTES);
	}
	count_sent(port, frame);
	port->next = 0;
	return true;
}

bool port_send(struct port *port, struct frame *frame, u32 *budget)
{
	bool done = send_part(port, frame, budget);

	if (done)
		pay(budget, (u64)frame->nranges * PART_BYTES);
	return done;
}
