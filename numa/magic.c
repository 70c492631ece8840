/* SPDX-License-Identifier: MIT */
/* Finds MAGIC at boot and keeps its memory out of the nodes'; tells it which VM a node runs, and what memory is for. */
#include "arch/mips/arch.h"
#include "kernel/log.h"
#include "numa/magic.h"
#include "numa/numa.h"

#define RAM_FIRST 0x80000ul /* page number, as MAGIC counts */

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

/* Pages that are something already stay that. */
static void note(maddr_t start, maddr_t end, enum magic_kind kind)
{
	struct magic_page *pages;

	if (!magic())
		return;
	pages = maddr_ptr((maddr_t){ found->pages });
	for (u64 i = start.v >> PAGE_SHIFT; i < (end.v + PAGE_SIZE - 1) >> PAGE_SHIFT; i++)
		if (pages[i - RAM_FIRST].kind == MAGIC_GUEST)
			pages[i - RAM_FIRST].kind = kind;
}

static void note_at(const void *start, u64 bytes, enum magic_kind kind)
{
	maddr_t at = ptr_maddr(start);

	note(at, (maddr_t){ at.v + bytes }, kind);
}

void magic_note_l2tlb(const void *start, u64 bytes) { note_at(start, bytes, MAGIC_L2TLB); }
void magic_note_pmap(const void *start, u64 bytes) { note_at(start, bytes, MAGIC_PMAP); }
void magic_note_guest(const void *start, u64 bytes)
{
	struct magic_page *pages;

	if (!magic())
		return;
	pages = maddr_ptr((maddr_t){ found->pages });
	for (u64 i = ptr_maddr(start).v >> PAGE_SHIFT; bytes; i++, bytes -= PAGE_SIZE)
		pages[i - RAM_FIRST].kind = MAGIC_GUEST;
}

void magic_note_monitor(maddr_t start, maddr_t end) { note(start, end, MAGIC_MONITOR); }
