/* SPDX-License-Identifier: MIT */
/* Switches of the command line: off=..., check=1, forget=flush. */
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

void options_configure(const char *words)
{
	struct word list = words_value(words, "off="), name;

	while ((name = list_next(&list)).at)
		switch_off(name);
	if (off[OPTION_L2TLB]) /* walk_fast.S fills the L2TLB */
		off[OPTION_WALK_FAST] = true;
	check = words_have(words, "check=1");
	forget = words_have(words, "forget=flush");
}
