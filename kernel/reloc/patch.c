/* SPDX-License-Identifier: MIT */
/* Which places are patched, and what of them csseg shows. */
#include "kernel/reloc/patch.h"

#include <string.h>

#include "kernel/abi/disco.h"
#include "kernel/reloc/call.h"
#include "kernel/reloc/jump.h"
#include "kernel/reloc/cp0move.h"

#define PAGES_A_COPY 16 /* of the VM's memory, for each page of code */
#define COPIES_MIN   64
#define COPIES_MAX   768
#define SITES_A_COPY 64
#define REACH_PAGES \
	(BIT(27) >> PAGE_SHIFT) /* of a BC: from all of the memory to the trampolines behind it */
#define SITES_A_PAGE (PAGE_SIZE / TRAMP_BYTES)
#define FOR_EVER     (PATCH_DROPS + PATCH_ASKED)
_Static_assert(FOR_EVER <= 0xff, "drops are u8");

static u32 copies_for(u32 npages)
{
	return MIN(MAX(npages / PAGES_A_COPY, (u32)COPIES_MIN), (u32)COPIES_MAX);
}

static size_t tables_bytes(u32 npages, u32 ncopies)
{
	return ncopies * (SITES_A_COPY * sizeof(struct patch_site) + sizeof(struct patch_copy)) +
	       npages * (sizeof(u16) + sizeof(u8));
}

size_t patch_bytes(u32 npages)
{
	u32 n = copies_for(npages), tramps = n * SITES_A_COPY / SITES_A_PAGE;

	if (npages + tramps > REACH_PAGES)
		return 0;
	return ROUND_UP((size_t)(n + tramps) * PAGE_SIZE + tables_bytes(npages, n), PAGE_SIZE);
}

void patch_init(struct patch *p, void *storage, u32 npages)
{
	u32 n = copies_for(npages), nsites = n * SITES_A_COPY;
	u8 *at = storage;

	memset(p, 0, sizeof(*p));
	p->npages = npages;
	p->ncopies = n;
	p->nsites = nsites;
	_Static_assert(COPIES_MAX * SITES_A_COPY <= 0xffff, "their numbers, and 1, are u16");
	p->copy_page = at;
	p->tramp_page = at += n * PAGE_SIZE;
	p->site = (struct patch_site *)(at += nsites * TRAMP_BYTES);
	p->copy = (struct patch_copy *)(at += nsites * sizeof(struct patch_site));
	p->copy_of = (u16 *)(at += n * sizeof(struct patch_copy));
	p->drops = at + npages * sizeof(u16);
	patch_reset(p);
}

void patch_reset(struct patch *p)
{
	memset(p->copy_of, 0, p->npages * sizeof(*p->copy_of));
	memset(p->drops, 0, p->npages * sizeof(*p->drops));
	memset(p->site, 0, p->fresh_site * sizeof(*p->site));
	p->free_copy = p->free_site = 0;
	p->fresh_copy = p->fresh_site = 0;
	p->copied = p->linked = 0;
	p->alone = 0;
	p->no_pairs = false;
	p->ll = (struct patch_place){ 0 };
	memset(p->refused, 0, sizeof(p->refused));
	memset(p->seen, 0, sizeof(p->seen));
	p->patched = p->freed = p->calls = p->jumps = p->moves = 0;
	p->njumps = 0;
	memset(p->why, 0, sizeof(p->why));
}

/* Whether the page may have a copy. One that was given up too often is asked for that again and again. */
static bool may_be_copied(struct patch *p, u32 gpn)
{
	u8 *drops = &p->drops[gpn];

	if (*drops >= PATCH_DROPS && *drops < FOR_EVER && ++*drops == FOR_EVER)
		*drops = PATCH_DROPS - 1;
	return *drops < PATCH_DROPS;
}

u8 *patch_copy_page(struct patch *p, u32 gpn)
{
	u16 number = p->free_copy;

	if (!may_be_copied(p, gpn) || (!number && p->fresh_copy == p->ncopies))
		return NULL;
	if (number)
		p->free_copy = p->copy[number - 1].next;
	else
		number = ++p->fresh_copy;
	p->copy_of[gpn] = number;
	p->copy[number - 1] = (struct patch_copy){ .gpn = gpn };
	p->copied++;
	return patch_page(p, gpn);
}

/* The copy holds what the trampoline is of. */
static bool holds(const u32 *word, const struct tramp *t)
{
	u32 n = t->slot && t->slot != TRAMP_CALL_COMPACT && t->slot != TRAMP_JUMP_COMPACT &&
		t->slot != TRAMP_MOVE;

	return word[n] == t->insn && (!t->slot || *word == t->branch);
}

static bool build(const struct tramp *t, u64 place, u64 at, u32 words[TRAMP_WORDS])
{
	if (tramp_is_move(t->slot))
		return move_build(t, place, at, words);
	if (tramp_is_jump(t->slot))
		return jump_build(t, place, at, words);
	return tramp_is_call(t->slot) ? call_build(t, place, at, words)
				      : tramp_build(t, place, at, words);
}

/* Its trampoline, as csseg shows it and where the words are. */
static u64 tramp_address(const struct patch *p, u32 number)
{
	return DISCO_CSSEG_BASE + ((u64)p->npages << PAGE_SHIFT) + number * TRAMP_BYTES;
}

static u32 *tramp_words(const struct patch *p, u32 number)
{
	return (u32 *)(p->tramp_page + number * TRAMP_BYTES);
}

enum patch_why patch_add(struct patch *p, u32 place, const struct tramp *t)
{
	struct patch_copy *c = &p->copy[p->copy_of[place >> PAGE_SHIFT] - 1];
	u32 *word = (u32 *)(patch_page(p, place >> PAGE_SHIFT) + (place & PAGE_MASK));
	u32 number = p->free_site ? p->free_site - 1u : p->fresh_site;
	u64 at, from = DISCO_CSSEG_BASE + place;
	struct patch_site *s;

	if (!holds(word, t))
		return PATCH_AGAIN;
	if (number == p->nsites)
		return PATCH_FULL;
	at = tramp_address(p, number);
	if (!build(t, from, at, tramp_words(p, number)))
		return PATCH_FULL;
	s = &p->site[number];
	if (p->free_site)
		p->free_site = s->next;
	else
		p->fresh_site++;
	*s = (struct patch_site){ .tramp = *t, .place = place, .next = c->sites };
	c->sites = number + 1;
	*word = tramp_branch(from, at);
	p->linked += t->linked;
	p->calls += tramp_is_call(t->slot);
	p->jumps += tramp_is_jump(t->slot);
	p->moves += tramp_is_move(t->slot);
	p->patched++;
	return PATCH_NOW;
}

void patch_build_again(struct patch *p, const struct patch_site *s, const struct tramp *t)
{
	u32 number = (u32)(s - p->site);

	build(t, DISCO_CSSEG_BASE + s->place, tramp_address(p, number), tramp_words(p, number));
	p->site[number].tramp = *t;
}

const struct patch_site *patch_at(const struct patch *p, u64 gpa)
{
	u64 gpn = gpa >> PAGE_SHIFT, at = DISCO_CSSEG_BASE + ((u64)p->npages << PAGE_SHIFT);
	u32 word;
	u64 to;

	if (gpn >= p->npages || !p->copy_of[gpn])
		return NULL;
	word = *(u32 *)(patch_page(p, gpn) + (gpa & PAGE_MASK));
	to = DISCO_CSSEG_BASE + gpa + 4 + ((s64)((u64)word << 38) >> 36);
	if (word >> 26 != 0x32 || to < at || to - at >= (u64)p->nsites * TRAMP_BYTES)
		return NULL;
	return &p->site[(to - at) >> TRAMP_SHIFT];
}

void patch_note_jump(struct patch *p, u32 place, u8 reg)
{
	for (u32 i = 0; i < p->njumps; i++)
		if (p->jump[i] == place)
			return;
	if (p->njumps == PATCH_JUMPS) /* the oldest goes */
		patch_forget_jump(p, 0);
	p->jump[p->njumps] = place;
	p->jump_reg[p->njumps++] = reg;
}

void patch_forget_jump(struct patch *p, u32 i)
{
	p->njumps--;
	memmove(&p->jump[i], &p->jump[i + 1], (p->njumps - i) * sizeof(p->jump[0]));
	memmove(&p->jump_reg[i], &p->jump_reg[i + 1], p->njumps - i);
}

/* What is on the page may be something else from now on. */
static void forget_jumps_of(struct patch *p, u64 gpn)
{
	for (u32 i = 0; i < p->njumps;)
		if (p->jump[i] >> PAGE_SHIFT == gpn)
			patch_forget_jump(p, i);
		else
			i++;
}

bool patch_next_linked(const struct patch *p, u32 *from, u64 *gpn)
{
	for (u32 i = *from; i < p->fresh_site; i++) {
		if (!p->site[i].place || !p->site[i].tramp.linked)
			continue;
		*from = i + 1;
		*gpn = p->site[i].place >> PAGE_SHIFT;
		return true;
	}
	return false;
}

bool patch_drop(struct patch *p, u64 gpn, bool for_ever)
{
	u16 number = gpn < p->npages ? p->copy_of[gpn] : 0;
	struct patch_copy *c;

	if (for_ever && gpn < p->npages)
		p->drops[gpn] = FOR_EVER;
	if (!number)
		return false;
	forget_jumps_of(p, gpn);
	c = &p->copy[number - 1];
	for (u16 i = c->sites, next; i; i = next) {
		struct patch_site *s = &p->site[i - 1];

		next = s->next;
		p->linked -= s->tramp.linked;
		*s = (struct patch_site){ .next = p->free_site };
		p->free_site = i;
		p->freed++;
	}
	*c = (struct patch_copy){ .next = p->free_copy };
	p->free_copy = number;
	p->copy_of[gpn] = 0;
	p->copied--;
	if (p->drops[gpn] < PATCH_DROPS)
		p->drops[gpn]++;
	return true;
}

const struct patch_site *patch_find(const struct patch *p, u64 gpa, u32 *word)
{
	u64 at = gpa - ((u64)p->npages << PAGE_SHIFT);
	const struct patch_site *s = &p->site[at >> TRAMP_SHIFT];

	*word = (at & (TRAMP_BYTES - 1)) / 4;
	return at >> TRAMP_SHIFT < p->nsites && s->place ? s : NULL;
}
