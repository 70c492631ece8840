/* SPDX-License-Identifier: MIT */
/* What a rewritten kernel's relocations came to, counted while they are checked, and told. */
#include "kernel/reloc/reloc.h"

#include "kernel/log.h"
#include "kernel/reloc/table.h"

void rewrite_count(struct rewrite *w, const struct reloc *r)
{
	w->places += r->bytes != 0;
	if (!r->left)
		return;
	if (!w->left++) {
		w->first_left = r->where;
		w->first_type = r->type;
	}
}

void rewrite_report(const struct rewrite *w, const char *name)
{
	if (w->left)
		log_line("vm", "%s: %u relocations left as they are, the first of type %u at %lx",
			 name, w->left, w->first_type, w->first_left);
}
