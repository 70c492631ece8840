/* SPDX-License-Identifier: MIT */
/* Any bytes as a boot archive: the walk ends, and every entry lies inside the archive. */
#include <stdlib.h>
#include <string.h>

#include "kernel/vm/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpio_iter it;
	struct cpio_entry e;
	char why[160] = "";
	volatile uint8_t sink = 0;
	const void *found;
	size_t len, k;
	int more;

	cpio_start(&it, data, size);
	while ((more = cpio_next(&it, &e, why, sizeof(why))) > 0) {
		sink += strlen(e.name);
		for (k = 0; k < e.size; k++)
			sink += ((const uint8_t *)e.data)[k];
	}
	if (more < 0 && !why[0])
		abort();
	cpio_find(data, size, "vmlinux", &found, &len);
	(void)sink;
	return 0;
}
