/* SPDX-License-Identifier: MIT */
/*
 * The model's state, shared by the files of qemu/flash. Everything runs in QEMU's one thread for
 * all processors, except the helper of idle.c and QEMU's main loop; what these touch says so.
 */
#ifndef QEMU_FLASH_FLASH_H
#define QEMU_FLASH_FLASH_H

#include "numa/magic.h"
#include "qemu/flash/cache.h"
#include "qemu/flash/decode.h"
#include "qemu/flash/options.h"

#define MAX_CPUS CACHE_MAX_CPUS
#define MAX_VMS	 17 /* 0: none announced; VM n of the monitor is n + 1 */

/* A piece of code that QEMU translated; fixed once made. */
struct block {
	uint64_t line;	 /* of RAM, where it begins; NO_LINE: elsewhere */
	uint64_t line_2; /* on a second page; NO_LINE: not */
	uint16_t lines;	 /* on the first page */
	uint16_t insns;	 /* without a forbidden slot at its end, which counts itself */
	uint16_t points; /* instructions that may end the block before its end */
	uint16_t vector; /* of the monitor: where in its page it begins */
	uint8_t class;
	bool lock;     /* of spin locks: options.lock */
	uint8_t cause; /* an enum cause, if its last instruction trapped; CAUSE_NONE: it returns */
	uint16_t *at;  /* which instructions */
};

enum where { LOCAL, REMOTE, WHERES };

/* How an access left the first level. */
enum touch {
	TOUCH_HIT, /* in the second level */
	TOUCH_MISS,
	TOUCH_UPGRADE = TOUCH_MISS + WHERES,
	TOUCHES = TOUCH_UPGRADE + WHERES
};

/* What has happened on one processor, from the start up. */
struct counts {
	uint64_t cycles; /* its clock */
	uint64_t idle;	 /* of these */
	uint64_t insns[MAX_VMS][CLASSES];
	uint64_t stall[MAX_VMS][CLASSES];
	uint64_t lock[CLASSES]; /* cycles of spin locks, what the monitor does for them among it */
	uint64_t stall_l2, stall_at[WHERES];
	uint64_t l1[2], l2_hits;    /* l1: misses of instructions, of data */
	uint64_t misses[2][WHERES]; /* of the second level */
	uint64_t upgrades[WHERES];
	uint64_t queued;     /* of the stalls: cycles of waiting for a controller */
	uint64_t dirty;	     /* of the misses: another processor's cache had the only good copy */
	uint64_t exceptions; /* that ended */
	uint64_t entries[CAUSES];			/* to the exception vectors, from below */
	uint64_t entry_cycles[CAUSES];			/* until something below went on */
	uint64_t touched[CAUSES][MAGIC_KINDS][TOUCHES]; /* in these, by what was touched */
	uint64_t touched_stall[CAUSES][MAGIC_KINDS];	/* cycles */
	uint64_t invalidations, writebacks;		/* from the caches, filled in by report.c */
};

struct cpu {
	uint64_t bound; /* may run until its clock is here; 0: must ask clock.c */
	uint64_t done;	/* points of block passed */
	const struct block *block;
	uint64_t *insns; /* counted for the block: of n.insns */
	unsigned vm;	 /* as in n.insns */
	uint8_t class;
	bool lock;	  /* in the code of spin locks, or in the monitor from there */
	uint64_t counted; /* its clock, less what it had idled, when lock or class changed last */
	uint8_t trap;	  /* an enum cause: of the block before */
	uint8_t cause;	  /* of the entry under way; CAUSE_NONE: there is none */
	uint64_t entered; /* its clock then, less what it had idled */
	bool idle;	  /* stopped, or in a WAIT */
	unsigned id;
	void *qemu; /* its CPUState */
	struct counts n;
	unsigned latency[MAX_CPUS]; /* cycles, of a miss on memory of each node; fixed */
};

extern struct options options; /* fixed after start */
extern struct cpu cpus[MAX_CPUS];
extern unsigned cpu_count;
extern struct cpu *running; /* whose block is being executed; NULL: nobody's. */

/* Machine memory as QEMU has it; fixed after start. */
extern struct ram {
	uint8_t *host;
	uint64_t bytes;
	uint64_t node_bytes;
} ram;

static inline unsigned ram_node(uint64_t offset)
{
	unsigned node = offset / ram.node_bytes;

	if (options.interleave)
		return (offset >> 12) % cpu_count;
	return node < cpu_count ? node : cpu_count - 1;
}

/* ---- plugin.c ---- */
void plugin_before_first_block(void); /* is translated: once */

/* ---- memory.c: what accesses cost ---- */
bool memory_init(void);
extern struct cache_system caches;
void memory_miss(struct cpu *c, uint64_t line, enum access access); /* not in the first level */

static inline void memory_access(struct cpu *c, uint64_t line, enum access access)
{
	if (!cache_hits(&caches, c->id, line, access))
		memory_miss(c, line, access);
}

/* ---- clock.c: whose turn it is ---- */
/*
 * The processor, at the start of a block, is at its bound: returns if it may go on, else leaves the
 * block unexecuted. from: a return address in the block's code.
 */
void clock_turn(struct cpu *c, void *from);
void clock_skew(void);			/* the region of interest begins: options.skew */
void clock_sleep(struct cpu *c);	/* it executes a WAIT */
uint64_t clock_of(const struct cpu *c); /* cycles; an idle one's is what is published */
bool clock_may_sleep(void);		/* any thread: all seem to be asleep */
bool clock_all_sleep(void);		/* any thread, under QEMU's lock: all are */
void clock_helper(void);		/* this thread is the helper */
void clock_jump(int64_t ns);		/* all asleep: timers due by then; under QEMU's lock */
int64_t clock_published(void);		/* ns; any thread */
int64_t clock_next_timer(void);		/* ns from now, -1: none; under QEMU's lock */
bool clock_init(char *why, unsigned long bytes); /* QEMU's virtual clock becomes the model's */

/* ---- idle.c: time goes on while nobody runs ---- */
void idle_start(void);
void idle_nudge(void); /* all are asleep now */

/* ---- translate.c ---- */
void translate_register(uint64_t plugin);

/* ---- entry.c: why the vectors were entered, and for how long ---- */
void entry_begins(struct cpu *c, const struct block *b); /* the block is of the monitor's class */
void entry_ends(struct cpu *c);

/* ---- magic.c: struct magic of numa/magic.h in machine memory ---- */
void magic_start(void);
/* A miss, or an upgrade; page from RAM's start. */
void magic_count(unsigned node, uint64_t page, bool write, bool upgrade);
void magic_stored(uint64_t offset); /* into the page of struct magic */
void magic_time(uint64_t cycles);
unsigned magic_vm(unsigned node); /* as in counts.insns */
enum magic_kind magic_kind(uint64_t page);
#define MAGIC_PAGE 1ull /* of RAM: where struct magic lies */

/* ---- report.c ---- */
/* The markers of a unit, 0: of the region of interest; behind: instructions counted too early. */
void report_begin(struct cpu *c, unsigned unit, unsigned behind);
void report_end(struct cpu *c, unsigned unit, unsigned behind);
void report_stop(void); /* the machine is being switched off: what follows is no part of it */
int report_open(void);
void report_write(const char *qemu_version);

#endif /* QEMU_FLASH_FLASH_H */
