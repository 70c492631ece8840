/* SPDX-License-Identifier: MIT */
/*
 * Rule: a frame that is copied into a receive buffer goes nowhere else, even if the buffer's page is remapped in the
 * middle of it by a guest that has no VCPU where the sender has its own. docs/guest-abi.md.
 *
 * Method: with role=1 it sends frames without end. The other one offers one page as all of its buffers and
 * remaps that: the page of the machine that it was becomes another page of the guest's, which nobody ever offered and
 * in which nothing of a frame may appear.
 *
 * Needs: memory=8
 *
 * Ends: paired
 */
#include "guests/lib/net.h"
#include "tests/guest/test.h"

#define ROUNDS 20000u
#define WORDS  (PAGE_SIZE / sizeof(u64))
#define MINE   0x5a5a5a5a5a5a5a5aul
#define FRAME  15000

static struct net net;
static volatile u64 offered[WORDS] __attribute__((aligned(PAGE_SIZE)));
static volatile u64 mine[WORDS] __attribute__((aligned(PAGE_SIZE)));
static volatile u64 mine_too[WORDS] __attribute__((aligned(PAGE_SIZE)));
static volatile u64 zeroes[WORDS] __attribute__((aligned(PAGE_SIZE)));

static bool remap(volatile u64 *to, volatile u64 *from)
{
	return !hypercall(DISCO_HC_REMAP, guest_pa(to), guest_pa(from));
}

static _Noreturn void flood(void)
{
	static u8 frame[FRAME];
	struct net_header h = { 0 };

	memset(frame, 0xff, sizeof(frame));
	memcpy(frame + NET_ADDRESS, net.address, NET_ADDRESS);
	for (;;)
		net_send(&net, &h, frame, sizeof(frame), 1);
}

/* All buffers are the one page, and all are offered again. */
static void offer_all(void)
{
	volatile struct virtio_queue *q = &net.receive;

	for (u32 i = 0; i < VIRTIO_SIZE; i++) {
		q->descriptor[i].address = guest_pa(offered);
		q->available.ring[i] = i;
	}
	__sync_synchronize();
	q->available.index = q->used.index + VIRTIO_SIZE;
}

/* Where a frame has gone that was not meant for the page; WORDS: nowhere. */
static u32 touched(void)
{
	u32 i = 0;

	while (i < WORDS && mine[i] == MINE)
		i++;
	return i;
}

static bool one_round(u32 round)
{
	remap(mine_too,
	      mine); /* the page of the machine stays mine_too's: `mine` has another when it is written */
	offered[0] = 1;
	remap(offered, zeroes); /* its page of the machine is nobody's */
	for (u32 i = 0; i < WORDS; i++)
		mine[i] = MINE;
	for (u32 look = 0; look < 2; look++) {
		u32 at = touched();

		if (!check(at == WORDS, "round %u: word %u of a page that was never offered is %lx",
			   round, at, (unsigned long)mine[at % WORDS]))
			return false;
		offer_all();
	}
	return true;
}

int main(void)
{
	u32 came = 0;

	need_monitor();
	check(net_begin(&net, 0), "the device refuses");
	if (guest_number("role=", 0))
		flood();
	for (u32 i = 0; i < guest_number("rounds=", ROUNDS) && one_round(i); i++)
		came += net.receive.used.index != 0;
	print("frames: %u\n", came);
	check(came, "no frame came");
	return verdict();
}
