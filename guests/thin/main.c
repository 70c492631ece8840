/* SPDX-License-Identifier: MIT */
/*
 * The program's words, and its main(). The VM's bootargs are words with blanks between them; "..." is one word, whatever is in it.
 * Those of the form NAME=value at the beginning, with a name of capitals, are the environment; the others are main()'s.
 */
#include <stdlib.h>
#include <string.h>

#include "guests/thin/thin.h"

#define WORDS_MAX 256

typedef void (*hook_t)(void);
extern const hook_t __init_array_start[], __init_array_end[], __fini_array_start[],
	__fini_array_end[];
extern char **environ;

int main(int argc, char **argv, char **env);

static char *words[WORDS_MAX + 1], *environment[WORDS_MAX + 1];
static int argc;

static bool is_setting(const char *word)
{
	const char *p = word;

	while ((*p >= 'A' && *p <= 'Z') || *p == '_' || (p > word && *p >= '0' && *p <= '9'))
		p++;
	return p > word && *p == '=';
}

/* Cuts the word that begins at *p off, without its quotes, and moves *p behind it. NULL: there is none. */
static char *cut_word(char **p)
{
	char *word, *to, *from = *p + strspn(*p, " ");
	bool quoted = false;

	if (!*from)
		return NULL;
	for (word = to = from; *from && (quoted || *from != ' '); from++)
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	*p = *from ? from + 1 : from;
	*to = 0;
	return word;
}

static void cut_words(void)
{
	char *p = tree.words, *word;
	int settings = 0;

	words[argc++] = tree.label;
	while (argc + settings < WORDS_MAX && (word = cut_word(&p)))
		if (argc == 1 && is_setting(word))
			environment[settings++] = word;
		else
			words[argc++] = word;
	environ = environment;
}

void main_words(void)
{
	const char *kb;

	cut_words();
	kb = getenv("STACK");
	if (kb)
		thread_stack_bytes = MAX(strtoul(kb, NULL, 10) << 10, (size_t)PTHREAD_STACK_MIN);
}

static void run_hooks_at_end(void)
{
	for (const hook_t *h = __fini_array_end; h > __fini_array_start;)
		(*--h)();
}

void *main_begin(void *unused)
{
	(void)unused;
	for (const hook_t *h = __init_array_start; h < __init_array_end; h++)
		(*h)();
	if (&__fini_array_end[0] > &__fini_array_start[0])
		atexit(run_hooks_at_end);
	mark_end(THIN_UNIT_START);
	exit(main(argc, words, environ));
}
