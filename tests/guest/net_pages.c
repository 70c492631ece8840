/* SPDX-License-Identifier: MIT */
/*
 * Rule: a whole page in a frame is the receiver's as it was when it was sent, and the sender's as it is, whoever
 * writes it afterwards, and whatever becomes of the buffer. docs/guest-abi.md.
 *
 * Method: with role=1 it does what frames say: it holds their buffers, shows what is in those that it holds, by sending these
 * very pages, writes to them, or offers them again. The other one sends pages and rewrites them at once,
 * and compares what it is shown. How much was not copied is the runner's to look at (test_net.py).
 *
 * Needs: memory=8
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/test.h"

#define SECOND	 166666667u /* of Count */
#define SOON	 (20u * SECOND)
#define QUIET	 (SECOND / 8)
#define PROTOCOL 0x88
#define PAGES	 8
#define ROUNDS	 20
#define WORDS	 (PAGE_SIZE / sizeof(u64))

enum command { HOLD, SHOW, WRITE, OFFER, SHOWN };

/* What each frame begins with. */
struct head {
	struct net_header net;
	u8 to[NET_ADDRESS], from[NET_ADDRESS], protocol[2];
	u8 command, pages;
	u64 value; /* WRITE */
} __attribute__((packed));

static struct net net;
static struct head head;
static volatile u64 page[PAGES][WORDS] __attribute__((aligned(PAGE_SIZE)));
static struct net_part held[2 * NET_BUFFERS];
static u32 nheld;
static u64 state;

static u32 below(u32 n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(state >> 33) % n;
}

static void fill(volatile u64 *words, u64 value)
{
	for (u32 i = 0; i < WORDS; i++)
		words[i] = value + i;
}

static bool has(const volatile u64 *words, u64 value)
{
	for (u32 i = 0; i < WORDS; i++)
		if (words[i] != value + i)
			return false;
	return true;
}

static void offer_all(struct net_part *part, u32 n)
{
	for (u32 i = 0; i < n; i++)
		net_offer(&net, net_buffer(&net, &part[i]));
}

/* A frame: the command, and whole pages behind it. */
static void send(enum command command, u64 value, struct net_part *pages, u32 n)
{
	struct net_part part[VIRTIO_SIZE] = { { &head, sizeof(head) } };

	memcpy(head.from, net.address, NET_ADDRESS);
	head.protocol[0] = head.protocol[1] = PROTOCOL;
	head.command = command;
	head.pages = n;
	head.value = value;
	for (u32 i = 0; i < n; i++)
		part[1 + i] = (struct net_part){ pages[i].at, PAGE_SIZE };
	net_queue_parts(&net, part, 1 + n);
	check(net_is_sent(&net), "command %u with %u pages is not given back", command, n);
}

static void send_pages(u32 n)
{
	struct net_part part[PAGES];

	for (u32 i = 0; i < n; i++)
		part[i].at = page[i];
	send(HOLD, 0, part, n);
}

/* What the peer holds: n pages into part; the buffers are the caller's to offer. */
static void show(const char *what, struct net_part *part, u32 n)
{
	struct net_part all[NET_BUFFERS];
	u32 parts;

	send(SHOW, 0, NULL, 0);
	parts = net_receive_parts(&net, all, SOON);
	check_eq(text("%s: buffers", what), parts, n + 1);
	if (!parts)
		return;
	for (u32 i = 1; i < parts; i++) {
		check_eq(text("%s: bytes of page %u", what, i), all[i].bytes, PAGE_SIZE);
		part[i - 1] = all[i];
	}
	net_offer(&net, net_buffer(&net, &all[0]));
}

/* The peer offers what it holds, and has done it. */
static void peer_offers(void)
{
	send(OFFER, 0, NULL, 0);
	show("nothing", NULL, 0);
}

/* The peer holds n pages, the i-th with value + i * step in it; which it offers again. */
static void peer_has(const char *what, u32 n, u64 value, u64 step)
{
	struct net_part part[NET_BUFFERS];

	show(what, part, n);
	for (u32 i = 0; i < n; i++)
		check(has(part[i].at, value + i * step), "%s: page %u of %u is another", what, i,
		      n);
	offer_all(part, n);
	peer_offers();
}

static void fill_all(u64 value)
{
	for (u32 i = 0; i < PAGES; i++)
		fill(page[i], value + i * WORDS);
}

static void check_own(const char *what, u64 value)
{
	for (u32 i = 0; i < PAGES; i++)
		check(has(page[i], value + i * WORDS), "%s: the sender's page %u is another", what,
		      i);
}

/* ---- the rules ---- */

static void rewritten_at_once(void)
{
	for (u32 round = 1; round <= ROUNDS; round++) {
		u32 n = 1 + below(PAGES);

		fill_all(round << 20);
		send_pages(n);
		fill_all(round << 28);
		peer_has("rewritten", n, round << 20, WORDS);
		check_own("rewritten", round << 28);
	}
}

static void written_by_the_receiver(void)
{
	for (u32 round = 1; round <= ROUNDS; round++) {
		u32 n = 1 + below(PAGES);

		fill_all(round << 20);
		send_pages(n);
		send(WRITE, round << 28, NULL, 0);
		peer_has("written there", n, round << 28, 0);
		check_own("written there", round << 20);
	}
}

/* Its buffers are offered while they are shared: the next frames come into them. */
static void offered_while_shared(void)
{
	fill_all(1 << 20);
	for (u32 round = 1; round <= 2 * ROUNDS; round++) {
		u32 n = 1 + below(PAGES);

		send_pages(n);
		if (round % 2)
			peer_offers();
		else
			peer_has("offered", n, 1 << 20, WORDS);
		check_own("offered", 1 << 20);
	}
}

static void one_page_several_times(void)
{
	struct net_part part[PAGES];

	fill(page[0], 77);
	for (u32 i = 0; i < PAGES; i++)
		part[i].at = page[0];
	send(HOLD, 0, part, PAGES);
	fill(page[0], 78);
	peer_has("one page", PAGES, 77, 0);
	check(has(page[0], 78), "the page is another");
}

/* What came from the peer goes on from where it is; and what nobody has written is zero. */
static void passed_on(void)
{
	struct net_part part[NET_BUFFERS];

	fill_all(5 << 20);
	send_pages(PAGES - 3);
	show("there", part, PAGES - 3);
	fill_all(6 << 20);
	peer_offers();
	send(HOLD, 0, part, PAGES - 3);
	for (u32 i = 0; i < PAGES - 3; i++) { /* and is written where it was */
		check(has(part[i].at, (5 << 20) + i * WORDS), "passed on: page %u is another", i);
		fill(part[i].at, 99);
	}
	offer_all(part, PAGES - 3);
	peer_has("passed on", PAGES - 3, 5 << 20, WORDS);
}

static void never_written(void)
{
	struct net_part part[PAGES], back[NET_BUFFERS];

	for (u32 i = 0; i < PAGES; i++)
		part[i].at = page_va(100 + i);
	send(HOLD, 0, part, PAGES);
	show("never written", back, PAGES);
	for (u32 i = 0; i < PAGES; i++)
		for (u32 k = 0; k < WORDS; k++)
			check(!((u64 *)back[i].at)[k],
			      "a page that nobody has written is not zero");
	offer_all(back, PAGES);
	peer_offers();
}

static void find_peer(void)
{
	struct net_part part[NET_BUFFERS];
	u32 n = 0;

	memset(head.to, 0xff, NET_ADDRESS);
	for (u32 i = 0; i < 200 && !n; i++) { /* it may not be there yet */
		send(SHOW, 0, NULL, 0);
		n = net_receive_parts(&net, part, QUIET);
	}
	check_eq("the peer answers", n, 1);
	memcpy(head.to, ((struct head *)part[0].at)->from, NET_ADDRESS);
	do
		offer_all(part, n);
	while ((n = net_receive_parts(&net, part, 4 * QUIET)));
}

/* ---- the other side ---- */

static void hold(struct net_part *part, u32 n)
{
	for (u32 i = 0; i < n && nheld < ARRAY_SIZE(held); i++)
		held[nheld++] = part[i];
}

static void obey(const struct head *h, struct net_part *part, u32 n)
{
	u64 value = h->value;
	enum command command = h->command;

	memcpy(head.to, h->from, NET_ADDRESS);
	net_offer(&net, net_buffer(&net, &part[0]));
	switch (command) {
	case HOLD: hold(part + 1, n - 1); return;
	case SHOW: send(SHOWN, 0, held, nheld); break;
	case WRITE:
		for (u32 i = 0; i < nheld; i++)
			fill(held[i].at, value);
		break;
	default: offer_all(held, nheld); nheld = 0;
	}
	offer_all(part + 1, n - 1);
}

static _Noreturn void be_the_peer(void)
{
	struct net_part part[NET_BUFFERS];
	u32 n;

	print("the peer is up\n");
	for (;;)
		if ((n = net_receive_parts(&net, part, SOON)))
			obey((struct head *)part[0].at, part, n);
}

int main(void)
{
	need_monitor();
	check(net_begin(&net, 0), "the device refuses");
	if (guest_number("role=", 0))
		be_the_peer();
	state = guest_seed(1);
	find_peer();
	rewritten_at_once();
	written_by_the_receiver();
	offered_while_shared();
	one_page_several_times();
	passed_on();
	never_written();
	return verdict();
}
