/* SPDX-License-Identifier: MIT */
/*
 * Rule: whatever a guest does to its pages at once on several processors - reads them before it writes them, reports them
 * as free, puts them into the balloon, passes them on, has a disk fill and write them, or zero them - a page holds what its
 * owner put there last, or zero where he gave it away, and no word that the guest did not write. docs/guest-abi.md.
 *
 * Method: each of four VCPUs, on four nodes, owns every fourth page, does things to them at random and looks at what is
 * there against a model; all read everybody's pages meanwhile. Each word that is not zero has the VM's own tag, so that a
 * page of another VM, or of nobody, is found. VCPU 0 drives the balloon and the disk. test_sharing.py runs it in several
 * VMs, with pages that move.
 *
 * Needs: vcpus=4 nodes=4 memory=16 disk
 */
#include "guests/lib/blk.h"
#include "tests/guest/smp.h"

#define VCPUS	4
#define PAGES	96 /* of each VCPU */
#define STRIDE	5  /* so that they lie in several blocks, with others between that nobody uses */
#define TIMES	3000
#define WORDS	(PAGE_SIZE / 8)
#define BALLOON 5
#define REPORTS BIT(5)
#define PLACE	8000 /* sectors */
#define BLOCKS	64u
#define SECTORS (PAGE_SIZE / 512)
#define CHUNK	8 /* pages of a report */

enum { INFLATE, DEFLATE, REPORT };

static struct virtio_device balloon, disk;
static volatile struct virtio_queue inflate, deflate, report, blocks;
static volatile u64 ready, done, foreign, wrong, passed, zeroes;
static u64 model[VCPUS][PAGES], on_disk[BLOCKS], tag;
static volatile u32 number;
static bool has_block[BLOCKS];

static unsigned page_of(u64 id, u32 i) { return (i * VCPUS + (unsigned)id) * STRIDE; }

static volatile u64 *words(u64 id, u32 i)
{
	return i % 2 ? page_va(page_of(id, i))
		     : (volatile u64 *)(DISCO_XSSEG_BASE + page_pa(page_of(id, i)));
}

static u32 below(u64 *state, u32 n)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (*state >> 33) % n;
}

static bool is_ours(u64 word) { return !word || word >> 32 == tag >> 32; }

/* What is in the page; all of it is one value. */
static u64 value_of(u64 id, u32 i)
{
	const volatile u64 *at = words(id, i);

	if (at[0] != at[WORDS - 1] || at[0] != at[WORDS / 2])
		smp_add(&wrong, 1);
	return at[0];
}

static void look(u64 id, u32 i)
{
	u64 found = value_of(id, i);

	if (found != model[id][i])
		smp_add(&wrong, 1);
	zeroes += !found;
}

/* Given away: it may be zero from now on, but need not. */
static void gone(u64 id, u32 i)
{
	u64 found = value_of(id, i);

	if (found && found != model[id][i])
		smp_add(&wrong, 1);
	model[id][i] = found;
}

static void write_page(u64 id, u32 i, u64 value)
{
	volatile u64 *at = words(id, i);

	at[0] = at[WORDS / 2] = at[WORDS - 1] = model[id][i] = value;
	if (!is_ours(at[1]))
		smp_add(&foreign, 1);
}

static void pass(u64 id, u32 to, u32 from)
{
	if (hypercall(DISCO_HC_REMAP, page_pa(page_of(id, to)), page_pa(page_of(id, from))))
		return;
	model[id][to] = model[id][from];
	smp_add(&passed, 1);
}

static void read_anybodys(u64 *state)
{
	const volatile u64 *at = words(below(state, VCPUS), below(state, PAGES));

	for (u32 i = 0; i < 4; i++)
		if (!is_ours(at[below(state, WORDS)]))
			smp_add(&foreign, 1);
}

/* ---- VCPU 0: devices ---- */

static void give(volatile struct virtio_queue *q, u32 queue, const volatile void *at, u32 bytes,
		 u16 flags)
{
	if (virtio_request(&balloon, queue, q, at, bytes, flags) < 0)
		smp_add(&wrong, 1);
}

static void balloon_page(u32 i)
{
	number = page_pa(page_of(0, i)) >> PAGE_SHIFT;
	give(&inflate, INFLATE, &number, sizeof(number), 0);
	give(&deflate, DEFLATE, &number, sizeof(number), 0);
	gone(0, i);
}

static void report_page(u32 i)
{
	give(&report, REPORT, page_va(page_of(0, i)), PAGE_SIZE, VIRTIO_WRITE);
	gone(0, i);
}

static void on_block(u32 type, u32 block, u32 i)
{
	if (blk_request(&disk, &blocks, type, PLACE + block * SECTORS, page_va(page_of(0, i)),
			PAGE_SIZE) != BLK_OK)
		smp_add(&wrong, 1);
}

static void zero_block(u32 block)
{
	struct {
		u64 sector;
		u32 sectors, flags;
	} segment = { PLACE + block * SECTORS, SECTORS, 0 };

	if (blk_request(&disk, &blocks, BLK_ZEROES, 0, &segment, sizeof(segment)) != BLK_OK)
		smp_add(&wrong, 1);
	on_disk[block] = 0;
	has_block[block] = true;
}

static void device(u64 *state)
{
	u32 i = below(state, PAGES), block = below(state, BLOCKS);

	switch (below(state, 5)) {
	case 0: balloon_page(i); break;
	case 1: report_page(i); break;
	case 2: zero_block(block); break;
	case 3:
		on_block(BLK_OUT, block, i);
		on_disk[block] = model[0][i];
		has_block[block] = true;
		break;
	default:
		if (has_block[block]) {
			on_block(BLK_IN, block, i);
			model[0][i] = on_disk[block];
		}
	}
}

/* ---- all ---- */

static void storm(u64 id)
{
	u64 state = guest_seed(7) * VCPUS + id;

	for (u32 i = 0; i < PAGES; i += 2) /* half of them are read first */
		look(id, i);
	for (u32 n = 1; n <= TIMES && !smp_late; n++) {
		u32 i = below(&state, PAGES);

		switch (below(&state, 6)) {
		case 0: write_page(id, i, tag | (u32)(n * VCPUS + id)); break;
		case 1: pass(id, i, below(&state, PAGES)); break;
		case 2: look(id, i); break;
		case 3:
			if (!id)
				device(&state);
			break;
		default: read_anybodys(&state);
		}
	}
	for (u32 i = 0; i < PAGES; i++)
		look(id, i);
}

static void run(u64 id)
{
	smp_add(&ready, 1);
	smp_wait(&ready, VCPUS);
	storm(id);
	smp_add(&done, 1);
}

int main(void)
{
	need_monitor();
	tag = (guest_seed(7) % 0xffff + 1) << 48 | 0x5a5aull << 32;
	balloon = virtio_find(BALLOON);
	check(virtio_begin(&balloon, REPORTS), "the balloon refuses its own features");
	virtio_set_up(&balloon, INFLATE, &inflate);
	virtio_set_up(&balloon, DEFLATE, &deflate);
	virtio_set_up(&balloon, REPORT, &report);
	virtio_go(&balloon);
	check(blk_begin(&disk, &blocks), "the disk refuses its own features");
	for (unsigned id = 1; id < VCPUS; id++)
		check_eq("start", (u64)smp_start(id, run, id), 0);
	run(0);
	smp_wait(&done, VCPUS);
	check_eq("waits that came to nothing", smp_late, 0);
	check_eq("words of somebody else", foreign, 0);
	check_eq("pages that are not what they were left as", wrong, 0);
	check(passed > 100, "%lu pages were passed", (unsigned long)passed);
	check(zeroes > 100, "%lu looks found zeroes", (unsigned long)zeroes);
	return verdict();
}
