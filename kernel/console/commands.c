/* SPDX-License-Identifier: MIT */
/* The table of commands, which the linker puts together: running one, completing one. */
#include <string.h>
#include "arch/mips/arch.h"
#include "drivers/dev.h"
#include "kernel/console/console.h"
#include "kernel/console/line.h"
#include "kernel/console/output.h"
#include "kernel/log.h"
#include "kernel/vm/vm.h"
#include "kernel/words.h"

extern const struct command commands_start[], commands_end[];

static const struct command *find(struct word name)
{
	for (const struct command *c = commands_start; c < commands_end; c++)
		if (word_is(name, c->name))
			return c;
	return NULL;
}

/* How many arguments a command takes, by the text that help shows; what ends in "..." takes any number. */
static int arguments(const struct command *c)
{
	struct word rest = word_of(c->args), text;
	int count = 0;

	while ((text = words_next(&rest)).at) {
		while (text.len && text.at[text.len - 1] == ']')
			text.len--;
		if (text.len && text.at[text.len - 1] == '.')
			return COMMAND_MAX_ARGS;
		count++;
	}
	return count;
}

void commands_run(char *text)
{
	char *argv[COMMAND_MAX_ARGS];
	int argc = words_split(text, argv, COMMAND_MAX_ARGS);
	const struct command *c = argc ? find(word_of(argv[0])) : NULL;

	if (c && argc - 1 > arguments(c))
		kprintf("%s: found %s, which is one word too many; it is: %s%s%s\n", c->name,
			argv[1 + arguments(c)], c->name, c->args[0] ? " " : "", c->args);
	else if (c)
		c->run(argc, argv);
	else if (argc)
		kprintf("%s: no such command; help lists them\n", argv[0]);
}

/* ---- what arguments name ---- */

struct vm *command_vm(int argc, char **argv)
{
	struct vm *vm = argc > 1 ? vm_find(argv[1]) : nvms == 1 ? vms[0] : NULL;

	if (vm && vm_state(vm) != VM_BROKEN)
		return vm;
	if (vm)
		kprintf("%s: its description is wrong: %s\n", vm->name, vm->end);
	else if (argc > 1)
		kprintf("%s: no VM of that name; vms lists them\n", argv[1]);
	else
		kprintf("%s: which VM? vms lists them\n", argv[0]);
	return NULL;
}

struct vcpu *command_vcpu(int argc, char **argv)
{
	struct vm *vm = command_vm(argc, argv);
	u64 id = 0;

	if (!vm)
		return NULL;
	if (!vm->nvcpus) {
		kprintf("%s: it is %s, and has no VCPUs; create makes them\n", vm->name,
			vm_state_name(vm_state(vm)));
		return NULL;
	}
	if (argc > 2 && !word_number(word_of(argv[2]), vm->nvcpus - 1, &id)) {
		kprintf("%s: vcpu: found %s, allowed 0..%u\n", vm->name, argv[2], vm->nvcpus - 1);
		return NULL;
	}
	return vm->vcpus[id];
}

/* ---- completion, by the texts that help shows ---- */

static void name_vms(completion_fn fn, void *context)
{
	for (unsigned i = 0; i < nvms; i++)
		fn(vms[i]->name, context);
}

static void name_vcpus(struct word vm_name, completion_fn fn, void *context)
{
	char name[sizeof(vms[0]->name)], number[8];
	const struct vm *vm;

	word_copy(name, sizeof(name), vm_name);
	vm = vm_find(name);
	for (u32 i = 0; vm && i < vm->nvcpus; i++) {
		ksnprintf(number, sizeof(number), "%u", i);
		fn(number, context);
	}
}

/* "on|off|N": those in small letters are words as they are. */
static void name_alternatives(struct word all, completion_fn fn, void *context)
{
	char name[32];

	while (all.len) {
		struct word one = word_before(&all, '|');

		word_copy(name, sizeof(name), one);
		if (name[0] >= 'a' && name[0] <= 'z')
			fn(name, context);
	}
}

/* Argument number n (from 1) as the text in the table has it ("VM [VCPU]"), without brackets. What
 * ends in "..." stands for all that follow, too. */
static struct word argument_text(const char *args, u32 n)
{
	struct word rest = word_of(args), text = { 0 }, next;
	u32 count = 0;

	while (count < n && (next = words_next(&rest)).at) {
		text = next;
		count++;
	}
	while (text.len && text.at[text.len - 1] == ']')
		text.len--;
	if (count < n && !(text.len && text.at[text.len - 1] == '.'))
		return (struct word){ 0 };
	while (text.len && text.at[text.len - 1] == '.')
		text.len--;
	while (text.len && text.at[0] == '[')
		text.at++, text.len--;
	return text;
}

static void complete_argument(const struct command *c, struct word first, u32 n, completion_fn fn,
			      void *context)
{
	struct word text = argument_text(c->args, n);
	const char *name;

	if (word_is(text, "VM"))
		name_vms(fn, context);
	else if (word_is(text, "VCPU"))
		name_vcpus(first, fn, context);
	else
		name_alternatives(text, fn, context);
	for (u32 i = 0; c->word && (name = c->word(i)); i++)
		fn(name, context);
}

void commands_complete(const char *text, completion_fn fn, void *context)
{
	struct word rest = word_of(text), name = { 0 }, first = { 0 }, w;
	u32 complete = 0; /* words before the one to be completed */

	while ((w = words_next(&rest)).at && rest.len) {
		if (complete == 0)
			name = w;
		if (complete == 1)
			first = w;
		complete++;
	}
	if (!complete)
		for (const struct command *c = commands_start; c < commands_end; c++)
			fn(c->name, context);
	else if (find(name))
		complete_argument(find(name), first, complete, fn, context);
}

/* ---- the console's own commands ---- */

COMMAND(help, "", "this list")
{
	for (const struct command *c = commands_start; c < commands_end; c++)
		kprintf("%-8s %-12s %s\n", c->name, c->args, c->help);
	kprintf("Arrows, Ctrl-A E U W K and Tab work as in a shell. An attached guest has the line to itself;\n"
		"Ctrl-] then . comes back here.\n");
}

COMMAND(attach, "VM", "give the line to a guest, after its last 16 KB of output")
{
	struct vm *vm = command_vm(argc, argv);

	if (vm)
		line_attach(vm);
}

COMMAND(log, "[VM]", "the monitor's last 16 KB of log, or a guest's of output")
{
	struct vm *vm = argc > 1 ? command_vm(argc, argv) : NULL;

	console_lock();
	if (vm) {
		vcons_replay(vm->cons);
		output_fresh_line();
	} else if (argc == 1) {
		logring_show();
	}
	console_unlock();
}

COMMAND(quit, "", "stop the machine")
{
	kprintf("machine off\n");
	console_machine_off();
}
