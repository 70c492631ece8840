/* SPDX-License-Identifier: MIT */
/* The monitor's last log lines, kept whether or not anybody sees them. */
#include "kernel/console/line.h"
#include "kernel/console/output.h"

/* under the console's lock */
static char ring[LOGRING_BYTES];
static u64 head; /* bytes put, ever */

void logring_keep(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring[head++ % LOGRING_BYTES] = s[i];
}

void logring_show(void)
{
	u64 at = head > LOGRING_BYTES ? head - LOGRING_BYTES : 0;

	for (; at < head; at++)
		output_text(&ring[at % LOGRING_BYTES], 1);
}
