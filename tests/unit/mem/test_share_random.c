/* SPDX-License-Identifier: MIT */
/*
 * kernel/mem/share.c, pmap_share.c at random, against a model that knows no machine pages: pages are shared,
 * lent, passed, written, pinned, given up, moved and replicated, VMs end and memory runs out; other processors go on while
 * a batch waits. DISCO_STEPS: how many steps it takes.
 */
#include <stdlib.h>
#include "tests/unit/mem/share_pages.h"

#include "kernel/errno.h"
#include "kernel/mem/pass.h"
#include "numa/move.h"

#define STEPS	  40000
#define GPNS	  24			   /* few, so that they meet */
#define FIRST_GPN (BLOCK_PAGES - GPNS / 2) /* in two ranges */
#define HELD	  6
#define HAD	  BIT(18)
#define PROMISE	  (2 * VM_PAGES)

static struct {
	u64 value[2][GPNS]; /* what each VM reads */
	u8 had[2][HAD];	    /* whether its guest ever read such a value */
	u32 pins[2][GPNS];
	mpn_t held[HELD]; /* pages of the test's own */
	u64 contents[HELD];
} model;

static struct vm *const both[] = { &vm_a, &vm_b };

static u8 *had(u32 vm, u64 value) { return &model.had[vm][(value ^ value >> 15) % HAD]; }

/* From now on the VM reads that there. */
static void now_reads(u32 vm, u32 gpn, u64 value)
{
	model.value[vm][gpn] = value;
	*had(vm, value) = true;
}

static u32 in_batch; /* nodes whose batch waits, as bits */

static gpn_t gpn_of(u32 i) { return (gpn_t){ FIRST_GPN + i }; }

static void step_hold(u64 value)
{
	u32 i = rand() % HELD;

	if (mpn_valid(model.held[i])) {
		share_drop(model.held[i]);
		model.held[i] = MPN_NONE;
		return;
	}
	model.held[i] = new_page(value);
	model.contents[i] = value;
}

static bool is_ballooned(u32 vm, u32 gpn)
{
	return pmap_state_of(pmap_page(&both[vm]->pmap, gpn_of(gpn))) == PMAP_BALLOONED;
}

/* Several pages at once, one of them twice perhaps: the last one is there. */
static void step_share(u32 vm, u32 gpn)
{
	struct share_at at[4];
	u32 place[4], from[4], n = 1 + rand() % 4, can = 0;

	for (u32 i = 0; i < n; i++) {
		place[i] = i ? (u32)rand() % GPNS : gpn;
		from[i] = rand() % HELD;
		if (!mpn_valid(model.held[from[i]]))
			return;
		at[i] = (struct share_at){ .gpn = gpn_of(place[i]),
					   .page = model.held[from[i]],
					   .given = rand() % 2,
					   .shown = rand() % 2 };
		for (u32 k = 0; k < i; k++) /* whose hold is given gives no more */
			if (from[k] == from[i])
				at[k].given = at[i].given = false;
		if (!pmap_page(&both[vm]->pmap, gpn_of(place[i])).busy)
			can |= BIT(i);
	}
	if (n == 1 && rand() % 2)
		assert_int_equal(pmap_share_page(both[vm], at), can);
	else
		assert_int_equal(pmap_share_pages(both[vm], at, n), can);
	for (u32 i = 0; i < n; i++)
		if (can & BIT(i))
			now_reads(vm, place[i], model.contents[from[i]]);
	for (u32 i = 0; i < n; i++)
		if ((can & BIT(i)) && at[i].given)
			model.held[from[i]] = MPN_NONE;
}

/* A page that somebody holds stays as it was when he got it. */
static void check_held(void)
{
	for (u32 i = 0; i < HELD; i++) {
		const u64 *words = mpn_valid(model.held[i]) ? fake_mpn_ptr(model.held[i]) : NULL;

		if (words)
			assert_int_equal(words[PAGE_SIZE / 8 - 1], model.contents[i]);
	}
}

/* Whether the page can be lent, busy or not. */
static bool can_lend(u32 vm, u32 gpn)
{
	struct pmap_page page = pmap_page(&both[vm]->pmap, gpn_of(gpn));

	return page.master && (!page.busy || pmap_is_shared(page));
}

static void step_lend(u32 vm, u32 gpn)
{
	u32 i = rand() % HELD;
	struct share_at at = { .gpn = gpn_of(gpn) };
	bool can = can_lend(vm, gpn);

	if (mpn_valid(model.held[i]) || nodemem_reserve(1))
		return;
	pmap_lend_pages(both[vm], &at, 1);
	model.held[i] = at.page;
	assert_int_equal(mpn_valid(model.held[i]), can);
	if (!can)
		nodemem_unreserve(1);
	model.contents[i] = model.value[vm][gpn];
}

/* Whether another page can take this one's place; busy: it is pinned, or moves. */
static bool can_be_target(u32 vm, u32 gpn) { return !pmap_page(&both[vm]->pmap, gpn_of(gpn)).busy; }

static u32 replicas(void) { return vm_a.pmap.replicas + vm_b.pmap.replicas; }

static bool is_moving(u32 vm, u32 gpn)
{
	enum pmap_state state = pmap_state_of(pmap_page(&both[vm]->pmap, gpn_of(gpn)));

	return state == PMAP_LEAVING || state == PMAP_COPIED;
}

/* The guest has given the page away, and nobody has another for it. */
static bool is_gone(u32 vm, u32 gpn)
{
	gpn_t page = gpn_of(gpn);

	if (!is_ballooned(vm, gpn) || reserved < reserve_limit)
		return false;
	assert_int_equal(pmap_use_to_write(both[vm], page, 0), 0);
	assert_int_equal(pmap_unballoon(both[vm], page), -ENOMEM);
	return true;
}

static void step_pass(u32 vm, u32 gpn)
{
	u32 to = rand() % 2, target = rand() % GPNS, beside = rand() % GPNS;
	gpn_t also = gpn_of(beside);
	u64 value;
	bool same = vm == to && gpn == target;
	bool can = can_lend(vm, gpn) && can_be_target(to, target) && reserved < reserve_limit;
	u64 before = reserved - replicas();
	bool with = !same && rand() % 2 && beside != target && !(to == vm && beside == gpn);
	struct pass one = { gpn_of(gpn), gpn_of(target) };
	int err = 0;

	if (with)
		err = pass_pages(both[vm], both[to], &one, 1, &also) ? 0 : -EAGAIN;
	else
		err = pass_page(both[vm], one.source, both[to], one.target);
	assert_int_equal(err, can || same ? 0 : -EAGAIN);
	assert_int_equal(reserved - replicas(), before); /* each of them has a promise */
	if (!err)
		now_reads(to, target, model.value[vm][gpn]);
	if (!with || is_moving(to, beside) || is_gone(to, beside))
		return;
	value = read_as(both[to], also.v, rand() % NODES);
	assert_true(!value || *had(to, value));
	model.value[to][beside] = value;
}

/* A device is given the page to write: it is the VM's own afterwards, and holds nothing that another guest had. */
static void step_renew(u32 vm, u32 gpn, u32 node)
{
	struct pmap *p = &both[vm]->pmap;
	gpn_t page = gpn_of(gpn);
	bool shared = pmap_state_of(pmap_page(p, page)) == PMAP_SHARED;
	u64 lo, value;

	pmap_lock(p, page);
	lo = pmap_renew_locked(both[vm], page, node);
	pmap_unlock(p, page);
	assert_int_equal(lo != 0, shared);
	if (!lo)
		return;
	assert_int_equal(pmap_state_of(pmap_page(p, page)), PMAP_SINGLE);
	assert_int_equal(lo, lo_of(both[vm], page.v, node));
	value = read_as(both[vm], page.v, rand() % NODES);
	assert_true(!value || *had(vm, value));
	model.value[vm][gpn] = value;
}

static void step_pin(u32 vm, u32 gpn)
{
	u32 *pins = &model.pins[vm][gpn];

	if (*pins && rand() % 2) {
		pmap_unpin(both[vm], gpn_of(gpn));
		--*pins;
	} else if (*pins < 3) {
		assert_true(mpn_valid(pmap_pin(both[vm], gpn_of(gpn))));
		++*pins;
	}
}

static void step_give_up(u32 vm, u32 gpn)
{
	u32 n = 1 + rand() % 3;

	pmap_give_up(both[vm], gpn_of(gpn), n);
	for (u32 i = gpn; i < gpn + n && i < GPNS; i++)
		if (!model.pins[vm][i])
			model.value[vm][i] = 0;
}

static void step_balloon(u32 vm, u32 gpn)
{
	gpn_t pages[4];
	u32 at[4];
	u32 before = both[vm]->pmap.ballooned, given;

	if (rand() % 4 == 0) {
		if (!is_gone(vm, gpn))
			assert_int_equal(pmap_unballoon(both[vm], gpn_of(gpn)), 0);
		return;
	}
	for (u32 i = 0; i < 4; i++)
		pages[i] = gpn_of(at[i] = (gpn + rand() % 4) % GPNS);
	given = pmap_balloon(both[vm], pages, 4);
	assert_int_equal(both[vm]->pmap.ballooned, before + given);
	for (u32 i = 0; i < 4; i++)
		if (!model.pins[vm][at[i]])
			model.value[vm][at[i]] = 0;
}

static void step(u64 value);

/* What other processors do while a batch waits: all but with its pages, which they would wait for. */
static void meanwhile(void)
{
	static u64 value = BIT(32);

	assert_int_equal(locks_held, 0);
	for (u32 i = 0; i < 4; i++)
		step(value++);
}

static void step_move(u32 node)
{
	mpn_t masters[4];
	u32 n = 1 + rand() % 4;

	if (in_batch & BIT(node))
		return;
	for (u32 i = 0; i < n; i++)
		masters[i] = pmap_copies(&both[rand() % 2]->pmap, gpn_of(rand() % GPNS)).master;
	if (rand() % 4 == 0) {
		migrate_shared(node, masters[0]);
		return;
	}
	if (rand() % 2)
		*(rand() % 2 ? &during_shootdown : &during_copy) = meanwhile;
	in_batch |= BIT(node);
	if (rand() % 2)
		migrate_pages(node, masters, n);
	else
		replicate_pages(node, masters, n);
	in_batch &= ~BIT(node);
	during_shootdown = during_copy = NULL;
}

static void step_end(u32 vm)
{
	for (u32 i = 0; i < GPNS; i++)
		while (model.pins[vm][i]) {
			pmap_unpin(both[vm], gpn_of(i));
			model.pins[vm][i]--;
		}
	release_all(both[vm]);
	nodemem_unreserve(pmap_end_promise(&both[vm]->pmap));
	reserved += VM_PAGES; /* and it has started again */
	memset(model.value[vm], 0, sizeof(model.value[vm]));
	memset(model.had[vm], 0, sizeof(model.had[vm]));
}

static void step(u64 value)
{
	u32 vm = rand() % 2, gpn = rand() % GPNS, node = rand() % NODES;

	if (is_moving(vm, gpn)) {
		switch (rand() % 4) {
		case 0: step_lend(vm, gpn); break;
		case 1: step_pass(vm, gpn); break;
		default: step_move(node); break;
		}
		return;
	}
	if (is_gone(vm, gpn))
		return;
	switch (rand() % (in_batch ? 75 : 80)) {
	case 0 ... 3: step_renew(vm, gpn, node); break;
	case 4 ... 13:
		assert_int_equal(read_as(both[vm], FIRST_GPN + gpn, node), model.value[vm][gpn]);
		break;
	case 14 ... 15: large_of(both[vm], FIRST_GPN + gpn, node); break;
	case 16 ... 27:
		write_as(both[vm], FIRST_GPN + gpn, node, value);
		now_reads(vm, gpn, value);
		break;
	case 28 ... 39: step_share(vm, gpn); break;
	case 40 ... 45: step_hold(value); break;
	case 46 ... 49: step_pin(vm, gpn); break;
	case 50 ... 55: step_lend(vm, gpn); break;
	case 56 ... 63: step_pass(vm, gpn); break;
	case 64 ... 74: step_move(node); break;
	case 75 ... 76: step_give_up(vm, gpn); break;
	case 77 ... 78: step_balloon(vm, gpn); break;
	default:
		if (rand() % 16 == 0)
			step_end(vm);
		else /* memory that nobody was promised: none, or some */
			reserve_limit = rand() % 2 ? PROMISE + rand() % 8 : ~0ul;
		both[vm]->pmap.zero.written =
			0; /* or most pages that are read would be given soon */
	}
}

static void random_sharing_against_a_model(void **state)
{
	const char *wanted = getenv("DISCO_STEPS");
	u64 pages, for_ever, steps = wanted ? strtoul(wanted, NULL, 0) : STEPS;

	(void)state;
	memset(&model, 0, sizeof(model));
	blocks = false;
	zero = true;
	neighbours = true;
	reserved = PROMISE; /* as if both had started */
	for (u64 i = 1; i <= steps; i++) {
		step(i);
		if (i % 64 == 0) {
			check_everything();
			check_held();
		}
	}
	for (u32 i = 0; i < HELD; i++)
		if (mpn_valid(model.held[i]))
			share_drop(model.held[i]);
	step_end(0);
	step_end(1);
	share_count(&pages, &for_ever);
	assert_int_equal(pages | for_ever, 0);
	for (u32 i = 0; i < NODES * NODE_PAGES; i++)
		assert_true(is_free[i]);
	assert_int_equal(reserved, PROMISE);
	check_everything();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_sharing_against_a_model, numa_vm_reset),
	};

	return cmocka_run_group_tests_name("share_random", tests, NULL, NULL);
}
