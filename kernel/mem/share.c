/* SPDX-License-Identifier: MIT */
/* Shared pages: who holds and who uses them. */
#include "kernel/lock.h"
#include "kernel/mem/memmap.h"
#include "kernel/mem/pmap.h"
#include "kernel/mem/share.h"
#include "kernel/panic.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define LOCKS	 32 /* by page number: neighbours are in the hands of different nodes */
#define GPN_BITS 20
#define NOBODY	 (~0u)
#define LOOKS	 16 /* users that find_user looks at */

_Static_assert(VMDESC_VM_MB_MAX <= 1u << (GPN_BITS - 8) && MAX_VMS < 1u << (32 - GPN_BITS),
	       "a user's VM and page number fit a word, and none of them is NOBODY");

#define FOUR(x)	   x, x, x, x
#define SIXTEEN(x) FOUR(x), FOUR(x), FOUR(x), FOUR(x)
static struct lock locks[LOCKS] = { SIXTEEN(LOCK_INIT(RANK_SHARE)),
				    SIXTEEN(LOCK_INIT(RANK_SHARE)) };

static struct lock *lock_of(mpn_t page) { return &locks[page.v % LOCKS]; }

/* The page, locked. */
static struct page *take(mpn_t page)
{
	lock_take(lock_of(page));
	return memmap_shared(page);
}

static void put(mpn_t page) { lock_release(lock_of(page)); }

/* ---- how many there are ---- */

#define FOR_EVER 1 /* owner of a page that is never given back, which has no VM as that */

static u64 npages, nfor_ever; /* the first changes atomically, the other at boot */

static void count(s32 n) { __atomic_fetch_add(&npages, n, __ATOMIC_RELAXED); }

static void end(mpn_t page)
{
	memmap_unshare(page);
	count(-1);
}

void share_count(u64 *pages, u64 *for_ever)
{
	*pages = __atomic_load_n(&npages, __ATOMIC_RELAXED);
	*for_ever = nfor_ever;
}

/* ---- the list of users ---- */

static u32 user_of(const struct vm *vm, gpn_t gpn) { return vm->id << GPN_BITS | (u32)gpn.v; }

static struct vm *vm_of(u32 user) { return vms[user >> GPN_BITS]; }

static gpn_t gpn_of(u32 user) { return (gpn_t){ user & (BIT(GPN_BITS) - 1) }; }

static struct pmap_link *link_of(u32 user) { return &vm_of(user)->pmap.link[gpn_of(user).v]; }

static void list_add(struct page *p, u32 user)
{
	*link_of(user) = (struct pmap_link){ .next = p->first_user, .prev = NOBODY };
	if (p->nusers++)
		link_of(p->first_user)->prev = user;
	p->first_user = user;
}

static void list_remove(struct page *p, u32 user)
{
	struct pmap_link l = *link_of(user);

	if (l.prev == NOBODY)
		p->first_user = l.next;
	else
		link_of(l.prev)->next = l.next;
	if (l.next != NOBODY)
		link_of(l.next)->prev = l.prev;
	p->nusers--;
}

/* ---- holders ---- */

mpn_t share_new_promised(u32 node)
{
	mpn_t page = MPN_NONE;

	for (u32 i = 0; i < nnodes && !mpn_valid(page); i++)
		page = nodemem_alloc_here(topology_near(node, i));
	if (!mpn_valid(page))
		return MPN_NONE;
	lock_take(lock_of(page)); /* share_user may look at what the page was until now */
	memmap_share(page)->first_user = NOBODY;
	count(1);
	put(page);
	return page;
}

mpn_t share_new(u32 node)
{
	mpn_t page;

	if (numa_reserve_spare())
		return MPN_NONE;
	page = share_new_promised(node);
	if (!mpn_valid(page))
		nodemem_unreserve(1);
	return page;
}

void share_for_ever(mpn_t page)
{
	struct page *p = memmap_share_at_boot(page);

	p->first_user = NOBODY;
	p->owner = FOR_EVER;
	npages++;
	nfor_ever++;
}

void share_hold(mpn_t page)
{
	take(page)->held++;
	put(page);
}

bool share_hold_used(mpn_t page)
{
	bool used, only;

	if (!share_is(page))
		return false;
	lock_take(lock_of(page));
	used = share_is(page) && memmap_page(page)->nusers;
	only = used && !memmap_page(page)->held++;
	put(page);
	if (used && !only) /* its first holder had a promise */
		nodemem_unreserve(1);
	return used;
}

void share_drop(mpn_t page)
{
	struct page *p = take(page);
	bool last = --p->held == 0, unused = last && !p->nusers;

	if (unused)
		end(page);
	put(page);
	if (unused)
		nodemem_free(page);
	if (last)
		nodemem_unreserve(1);
}

bool share_is(mpn_t page)
{
	const struct page *p = memmap_page(page);

	return p && p->state == PAGE_SHARED;
}

bool share_is_for_ever(mpn_t page)
{
	return share_is(page) && memmap_page(page)->owner == FOR_EVER;
}

u32 share_users(mpn_t page) { return share_is(page) ? memmap_page(page)->nusers : 0; }

bool share_is_sole(mpn_t page)
{
	const struct page *p = take(page);
	bool sole = p->held == 1 && !p->nusers;

	put(page);
	return sole;
}

/* How well a user suits who looks for one. */
enum suits { NOT, BARELY, WELL };
typedef enum suits (*suits_fn)(struct vm *vm, gpn_t gpn, const void *what);

/* The first of those that suit best, among the first few; NOBODY. */
static u32 find_user(mpn_t page, suits_fn suits, const void *what)
{
	u32 found = NOBODY, user;
	enum suits best = NOT;

	if (!share_is(page))
		return NOBODY;
	lock_take(lock_of(page));
	user = share_is(page) ? memmap_page(page)->first_user : NOBODY;
	for (u32 i = 0; i < LOOKS && user != NOBODY && best != WELL;
	     i++, user = link_of(user)->next) {
		enum suits s = suits(vm_of(user), gpn_of(user), what);

		if (s > best) {
			best = s;
			found = user;
		}
	}
	put(page);
	return found;
}

struct place {
	const struct vm *vm; /* NULL: any */
	u32 node;
};

static enum suits suits_vm(struct vm *vm, gpn_t gpn, const void *what)
{
	const struct place *p = what;

	if (vm != p->vm)
		return NOT;
	return nodemask_has(pmap_copies(&vm->pmap, gpn).replicas, p->node) ? BARELY : WELL;
}

static enum suits suits_node(struct vm *vm, gpn_t gpn, const void *what)
{
	const struct place p = { vm, ((const struct place *)what)->node };

	return pmap_has_view(&vm->pmap, p.node) ? suits_vm(vm, gpn, &p) : NOT;
}

bool share_user(mpn_t page, const struct vm *vm, u32 node, gpn_t *gpn)
{
	u32 user = find_user(page, suits_vm, &(struct place){ vm, node });

	*gpn = gpn_of(user);
	return user != NOBODY;
}

struct vm *share_user_on(mpn_t page, u32 node, gpn_t *gpn)
{
	u32 user = find_user(page, suits_node, &(struct place){ NULL, node });

	*gpn = gpn_of(user);
	return user == NOBODY ? NULL : vm_of(user);
}

static enum suits suits_alone(struct vm *vm, gpn_t gpn, const void *what)
{
	const struct place *p = what;
	u32 shown = __atomic_load_n(&vm->pmap.shown[gpn.v], __ATOMIC_RELAXED);
	u32 here = nodemask_of(p->node).bits;

	if (shown & ~here || (!shown && !nodemask_is(vm->node_mask, p->node)))
		return NOT;
	return suits_node(vm, gpn, what) == WELL ? WELL : NOT;
}

struct vm *share_user_only_on(mpn_t page, u32 node, gpn_t *gpn)
{
	u32 user = find_user(page, suits_alone, &(struct place){ NULL, node });

	*gpn = gpn_of(user);
	return user == NOBODY ? NULL : vm_of(user);
}

static enum suits suits_any(struct vm *vm, gpn_t gpn, const void *what)
{
	(void)vm, (void)gpn, (void)what;
	return WELL;
}

struct vm *share_some_user(mpn_t page, gpn_t *gpn)
{
	u32 user = find_user(page, suits_any, NULL);

	*gpn = gpn_of(user);
	return user == NOBODY ? NULL : vm_of(user);
}

/* ---- users ---- */

void share_join_locked(mpn_t page, struct vm *vm, gpn_t gpn, bool given)
{
	struct page *p;
	bool last;

	pmap_assert_locked(&vm->pmap, gpn);
	p = take(page);
	if (!p->held)
		panic("shared page %lx has no holder who could give it to a VM", page.v);
	list_add(p, user_of(vm, gpn));
	last = given && --p->held == 0;
	put(page);
	if (last)
		nodemem_unreserve(1);
}

void share_leave_locked(mpn_t page, struct vm *vm, gpn_t gpn)
{
	struct page *p;
	bool unused;

	pmap_assert_locked(&vm->pmap, gpn);
	p = take(page);
	list_remove(p, user_of(vm, gpn));
	unused = !p->held && !p->nusers;
	if (unused)
		end(page);
	put(page);
	if (unused)
		nodemem_free(page);
}

void share_lend_locked(mpn_t page, struct vm *vm, gpn_t gpn)
{
	struct page *p;

	pmap_assert_locked(&vm->pmap, gpn);
	lock_take(lock_of(page)); /* share_user may look at what the page was until now */
	p = memmap_lend(page, vm->id);
	p->first_user = NOBODY;
	list_add(p, user_of(vm, gpn));
	count(1);
	put(page);
}

bool share_hold_used_locked(mpn_t page, struct vm *vm, gpn_t gpn)
{
	bool only;

	pmap_assert_locked(&vm->pmap, gpn);
	only = !take(page)->held++;
	put(page);
	return only;
}

bool share_take_over_locked(mpn_t page, struct vm *vm, gpn_t gpn)
{
	struct page *p;
	bool mine;

	pmap_assert_locked(&vm->pmap, gpn);
	p = take(page);
	mine = !p->held && p->nusers == 1;
	if (mine)
		memmap_take_over(page, vm->id, gpn);
	count(-(s32)mine);
	put(page);
	return mine;
}
