/* SPDX-License-Identifier: MIT */
/*
 * From the boot loader's arguments to struct boot_info: YAMON's argc, argv, environment. QEMU's -kernel
 * passes one argument with all words, and tables with pointers of 32 bits, sign-extended to KSEG0. U-Boot
 * passes each word by itself, pointers of 64 bits, and tells in the environment where the archive is.
 */
#include <string.h>
#include "arch/mips/arch.h"
#include "kernel/main.h"
#include "kernel/node.h"
#include "kernel/words.h"

#define LOW_RAM_MAX 0x10000000ul /* what KSEG0 reaches */
#define WORDS_BYTES 4096
#define KSEG0_BASE  0xffffffff80000000ul
#define KSEG_MASK   0x1ffffffful
#define ENV_MAX	    256 /* of U-Boot's table */

extern char image_end[];

struct node boot_node; /* node 0 until it has memory for its own: an id, a stack, lock ranks */

/* Tables of 64-bit pointers: the upper half of the environment's first is no pointer by itself. */
static bool wide;

static const char *pointer(const s32 *table, unsigned i)
{
	return (const char *)(s64)table[wide ? 2 * i : i];
}

/* 0: it is no number. */
static u64 number(struct word w)
{
	u64 value = 0;

	word_number(w, ~0ul, &value);
	return value;
}

static const char *string_in_env(const s32 *env, const char *name)
{
	for (unsigned i = 0; env && i < ENV_MAX && pointer(env, i); i += 2)
		if (!strcmp(pointer(env, i), name))
			return pointer(env, i + 1);
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

/* All arguments as one line, out of memory that nobody will keep. What has no place is left out. */
static const char *joined(u64 argc, const s32 *argv)
{
	static char line[WORDS_BYTES];
	size_t used = 0;

	for (unsigned i = 1; i < argc; i++) {
		size_t len = strlen(pointer(argv, i));

		if (used + len + 2 > sizeof(line))
			break;
		memcpy(line + used, pointer(argv, i), len);
		used += len;
		line[used++] = ' ';
	}
	return line;
}

/* Where the archive is: QEMU says so in the words, U-Boot, with an address in KSEG1, in the environment. */
static void find_archive(struct boot_info *info, const char *words, const s32 *env)
{
	u64 at = number(words_value(words, "rd_start="));

	info->archive_size = number(words_value(words, "rd_size="));
	if (!info->archive_size) {
		at = KSEG0_BASE | (number_in_env(env, "initrd_start") & KSEG_MASK);
		info->archive_size = number_in_env(env, "initrd_size");
	}
	info->archive = info->archive_size ? (const void *)(s64)(s32)at : NULL;
}

_Noreturn void boot_main(u64 argc, const s32 *argv, const s32 *env);
_Noreturn void boot_main(u64 argc, const s32 *argv, const s32 *env)
{
	static struct boot_info info;
	const char *words;
	u64 memory;

	wide = env && env[1] == -1;
	words = joined(argc, argv);
	find_archive(&info, words, env);
	info.words = all_words(words);
	memory = number_in_env(env, "ememsize");
	info.memory_bytes = memory ? memory : LOW_RAM_MAX;
	info.seed = (char *)string_in_env(env, "rngseed");
	info.end = ptr_maddr(image_end);
	monitor_main(&info);
}
