/* SPDX-License-Identifier: MIT */
/*
 * Free pages, a list for each node, through the memmap entries; the monitor's own memory during
 * boot; and the promises that keep a running VM from finding the machine full.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/console/console.h"
#include "kernel/errno.h"
#include "kernel/lock.h"
#include "kernel/log.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/share.h"
#include "kernel/vm/vm.h"
#include "numa/heat.h"
#include "numa/topology.h"

#define NO_PAGE 0xffffffffu
#define LISTED	0xffff /* owner of a FREE page in a list, not on its way to somebody: no VM */

/*
 * A node's free memory: whole blocks of 1 MB, aligned, and single pages of blocks that are partly
 * in use. Lists are doubly linked through memmap, in which a whole block is its first page. Pages
 * are numbered within the node; blocks by machine address, so that block 0 may begin before the
 * node does.
 */
static struct nodemem {
	struct lock lock;  /* all but first, npages */
	u32 pages, blocks; /* heads of the lists */
	u32 nfree;	   /* pages, those of blocks too */
	u32 kept;	   /* pages, atomically: by nodemem_keep */
	u32 npages, span;  /* for guests; of the node's whole range; fixed after boot */
	mpn_t first;	   /* of the node's range */
	u16 *block_free;   /* free pages of each block */
} nodemem[MAX_NODES];

static u64 total, reserved; /* pages; reserved atomically */

void *nodemem_boot_alloc(u32 node, size_t bytes, size_t align)
{
	struct range *r = &topology[node];
	u64 start = ROUND_UP(r->boot_next.v, align);

	start = ROUND_UP(topology_behind_kept((maddr_t){ start }, bytes).v, align);
	if (start + bytes > r->base.v + r->bytes)
		return NULL;
	r->boot_next.v = start + bytes;
	return memset(maddr_ptr((maddr_t){ start }), 0, bytes);
}

u64 nodemem_boot_left(u32 node)
{
	const struct range *r = &topology[node];

	return r->base.v + r->bytes - r->boot_next.v;
}

static struct page *entry(const struct nodemem *m, u32 index)
{
	return memmap_page((mpn_t){ m->first.v + index });
}

static u32 block_of(const struct nodemem *m, u32 index)
{
	u32 first = (u32)m->first.v; /* index may be before it: block_start of the first one */

	return ((first + index) >> BLOCK_SHIFT) - (first >> BLOCK_SHIFT);
}

static void list_add(struct nodemem *m, u32 *head, u32 index)
{
	struct page *p = entry(m, index);

	p->next = *head;
	p->prev = NO_PAGE;
	p->owner = LISTED;
	if (*head != NO_PAGE)
		entry(m, *head)->prev = index;
	*head = index;
}

static void list_remove(struct nodemem *m, u32 *head, u32 index)
{
	struct page *p = entry(m, index);

	p->owner = 0;
	p->left_by = 0; /* whoever gets it may write it before memmap knows */
	if (p->prev == NO_PAGE)
		*head = p->next;
	else
		entry(m, p->prev)->next = p->next;
	if (p->next != NO_PAGE)
		entry(m, p->next)->prev = p->prev;
}

static u32 block_start(const struct nodemem *m, u32 index)
{
	return ROUND_DOWN(m->first.v + index, BLOCK_PAGES) - m->first.v;
}

/* The page is free; the last of its block to become so makes it whole. */
static void push(struct nodemem *m, u32 index)
{
	u32 start = block_start(m, index);

	m->nfree++;
	list_add(m, &m->pages, index);
	if (++m->block_free[block_of(m, index)] < BLOCK_PAGES)
		return;
	for (u32 i = 0; i < BLOCK_PAGES; i++)
		list_remove(m, &m->pages, start + i);
	list_add(m, &m->blocks, start);
}

static bool is_whole(const struct nodemem *m, u32 start)
{
	return m->block_free[block_of(m, start)] == BLOCK_PAGES;
}

/* The first page of a whole block that is odd, or even, with its neighbour free as well; else of any. NO_PAGE: there is none. */
static u32 find_block(const struct nodemem *m, bool odd)
{
	u32 at = (u32)(ROUND_UP(m->first.v, 2 * BLOCK_PAGES) - m->first.v);

	for (; at + 2 * BLOCK_PAGES <= m->span; at += 2 * BLOCK_PAGES)
		if (is_whole(m, at) && is_whole(m, at + BLOCK_PAGES))
			return at + odd * BLOCK_PAGES;
	return m->blocks;
}

/* The block, which is whole, off its list. */
static mpn_t take_block(struct nodemem *m, u32 start)
{
	lock_assert(&m->lock);
	list_remove(m, &m->blocks, start);
	m->block_free[block_of(m, start)] = 0;
	m->nfree -= BLOCK_PAGES;
	return (mpn_t){ m->first.v + start };
}

/* A whole block's pages become single ones. */
static void split(struct nodemem *m, u32 start)
{
	list_remove(m, &m->blocks, start);
	for (u32 i = BLOCK_PAGES; i-- > 0;) /* lowest first off the list */
		list_add(m, &m->pages, start + i);
}

/* A single page, off its list. */
static mpn_t take_single(struct nodemem *m, u32 index)
{
	list_remove(m, &m->pages, index);
	m->block_free[block_of(m, index)]--;
	m->nfree--;
	return (mpn_t){ m->first.v + index };
}

void nodemem_init(u32 node)
{
	struct nodemem *m = &nodemem[node];
	struct range *r = &topology[node];
	u32 npages = r->bytes >> PAGE_SHIFT;
	u32 nblocks = (npages >> BLOCK_SHIFT) + 2;
	u16 *block_free = nodemem_boot_alloc(node, nblocks * sizeof(u16), 8);
	u32 first_free = (ROUND_UP(r->boot_next.v, PAGE_SIZE) - r->base.v) >> PAGE_SHIFT;

	magic_note_monitor(r->base, r->boot_next);
	r->boot_next.v = r->base.v + r->bytes;
	*m = (struct nodemem){ .lock = LOCK_INIT(RANK_NODEMEM),
			       .pages = NO_PAGE,
			       .blocks = NO_PAGE,
			       .first = maddr_mpn(r->base),
			       .span = npages,
			       .block_free = block_free };
	if (!block_free) /* the monitor has it all */
		return;
	for (u32 i = npages; i-- > first_free;) { /* lowest first off the list */
		maddr_t page = mpn_maddr((mpn_t){ m->first.v + i });

		if (topology_behind_kept(page, PAGE_SIZE).v != page.v)
			continue;
		memmap_free_at_boot(maddr_mpn(page));
		push(m, i);
	}
	m->npages = m->nfree;
	total += m->npages;
}

static mpn_t pop(struct nodemem *m)
{
	mpn_t mpn = MPN_NONE;

	lock_take(&m->lock);
	if (m->pages == NO_PAGE && m->blocks != NO_PAGE)
		split(m, m->blocks);
	if (m->pages != NO_PAGE)
		mpn = take_single(m, m->pages);
	lock_release(&m->lock);
	return mpn;
}

/* More than once round: a page that moves meanwhile leaves a free one where we have been. */
#define ROUNDS 4

mpn_t nodemem_alloc_unzeroed(u32 node)
{
	mpn_t mpn = MPN_NONE;

	for (u32 i = 0; i < ROUNDS * nnodes && !mpn_valid(mpn); i++)
		mpn = pop(&nodemem[topology_near(node, i % nnodes)]);
	return mpn;
}

mpn_t nodemem_alloc(u32 node)
{
	mpn_t mpn = nodemem_alloc_unzeroed(node);

	if (mpn_valid(mpn))
		nodemem_zero(mpn, 1);
	return mpn;
}

mpn_t nodemem_alloc_here(u32 node) { return pop(&nodemem[node]); }

static bool is_single(const struct page *p) { return p->state == PAGE_FREE && p->owner == LISTED; }

/* The page is in a list of the node. */
static bool is_listed(const struct nodemem *m, u32 index)
{
	return m->block_free[block_of(m, index)] == BLOCK_PAGES || is_single(entry(m, index));
}

/* How many pages from this one on are free, up to n. */
static u32 free_from(const struct nodemem *m, u32 index, u32 n)
{
	u32 i = 0;

	while (i < n && is_listed(m, index + i))
		i++;
	return i;
}

/* n neighbouring pages of a block, which are in lists; those of a whole block become single ones first. */
static mpn_t take_singles(struct nodemem *m, u32 first, u32 n)
{
	if (is_whole(m, block_start(m, first)))
		split(m, block_start(m, first));
	for (u32 i = 0; i < n; i++)
		take_single(m, first + i);
	return (mpn_t){ m->first.v + first };
}

mpn_t nodemem_alloc_exact(mpn_t want, u32 n)
{
	struct nodemem *m = &nodemem[memmap_node(want)];
	u32 first = want.v - m->first.v;
	mpn_t mpn = MPN_NONE;

	if (memmap_page(want)->state != PAGE_FREE || first + n > m->span)
		return mpn;
	lock_take(&m->lock);
	if (free_from(m, first, n) == n)
		mpn = take_singles(m, first, n);
	lock_release(&m->lock);
	return mpn;
}

static bool is_left(const struct nodemem *m, u32 index, u32 life)
{
	return index < m->span && is_single(entry(m, index)) && entry(m, index)->left_by == life;
}

mpn_t nodemem_alloc_left(u32 node, u32 life, mpn_t best)
{
	struct nodemem *m = &nodemem[node];
	u32 index = memmap_node(best) == (int)node ? (u32)(best.v - m->first.v) : NO_PAGE;
	mpn_t mpn = MPN_NONE;

	lock_take(&m->lock);
	if (!is_left(m, index, life))
		index = m->pages;
	if (life && is_left(m, index, life))
		mpn = take_single(m, index);
	lock_release(&m->lock);
	return mpn;
}

mpn_t nodemem_alloc_within(u32 node, u32 page, u32 n)
{
	struct nodemem *m = &nodemem[node];
	mpn_t mpn = MPN_NONE;

	lock_take(&m->lock);
	if (m->blocks != NO_PAGE)
		mpn = take_singles(m, m->blocks + page, n);
	lock_release(&m->lock);
	return mpn;
}

mpn_t nodemem_alloc_block(u32 node, bool odd)
{
	struct nodemem *m = &nodemem[node];
	mpn_t mpn = MPN_NONE;
	u32 start;

	lock_take(&m->lock);
	start = find_block(m, odd);
	if (start != NO_PAGE)
		mpn = take_block(m, start);
	lock_release(&m->lock);
	return mpn;
}

mpn_t nodemem_alloc_block_at(u32 node, mpn_t first)
{
	struct nodemem *m = &nodemem[node];
	mpn_t mpn = MPN_NONE;

	if (memmap_node(first) != (int)node || memmap_page(first)->state != PAGE_FREE)
		return mpn;
	lock_take(&m->lock);
	if (is_whole(m, first.v - m->first.v))
		mpn = take_block(m, first.v - m->first.v);
	lock_release(&m->lock);
	return mpn;
}

/* ---- neighbouring pages for the monitor ---- */

/* Where n pages can be had, or NO_PAGE. whole: of whole blocks, too, which large pages of guests are made of. */
static u32 find_run(const struct nodemem *m, u32 n, u32 align, bool whole)
{
	u32 step = n > BLOCK_PAGES ? BLOCK_PAGES : align;
	u32 at = (u32)(ROUND_UP(m->first.v, step) - m->first.v);

	while (at + n <= m->span) {
		u32 left = m->block_free[block_of(m, at)], found;

		if (!left || (left == BLOCK_PAGES && !whole)) { /* to the next block */
			at = block_start(m, at) + BLOCK_PAGES;
			continue;
		}
		found = free_from(m, at, n);
		if (found == n)
			return at;
		at += MAX((u32)ROUND_UP(found, step), step);
	}
	return NO_PAGE;
}

static void take_run(struct nodemem *m, u32 first, u32 n)
{
	for (u32 i = first; i < first + n; i++) {
		if (m->block_free[block_of(m, i)] == BLOCK_PAGES)
			split(m, block_start(m, i));
		memmap_keep(take_single(m, i));
	}
}

#define ZEROES 16 /* pages between two looks at mail */

mpn_t nodemem_keep(u32 node, u32 npages, u32 align)
{
	struct nodemem *m = &nodemem[node];
	u32 first = NO_PAGE;

	if (!m->npages || nodemem_reserve(npages))
		return MPN_NONE;
	lock_take(&m->lock);
	if (npages <= BLOCK_PAGES)
		first = find_run(m, npages, align, false);
	if (first == NO_PAGE)
		first = find_run(m, npages, align, true);
	if (first != NO_PAGE)
		take_run(m, first, npages);
	lock_release(&m->lock);
	if (first == NO_PAGE) {
		nodemem_unreserve(npages);
		return MPN_NONE;
	}
	__atomic_fetch_add(&m->kept, npages, __ATOMIC_RELAXED);
	for (u32 i = 0; i < npages; i += ZEROES) {
		nodemem_zero((mpn_t){ m->first.v + first + i }, MIN(npages - i, (u32)ZEROES));
		node_read_mail(node_self());
	}
	return (mpn_t){ m->first.v + first };
}

void nodemem_return(mpn_t first, u32 npages)
{
	for (u32 i = 0; i < npages; i++) {
		memmap_return((mpn_t){ first.v + i });
		nodemem_free((mpn_t){ first.v + i });
	}
	__atomic_fetch_sub(&nodemem[memmap_node(first)].kept, npages, __ATOMIC_RELAXED);
	nodemem_unreserve(npages);
}

void nodemem_zero(mpn_t first, u32 npages) { memset(mpn_ptr(first), 0, npages * PAGE_SIZE); }

void nodemem_free(mpn_t mpn)
{
	struct nodemem *m = &nodemem[memmap_node(mpn)];

	heat_forget(mpn);
	lock_take(&m->lock);
	push(m, mpn.v - m->first.v);
	lock_release(&m->lock);
}

int nodemem_reserve(u64 pages)
{
	u64 have = __atomic_load_n(&reserved, __ATOMIC_RELAXED);

	do {
		if (have + pages > total)
			return -ENOMEM;
	} while (!__atomic_compare_exchange_n(&reserved, &have, have + pages, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return 0;
}

void nodemem_unreserve(u64 pages) { __atomic_fetch_sub(&reserved, pages, __ATOMIC_RELAXED); }

u64 nodemem_unreserved(void) { return total - __atomic_load_n(&reserved, __ATOMIC_RELAXED); }

u64 nodemem_free_pages(u32 node) { return nodemem[node].nfree; }

u64 nodemem_monitor_bytes(u32 node)
{
	const struct nodemem *m = &nodemem[node];

	return topology[node].bytes - ((u64)(m->npages - m->kept) << PAGE_SHIFT);
}

#define LOOKS 1024 /* pages of a walk between two looks at mail */

/* What there is to say of the pages that a VM shares. */
struct sharing {
	u64 pages;   /* that have users; a page that it has twice counts twice, here and as users */
	u64 users;   /* of all of these, the VM itself among them */
	u64 archive; /* that are the archive's: of its kernel and ramdisk */
	u64 alone;   /* that nobody else has: they are in a cache, or were */
	u32 most;    /* users of one */
};

static struct sharing sharing_of(const struct pmap *p)
{
	struct sharing s = { 0 };

	for (u32 i = 0; i < p->npages; i++) {
		mpn_t master = pmap_copies(p, (gpn_t){ i }).master;
		u32 n = share_users(master);

		s.archive += share_is_for_ever(master);
		s.pages += n != 0;
		s.users += n;
		s.most = MAX(s.most, n);
		s.alone += n == 1;
		if (i % LOOKS == 0)
			node_read_mail(node_self());
	}
	return s;
}

static void print_vm(const struct vm *vm)
{
	const struct pmap *p = &vm->pmap;
	const struct sharing s = sharing_of(p);
	u64 tenths = s.pages ? s.users * 10 / s.pages : 0;

	kprintf("%s has %lu KB, uses %lu KB, of these shared %lu KB, private %lu KB; replicas %lu KB, ballooned %lu KB, reported %lu KB so far; of the shared %lu KB are of its kernel image and ramdisk\n",
		vm->name, (u64)p->npages << 2, (u64)p->used << 2, (u64)p->shared << 2,
		(u64)(p->used - p->shared) << 2, (u64)p->replicas << 2, (u64)p->ballooned << 2,
		p->reported << 2, s.archive << 2);
	kprintf("  a shared page has %lu.%lu users, %u at most, %lu KB have one; %lu KB were only read so far, and are zero\n",
		tenths / 10, tenths % 10, s.most, s.alone << 2, (u64)p->zero.pages << 2);
}

COMMAND(mem, "", "machine memory: the monitor's, guests', free, promised")
{
	u64 monitor = 0, nfree = 0, kept = 0, own = 0, shared, archive;

	for (u32 i = 0; i < nnodes; i++) {
		monitor += nodemem_monitor_bytes(i);
		nfree += nodemem[i].nfree;
		kept += nodemem[i].kept;
	}
	for (u32 i = 0; i < nvms; i++)
		own += vms[i]->pmap.used - vms[i]->pmap.shared + vms[i]->pmap.replicas;
	share_count(&shared, &archive);
	kprintf("monitor %lu KB, guests use %lu KB, free %lu KB; promised to VMs %lu KB of %lu KB\n",
		monitor >> 10, (total - nfree - kept) << 2, nfree << 2, (reserved - kept) << 2,
		total << 2);
	kprintf("of these kernel images and ramdisks %lu KB, blocks of disks and what knows them %lu KB, private to VMs %lu KB, the rest of the monitor %lu KB\n",
		archive << 2, (shared - archive) << 2, own << 2, (monitor >> 10) - (archive << 2));
	for (u32 i = 0; i < nvms; i++)
		print_vm(vms[i]);
}
