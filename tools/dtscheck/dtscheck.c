/* SPDX-License-Identifier: MIT */
/*
 * dtscheck FILE.dts|FILE.dtb [ARCHIVE.cpio] - checks a machine description on the host with the
 * monitor's own code: every property, whether the VMs fit the machine and, given the boot archive,
 * whether it holds the images and whether the monitor would load them. One line for each error,
 * exit status 1 if there was any. Source trees go through dtc.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/vm/cpio.h"
#include "kernel/vm/elf.h"
#include "kernel/vm/vmdesc.h"

extern char **environ;

struct blob {
	void *data;
	size_t size;
};

static const char *file; /* the description's name as given: starts every line */
static unsigned int errors;

#define ERROR(fmt, ...) (errors++, printf("%s: " fmt "\n", file, ##__VA_ARGS__))

/* Everything the stream has; exits on a read error. */
static struct blob read_all(FILE *in, const char *name)
{
	struct blob b = { malloc(65536), 0 };
	size_t room = 65536, n;

	while (b.data && (n = fread((char *)b.data + b.size, 1, room - b.size, in)) > 0) {
		b.size += n;
		if (b.size == room)
			b.data = realloc(b.data, room *= 2);
	}
	if (!b.data || ferror(in)) {
		perror(name);
		exit(2);
	}
	fclose(in);
	return b;
}

static struct blob read_file(const char *name)
{
	FILE *in = fopen(name, "rb");

	if (!in) {
		perror(name);
		exit(2);
	}
	return read_all(in, name);
}

/* The tree that dtc makes of a source file; dtc's own messages go to stderr. */
static struct blob compile(const char *name)
{
	char *argv[] = { "dtc", "-q", "-I", "dts", "-O", "dtb", (char *)name, NULL };
	posix_spawn_file_actions_t actions;
	struct blob b;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_adddup2(&actions, fds[1], 1) != 0 ||
	    posix_spawn_file_actions_addclose(&actions, fds[0]) != 0 ||
	    posix_spawnp(&pid, "dtc", &actions, NULL, argv, environ) != 0) {
		perror("dtc");
		exit(2);
	}
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	b = read_all(fdopen(fds[0], "rb"), name);
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		ERROR("dtc cannot compile it");
		exit(1);
	}
	return b;
}

static void check_memory(const struct machine_desc *m, const struct blob *archive)
{
	unsigned int room = vmdesc_memory_for_vms(m, archive ? archive->size : 0);
	unsigned int sum = 0, i;

	for (i = 0; i < m->nvms; i++)
		if (m->vms[i].valid && !m->vms[i].manual)
			sum += m->vms[i].memory_mb;
	if (sum > room)
		ERROR("/vms: memory-mb: found %u in all, allowed 0..%u (machine %u less the "
		      "monitor's share)",
		      sum, room, (unsigned int)m->memory_mb);
	for (i = 0; i < m->nvms; i++)
		if (m->vms[i].valid && m->vms[i].memory_mb > room)
			ERROR("/vms/%s: memory-mb: found %u, the machine has %u left",
			      m->vms[i].name, (unsigned int)m->vms[i].memory_mb, room);
}

static void check_images(const struct vm_desc *vm, const struct blob *archive)
{
	u64 memory = (u64)vm->memory_mb << 20;
	struct elf_image image;
	const void *data;
	char why[256];
	size_t size;

	if (cpio_find(archive->data, archive->size, vm->kernel, &data, &size) != 0)
		ERROR("/vms/%s: kernel: found \"%s\", the archive has no such file", vm->name,
		      vm->kernel);
	else if (elf_check(data, size, memory, &image, why, sizeof(why)) != 0)
		ERROR("/vms/%s: kernel: %s: %s", vm->name, vm->kernel, why);
	if (!vm->ramdisk[0])
		return;
	if (cpio_find(archive->data, archive->size, vm->ramdisk, &data, &size) != 0)
		ERROR("/vms/%s: ramdisk: found \"%s\", the archive has no such file", vm->name,
		      vm->ramdisk);
	else if (size > memory)
		ERROR("/vms/%s: ramdisk: found %s of %zu bytes, the VM has %llu", vm->name,
		      vm->ramdisk, size, (unsigned long long)memory);
}

static void check_machine(const struct blob *tree, const struct blob *archive)
{
	static struct machine_desc m;
	char why[256];
	unsigned int i;

	if (vmdesc_parse(tree->data, tree->size, &m, why, sizeof(why)) != 0) {
		ERROR("%s", why);
		return;
	}
	for (i = 0; i < m.nvms; i++)
		if (!m.vms[i].valid)
			ERROR("%s", m.vms[i].error);
	check_memory(&m, archive);
	if (!archive)
		return;
	if (cpio_check(archive->data, archive->size, why, sizeof(why)) < 0) {
		ERROR("%s", why);
		return;
	}
	for (i = 0; i < m.nvms; i++)
		if (m.vms[i].valid)
			check_images(&m.vms[i], archive);
}

int main(int argc, char **argv)
{
	struct blob tree, archive;
	size_t len;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: dtscheck FILE.dts|FILE.dtb [ARCHIVE.cpio]\n");
		return 2;
	}
	file = argv[1];
	len = strlen(file);
	tree = len > 4 && strcmp(file + len - 4, ".dts") == 0 ? compile(file) : read_file(file);
	if (argc == 3)
		archive = read_file(argv[2]);
	check_machine(&tree, argc == 3 ? &archive : NULL);
	free(tree.data);
	if (argc == 3)
		free(archive.data);
	return errors ? 1 : 0;
}
