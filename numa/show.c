/* SPDX-License-Identifier: MIT */
/* What the prompt shows of placement: who misses on whose memory. */
#include "kernel/console.h"
#include "kernel/log.h"
#include "numa/latency.h"
#include "numa/topology.h"

static u64 percent(u64 part, u64 whole) { return whole ? (part * 100 + whole / 2) / whole : 0; }

COMMAND(numa, "", "local and remote misses of each node")
{
	kprintf("node  misses      local %%  remote      charged us  cached\n");
	for (u32 i = 0; i < nnodes; i++) {
		const struct latency_count *c = latency_counts(i);
		u64 all = 0, ns = 0, cached = 0;

		for (u32 j = 0; j < nnodes; j++) {
			all += c->refills[j];
			ns += c->ns[j];
			cached += c->cached[j];
		}
		kprintf("%4u  %-10lu  %7lu  %-10lu  %-10lu  %lu\n", i, all,
			percent(c->refills[i], all), all - c->refills[i], ns / 1000, cached);
	}
}
