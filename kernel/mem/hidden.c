/* SPDX-License-Identifier: MIT */
/* Pages on their way out of the views of their VM. */
#include "kernel/mem/hidden.h"
#include "kernel/mem/pmap_state.h"
#include "kernel/mem/shootdown.h"
#include "kernel/vm/vm.h"

void hidden_begin(struct hidden *h, struct vm *vm)
{
	h->drop.vm = vm;
	h->drop.machine = (struct page_filter){ { 0 } };
	h->drop.n = 0;
	h->seen_by = NODEMASK_NONE;
}

/* By what the node has a small translation of the page: a tag of the L2TLB, best of a window; 0: nothing; or what says that there were several. */
static u64 tag_of(const struct pmap *p, gpn_t gpn, u32 node)
{
	u32 windows = pmap_windows(&p->view[node], gpn);

	for (u32 i = ARCH_WINDOWS; i-- > 0;)
		if (windows & BIT(i))
			return arch_window_tag(i, gpn);
	return pmap_noted(pmap_entry(p, gpn, node));
}

void hidden_add(struct hidden *h, gpn_t gpn, bool again)
{
	struct vm *vm = h->drop.vm;
	struct nodemask *used_by = &h->used_by[h->drop.n];

	*used_by = NODEMASK_NONE;
	for_each_node(node, vm->node_mask) {
		u64 tag;
		mpn_t shown;

		if (!pmap_is_shown_locked(&vm->pmap, gpn, node))
			continue;
		tag = again ? tag_of(&vm->pmap, gpn, node) : 0;
		shown = pmap_hide_locked(&vm->pmap, gpn, node);
		if (!mpn_valid(shown))
			continue;
		page_filter_add(&h->drop.machine, shown);
		nodemask_add(&h->seen_by, node);
		if (tag) {
			nodemask_add(used_by, node);
			h->tag[h->drop.n] = tag;
		}
	}
	h->drop.page[h->drop.n++] = gpn;
}

void hidden_take_back(const struct hidden *h) { shootdown(h->seen_by, mmu_drop_pages, &h->drop); }

void hidden_show_again(const struct hidden *h)
{
	struct vm *vm = h->drop.vm;

	for (u32 i = 0; i < h->drop.n; i++)
		for_each_node(node, h->used_by[i]) {
			pmap_fill_locked(vm, h->drop.page[i], node);
			if (!pmap_is_many(h->tag[i]))
				fresh_put(vm->pmap.view[node].fresh, h->tag[i]);
		}
}
