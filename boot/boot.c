/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader's arguments to struct boot_info: YAMON's argc, argv, environment, as QEMU's
 * -kernel passes them. Pointers in the tables are 32 bits, sign-extended to KSEG0.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/main.h"
#include "kernel/node.h"
#include "kernel/words.h"

#define LOW_RAM_MAX 0x10000000ul /* what KSEG0 reaches */

extern char image_end[];

struct node boot_node; /* node 0 until it has memory for its own: an id, a stack, lock ranks */

static const char *pointer(s32 p) { return (const char *)(s64)p; }

/* 0: it is no number. */
static u64 number(struct word w)
{
	u64 value = 0;

	word_number(w, ~0ul, &value);
	return value;
}

static const char *string_in_env(const s32 *env, const char *name)
{
	for (; env && env[0]; env += 2)
		if (!strcmp(pointer(env[0]), name))
			return pointer(env[1]);
	return NULL;
}

static u64 number_in_env(const s32 *env, const char *name)
{
	const char *value = string_in_env(env, name);

	return value ? number(word_of(value)) : 0;
}

/* QEMU passes on no more than 255 bytes of words. If there are more qemu/run.sh puts all of them into
 * memory below the image, and what QEMU passes on says where: words=PHYSICAL ADDRESS. */
static const char *all_words(const char *words)
{
	u64 elsewhere = number(words_value(words, "words="));

	return elsewhere ? maddr_ptr((maddr_t){ elsewhere }) : words;
}

_Noreturn void boot_main(u64 argc, const s32 *argv, const s32 *env);
_Noreturn void boot_main(u64 argc, const s32 *argv, const s32 *env)
{
	static struct boot_info info;
	const char *words = argc > 1 ? pointer(argv[1]) : "";
	u64 archive = (u64)(s64)(s32)number(words_value(words, "rd_start=")), memory;

	info.words = all_words(words);
	info.archive_size = number(words_value(words, "rd_size="));
	info.archive = info.archive_size ? (const void *)archive : NULL;
	memory = number_in_env(env, "ememsize");
	info.memory_bytes = memory ? memory : LOW_RAM_MAX;
	info.seed = (char *)string_in_env(env, "rngseed");
	info.end = ptr_maddr(image_end);
	monitor_main(&info);
}
