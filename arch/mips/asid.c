/* SPDX-License-Identifier: MIT */
/* Machine ASIDs with generations. Pure: no CP0 access here. */
#include "arch/mips/asid.h"

void asid_pool_init(struct asid_pool *p)
{
	p->generation = 1;
	p->next = 1;
}

u32 asid_peek(const struct asid_pool *p, u64 slot)
{
	return slot >> ASID_BITS == p->generation ? slot & (ASID_COUNT - 1) : 0;
}

u32 asid_get(struct asid_pool *p, u64 *slot, bool *flush)
{
	u32 asid = asid_peek(p, *slot);

	*flush = false;
	if (asid)
		return asid;
	if (p->next == ASID_COUNT) {
		p->generation++;
		p->next = 1;
		*flush = true;
	}
	asid = p->next++;
	*slot = p->generation << ASID_BITS | asid;
	return asid;
}
