/* SPDX-License-Identifier: MIT */
/*
 * The balloon (virtio 1.2, section 5.5): a guest puts pages into it, or takes them out, until its memory
 * is what the command `balloon` asked for; and it reports pages that it has no use for now. Either go
 * back to their nodes at once. What is in the balloon the VM is not promised any more; what was
 * reported it is, and uses again without a word.
 *
 * A chain may name all memory: a part of it is done at a time, and each kind of queue remembers how far.
 */
#include <string.h>
#include "drivers/dev.h"
#include "drivers/virtio/mmio.h"
#include "kernel/abi/disco.h"
#include "kernel/console/console.h"
#include "kernel/errno.h"
#include "kernel/log.h"
#include "kernel/options.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"
#include "numa/numa.h"

#define ID 5

#define F_MUST_TELL_HOST BIT(0)
#define F_DEFLATE_ON_OOM BIT(2)
#define F_REPORTING	 BIT(5)

/*
 * Queues. The specification numbers all that there could be, and reporting is 4; Linux up to 6.10
 * numbers those that there are, and reporting is 2. Either serves.
 */
enum kind { INFLATE, DEFLATE, REPORT, KINDS };
#define QUEUES 5

#define PAGES_AT_A_TIME PMAP_BALLOON_PAGES

struct config {
	u32 wanted; /* pages in the balloon: num_pages */
	u32 actual; /* as the guest says, and nobody believes */
};

/* A chain that is not done yet. */
struct job {
	bool under_way;
	u32 queue;
	u64 done; /* bytes of it */
	struct vqueue_chain *chain;
};

struct balloon {
	struct virtio virtio; /* the first field: drivers/virtio/mmio.h */
	struct config config;
	struct job job[KINDS];
	struct vqueue_chain in, out; /* of INFLATE, DEFLATE; REPORT has that of virtio */
	bool waiting;		     /* DEFLATE, for memory */
};

static struct balloon *of(struct virtio *v) { return (struct balloon *)v; }

/* ---- page numbers in buffers ---- */

/* The next page numbers of the job: how many. */
static u32 next_pages(struct vm *vm, const struct job *job, gpn_t pages[PAGES_AT_A_TIME])
{
	u64 left = (job->chain->read_bytes - job->done) / sizeof(u32);
	u32 numbers[PAGES_AT_A_TIME], n = MIN(left, (u64)PAGES_AT_A_TIME);

	dma_gather(vm, job->chain->range, job->done, numbers, n * sizeof(u32));
	for (u32 i = 0; i < n; i++)
		pages[i].v = numbers[i];
	return n;
}

/* ---- parts of jobs: true, the job is done ---- */

static bool inflate(struct balloon *b, struct job *job)
{
	struct vm *vm = b->virtio.dev->vm;
	gpn_t pages[PAGES_AT_A_TIME];
	u32 n = next_pages(vm, job, pages);

	pmap_balloon(vm, pages, n);
	job->done += n * sizeof(u32);
	return n < PAGES_AT_A_TIME;
}

static bool deflate(struct balloon *b, struct job *job)
{
	struct vm *vm = b->virtio.dev->vm;
	gpn_t pages[PAGES_AT_A_TIME];
	u32 n = next_pages(vm, job, pages);

	b->waiting = false;
	for (u32 i = 0; i < n; i++, job->done += sizeof(u32)) {
		b->waiting = pmap_unballoon(vm, pages[i]) == -ENOMEM;
		if (b->waiting)
			return false;
	}
	return n < PAGES_AT_A_TIME;
}

/* The range of the chain's writable ones that the job has come to; *start: bytes before it. */
static struct dma_range range_at(const struct job *job, u64 *start)
{
	const struct vqueue_chain *c = job->chain;
	u32 i = c->nread;

	for (*start = 0; job->done - *start >= c->range[i].bytes; i++)
		*start += c->range[i].bytes;
	return c->range[i];
}

/* Whole pages only. */
static bool report(struct balloon *b, struct job *job)
{
	u64 start, first, end;
	struct dma_range r;
	u32 n;

	if (job->done >= job->chain->written_bytes)
		return true;
	r = range_at(job, &start);
	first = ROUND_UP(r.gpa + (job->done - start), PAGE_SIZE) >> PAGE_SHIFT;
	end = (r.gpa + r.bytes) >> PAGE_SHIFT;
	n = first < end ? MIN(end - first, (u64)PAGES_AT_A_TIME) : 0;
	if (n)
		pmap_give_up(b->virtio.dev->vm, (gpn_t){ first }, n);
	if (first + n < end)
		job->done = start + ((first + n) << PAGE_SHIFT) - r.gpa;
	else
		job->done = start + r.bytes;
	return job->done == job->chain->written_bytes;
}

static bool (*const parts[KINDS])(struct balloon *b, struct job *job) = { inflate, deflate,
									  report };

/* ---- the device ---- */

/* One part of one chain. */
static enum virtio_left notified(struct virtio *v, u32 n)
{
	struct balloon *b = of(v);
	enum kind kind = MIN(n, (u32)REPORT);
	struct job *job = &b->job[kind];

	if (job->under_way && job->queue != n)
		return VIRTIO_MORE; /* its turn comes */
	if (!job->under_way && !virtio_next(v, n, job->chain))
		return VIRTIO_NOTHING;
	if (!job->under_way)
		*job = (struct job){ .under_way = true, .queue = n, .chain = job->chain };
	if (TEXT_HERE(parts[kind])(b, job)) {
		job->under_way = false;
		virtio_give_back(v, n, job->chain->head, 0);
	}
	return kind == DEFLATE && b->waiting ? VIRTIO_LATER : VIRTIO_MORE;
}

static void forget(struct virtio *v, u32 n)
{
	struct balloon *b = of(v);
	enum kind kind = MIN(n, (u32)REPORT);

	if (b->job[kind].queue == n)
		b->job[kind].under_way = false;
	if (kind == DEFLATE)
		b->waiting = false;
}

static void config(struct virtio *v, u8 *bytes)
{
	memcpy(bytes, &of(v)->config, sizeof(struct config));
}

static void config_written(struct virtio *v, u32 offset, u32 bytes, u64 value)
{
	if (offset == offsetof(struct config, actual) && bytes == sizeof(u32))
		of(v)->config.actual = value;
}

static u64 without(void) { return option_on(OPTION_REPORT) ? 0 : F_REPORTING; }

static const struct virtio_type type = {
	.id = ID,
	.features = F_MUST_TELL_HOST | F_DEFLATE_ON_OOM | F_REPORTING,
	.without = without,
	.nqueues = QUEUES,
	.config_bytes = sizeof(struct config),
	.notified = notified,
	.reset = forget,
	.config = config,
	.config_written = config_written,
};

static void create(struct device *dev)
{
	struct balloon *b = dev->state;

	virtio_create(&b->virtio, dev, &type);
	b->job[INFLATE].chain = &b->in;
	b->job[DEFLATE].chain = &b->out;
	b->job[REPORT].chain = &b->virtio.chain;
}

static void reset(struct device *dev)
{
	struct balloon *b = dev->state;

	b->config = (struct config){ 0 };
	virtio_reset(dev);
}

const struct device_type balloon_type = {
	VIRTIO_REGISTERS,	  .state_bytes = sizeof(struct balloon),
	.line = DISCO_IRQ_DEVICE, .create = create,
	.reset = reset,		  .work = virtio_work,
};

static struct balloon *balloon_of(struct vm *vm)
{
	for (u32 i = 0; i < vm->ndevices; i++)
		if (vm->devices[i].type == &balloon_type)
			return vm->devices[i].state;
	return NULL;
}

/* A guest that wants memory back of which there was none asks no second time. */
void balloons_tick(void)
{
	for (u32 i = 0; i < nvms; i++) {
		struct balloon *b = balloon_of(vms[i]);

		if (b && __atomic_load_n(&b->waiting, __ATOMIC_RELAXED))
			virtio_look_again(&b->virtio, DEFLATE);
	}
}

/* ---- the command ---- */

/* What the guest would have to get back is there: else says so. */
static bool is_left(const struct vm *vm, u64 wanted)
{
	u64 more = vm->pmap.ballooned > wanted ? vm->pmap.ballooned - wanted : 0;

	if (more <= nodemem_unreserved())
		return true;
	kprintf("%s: it needs %lu MB more, of which %lu are not promised to others: stop one, or let its balloon grow\n",
		vm->name, more >> (20 - PAGE_SHIFT), nodemem_unreserved() >> (20 - PAGE_SHIFT));
	return false;
}

COMMAND(balloon, "VM MB", "ask a guest to do with so much memory: others may have the rest")
{
	struct vm *vm = command_vm(argc, argv);
	struct balloon *b = vm ? balloon_of(vm) : NULL;
	u64 mb = 0, wanted;

	if (!b)
		return;
	if (argc != 3 || !word_number(word_of(argv[2]), vm->desc->memory_mb, &mb) || !mb) {
		kprintf("%s: balloon: found %s, allowed 1..%u MB\n", vm->name,
			argc > 2 ? argv[2] : "no number", vm->desc->memory_mb);
		return;
	}
	wanted = (vm->desc->memory_mb - mb) << (20 - PAGE_SHIFT);
	if (vm_state(vm) != VM_RUNNING) {
		kprintf("%s: it is %s; balloon needs one that is running\n", vm->name,
			vm_state_name(vm_state(vm)));
		return;
	}
	if (!is_left(vm, wanted))
		return;
	lock_take(&b->virtio.lock);
	b->config.wanted = wanted;
	virtio_config_changed(&b->virtio);
	lock_release(&b->virtio.lock);
	kprintf("%s: asked to do with %lu of %u MB%s\n", vm->name, mb, vm->desc->memory_mb,
		virtio_is_live(&b->virtio) ? "" : "; its driver is not there yet");
}
