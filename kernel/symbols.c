/* SPDX-License-Identifier: MIT */
/* Function names: binary search in the table that the build makes. */
#include "kernel/symbols.h"

struct symbol {
	u64 address;
	const char *name;
};

/* In ascending order; both weak, for the first of the two links. */
extern const struct symbol symbols_start[] __attribute__((weak)),
	symbols_end[] __attribute__((weak));

static const struct symbol *find(u64 pc)
{
	const struct symbol *low = symbols_start, *high = symbols_end;

	if (low == high || pc < low->address)
		return NULL;
	while (high - low > 1) {
		const struct symbol *mid = low + (high - low) / 2;

		if (mid->address <= pc)
			low = mid;
		else
			high = mid;
	}
	return low;
}

const char *symbol_name(u64 pc)
{
	const struct symbol *s = find(pc);

	return s ? s->name : "?";
}

u64 symbol_start(u64 pc)
{
	const struct symbol *s = find(pc);

	return s ? s->address : 0;
}
