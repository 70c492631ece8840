/* SPDX-License-Identifier: MIT */
/*
 * Rule: among any number of VMs that all send to each other, every frame that comes is one that was sent, byte for
 * byte, however its parts lay in memory and in whatever buffers it came; its checksum is right or left to the
 * receiver; and what is written afterwards by one of them is seen by no other. docs/guest-abi.md.
 *
 * Method: frames of random parts, whole pages and pieces of pages, at random places, some to all. Each says what its
 * parts are: a page is a sequence that its seed gives, and the sender gives a page another seed as soon as
 * it is sent. The receiver makes the same bytes and compares; it keeps some frames, compares once more later, and then
 * writes to them. It says "enough" when it has had so many from each of `peers` others, and goes on for ever.
 * skip=N: its receive buffers begin N bytes behind a page's; sums=1: it takes frames without a checksum.
 *
 * Needs: memory=8
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/test.h"

#define ENOUGH	 12
#define PEERS	 16
#define PAGES	 12
#define PARTS	 6
#define WORDS	 (PAGE_SIZE / sizeof(u64))
#define PROTOCOL 0x89
#define KEPT_FOR 8	   /* frames */
#define NAP	 10000000u /* Count: 60 ms */
#define BYTES	 (PARTS * PAGE_SIZE + sizeof(struct head))

struct piece {
	u64 seed;
	u32 offset, bytes; /* of the page that the seed gives */
} __attribute__((packed));

struct head {
	u8 to[NET_ADDRESS], from[NET_ADDRESS], protocol[2];
	u16 pieces, sum_start, sum_at; /* of the frame; sum_at 0: no checksum */
	struct piece piece[PARTS];
} __attribute__((packed));

static struct net net;
static volatile u64 page[PAGES][WORDS] __attribute__((aligned(PAGE_SIZE)));
static u64 seed[PAGES];
static u8 out[2 * PAGE_SIZE], got[BYTES + sizeof(struct net_header)];
static struct {
	u8 address[NET_ADDRESS];
	u32 came;
} peer[PEERS];
static u32 npeers;
static struct {
	struct net_part part[NET_BUFFERS];
	u32 parts, age;
} kept;
static u64 state;
static bool takes_sums;

static u64 next(void)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return state ^ state >> 29;
}

static u32 below(u32 n) { return (u32)(next() >> 20) % n; }

static u64 word(u64 from, u32 i) { return from + i * 0x9e3779b97f4a7c15ul; }

/* ---- sending ---- */

/* A page that nobody else has written, has something new in it. */
static void renew(u32 i)
{
	for (u32 k = 0; k < WORDS; k++)
		if (page[i][k] != word(seed[i], k)) {
			check(false, "page %u of the sender: word %u is another", i, k);
			break;
		}
	seed[i] = next();
	for (u32 k = 0; k < WORDS; k++)
		page[i][k] = word(seed[i], k);
}

/* The piece, and where it is; one that continues the last in memory may be in one part with it. */
static u32 add_piece(struct head *h, struct net_part *part, u32 parts)
{
	struct piece *piece = &h->piece[h->pieces++];
	u32 i = below(PAGES), whole = below(3);
	volatile u8 *end = part[parts - 1].at + part[parts - 1].bytes;

	if (below(2) && end > (u8 *)page && end < (u8 *)page + sizeof(page))
		i = (end - (u8 *)page) /
		    PAGE_SIZE; /* the neighbour, or some more of the same page */
	piece->seed = seed[i];
	piece->offset = whole ? 0 : below(PAGE_SIZE);
	piece->bytes = whole ? PAGE_SIZE : 1 + below(PAGE_SIZE - piece->offset);
	if (parts > 1 && end == (u8 *)page[i] + piece->offset) {
		part[parts - 1].bytes += piece->bytes;
		return parts;
	}
	part[parts] = (struct net_part){ (u8 *)page[i] + piece->offset, piece->bytes };
	return parts + 1;
}

/* Left to the device, as often as not: somewhere behind the head. */
static void want_sum(struct head *h, struct net_header *n, u32 bytes)
{
	u32 data = bytes - sizeof(*h);

	if (data < 2 || below(2))
		return;
	h->sum_start = sizeof(*h) + below(data - 1);
	h->sum_at = h->sum_start + below(bytes - h->sum_start - 1);
	n->flags = NET_NEEDS_CSUM;
	n->checksum_start = h->sum_start;
	n->checksum_offset = h->sum_at - h->sum_start;
}

static void send(void)
{
	u32 to = below(npeers + 1), parts = 1, bytes = sizeof(struct head);
	u8 *at = out + below(PAGE_SIZE);
	struct net_header n = { 0 };
	struct head h = { .protocol = { PROTOCOL, PROTOCOL } };
	struct net_part part[1 + PARTS] = { { at, sizeof(n) + sizeof(h) } };

	memset(h.to, 0xff, NET_ADDRESS);
	if (to < npeers)
		memcpy(h.to, peer[to].address, NET_ADDRESS);
	memcpy(h.from, net.address, NET_ADDRESS);
	for (u32 left = below(PARTS + 1); left; left--)
		parts = add_piece(&h, part, parts);
	for (u32 i = 0; i < h.pieces; i++)
		bytes += h.piece[i].bytes;
	want_sum(&h, &n, bytes);
	memcpy(at, &n, sizeof(n));
	memcpy(at + sizeof(n), &h, sizeof(h));
	net_queue_parts(&net, part, parts);
	check(net_is_sent(&net), "a frame is not given back");
	for (u32 i = below(4); i; i--)
		renew(below(PAGES));
}

/* ---- receiving ---- */

static u32 gather(const struct net_part *part, u32 parts)
{
	u32 bytes = 0;

	for (u32 i = 0; i < parts; bytes += part[i++].bytes)
		if (bytes + part[i].bytes <= sizeof(got))
			memcpy(got + bytes, (u8 *)part[i].at, part[i].bytes);
	return bytes;
}

static u8 byte_of(const struct piece *p, u32 i)
{
	u32 at = p->offset + i;

	return word(p->seed, at / 8) >> at % 8 * 8;
}

/* What stood at bytes [at, at + 2) of the frame when it was sent goes there again, in place of the sum. */
static void undo_sum(const struct head *h, u8 *frame)
{
	u32 first = sizeof(*h);

	for (u32 i = 0; i < h->pieces; first += h->piece[i++].bytes)
		for (u32 at = h->sum_at; at < h->sum_at + 2u; at++)
			if (at >= first && at < first + h->piece[i].bytes)
				frame[at] = byte_of(&h->piece[i], at - first);
}

static void check_sum(const struct head *h, u8 *frame, u32 bytes)
{
	const struct net_header *n = (const struct net_header *)got;
	u32 sum = 0, found = frame[h->sum_at] << 8 | frame[h->sum_at + 1];

	if (n->flags) {
		check(takes_sums && n->flags == NET_NEEDS_CSUM &&
			      n->checksum_start == h->sum_start &&
			      n->checksum_offset == h->sum_at - h->sum_start,
		      "a header of flags %x", n->flags);
		return;
	}
	undo_sum(h, frame);
	for (u32 i = h->sum_start; i < bytes; i++)
		sum += (i - h->sum_start) & 1 ? frame[i] : frame[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = sum == 0xffff ? 0xffff : ~sum & 0xffff;
	check(found == sum, "a sum of %x, wanted %x", found, sum);
}

/* The frame in `got` is what its head says; false: it is not even that. */
static bool compare(u32 total)
{
	u32 bytes = total - sizeof(struct net_header), at = sizeof(struct head);
	u8 *frame = got + sizeof(struct net_header);
	struct head h;

	memcpy(&h, frame, sizeof(h));
	if (total < sizeof(struct net_header) + sizeof(h) || total > sizeof(got) ||
	    h.protocol[0] != PROTOCOL || h.pieces > PARTS)
		return check(false, "a frame of %u bytes that nobody sends", total);
	if (h.sum_at)
		check_sum(&h, frame, bytes);
	for (u32 i = 0; i < h.pieces; at += h.piece[i++].bytes)
		for (u32 k = 0; k < h.piece[i].bytes; k++)
			if (frame[at + k] != byte_of(&h.piece[i], k))
				return check(false, "byte %u of %u, piece %u, is another", at + k,
					     bytes, i);
	return check_eq("bytes", bytes, at);
}

static void offer_all(const struct net_part *part, u32 parts)
{
	for (u32 i = 0; i < parts; i++)
		net_offer(&net, net_buffer(&net, &part[i]));
}

/* Kept for a while, compared again, and written to. */
static void keep(const struct net_part *part, u32 parts)
{
	if (kept.parts && kept.age++ == KEPT_FOR) {
		compare(gather(kept.part, kept.parts));
		for (u32 i = 0; i < kept.parts; i++)
			memset((void *)kept.part[i].at, 0xdb, kept.part[i].bytes);
		offer_all(kept.part, kept.parts);
		kept.parts = 0;
	}
	if (kept.parts || below(4)) {
		offer_all(part, parts);
		return;
	}
	memcpy(kept.part, part, sizeof(kept.part));
	kept.parts = parts;
	kept.age = 0;
}

static void count(const u8 *from)
{
	u32 i = 0;

	while (i < npeers && memcmp(peer[i].address, from, NET_ADDRESS))
		i++;
	if (i == PEERS)
		return;
	if (i == npeers)
		memcpy(peer[npeers++].address, from, NET_ADDRESS);
	peer[i].came++;
}

static bool has_enough(u32 peers)
{
	u32 full = 0;

	for (u32 i = 0; i < npeers; i++)
		full += peer[i].came >= ENOUGH;
	return full >= peers;
}

static void receive(void)
{
	struct net_part part[NET_BUFFERS];
	u32 parts;

	while ((parts = net_receive_parts(&net, part, 0))) {
		if (compare(gather(part, parts)))
			count(((struct head *)(got + sizeof(struct net_header)))->from);
		keep(part, parts);
	}
}

/* Nobody looks at its buffers meanwhile. */
static void nap(void)
{
	u32 start = cp0_read_count();

	while (cp0_read_count() - start < NAP)
		hypercall(DISCO_HC_YIELD, 0, 0);
}

int main(void)
{
	u32 peers = guest_number("peers=", 1);
	bool told = false;

	need_monitor();
	state = guest_seed(1);
	net.skip = guest_number("skip=", 0);
	takes_sums = guest_number("sums=", 0);
	check(net_begin(&net, NET_CSUM | (takes_sums ? NET_GUEST_CSUM : 0)), "the device refuses");
	for (u32 i = 0; i < PAGES * WORDS; i++)
		page[i / WORDS][i % WORDS] = word(0, i % WORDS);
	for (;;) {
		send();
		receive();
		if (!below(256))
			nap();
		if (!told && has_enough(peers)) {
			told = true;
			print("enough from %u\n", npeers);
		}
	}
}
