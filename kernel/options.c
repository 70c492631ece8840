/* SPDX-License-Identifier: MIT */
/* Switches of the command line: off=..., check=1, forget=flush. And which words there are at all. */
#include <string.h>
#include "kernel/log.h"
#include "kernel/options.h"
#include "kernel/words.h"

#define NAME(constant, name) #name,
static const char *const names[OPTIONS] = { OPTION_LIST(NAME) };
#define LISTED(constant, name) ", " #name
static const char allowed[] = OPTION_LIST(LISTED); /* behind its first two characters */

static bool off[OPTIONS], check, forget; /* fixed after boot */

bool option_on(enum option o) { return !off[o]; }

bool option_check(void) { return check; }

bool option_forget(void) { return forget; }

static void switch_off(struct word name)
{
	char found[16];

	for (unsigned i = 0; i < OPTIONS; i++) {
		if (word_is(name, names[i])) {
			off[i] = true;
			return;
		}
	}
	word_copy(found, sizeof(found), name);
	log_line("main", "off=: found %s, allowed %s", found, allowed + 2);
}

static void read_switches(const char *words)
{
	struct word list = words_value(words, "off="), name;

	while ((name = list_next(&list)).at)
		switch_off(name);
	if (off[OPTION_L2TLB]) /* walk_fast.S fills the L2TLB */
		off[OPTION_WALK_FAST] = true;
	check = words_have(words, "check=1");
	forget = words_have(words, "forget=flush");
}

/* All that anybody asks the command line for; behind what ends in '=' anything may come. */
/* clang-format off */
#define KNOWN_LIST(X) \
	X("attach=") \
	X("check=1") \
	X("cmd=") \
	X("disklate=") \
	X("exit=1") \
	X("fatal=exit") \
	X("forget=flush") \
	X("latency=") \
	X("numa-log=") \
	X("off=") \
	X("policy=") \
	X("shuffle=1") \
	X("spread=1") \
	X("tty=")
/* clang-format on */
#define ENTRY(word)	    word,
#define BEHIND_OTHERS(word) ", " word
static const char *const known[] = { KNOWN_LIST(ENTRY) };
static const char known_text[] = KNOWN_LIST(BEHIND_OTHERS); /* behind its first two characters */
/* Of those who started us: boot/boot.c. */
static const char *const starters[] = { "rd_size=", "rd_start=", "words=" };

static bool is_one_of(struct word w, const char *const list[], u32 n)
{
	for (u32 i = 0; i < n; i++) {
		size_t len = strlen(list[i]);

		if (list[i][len - 1] == '=' ? w.len >= len && !memcmp(w.at, list[i], len)
					    : word_is(w, list[i]))
			return true;
	}
	return false;
}

static void refuse(struct word w)
{
	char found[32];

	word_copy(found, sizeof(found), w);
	log_line("main", "command line: found %s, allowed %s", found, known_text + 2);
}

void options_configure(const char *words)
{
	struct word line = word_of(words), w;

	while ((w = words_next(&line)).at)
		if (!is_one_of(w, known, ARRAY_SIZE(known)) &&
		    !is_one_of(w, starters, ARRAY_SIZE(starters)))
			refuse(w);
	read_switches(words);
}
