/* SPDX-License-Identifier: MIT */
/* Finds MAGIC at boot and keeps its memory out of the nodes'; tells it which VM a node runs. */
#include "arch/mips/arch.h"
#include "kernel/log.h"
#include "numa/magic.h"
#include "numa/numa.h"

static struct magic *found; /* fixed after boot */

const struct magic *magic_model(void) { return found; }

struct magic *magic(void) { return found && found->pages ? found : NULL; }

u64 magic_init(u32 n, maddr_t base, u64 bytes)
{
	struct magic *m = maddr_ptr((maddr_t){ MAGIC_AT });
	u64 below;

	if (m->id >> 32 != MAGIC_NAME)
		return bytes;
	if (m->id != MAGIC_ID) {
		log_line("magic",
			 "found layout %lx, allowed %lx: `make build/flash.so`, or no counters",
			 m->id, MAGIC_ID);
		return MIN(bytes, m->pages ? m->range - base.v : bytes);
	}
	found = m;
	if (!m->pages)
		return bytes;
	below = MIN(bytes, m->range - base.v);
	log_line("magic", "counts misses of %u nodes of %lu MB, %lu KB at 0x%lx are its own",
		 m->nodes, m->node_bytes >> 20, m->bytes >> 10, m->range);
	if (n == m->nodes && below >= n * m->node_bytes)
		return n * m->node_bytes;
	log_line("magic", "found %u nodes in %lu MB here: what it calls local is not", n,
		 below >> 20);
	return below;
}

void magic_note_vm(u32 node, u32 vm)
{
	if (found && node < MAGIC_MAX_NODES)
		found->current[node] = vm + 1;
}
