/* SPDX-License-Identifier: MIT */
/*
 * Rule: what a receiver has of a frame stays as it came, and is no older than the frame, while another VCPU of the sender's
 * writes the frame's pages all the time, also before it is sent; and the writer finds every store that it made.
 * docs/guest-abi.md.
 *
 * Method: VCPU 1 writes pages from beginning to end, over and over, each time with the next number, and finds the last one
 * everywhere. VCPU 0 sends them: the head says which number was in all words when the frame was queued. With role=1 the receiver
 * compares: each word has such a number or a later one, and is one of its own place; it looks again some frames later, then
 * writes there. Pages are passed and, since they are written each time, copied mostly (test_net.py looks at both).
 *
 * Needs: memory=8 vcpus=2 nodes=2
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/smp.h"

#define SECOND	 166666667u /* of Count */
#define PROTOCOL 0x8b
#define PAGES	 4
#define WORDS	 (PAGE_SIZE / sizeof(u64))
#define FRAMES	 150
#define SHIFT	 16 /* below it the place of a word, above it the number */

struct head {
	struct net_header net;
	u8 to[NET_ADDRESS], from[NET_ADDRESS], protocol[2];
	u16 first, pages;
	u32 frames; /* that were compared, in an answer */
	u64 oldest;
} __attribute__((packed));

static struct net net;
static struct head head;
static volatile u64 page[PAGES][WORDS] __attribute__((aligned(PAGE_SIZE)));
static volatile u64 complete = 1, stop, stopped;
static u64 state;

static u32 below(u32 n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (u32)(state >> 33) % n;
}

static u64 word(u64 number, u32 k, u32 i) { return number << SHIFT | k << 12 | i; }

/* The next frame, if one comes within so many ticks; others have the processor meanwhile. */
static u32 receive(struct net_part part[NET_BUFFERS], u32 ticks)
{
	u32 start = cp0_read_count(), parts;

	while (!(parts = net_receive_parts(&net, part, 0)) && cp0_read_count() - start < ticks)
		hypercall(DISCO_HC_YIELD, 0, 0);
	return parts;
}

/* ---- the sender ---- */

static bool rewrite_page(u32 k, u64 number)
{
	for (u32 i = 0; i < WORDS; i++) {
		u64 found = page[k][i], wanted = word(number - 1, k, i);

		page[k][i] = word(number, k, i);
		if (found != wanted)
			return check(false, "page %u, word %u is %lx, wanted %lx", k, i,
				     (unsigned long)found, (unsigned long)wanted);
	}
	return true;
}

static void rewrite(u64 number)
{
	for (bool good = true; good && !stop; number++) {
		for (u32 k = 0; good && k < PAGES; k++)
			good = rewrite_page(k, number);
		__atomic_store_n(&complete, number, __ATOMIC_RELEASE);
	}
	smp_add(&stopped, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

static void queue(u32 pages)
{
	struct net_part part[1 + PAGES] = { { &head, sizeof(head) } };

	memcpy(head.from, net.address, NET_ADDRESS);
	head.protocol[0] = head.protocol[1] = PROTOCOL;
	head.first = below(PAGES - pages + 1);
	head.pages = pages;
	for (u32 i = 0; i < pages; i++)
		part[1 + i] = (struct net_part){ page[head.first + i], PAGE_SIZE };
	head.oldest = __atomic_load_n(&complete, __ATOMIC_ACQUIRE);
	net_queue_parts(&net, part, 1 + pages);
	check(net_is_sent(&net), "a frame is not given back");
}

/* An answer, if it comes soon: whose buffers are offered again. */
static bool answered(struct head *h, u32 ticks)
{
	struct net_part part[NET_BUFFERS];
	u32 parts = receive(part, ticks);

	if (parts)
		memcpy(h, (void *)part[0].at, sizeof(*h));
	for (u32 i = 0; i < parts; i++)
		net_offer(&net, net_buffer(&net, &part[i]));
	return parts;
}

static void send_all(void)
{
	struct head h = { .frames = 0 };
	u32 sent = 0;

	memset(head.to, 0xff, NET_ADDRESS);
	for (u32 tries = 0; tries < 200; tries++) { /* the peer may not be there yet */
		queue(0);
		if (answered(&h, SECOND / 8))
			break;
	}
	memcpy(head.to, h.from, NET_ADDRESS);
	while (answered(&h, SECOND / 8))
		continue;
	while (h.frames < FRAMES && sent++ < 4 * FRAMES) {
		queue(1 + below(PAGES));
		answered(&h, SECOND / 8);
	}
	check(h.frames >= FRAMES, "%u frames were compared of %u", h.frames, sent);
}

/* ---- the receiver ---- */

static u64 got[2 * PAGE_SIZE / sizeof(u64) + PAGES * WORDS], again[ARRAY_SIZE(got)];
static struct {
	struct net_part part[NET_BUFFERS];
	u32 parts;
} kept;

static u32 gather(u64 *to, const struct net_part *part, u32 parts)
{
	u32 bytes = 0;

	for (u32 i = 0; i < parts; bytes += part[i++].bytes)
		memcpy((u8 *)to + bytes, (void *)part[i].at, part[i].bytes);
	return bytes;
}

static void compare(const struct head *h, u32 bytes)
{
	const u8 *at = (const u8 *)got + sizeof(*h);

	check_eq("bytes", bytes, sizeof(*h) + h->pages * PAGE_SIZE);
	for (u32 n = 0; n < h->pages * WORDS; n++, at += sizeof(u64)) {
		u32 k = h->first + n / WORDS, i = n % WORDS;
		u64 found;

		memcpy(&found, at, sizeof(found));
		if (found < word(h->oldest, k, i) || (u16)found != (u16)word(0, k, i)) {
			check(false, "page %u, word %u is %lx, and %lx was there before it", k, i,
			      (unsigned long)found, (unsigned long)word(h->oldest, k, i));
			return;
		}
	}
}

/* It is as it was; then it is written, which the sender does not notice. */
static void end_kept(void)
{
	u32 bytes = gather(again, kept.part, kept.parts);

	check(!memcmp(got, again, bytes), "a frame of %u bytes has changed", bytes);
	for (u32 i = 0; i < kept.parts; i++) {
		memset((void *)kept.part[i].at, 0xdb, kept.part[i].bytes);
		net_offer(&net, net_buffer(&net, &kept.part[i]));
	}
	kept.parts = 0;
}

static _Noreturn void be_the_peer(void)
{
	u32 compared = 0;

	print("the peer is up\n");
	for (;;) {
		struct head h;
		u32 bytes;

		kept.parts = receive(kept.part, SECOND);
		if (!kept.parts)
			continue;
		bytes = gather(got, kept.part, kept.parts);
		memcpy(&h, got, sizeof(h));
		compare(&h, bytes);
		for (u32 i = below(4000); i; i--) /* the writer goes on */
			__sync_synchronize();
		end_kept();
		memcpy(head.to, h.from, NET_ADDRESS);
		head.frames = compared += !!h.pages;
		queue(0);
	}
}

int main(void)
{
	need_monitor();
	state = guest_seed(1);
	check(net_begin(&net, 0), "the device refuses");
	if (guest_number("role=", 0))
		be_the_peer();
	for (u32 n = 0; n < PAGES * WORDS; n++)
		page[n / WORDS][n % WORDS] = word(complete, n / WORDS, n % WORDS);
	check_eq("VCPU 1", (u64)smp_start(1, rewrite, complete + 1), 0);
	send_all();
	stop = 1;
	smp_wait(&stopped, 1);
	check(complete > 20, "%lu times written", (unsigned long)complete);
	return verdict();
}
