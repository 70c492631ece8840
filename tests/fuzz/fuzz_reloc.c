/* SPDX-License-Identifier: MIT */
/* Any bytes as a kernel with relocations: no read outside them, and every place that is to be changed lies in what is
 * loaded from the file. */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/disco.h"
#include "kernel/reloc/table.h"

#define LIMIT (64ull << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_loaded(const struct elf_image *image, const struct reloc *r)
{
	for (unsigned int i = 0; i < image->nsegs; i++) {
		const struct elf_segment *s = &image->segs[i];

		if (r->at.v >= s->phys.v && r->at.v + r->bytes <= s->phys.v + s->filesz)
			return 1;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image image;
	struct reloc_table table;
	struct reloc r;
	char why[160] = "";
	u64 entries = 0;
	int err;

	if (elf_check(data, size, LIMIT, true, &image, why, sizeof(why)) != 0)
		return 0;
	err = reloc_begin(&table, data, size, &image, why, sizeof(why));
	while (!err && (err = reloc_next(&table, &r, why, sizeof(why))) > 0) {
		err = 0;
		if (r.bytes && !is_loaded(&image, &r))
			abort();
		if (++entries > size * 0x10000)
			abort();
	}
	if (err < 0 && !why[0])
		abort();
	return 0;
}
