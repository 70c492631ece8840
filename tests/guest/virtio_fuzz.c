/* SPDX-License-Identifier: MIT */
/*
 * Rule: nothing that drivers write, to registers, rings or descriptors, at whatever time, does more than to
 * make a device want a reset; and no device reaches memory that no descriptor or ring named. virtio 1.2;
 * docs/guest-abi.md.
 *
 * Method: random operations on every virtio device that the VM has, ops=N of them, while the other VCPU rewrites rings and
 * descriptors, and now and then does the same to the same devices. Random addresses lie behind the image and a guard, or are no memory; the
 * balloon finds page numbers there that are no page of the image's, but of rings and of what other devices read and write. Descriptors
 * are no place where a device writes, or it would make addresses of its own. At the end the guard is as it was, and the devices work.
 *
 * Needs: vcpus=2 nodes=2
 */
#include "guests/lib/virtio.h"
#include "tests/guest/smp.h"

#define OPS	    20000
#define GUARD_PAGES 8
#define ARENA_BYTES 0x10000ul
#define RING_BYTES  0x800ul /* of one queue: descriptors, then the rings */
#define QUEUES	    5
#define TARGETS	    10
#define CONSOLE	    3 /* says little: its lines are counted */
#define BALLOON	    5
#define PLACES	    0x200 /* of a queue's rings, behind its descriptors; so many half words */
#define RNG	    4
#define NET	    1

struct target {
	struct virtio_device d;
	u32 id;
	u64 arena;   /* "physical": rings first */
	u64 buffers; /* where random addresses begin */
	u32 size;    /* of its queues now */
};

static struct target target[TARGETS];
static unsigned ntargets;
static u64 beyond; /* the first byte behind memory */
static u64 served, malformed;
static volatile u64 stop, stopped;

/* ---- numbers ---- */

static u64 next(u64 *state)
{
	*state = *state * 6364136223846793005ul + 1442695040888963407ul;
	return (*state ^ *state >> 29) >> 8;
}

static u32 below(u64 *s, u32 n) { return next(s) % n; }

static u64 any_address(u64 *s, const struct target *t)
{
	switch (next(s) % 16) {
	case 0: return beyond - next(s) % 5;
	case 1: return DISCO_DEVICE_BASE + next(s) % 0x2000;
	case 2: return ~0ul - next(s) % 32;
	case 3: return 1ul << (24 + next(s) % 40);
	case 4:
	case 5:
		if (t->id == NET) /* a page: frames bring whole ones */
			return t->buffers + PAGE_SIZE * (next(s) % 2);
		/* fall through */
	default: return t->buffers + next(s) % (ARENA_BYTES / 8);
	}
}

static u32 any_length(u64 *s, const struct target *t)
{
	static const u32 odd[] = { 0, 1u << 30, 0x7fffffff, 0x80000000, ~0u, ~0u - 15 };
	u64 r = next(s);

	if (t->id == CONSOLE && r % 8)
		return r / 8 % 16;
	switch (r % 8) {
	case 0: return odd[r / 8 % ARRAY_SIZE(odd)];
	case 1: return 4096;
	case 2: return 8192;
	case 3: return 16 * (1 + r / 8 % 32);
	default: return r / 8 % 80;
	}
}

/* ---- memory ---- */

static volatile u8 *ring(const struct target *t, u32 queue)
{
	return (volatile u8 *)guest_va(t->arena + queue * RING_BYTES);
}

static void any_descriptor(u64 *s, const struct target *t)
{
	volatile struct virtio_descriptor *d = (void *)ring(t, next(s) % QUEUES);
	u64 r = next(s);

	d += next(s) % VIRTIO_SIZE;
	d->address = any_address(s, t);
	d->bytes = any_length(s, t);
	d->flags = r / 16 % 8 ? next(s) % 4 : next(s);
	d->next = r / 128 % 16 ? next(s) % VIRTIO_SIZE : next(s);
}

static void any_ring_word(u64 *s, const struct target *t)
{
	volatile u16 *words = (volatile u16 *)(ring(t, next(s) % QUEUES) + PLACES);

	words[next(s) % PLACES] = next(s) % 2 ? next(s) % VIRTIO_SIZE : next(s);
}

/* Page numbers for the balloon: pages of any arena, those of rings and buffers in flight among them, or none. */
static void fill_numbers(u64 *s, const struct target *t)
{
	volatile u32 *n = (volatile u32 *)guest_va(t->buffers);

	for (u32 i = 0; i < ARENA_BYTES / 2 / sizeof(*n); i++)
		n[i] = below(s, 4) ? (target[0].arena >> PAGE_SHIFT) +
					     below(s, ntargets * (ARENA_BYTES >> PAGE_SHIFT))
				   : ~below(s, 1u << 20);
}

/* ---- operations ---- */

static void start(u64 *s, struct target *t)
{
	u64 features = next(s) << 8 | next(s) | BIT(28) | BIT(29);
	u32 twisted = below(s, 8) ? QUEUES : below(s, QUEUES);

	if (!virtio_begin(&t->d, below(s, 8) ? features : 0))
		return;
	t->size = below(s, 4) ? VIRTIO_SIZE : 1u << below(s, 5);
	for (u32 n = 0; n < QUEUES; n++) {
		u64 at = t->arena + n * RING_BYTES;

		memset((void *)(ring(t, n) + PLACES), 0, 2 * PLACES);
		virtio_put(&t->d, VIRTIO_QUEUE_SELECT, n);
		virtio_put(&t->d, VIRTIO_QUEUE_SIZE, t->size);
		virtio_put64(&t->d, VIRTIO_DESCRIPTORS, at);
		virtio_put64(&t->d, VIRTIO_AVAILABLE, at + PLACES);
		virtio_put64(&t->d, VIRTIO_USED,
			     at + (n == twisted ? PLACES + 2 * below(s, PLACES) : 2 * PLACES));
		virtio_put(&t->d, VIRTIO_QUEUE_READY, 1);
	}
	virtio_go(&t->d);
}

static struct virtio_descriptor whole_page(u64 *s, const struct target *t)
{
	u64 page = t->buffers + PAGE_SIZE * (1 + below(s, 4));

	return (struct virtio_descriptor){ page, PAGE_SIZE << below(s, 2), VIRTIO_WRITE, 0 };
}

/* Header and addresses, all zero, and a page to be passed to who gets what nobody else has. */
static void page_frame(u64 *s, const struct target *t, volatile struct virtio_descriptor *d,
		       u32 head)
{
	u64 at = t->buffers + 7 * PAGE_SIZE;
	u32 second = (head + 1) % t->size;

	memset(guest_va(at), 0, 26);
	d[head] = (struct virtio_descriptor){ at, 26, VIRTIO_NEXT, second };
	d[second] = whole_page(s, t);
	d[second].flags = 0;
}

/* Some chains: three of four are one buffer as it should be. */
static void offer(u64 *s, struct target *t)
{
	u32 n = below(s, QUEUES), chains = 1 + below(s, below(s, 4) ? 2 : 16);
	volatile struct virtio_descriptor *d = (void *)ring(t, n);
	volatile u16 *available = (volatile u16 *)(ring(t, n) + PLACES);
	volatile u16 *used = (volatile u16 *)(ring(t, n) + 2 * PLACES);
	u16 before = used[1];

	for (u32 i = 0; i < chains; i++) {
		u32 head = below(s, t->size ? t->size : 1);

		if (below(s, 4)) {
			/* VCPU 1 may write the one in memory: what is zeroed is where this one says */
			struct virtio_descriptor one = { t->buffers + below(s, 4096),
							 1 + below(s, t->id == CONSOLE ? 16 : 200),
							 below(s, 2) ? VIRTIO_WRITE : 0, 0 };

			if (t->id == NET && n == 0 && below(s, 2))
				one = whole_page(s, t); /* it may be passed */
			d[head] = one;
			if (t->id == NET && n == 1 && t->size > 1 && below(s, 2))
				page_frame(s, t, d, head);
			else if (t->id == NET && below(s, 4)) /* a header that asks for nothing */
				memset(guest_va(one.address), 0, 12);
		} else {
			any_descriptor(s, t);
		}
		available[2 + (u16)(available[1] + i) % (t->size ? t->size : 1)] = head;
	}
	__sync_synchronize();
	available[1] += below(s, 64) ? chains : below(s, 1u << 16);
	virtio_put(&t->d, VIRTIO_NOTIFY, below(s, 16) ? n : below(s, 1u << 31));
	served += used[1] != before;
}

static void write_register(u64 *s, const struct target *t)
{
	static const u32 small[] = { VIRTIO_FEATURES_SELECT, VIRTIO_ACCEPTED,
				     VIRTIO_ACCEPTED_SELECT, VIRTIO_QUEUE_SELECT,
				     VIRTIO_QUEUE_SIZE,	     VIRTIO_QUEUE_READY,
				     VIRTIO_NOTIFY,	     VIRTIO_INTERRUPT_ACK,
				     VIRTIO_STATUS };
	u64 table = t->arena + below(s, QUEUES) * RING_BYTES, outside = any_address(s, t);
	bool places = outside >= t->buffers && outside < t->buffers + ARENA_BYTES;
	u32 reg = small[below(s, ARRAY_SIZE(small))];

	switch (below(s, 12)) {
	case 0: virtio_put64(&t->d, VIRTIO_DESCRIPTORS, places ? table : outside); break;
	case 1:
	case 2:
		virtio_put64(&t->d, below(s, 2) ? VIRTIO_AVAILABLE : VIRTIO_USED,
			     places ? table + PLACES + below(s, 2 * PLACES) : outside);
		break;
	default: virtio_put(&t->d, reg, below(s, 4) ? below(s, 20) : next(s));
	}
}

/* Any width; stores only where no address of a ring is. */
static void access(u64 *s, const struct target *t)
{
	u32 at = below(s, 0x200), store = at >= VIRTIO_CONFIG && below(s, 2);
	volatile u8 *p = t->d.registers + at;

	switch (below(s, 4)) {
	case 0: store ? (void)(*p = below(s, 256)) : (void)*p; break;
	case 1:
		p -= at % 2;
		store ? (void)(*(volatile u16 *)p = below(s, 65536)) : (void)*(volatile u16 *)p;
		break;
	case 2:
		p -= at % 4;
		store ? (void)(*(volatile u32 *)p = below(s, ~0u)) : (void)*(volatile u32 *)p;
		break;
	default:
		p -= at % 8;
		store ? (void)(*(volatile u64 *)p = next(s)) : (void)*(volatile u64 *)p;
	}
}

static void operation(u64 *s)
{
	struct target *t = &target[below(s, ntargets)];

	if (virtio_get(&t->d, VIRTIO_STATUS) & VIRTIO_NEEDS_RESET) {
		malformed++;
		start(s, t);
		return;
	}
	switch (below(s, 16)) {
	case 0: start(s, t); break;
	case 1: virtio_put(&t->d, VIRTIO_STATUS, below(s, 2) ? 0 : below(s, 256)); break;
	case 2: any_descriptor(s, t); break;
	case 3: any_ring_word(s, t); break;
	case 4:
	case 5: write_register(s, t); break;
	case 6:
	case 7: access(s, t); break;
	case 8:
		if (t->id == BALLOON)
			fill_numbers(s, t);
		break;
	default: offer(s, t);
	}
}

/* VCPU 1: at the same time, and now and then the same as VCPU 0. */
static void rewrite(u64 seed)
{
	u64 state = seed, *s = &state;

	while (!stop) {
		const struct target *t = &target[below(s, ntargets)];

		switch (below(s, 16)) {
		case 0:
		case 1: operation(s); break;
		case 2: hypercall(DISCO_HC_YIELD, 0, 0); break;
		case 3:
		case 4:
		case 5: any_ring_word(s, t); break;
		default: any_descriptor(s, t);
		}
	}
	smp_add(&stopped, 1);
	hypercall(DISCO_HC_VCPU_STOP, 0, 0);
}

/* ---- beginning and end ---- */

/* The balloon comes first: what is written over the end of an arena is not where its numbers are. */
static void find_devices(void)
{
	u64 base = DISCO_XSSEG_BASE + DISCO_DEVICE_BASE, arena = page_pa(GUARD_PAGES);

	for (; !load(MODE_KERNEL, base)->taken && ntargets < TARGETS; base += DISCO_DEVICE_BYTES) {
		struct virtio_device d = { (volatile u8 *)base };
		struct target *t = &target[ntargets];

		if (virtio_get(&d, VIRTIO_MAGIC) != 0x74726976)
			continue;
		*t = (struct target){ .d = d, .id = virtio_get(&d, VIRTIO_DEVICE_ID) };
		if (t->id == BALLOON) {
			struct target first = target[0];

			target[0] = *t;
			*t = first;
		}
		ntargets++;
	}
	for (unsigned i = 0; i < ntargets; i++, arena += ARENA_BYTES) {
		target[i].arena = ROUND_UP(arena, PAGE_SIZE);
		target[i].buffers = target[i].arena + ARENA_BYTES / 2;
		memset(guest_va(target[i].buffers), 0xee, ARENA_BYTES / 2);
	}
	for (beyond = 1ul << 20; !load(MODE_KERNEL, DISCO_XSSEG_BASE + beyond)->taken;)
		beyond += 1ul << 20;
}

static void devices_work(void)
{
	static volatile struct virtio_queue queue;
	static volatile u8 buffer[64];
	struct virtio_device rng = virtio_find(RNG);

	for (unsigned i = 0; i < ntargets; i++) {
		check(virtio_begin(&target[i].d, 0), "device %u refuses", target[i].id);
		check_eq("interrupt", virtio_get(&target[i].d, VIRTIO_INTERRUPT_STATUS), 0);
	}
	check(virtio_begin(&rng, 0), "the entropy device refuses");
	virtio_set_up(&rng, 0, &queue);
	virtio_go(&rng);
	check_eq("random bytes", virtio_read(&rng, 0, &queue, buffer, 32), 32);
}

int main(void)
{
	u64 ops = guest_number("ops=", OPS), state, *s = &state;

	need_monitor();
	state = guest_seed(10);
	find_devices();
	for (unsigned i = 0; i < GUARD_PAGES; i++)
		tag_page(i, 0x6a0000 + i);
	check(ntargets >= 3 && target[0].id == BALLOON, "%u devices, the first is %u", ntargets,
	      target[0].id);
	fill_numbers(s, &target[0]);
	check_eq("VCPU 1", (u64)smp_start(1, rewrite, next(s)), 0);
	for (u64 i = 0; i < ops; i++)
		operation(s);
	stop = 1;
	smp_wait(&stopped, 1);
	devices_work();
	print("\n"); /* the console device was left within a line */
	for (unsigned i = 0; i < GUARD_PAGES; i++)
		check(page_va(i)[0] == 0x6a0000 + i &&
			      page_va(i)[PAGE_SIZE / 8 - 1] == 0x6a0000 + i + 1,
		      "page %u was written", i);
	check(served > ops / 100 && malformed > ops / 1000, "%lu served, %lu malformed",
	      (unsigned long)served, (unsigned long)malformed);
	return verdict();
}
