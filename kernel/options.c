/* SPDX-License-Identifier: MIT */
/* Switches of the command line: off=..., check=1. */
#include <string.h>
#include "kernel/log.h"
#include "kernel/options.h"

static const char *const names[OPTIONS] = { "fast",  "l2tlb", "walkfast", "walker",
					    "large", "asid",  "text",	  "renew" };

static bool off[OPTIONS], check; /* fixed after boot */

bool option_on(enum option o) { return !off[o]; }

bool option_check(void) { return check; }

const char *option_value(const char *words, const char *key, size_t *len)
{
	for (const char *at = words; (at = strstr(at, key)); at++) {
		if (at != words && at[-1] != ' ')
			continue;
		at += strlen(key);
		*len = strcspn(at, " ");
		return at;
	}
	return NULL;
}

static void switch_off(const char *name, size_t len)
{
	char found[16];

	for (unsigned i = 0; i < OPTIONS; i++) {
		if (strlen(names[i]) == len && !strncmp(names[i], name, len)) {
			off[i] = true;
			return;
		}
	}
	ksnprintf(found, MIN(len + 1, sizeof(found)), "%s", name);
	log_line("main",
		 "off=: found %s, allowed fast, l2tlb, walkfast, walker, large, asid, text, renew",
		 found);
}

void options_configure(const char *words)
{
	size_t len, part;
	const char *v = option_value(words, "off=", &len);

	for (; v && len; v += part, len -= part) {
		part = strcspn(v, ", ");
		if (part)
			switch_off(v, part);
		part += v[part] == ',';
	}
	if (off[OPTION_L2TLB]) /* walk_fast.S fills the L2TLB */
		off[OPTION_WALK_FAST] = true;
	v = option_value(words, "check=1", &len);
	check = v;
}
