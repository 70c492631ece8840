/* SPDX-License-Identifier: MIT */
/* The monitor's prompt: shows the line being typed, completes it, runs it. */
#include <string.h>
#include "kernel/console/console.h"
#include "kernel/console/edit.h"
#include "kernel/console/line.h"
#include "kernel/console/output.h"
#include "kernel/log.h"

#define PROMPT		"disco> "
#define COLUMNS_DEFAULT 80 /* of a terminal that does not say */

/* under the console's lock */
static struct edit edit;
static bool shown; /* the prompt and the line are on the terminal's last line */

static struct keys keys;  /* node 0 only, like the next */
static bool after_return; /* a newline now belongs to the return before it */

bool prompt_shown(void) { return shown; }

static u32 columns(void)
{
	u32 all = line_terminal.columns ? line_terminal.columns : COLUMNS_DEFAULT;

	return all > sizeof(PROMPT) + 4 ? all - sizeof(PROMPT) : 4;
}

void prompt_show(void)
{
	char back[16];
	u32 first, behind, len;

	if (!line_terminal.is_one)
		return;
	len = edit_window(&edit, columns(), &first, &behind);
	output_string("\r" PROMPT);
	output_put(edit.line + first, len);
	if (shown) /* something else may have been there */
		output_string("\033[K");
	if (behind) {
		ksnprintf(back, sizeof(back), "\033[%uD", behind);
		output_string(back);
	}
	shown = true;
}

void prompt_hide(void)
{
	if (shown)
		output_string("\r\033[K");
	shown = false;
}

void prompt_forget(void)
{
	edit_key(&edit, KEY_CTRL('C'));
	shown = false;
}

/* ---- completion ---- */

struct completion {
	const char *prefix; /* what is typed of the word */
	u32 n;		    /* words that begin so */
	char common[EDIT_MAX];
	bool listing;
};

static void consider(const char *word, void *context)
{
	struct completion *c = context;
	u32 same = 0;

	if (strncmp(word, c->prefix, strlen(c->prefix)))
		return;
	if (c->listing)
		kprintf("%s  ", word);
	if (c->n++ == 0) {
		strncpy(c->common, word, sizeof(c->common) - 1);
		return;
	}
	while (c->common[same] && c->common[same] == word[same])
		same++;
	c->common[same] = '\0';
}

static void list(struct completion *c, const char *text)
{
	c->listing = true;
	c->n = 0;
	kprintf("\n");
	commands_complete(text, consider, c);
	kprintf("\n");
}

/* One word is put there whole, of several what they have in common; if that is nothing, they are
 * listed. Without the lock: only node 0 changes the line. */
static void complete(void)
{
	char text[EDIT_MAX];
	struct completion c = { .n = 0 };
	const char *blank, *more;
	bool ends;

	memcpy(text, edit.line, edit.cursor);
	text[edit.cursor] = '\0';
	blank = strrchr(text, ' ');
	c.prefix = blank ? blank + 1 : text;
	commands_complete(text, consider, &c);
	if (!c.n)
		return;
	more = c.common + strlen(c.prefix);
	ends = c.n == 1 && (!*more || more[strlen(more) - 1] != '=');
	if (c.n > 1 && !*more)
		list(&c, text);
	console_lock();
	shown = shown && !c.listing;
	edit_insert(&edit, more, c.listing ? 0 : strlen(more));
	if (ends)
		edit_insert(&edit, " ", 1);
	prompt_show();
	console_unlock();
}

/* ---- keys ---- */

static void show_appended(u32 key)
{
	char bytes[LETTER_BYTES];
	u32 first, behind;

	if (!line_terminal.is_one)
		return;
	if (shown && edit_window(&edit, columns(), &first, &behind) == edit.len)
		output_put(bytes, utf8_put(bytes, key));
	else
		prompt_show();
}

/* The line to be run, if the key completes one. */
static bool take_key(u32 key, char text[EDIT_MAX])
{
	enum edit_result result = edit_key(&edit, key);

	switch (result) {
	case EDIT_NOTHING: break;
	case EDIT_APPENDED: show_appended(key); break;
	case EDIT_CHANGED: prompt_show(); break;
	case EDIT_CLEAR:
		if (line_terminal.is_one)
			output_string("\033[H\033[J");
		prompt_show();
		break;
	case EDIT_CANCEL:
		if (shown)
			output_string("^C\n");
		shown = false;
		prompt_show();
		break;
	case EDIT_ENTER:
		if (!shown) /* lines of others came since the last key */
			prompt_show();
		edit_take(&edit, text);
		if (!line_terminal.is_one && text[0]) {
			output_string(PROMPT);
			output_string(text);
		}
		if (line_terminal.is_one || text[0])
			output_string("\n");
		shown = false;
		return true;
	}
	return false;
}

static void press(u32 key)
{
	char text[EDIT_MAX];
	bool complete_line;

	if (key == '\n' && after_return) {
		after_return = false;
		return;
	}
	after_return = key == '\r';
	if (key == '\t') {
		complete();
		return;
	}
	console_lock();
	complete_line = take_key(key, text);
	console_unlock();
	if (!complete_line)
		return;
	commands_run(text);
	console_lock();
	if (!console_attached() && !console_is_live())
		prompt_show();
	console_unlock();
}

void prompt_typed(u8 byte)
{
	bool again;
	u32 key = keys_next(&keys, byte, &again);

	if (key != KEY_NONE)
		press(key);
	if (again) {
		key = keys_next(&keys, byte, &again);
		if (key != KEY_NONE)
			press(key);
	}
}
