/* SPDX-License-Identifier: MIT */
/*
 * dtscheck FILE.dts|FILE.dtb [ARCHIVE.cpio] - checks a machine description on the host with the
 * monitor's own code: every property, whether the VMs fit the machine and, given the boot archive,
 * whether it holds the images and whether the monitor would load them. One line for each error,
 * exit status 1 if there was any. Source trees go through dtc.
 *
 * dtscheck --disks ARCHIVE.cpio - checks the images of disks as files that QEMU is to open, and lists
 * them for qemu/run.sh. --uplink instead of --disks: what the machine's network device is for.
 */
#define _GNU_SOURCE /* F_OFD_GETLK */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/abi/disco.h"
#include "kernel/vm/cpio.h"
#include "kernel/vm/elf.h"
#include "kernel/vm/vmdesc.h"

extern char **environ;

struct blob {
	void *data;
	size_t size;
};

/* As kernel/vm/loader.c lays them out. */
#define RAMDISK_ALIGN 0x10000
#define WINDOW	      ((u64)DISCO_CSSEG_WINDOW)

/* What Linux takes while it starts, beside a 32nd of its memory for its tables of pages. */
#define LINUX_BOOT_BYTES 0x200000

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
		if (m->vms[i].valid && !m->vms[i].manual && !m->vms[i].on_demand)
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

/* The eight hexadecimal digits of a field of a cpio header. */
static u64 cpio_field(const char *digits)
{
	char text[9] = { 0 };

	memcpy(text, digits, 8);
	return strtoul(text, NULL, 16);
}

#define CPIO_MAGIC     "070701"
#define CPIO_HEADER    110
#define CPIO_FILE_SIZE 54 /* offsets in it */
#define CPIO_NAME_SIZE 94
#define CPIO_ALIGN(n)  (((n) + 3) & ~(size_t)3)
#define PAGE_BYTES(n)  (((n) + 4095) & ~(u64)4095)

/*
 * The memory that Linux needs for the files of an initial root: whole pages. Several archives may
 * follow each other, with zeros between. 0: this is no such archive (or a compressed one).
 */
static u64 unpacked_bytes(const char *data, size_t size)
{
	u64 sum = 0;

	for (size_t at = 0; at + CPIO_HEADER <= size;) {
		size_t name, file;

		if (memcmp(data + at, CPIO_MAGIC, strlen(CPIO_MAGIC)) != 0) {
			if (data[at])
				return sum;
			at += 4;
			continue;
		}
		name = cpio_field(data + at + CPIO_NAME_SIZE);
		file = cpio_field(data + at + CPIO_FILE_SIZE);
		sum += PAGE_BYTES(file);
		at = CPIO_ALIGN(at + CPIO_HEADER + name);
		at = CPIO_ALIGN(at + file);
	}
	return sum;
}

#define MB_UP(bytes) ((unsigned long)(((bytes) + 0xfffff) >> 20))

/*
 * Linux unpacks its root into a tmpfs that may have half of what it calls its memory, while archive,
 * kernel and the kernel's own tables lie beside it.
 */
static void check_root(const struct vm_desc *vm, const struct elf_image *kernel, const char *data,
		       size_t size)
{
	u64 memory = (u64)vm->memory_mb << 20, unpacked = unpacked_bytes(data, size);
	u64 kept = kernel->end.v + size + memory / 32 + LINUX_BOOT_BYTES;
	u64 room = kept < memory ? (memory - kept) / 2 : 0;
	u64 wanted = 2 * unpacked + size + kernel->end.v + LINUX_BOOT_BYTES;

	if (unpacked > room)
		ERROR("/vms/%s: ramdisk: found %s with files of %lu MB, allowed %lu MB with memory-mb = <%u>: "
		      "give the VM %lu MB, or the root fewer files",
		      vm->name, vm->ramdisk, MB_UP(unpacked), (unsigned long)(room >> 20),
		      (unsigned int)vm->memory_mb, MB_UP(wanted + wanted / 31 + (1 << 20)));
}

static void check_archived(const struct vm_desc *vm, const struct disk_desc *d,
			   const struct blob *archive)
{
	const void *data;
	size_t size;

	if (cpio_find(archive->data, archive->size, d->image, &data, &size) != 0)
		ERROR("/vms/%s/%s: image: found \"%s\", the archive has no such file", vm->name,
		      d->name, d->image);
	else if (size == 0 || size % 512 != 0)
		ERROR("/vms/%s/%s: image: found %s of %zu bytes, allowed a multiple of 512, and not 0",
		      vm->name, d->name, d->image, size);
}

static void check_images(const struct vm_desc *vm, const struct blob *archive)
{
	u64 memory = (u64)vm->memory_mb << 20;
	struct elf_image image;
	const void *data;
	char why[256];
	size_t size;
	bool loads = false;

	if (cpio_find(archive->data, archive->size, vm->kernel, &data, &size) != 0)
		ERROR("/vms/%s: kernel: found \"%s\", the archive has no such file", vm->name,
		      vm->kernel);
	else if (elf_check(data, size, memory, vm->rewrite, &image, why, sizeof(why)) != 0)
		ERROR("/vms/%s: kernel: %s: %s", vm->name, vm->kernel, why);
	else
		loads = true;
	for (u32 i = 0; i < vm->ndisks; i++)
		if (vm->disks[i].in_archive)
			check_archived(vm, &vm->disks[i], archive);
	if (!vm->ramdisk[0])
		return;
	if (cpio_find(archive->data, archive->size, vm->ramdisk, &data, &size) != 0)
		ERROR("/vms/%s: ramdisk: found \"%s\", the archive has no such file", vm->name,
		      vm->ramdisk);
	else if (size > memory)
		ERROR("/vms/%s: ramdisk: found %s of %zu bytes, the VM has %llu", vm->name,
		      vm->ramdisk, size, (unsigned long long)memory);
	else if (loads && image.end.v + size + 2 * RAMDISK_ALIGN > MIN(memory, WINDOW))
		ERROR("/vms/%s: ramdisk: found %s of %lu MB, allowed %lu MB: kernel and ramdisk lie in the first 256 MB",
		      vm->name, vm->ramdisk, MB_UP(size),
		      (unsigned long)((MIN(memory, WINDOW) - image.end.v) >> 20));
	else if (loads && strcmp(vm->kernel, "vmlinux") == 0)
		check_root(vm, &image, data, size);
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

/* ---- images of the host ---- */

/* What QEMU locks of an image that it has open (its docs call this image locking): a byte for what it
 * does, and one for what nobody else may do meanwhile. */
#define LOCK_WRITES    101
#define LOCK_NO_WRITER 201

/* Whether another process has the byte of the file locked. */
static bool is_locked(int fd, off_t byte)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* The path of an image: from build/ on unless it begins with /. */
static const char *image_path(const struct disk_desc *d)
{
	static char path[sizeof("build/") + sizeof(d->image)];

	snprintf(path, sizeof(path), "%s%s", d->image[0] == '/' ? "" : "build/", d->image);
	return path;
}

static bool is_written(const struct disk_desc *d)
{
	return d->mode == DISK_PERSISTENT && !d->read_only;
}

#define IMAGE_ERROR(fmt, ...) ERROR("/vms/%s/%s: image: " fmt, vm->name, d->name, ##__VA_ARGS__)

static void check_open_image(const struct vm_desc *vm, const struct disk_desc *d, int fd,
			     const struct stat *st)
{
	const char *path = image_path(d);

	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		IMAGE_ERROR("found %s, which is no file, allowed a file", path);
	else if (S_ISREG(st->st_mode) && (st->st_size == 0 || st->st_size % 512 != 0))
		IMAGE_ERROR("found %s of %lld bytes, allowed a multiple of 512, and not 0", path,
			    (long long)st->st_size);
	else if (is_written(d) && (access(path, W_OK) != 0 || !(st->st_mode & 0222)))
		IMAGE_ERROR("found %s, which cannot be written, allowed with mode cow or read-only",
			    path);
	else if (is_locked(fd, LOCK_WRITES) || (is_written(d) && is_locked(fd, LOCK_NO_WRITER)))
		IMAGE_ERROR("found %s, which another machine uses, allowed when that has ended",
			    path);
}

/* The VM that has the disk. */
static const struct vm_desc *owner_of(const struct machine_desc *m, const struct disk_desc *d)
{
	const struct vm_desc *vm = m->vms;

	while (d < vm->disks || d >= vm->disks + VMDESC_DISKS_MAX)
		vm++;
	return vm;
}

/* Host image n as a file; false: there is no such image. */
static bool check_image(const struct machine_desc *m, unsigned int n, struct stat *all)
{
	const struct disk_desc *d = vmdesc_host_disk(m, n), *other;
	const struct vm_desc *vm;
	int fd;

	if (!d)
		return false;
	vm = owner_of(m, d);
	fd = open(image_path(d), O_RDONLY | O_NONBLOCK);
	memset(&all[n], 0, sizeof(all[n]));
	if (fd < 0 && errno == ENOENT)
		IMAGE_ERROR("found no file %s; `make %s` builds it if anything does", image_path(d),
			    image_path(d));
	else if (fd < 0 || fstat(fd, &all[n]) != 0)
		IMAGE_ERROR("found %s: %s", image_path(d), strerror(errno));
	else
		check_open_image(vm, d, fd, &all[n]);
	if (fd < 0)
		return true;
	close(fd);
	for (unsigned int i = 0; i < n; i++) {
		other = vmdesc_host_disk(m, i);
		if (all[i].st_ino == all[n].st_ino && all[i].st_dev == all[n].st_dev &&
		    (is_written(d) || is_written(other)))
			IMAGE_ERROR("found %s, which is the file of /vms/%s/%s, allowed any other",
				    image_path(d), owner_of(m, other)->name, other->name);
	}
	return true;
}

/* For qemu/run.sh: a line for each image that QEMU is to show, in the order of their numbers. */
static void list_images(const struct machine_desc *m)
{
	static struct stat all[VMDESC_MAX_VMS * VMDESC_DISKS_MAX];
	const struct disk_desc *d;

	for (unsigned int n = 0; check_image(m, n, all); n++)
		;
	for (unsigned int n = 0; !errors && (d = vmdesc_host_disk(m, n)); n++)
		printf("%s %s\n", is_written(d) ? "rw" : "ro", image_path(d));
}

/* For qemu/run.sh: the number of the uplink's subnet, and the ports that the host is to reach. */
static void list_uplink(const struct machine_desc *m)
{
	if (!m->has_uplink)
		return;
	printf("subnet %u\n", (unsigned int)m->uplink.subnet_number);
	for (const struct vm_desc *vm = m->vms; vm < m->vms + m->nvms; vm++)
		for (unsigned int i = 0; vm->valid && i < vm->nnets; i++)
			for (unsigned int k = 0; k < vm->nets[i].forward.n; k++)
				printf("forward %u %u %s\n", (unsigned int)vm->nets[i].number,
				       (unsigned int)vm->nets[i].forward.port[k], vm->label);
}

/* The description in a boot archive, which the monitor reads itself: what is wrong there is said there,
 * and such VMs have no disks and ports here. */
static int list_of(const char *name, void (*list)(const struct machine_desc *m))
{
	static struct machine_desc m;
	struct blob archive = read_file(name);
	const void *tree;
	void *copy;
	size_t size;
	char why[256];

	file = "disco.dtb";
	if (cpio_find(archive.data, archive.size, "disco.dtb", &tree, &size) != 0)
		return 0;
	copy = malloc(size + 1); /* aligned */
	memcpy(copy, tree, size);
	if (vmdesc_parse(copy, size, &m, why, sizeof(why)) == 0)
		list(&m);
	free(copy);
	free(archive.data);
	return errors ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct blob tree, archive;
	size_t len;

	if (argc == 3 && strcmp(argv[1], "--disks") == 0)
		return list_of(argv[2], list_images);
	if (argc == 3 && strcmp(argv[1], "--uplink") == 0)
		return list_of(argv[2], list_uplink);
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: dtscheck FILE.dts|FILE.dtb [ARCHIVE.cpio]\n"
				"       dtscheck --disks|--uplink ARCHIVE.cpio\n");
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
