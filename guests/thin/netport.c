/* SPDX-License-Identifier: MIT */
/*
 * The VM's network ports as lwIP's interfaces. Frames that come are copied out of their buffers, which go back at once: what a program does
 * not read must not keep others' from coming. Frames that go are sent from where they lie; lwIP's buffers are let go when the device has
 * used them.
 *
 * A thread of each port waits for frames, and for the device to be done with some if it was not so at once. All but that wait
 * is under lwIP's lock.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/etharp.h>
#include <lwip/inet.h>
#include <lwip/netif.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>

#include "guests/lib/net.h"
#include "guests/thin/network.h"
#include "guests/thin/thin.h"
#include "guests/thin/virtio.h"

#define BUFFER	       4096u
#define SHIFT	       64u /* no buffer begins with a page: see begin_buffers() */
#define STACK	       32768
#define MTU_MOST       (TCP_MSS + 40)
#define FRAME_MOST     0xffffu /* what lwIP can say */
#define FRAMES_AT_ONCE 32

struct port {
	struct netif netif;
	struct virtio_device device;
	bool started;
	volatile u32 rings;
	u8 (*buffer)[BUFFER];
	u16 seen, sent;			   /* used buffers that were looked at */
	u16 room[VIRTIO_SIZE], rooms;	   /* descriptors that are free for sending */
	struct pbuf *sending[VIRTIO_SIZE]; /* by their first descriptor */
	volatile struct virtio_queue receive, transmit;
};

static struct port ports[TREE_PORTS];
static const struct net_header plain; /* of every frame that goes: nothing is left for others to do */
static u32 started;

static void interrupt(void)
{
	for (u32 i = 0; i < TREE_PORTS; i++)
		if (ports[i].started)
			virtio_interrupt(&ports[i].device, &ports[i].rings);
}

/* ---- sending ---- */
static void reap(struct port *p)
{
	volatile struct virtio_queue *q = &p->transmit;

	for (; p->sent != q->used.index; p->sent++) {
		u16 i = (u16)q->used.ring[p->sent % VIRTIO_SIZE].id;

		pbuf_free(p->sending[i]);
		p->sending[i] = NULL;
		for (;; i = q->descriptor[i].next) {
			p->room[p->rooms++] = i;
			if (!(q->descriptor[i].flags & VIRTIO_NEXT))
				break;
		}
	}
}

/* The device is to say when it has used what it has now; unless it has. */
static void ask_for_end(struct port *p)
{
	p->transmit.available.flags = 0;
	barrier_sync();
	reap(p);
	if (p->rooms == VIRTIO_SIZE)
		p->transmit.available.flags = VIRTIO_NO_INTERRUPT;
}

static void queue_frame(struct port *p, struct pbuf *frame)
{
	volatile struct virtio_queue *q = &p->transmit;
	u16 first = p->room[--p->rooms], i = first;

	p->sending[first] = frame;
	virtio_describe(q, i, &plain, sizeof(plain), VIRTIO_NEXT, 0);
	for (struct pbuf *part = frame; part; part = part->next) {
		u16 next = p->room[--p->rooms];

		q->descriptor[i].next = next;
		virtio_describe(q, next, part->payload, part->len, part->next ? VIRTIO_NEXT : 0, 0);
		i = next;
	}
	virtio_offer(q, first);
}

static bool must_be_copied(const struct pbuf *frame)
{
	u32 parts = 0;

	for (; frame; frame = frame->next, parts++)
		if (PBUF_NEEDS_COPY(frame) || !frame->len)
			return true;
	return parts >= VIRTIO_SIZE / 2;
}

static err_t output(struct netif *netif, struct pbuf *frame)
{
	struct port *p = netif->state;

	if (must_be_copied(frame))
		frame = pbuf_clone(PBUF_RAW, PBUF_RAM, frame);
	else
		pbuf_ref(frame);
	if (!frame)
		return ERR_MEM;
	reap(p);
	while (p->rooms <= pbuf_clen(frame)) {
		virtio_sleep(&p->transmit, p->sent, &p->rings);
		reap(p);
	}
	queue_frame(p, frame);
	virtio_notify(&p->device, NET_TRANSMIT);
	ask_for_end(p);
	return ERR_OK;
}

/* ---- receiving ---- */
static void offer(struct port *p, u32 buffer)
{
	virtio_describe(&p->receive, buffer, p->buffer[buffer], BUFFER, VIRTIO_WRITE, 0);
	virtio_offer(&p->receive, (u16)buffer);
}

/* The next frame, without its header, or NULL: there is no memory, or it is longer than lwIP can say. Its buffers are given back. */
static struct pbuf *take_frame(struct port *p)
{
	volatile struct virtio_queue *q = &p->receive;
	const struct net_header *h =
		(const void *)p->buffer[q->used.ring[p->seen % VIRTIO_SIZE].id];
	u32 buffers = h->buffers, bytes = 0, skip = sizeof(*h), at = 0;
	struct pbuf *frame;

	for (u32 i = 0; i < buffers; i++)
		bytes += q->used.ring[(p->seen + i) % VIRTIO_SIZE].bytes;
	bytes -= skip;
	frame = bytes <= FRAME_MOST ? pbuf_alloc(PBUF_RAW, (u16)bytes, PBUF_RAM) : NULL;
	for (u32 i = 0; i < buffers; i++, p->seen++, skip = 0) {
		u32 id = q->used.ring[p->seen % VIRTIO_SIZE].id,
		    n = q->used.ring[p->seen % VIRTIO_SIZE].bytes - skip;

		if (frame)
			memcpy((u8 *)frame->payload + at, p->buffer[id] + skip, n);
		at += n;
		offer(p, id);
	}
	return frame;
}

static void receive(struct port *p)
{
	for (u32 i = 0; i < FRAMES_AT_ONCE && p->seen != p->receive.used.index; i++) {
		struct pbuf *frame;

		barrier_sync();
		frame = take_frame(p);
		if (frame && ethernet_input(frame, &p->netif) != ERR_OK)
			pbuf_free(frame);
	}
}

static void serve(void *arg)
{
	struct port *p = arg;

	for (;;) {
		u32 before = p->rings;

		LOCK_TCPIP_CORE();
		receive(p);
		ask_for_end(p);
		UNLOCK_TCPIP_CORE();
		if (p->seen != p->receive.used.index) {
			sched_yield(); /* others run, too, however much comes */
			continue;
		}
		p->receive.available.flags = 0;
		barrier_sync();
		if (p->seen == p->receive.used.index)
			futex_wait(&p->rings, before, THIN_FOREVER);
		p->receive.available.flags = VIRTIO_NO_INTERRUPT;
	}
}

/* ---- the beginning ---- */
static err_t begin_netif(struct netif *netif)
{
	struct port *p = netif->state;
	u16 mtu = *(volatile u16 *)(p->device.registers + VIRTIO_CONFIG + 10);

	netif->name[0] = 'e';
	netif->name[1] = 't';
	netif->mtu = MIN(mtu, MTU_MOST);
	netif->hwaddr_len = NET_ADDRESS;
	for (u32 i = 0; i < NET_ADDRESS; i++)
		netif->hwaddr[i] = p->device.registers[VIRTIO_CONFIG + i];
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET |
		       NETIF_FLAG_LINK_UP;
	netif->output = etharp_output;
	netif->linkoutput = output;
	return ERR_OK;
}

/*
 * Frames are copied out of their buffers, so that whole pages of their senders (docs/guest-abi.md, Devices with registers) would be of no use
 * behind them. They would cost: a frame with such pages takes more buffers, and each side has a copy when it writes them again.
 */
static bool begin_buffers(struct port *p)
{
	u8 *memory = aligned_alloc(BUFFER, (size_t)VIRTIO_SIZE * BUFFER + SHIFT);

	if (!memory)
		return false;
	p->buffer = (u8(*)[BUFFER])(memory + SHIFT);
	return true;
}

static bool start_device(struct port *p, u32 n)
{
	if (!virtio_nth(NET_ID, n, &p->device))
		return false;
	if (!begin_buffers(p) || !virtio_begin(&p->device, NET_MERGEABLE | NET_GUEST_CSUM))
		return false;
	virtio_set_up(&p->device, NET_RECEIVE, &p->receive);
	virtio_set_up(&p->device, NET_TRANSMIT, &p->transmit);
	p->receive.available.flags = p->transmit.available.flags = VIRTIO_NO_INTERRUPT;
	for (u32 i = 0; i < VIRTIO_SIZE; i++) {
		p->room[p->rooms++] = (u16)i;
		offer(p, i);
	}
	p->started = true;
	sched_on_line(DISCO_IRQ_NET, interrupt);
	virtio_go(&p->device);
	return true;
}

static u32 address_of(const struct tree_port *t, u32 number)
{
	return 10u << 24 | t->subnet << 16 | number;
}

static void begin_port(u32 n)
{
	const struct tree_port *t = &tree.port[n];
	struct port *p = &ports[n];
	ip4_addr_t address, mask, none = { 0 };
	u32 number = 0;

	while (number < t->names && strcmp(t->name[number], tree.label))
		number++;
	if (!start_device(p, n)) {
		say("network port %u: found no device, or no memory for its buffers", n);
		return;
	}
	address.addr = lwip_htonl(address_of(t, number + 1));
	mask.addr = lwip_htonl(0xffffff00);
	netif_add(&p->netif, &address, &mask, &none, p, begin_netif, ethernet_input);
	netif_set_up(&p->netif);
	started++;
	sys_thread_new("port", serve, p, STACK, 0);
}

static void begin_ports(void *done)
{
	for (u32 i = 0; i < tree.ports; i++)
		begin_port(i);
	sys_sem_signal(done);
}

static void begin(void)
{
	sys_sem_t done;

	sys_sem_new(&done, 0);
	tcpip_init(begin_ports, &done);
	sys_arch_sem_wait(&done, 0);
}

void network_begin(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, begin);
}

int thin_lwip_resolve(const char *name, struct ip4_addr *address, signed char *error)
{
	*error = ERR_OK;
	network_begin();
	address->addr = PP_HTONL(INADDR_LOOPBACK);
	if (!strcmp(name, "localhost"))
		return 1;
	for (u32 i = 0; i < tree.ports; i++)
		for (u32 k = 0; k < tree.port[i].names; k++)
			if (!strcmp(name, tree.port[i].name[k])) {
				address->addr = lwip_htonl(address_of(&tree.port[i], k + 1));
				return 1;
			}
	return 0;
}

u32 network_ports(void) { return started; }

const char *network_name_of(u32 address)
{
	if (address == INADDR_LOOPBACK)
		return "localhost";
	for (u32 i = 0; i < tree.ports; i++)
		for (u32 k = 0; k < tree.port[i].names; k++)
			if (address == address_of(&tree.port[i], k + 1))
				return tree.port[i].name[k];
	return NULL;
}
