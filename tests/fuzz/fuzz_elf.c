/* SPDX-License-Identifier: MIT */
/* Any bytes as a guest image: no read outside them, and what is accepted keeps the promises of
 * kernel/vm/elf.h. */
#include <stdlib.h>
#include <string.h>

#include "kernel/vm/elf.h"

#define LIMIT (64ull << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image image;
	char why[160] = "";
	volatile uint8_t sink = 0;
	unsigned int i;

	if (elf_check(data, size, LIMIT, false, &image, why, sizeof(why)) != 0) {
		if (!why[0])
			abort();
		return 0;
	}
	for (i = 0; i < image.nsegs; i++) {
		const struct elf_segment *s = &image.segs[i];
		const uint8_t *src = s->src;
		u64 k;

		if (s->filesz > s->memsz || s->memsz == 0 || s->phys.v + s->memsz > LIMIT ||
		    s->phys.v + s->memsz > image.end.v)
			abort();
		for (k = 0; k < s->filesz; k++)
			sink += src[k];
	}
	(void)sink;
	return 0;
}
