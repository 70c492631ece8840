/* SPDX-License-Identifier: MIT */
/*
 * Rule: a frame comes whole, once and to whom it is for, or is dropped; whatever a driver does to either queue,
 * the device goes on or wants a reset, and no other VM notices. virtio 1.2, section 5.1; docs/guest-abi.md.
 *
 * Method: with role=1 it sends every frame back to where it came from, as often as the frame says; so the
 * other one holds what it sends against what comes. Frames that must be dropped are followed by one that
 * must not: that, and nothing else, comes back. How many were dropped for which reason is the runner's to
 * look at (test_net.py).
 *
 * Needs: memory=8
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/test.h"

#define SECOND	 166666667u	/* of Count */
#define SOON	 (10u * SECOND) /* what is sure to come */
#define QUIET	 (SECOND / 8)	/* nothing comes any more */
#define PROTOCOL 0x88
/* A frame behind its header: what to do with it, how often, and a number */
#define AT_TIMES  NET_HEADER
#define AT_NUMBER (NET_HEADER + 1)
#define BODY	  (NET_HEADER + 5)
#define VM_RESETS 255 /* in place of times: the peer starts anew */

static struct net net;
static struct net_header none, got_header;
static u8 frame[NET_FRAME_MAX], got[NET_BUFFERS * 4096];
static u8 peer[NET_ADDRESS];
static u64 state;
static u32 number;

static u32 below(u32 n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(state >> 33) % n;
}

static void start(u64 features) { check(net_begin(&net, features), "the device refuses"); }
static u32 status(void) { return virtio_get(&net.d, VIRTIO_STATUS); }

static void make(u32 bytes, u8 times)
{
	memcpy(frame, peer, NET_ADDRESS);
	memcpy(frame + NET_ADDRESS, net.address, NET_ADDRESS);
	frame[12] = frame[13] = PROTOCOL;
	number++;
	for (u32 i = NET_HEADER; i < bytes; i++)
		frame[i] = below(256);
	frame[AT_TIMES] = times;
	memcpy(frame + AT_NUMBER, &number, sizeof(number));
}

/* The frame comes back, with the addresses the other way round. */
static void comes_back(const char *what, u32 bytes)
{
	s64 n = net_receive(&net, &got_header, got, SOON, true);

	check(n == bytes, "%s: %ld bytes came back of %u", what, (long)n, bytes);
	check(!memcmp(got + NET_HEADER, frame + NET_HEADER, bytes - NET_HEADER),
	      "%s: another content came back", what);
	check(!memcmp(got, net.address, NET_ADDRESS) &&
		      !memcmp(got + NET_ADDRESS, peer, NET_ADDRESS),
	      "%s: other addresses came back", what);
	check(!got_header.flags && !got_header.gso_type, "%s: flags %x", what, got_header.flags);
}

static void echo(const char *what, u32 bytes, u32 parts)
{
	make(bytes, 1);
	check(net_send(&net, &none, frame, bytes, parts), "%s: it is not given back", what);
	comes_back(what, bytes);
}

/* What the peer still sends: until it has come to a frame of now. */
static void pass_over(void)
{
	u32 came = 0;

	for (u32 i = 0; i < 100 && came != number; i++) { /* it may find no buffer among those */
		make(BODY, 1);
		check(net_send(&net, &none, frame, BODY, 1), "not given back");
		while (came != number && net_receive(&net, &got_header, got, QUIET, true) >= 0)
			memcpy(&came, got + AT_NUMBER, sizeof(came));
	}
	check_eq("a frame of now", came, number);
}

static void works(const char *what)
{
	start(0);
	echo(what, BODY + below(100), 1);
}

static void find_peer(void)
{
	s64 n = -1;

	start(0);
	for (u32 i = 0; i < 100 && n < 0; i++) { /* it may not be there yet */
		memset(peer, 0xff, NET_ADDRESS);
		make(BODY, 1);
		net_send(&net, &none, frame, BODY, 1);
		n = net_receive(&net, &got_header, got, QUIET, true);
	}
	check_eq("the peer answers", n, BODY);
	memcpy(peer, got + NET_ADDRESS, NET_ADDRESS);
	while (net_receive(&net, &got_header, got, QUIET, true) >= 0)
		continue; /* it may have come up in the middle */
}

static void sizes(void)
{
	start(0);
	for (u32 i = 0; i < 150; i++)
		echo("random size", BODY + below(net.mtu + NET_HEADER - BODY + 1), 1 + below(12));
	echo("the longest", net.mtu + NET_HEADER, 1);
	echo("the longest in parts", net.mtu + NET_HEADER, 16);
}

/* ---- frames that nobody gets; test_net.py knows the numbers ---- */

static void sent_in_vain(const char *what, const struct net_header *h, u32 bytes)
{
	check(net_send(&net, h, frame, bytes, 1), "%s: it is not given back", what);
	echo(what, BODY, 1);
}

static void drops(void)
{
	static const struct net_header bad[] = {
		{ .flags = NET_NEEDS_CSUM, .checksum_start = 14, .checksum_offset = 45 },
		{ .flags = NET_NEEDS_CSUM, .checksum_start = 60, .checksum_offset = 0xffff },
		{ .flags = NET_NEEDS_CSUM, .checksum_start = 0xffff, .checksum_offset = 0xffff },
		{ .flags = NET_NEEDS_CSUM, .checksum_start = 0, .checksum_offset = 20 },
		{ .gso_type = 1, .gso_bytes = 100 },
		{ .gso_type = 0x80 },
	};

	start(0);
	for (u32 bytes = 0; bytes < NET_HEADER; bytes++) { /* 14 malformed */
		make(60, 1);
		sent_in_vain("runt", &none, bytes);
	}
	start(NET_CSUM);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) { /* 6 malformed */
		make(60, 1);
		sent_in_vain("header", &bad[i], 60);
	}
	start(0);
	make(60, 1);
	sent_in_vain("checksum not negotiated", /* 1 malformed */
		     &(struct net_header){ .flags = 1, .checksum_start = 20, .checksum_offset = 2 },
		     60);
	make(net.mtu + NET_HEADER + 1, 1); /* 2 too long */
	sent_in_vain("giant", &none, net.mtu + NET_HEADER + 1);
	make(NET_FRAME_MAX, 1);
	sent_in_vain("giant", &none, NET_FRAME_MAX);
	for (u32 i = 0; i < NET_ADDRESS; i++) { /* 7 false */
		make(60, 1);
		frame[NET_ADDRESS + i] ^= 1u << i;
		sent_in_vain("false source", &none, 60);
	}
	make(60, 1);
	memcpy(frame + NET_ADDRESS, peer, NET_ADDRESS);
	sent_in_vain("the peer's own address", &none, 60);
	for (u32 i = 0; i < NET_ADDRESS; i++) { /* 6 to nobody */
		make(60, 1);
		frame[i] ^= 4u << i % 4;
		sent_in_vain("address of nobody", &none, 60);
	}
}

/* ---- checksums ---- */

/* The peer has not accepted packets without: it gets the sum, and sends it back. */
static void checksum(void)
{
	start(NET_CSUM);
	for (u32 i = 0; i < 50; i++) {
		u32 bytes = 64 + below(5000), first = 20 + below(20), at = first + below(20);
		struct net_header h = { .flags = NET_NEEDS_CSUM,
					.checksum_start = first,
					.checksum_offset = at - first };
		u32 sum = 0;

		make(bytes, 1);
		check(net_send(&net, &h, frame, bytes, 1 + below(8)), "not given back");
		for (u32 k = first; k < bytes; k++)
			sum += (k - first) & 1 ? frame[k] : frame[k] << 8;
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		sum = sum == 0xffff ? 0xffff : ~sum & 0xffff;
		frame[at] = sum >> 8;
		frame[at + 1] = sum;
		comes_back("checksum", bytes);
	}
}

/* ---- buffers ---- */

/* 40 frames for 16 buffers: 16 come, 24 the peer counts as dropped; then all goes on. */
static void too_few_buffers(void)
{
	u32 came = 0;

	start(0);
	make(BODY, 40);
	check(net_send(&net, &none, frame, BODY, 1), "not given back");
	while (net_receive(&net, &got_header, got, came < NET_BUFFERS ? SOON : QUIET, false) >= 0)
		came++;
	check_eq("as many as there were buffers", came, NET_BUFFERS);
	for (u32 i = 0; i < NET_BUFFERS - 1; i++)
		net_offer(&net, i);
	echo("with buffers again", BODY, 1);
}

/* Three of a page do not hold what needs four, and are there for the next. */
static void not_for_half_a_frame(void)
{
	start(0);
	for (u32 i = 0; i < NET_BUFFERS - 3; i++) {
		make(BODY, 1);
		check(net_send(&net, &none, frame, BODY, 1), "not given back");
		net_receive(&net, &got_header, got, SOON, false);
	}
	make(net.mtu + NET_HEADER, 1);
	check(net.mtu > 4 * 4096 - 2000, "an MTU of %u", net.mtu);
	check(net_send(&net, &none, frame, net.mtu + NET_HEADER, 1), "not given back");
	check_eq("nothing of it", net_receive(&net, &got_header, got, QUIET, true), -1);
	echo("what fits", BODY, 1);
	echo("and once more", 3 * 4096 - 100, 1);
}

static void wants_reset(const char *what)
{
	u32 begin = cp0_read_count();

	while (!(status() & VIRTIO_NEEDS_RESET) && cp0_read_count() - begin < SOON)
		continue;
	check(status() & VIRTIO_NEEDS_RESET, "%s: status %x", what, status());
	works(what);
}

static void malformed(void)
{
	start(0);
	net.receive.descriptor[0].flags = 0;
	make(BODY, 1);
	net_send(&net, &none, frame, BODY, 1);
	wants_reset("a receive buffer to read");
	start(0);
	net.receive.descriptor[0].address = ~0ul - 100;
	make(BODY, 1);
	net_send(&net, &none, frame, BODY, 1);
	wants_reset("a receive buffer outside memory");
	start(0);
	net.receive.available.index += 1000;
	make(BODY, 1);
	net_send(&net, &none, frame, BODY, 1);
	wants_reset("an index that jumps");
	start(0);
	check(virtio_request(&net.d, NET_TRANSMIT, &net.transmit, net.out, 11, 0) < 0, "answered");
	wants_reset("less than a header");
	start(0);
	check(virtio_request(&net.d, NET_TRANSMIT, &net.transmit, net.out, 100, VIRTIO_WRITE) < 0,
	      "answered");
	wants_reset("a frame to write");
}

/* ---- ends in the middle ---- */

static void reset_in_the_middle(void)
{
	for (u32 i = 0; i < 200; i++) {
		start(0);
		make(net.mtu + NET_HEADER, 3);
		net_queue(&net, &none, frame, net.mtu + NET_HEADER, 1 + below(16));
		for (u32 k = below(3000); k; k--)
			__sync_synchronize();
	}
	virtio_put(&net.d, VIRTIO_STATUS, 0);
	start(0);
	pass_over();
	echo("after resets", BODY, 1);
}

/* The peer starts anew while frames are on their way to it: they are dropped or come, and then it is there. */
static void peer_resets_in_the_middle(void)
{
	s64 n = -1;

	start(0);
	make(BODY, VM_RESETS);
	check(net_send(&net, &none, frame, BODY, 1), "not given back");
	for (u32 i = 0; i < 500; i++) {
		make(net.mtu + NET_HEADER, 0);
		check(net_send(&net, &none, frame, net.mtu + NET_HEADER, 1), "not given back");
	}
	for (u32 i = 0; i < 100 && n < 0; i++) {
		make(BODY, 1);
		net_send(&net, &none, frame, BODY, 1);
		n = net_receive(&net, &got_header, got, QUIET, true);
	}
	check_eq("the peer is back", n, BODY);
}

/* ---- the other side ---- */

static _Noreturn void be_the_peer(void)
{
	start(0);
	print("the peer is up\n");
	for (;;) {
		s64 n = net_receive(&net, &got_header, got, SOON, true);

		if (n < BODY)
			continue;
		if (got[AT_TIMES] == VM_RESETS)
			hypercall(DISCO_HC_RESET, 0, 0);
		memcpy(got, got + NET_ADDRESS, NET_ADDRESS);
		memcpy(got + NET_ADDRESS, net.address, NET_ADDRESS);
		for (u32 i = 0; i < got[AT_TIMES]; i++)
			net_send(&net, &none, got, n, 1);
	}
}

int main(void)
{
	need_monitor();
	if (guest_number("role=", 0))
		be_the_peer();
	state = guest_seed(1);
	find_peer();
	sizes();
	drops();
	checksum();
	too_few_buffers();
	not_for_half_a_frame();
	malformed();
	reset_in_the_middle();
	peer_resets_in_the_middle();
	works("the end");
	return verdict();
}
