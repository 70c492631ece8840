/* SPDX-License-Identifier: MIT */
/* Pages that are passed from one VM to another. */
#include "kernel/errno.h"
#include "kernel/mem/pass.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/share.h"
#include "kernel/vm/vm.h"
#include "numa/numa.h"

#define FREE_TO_SHARE \
	(BIT(PMAP_UNUSED) | BIT(PMAP_SINGLE) | BIT(PMAP_SHARED) | BIT(PMAP_REPLICATED))

/* Of one moment: so that the source is not lent for nothing, as a rule. */
static bool may_be_target(const struct pmap *p, gpn_t gpn)
{
	return BIT(pmap_state_of(pmap_page(p, gpn))) & FREE_TO_SHARE;
}

/* Whether it is worth an attempt. */
static bool may_try(const struct vm *from, const struct vm *to, const struct pass *p)
{
	return p->source.v < from->pmap.npages && p->target.v < to->pmap.npages &&
	       may_be_target(&to->pmap, p->target);
}

/* Of the first n of the list those that were lent, with their targets; `tried`: where they are in `list`. How many. */
static u32 choose_lent(struct share_at *at, u32 *tried, u32 n, const struct pass *list)
{
	u32 lent = 0;

	for (u32 i = 0; i < n; i++)
		if (mpn_valid(at[i].page)) {
			at[lent] = (struct share_at){ .gpn = list[tried[i]].target,
						      .page = at[i].page,
						      .given = true,
						      .shown = true };
			tried[lent++] = tried[i];
		}
	if (lent < n)
		nodemem_unreserve(n - lent);
	return lent;
}

u32 pass_pages(struct vm *from, struct vm *to, const struct pass *list, u32 n, const gpn_t *also)
{
	struct share_at at[SHARE_PAGES];
	u32 tried[SHARE_PAGES], ntried = 0, nall, shared, passed = 0;

	for (u32 i = 0; i < n; i++)
		if (may_try(from, to, &list[i])) {
			at[ntried] = (struct share_at){ .gpn = list[i].source, .shown = true };
			tried[ntried++] = i;
		}
	ntried = ntried ? numa_reserve_spares(ntried) : 0;
	pmap_lend_pages(from, at, ntried);
	ntried = choose_lent(at, tried, ntried, list);
	nall = ntried;
	if (also && ntried && ntried < SHARE_PAGES)
		at[nall++] = (struct share_at){ .gpn = *also, .renew = true };
	shared = pmap_share_pages(to, at, nall);
	for (u32 i = 0; i < ntried; i++)
		if (shared & BIT(i))
			passed |= BIT(tried[i]);
		else
			share_drop(at[i].page);
	return passed;
}

int pass_page(struct vm *from, gpn_t source, struct vm *to, gpn_t target)
{
	if (source.v >= from->pmap.npages || target.v >= to->pmap.npages)
		return -EFAULT;
	if (from == to && source.v == target.v)
		return 0;
	return pass_pages(from, to, &(struct pass){ source, target }, 1, NULL) ? 0 : -EAGAIN;
}

void pass_users(mpn_t from, mpn_t to)
{
	struct vm *user;
	gpn_t gpn;

	for (u32 i = 0; i < PASS_USERS; i++) {
		user = share_some_user(from, &gpn);
		if (!user || !pmap_replace(user, gpn, from, to))
			return;
	}
}

u32 pass_users_on(mpn_t from, mpn_t to, u32 node)
{
	struct vm *user;
	gpn_t gpn;
	u32 n = 0;

	while (n < PASS_USERS && (user = share_user_only_on(from, node, &gpn)) &&
	       pmap_replace(user, gpn, from, to))
		n++;
	return n;
}
