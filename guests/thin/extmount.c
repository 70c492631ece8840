/* SPDX-License-Identifier: MIT */
/* Which disk a name leads to, and what is said of one that is not as it should be. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <ext2fs/ext2fs.h>

#include "guests/thin/disk.h"
#include "guests/thin/ext.h"
#include "guests/thin/files.h"
#include "guests/thin/thin.h"

#define SAID_MOST 20 /* lines about errors */

pthread_mutex_t ext_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const points[DISKS_MAX] = { "/", "/data", "/disk2", "/disk3" };
static struct mount {
	ext2_filsys fs;
	int error;
} mounts[DISKS_MAX];
static char here[EXT_PATH] = "/"; /* what names without a '/' begin at */

/* ---- errors ---- */
static const char *text_of(errcode_t error)
{
	const struct error_table *t = &et_ext2_error_table;

	if (error >= t->base && error < t->base + t->n_msgs)
		return t->msgs[error - t->base];
	return strerror((int)error);
}

/* 0: it has no errno of its own. */
static int errno_of(errcode_t error)
{
	switch (error) {
	case EXT2_ET_FILE_NOT_FOUND: return ENOENT;
	case EXT2_ET_NO_DIRECTORY: return ENOTDIR;
	case EXT2_ET_DIR_EXISTS:
	case EXT2_ET_FILE_EXISTS: return EEXIST;
	case EXT2_ET_SYMLINK_LOOP: return ELOOP;
	case EXT2_ET_NO_MEMORY: return ENOMEM;
	case EXT2_ET_RO_FILSYS: return EROFS;
	case EXT2_ET_FILE_TOO_BIG: return EFBIG;
	case EXT2_ET_BLOCK_ALLOC_FAIL:
	case EXT2_ET_INODE_ALLOC_FAIL: return ENOSPC;
	default: return error > 0 && error < EXT2_ET_BASE && error != EIO ? (int)error : 0;
	}
}

int ext_errno(long error)
{
	int known = errno_of(error);

	return error && !known ? EIO : known;
}

static bool may_say(void)
{
	static u32 said;

	return said++ < SAID_MOST;
}

/* libext2fs's own way to say that a bitmap is not what it should be. */
void com_err(const char *who, errcode_t error, const char *format, ...)
{
	(void)who;
	(void)format;
	if (may_say())
		say("a disk has an error: %s", text_of(error));
}

/* Names without case are none here: what has them is read only, and looked up as it is written. */
const struct ext2fs_nls_table *ext2fs_load_nls_table(int encoding)
{
	(void)encoding;
	return NULL;
}

int ext_error(const struct ext_place *p, long error)
{
	int known = errno_of(error);

	if (!error || known)
		return known;
	if (may_say())
		say("%s: the disk has an error there: %s", p->path, text_of(error));
	return EIO;
}

static int mount_error(u32 disk, long error)
{
	if (error == EXT2_ET_BAD_MAGIC || error == EXT2_ET_CORRUPT_SUPERBLOCK ||
	    error == EXT2_ET_SHORT_READ)
		say("disk %u (%s): found no file system of ext2, ext3 or ext4: %s", disk,
		    points[disk], text_of(error));
	else
		say("disk %u (%s): its file system is not used: %s", disk, points[disk],
		    text_of(error));
	return errno_of(error) == ENOMEM ? ENOMEM : EIO;
}

/* ---- mounting ---- */
static errcode_t open_disk(u32 disk, ext2_filsys *fs)
{
	const char name[2] = { (char)('0' + disk), 0 };
	int flags = EXT2_FLAG_64BITS;
	errcode_t error = ext2fs_open2(name, NULL, flags | EXT2_FLAG_RW, 0, 0, &disk_io, fs);

	if (error == EROFS || error == EXT2_ET_RO_UNSUPP_FEATURE)
		error = ext2fs_open2(name, NULL, flags, 0, 0, &disk_io, fs);
	return error;
}

/* Or says what is missing. */
static bool is_whole(u32 disk, ext2_filsys fs)
{
	u64 bytes = ext2fs_blocks_count(fs->super) * fs->blocksize;

	if (bytes > disk_bytes(disk))
		say("disk %u (%s): its file system is not used: found %u KB of disk, needed %u KB",
		    disk, points[disk], (u32)(disk_bytes(disk) >> 10), (u32)(bytes >> 10));
	else if (ext2fs_has_feature_journal_needs_recovery(fs->super))
		say("disk %u (%s): its file system is not used: found a journal with changes, needed: e2fsck, or one mount by Linux",
		    disk, points[disk]);
	else
		return true;
	return false;
}

static int mount(u32 disk)
{
	struct mount *m = &mounts[disk];
	errcode_t error;

	if (m->fs || m->error)
		return m->error;
	error = open_disk(disk, &m->fs);
	if (error) {
		m->fs = NULL;
		return m->error = mount_error(disk, error);
	}
	if (!is_whole(disk, m->fs)) {
		ext2fs_free(m->fs);
		m->fs = NULL;
		return m->error = EIO;
	}
	if (ext2fs_has_feature_casefold(m->fs->super))
		m->fs->flags &= ~EXT2_FLAG_RW;
	m->fs->priv_data = (void *)(u64)(disk + 1); /* st_dev */
	m->fs->flags |= EXT2_FLAG_MASTER_SB_ONLY;   /* copies of the superblock are e2fsck's */
	files_at_end(sync);
	return 0;
}

int ext_writable(ext2_filsys fs)
{
	if (!(fs->flags & EXT2_FLAG_RW))
		return EROFS;
	if (!fs->block_map && ext2fs_read_bitmaps(fs))
		return EIO;
	return 0;
}

void sync(void)
{
	pthread_mutex_lock(&ext_lock);
	ext_sync_nodes();
	for (u32 i = 0; i < DISKS_MAX; i++)
		if (mounts[i].fs)
			ext_sync(mounts[i].fs);
	pthread_mutex_unlock(&ext_lock);
}

/* ---- names ---- */
/* Appends what lies between two '/' to the path; false: it becomes too long. */
static bool append(char *path, const char *part, size_t n)
{
	size_t length = strlen(path);

	if (n == 0 || (n == 1 && *part == '.'))
		return true;
	if (n == 2 && part[0] == '.' && part[1] == '.') {
		char *last = strrchr(path, '/');

		last[last == path] = 0;
		return true;
	}
	if (length + 1 + n >= EXT_PATH)
		return false;
	if (path[length - 1] != '/')
		path[length++] = '/';
	memcpy(path + length, part, n);
	path[length + n] = 0;
	return true;
}

/* From the root, without ".", ".." and empty parts. */
static bool whole_path(const char *name, char path[EXT_PATH])
{
	strcpy(path, *name == '/' ? "/" : here);
	for (;;) {
		size_t n = strcspn(name, "/");

		if (!append(path, name, n))
			return false;
		if (!name[n])
			return true;
		name += n + 1;
	}
}

/* The disk that a path is on; *rest: where its name on that disk begins. */
static u32 disk_of(const char *path, const char **rest)
{
	for (u32 i = 1; i < DISKS_MAX; i++) {
		size_t n = strlen(points[i]);

		if (!strncmp(path, points[i], n) && (!path[n] || path[n] == '/') &&
		    disk_exists(i)) {
			*rest = path[n] ? path + n : "/";
			return i;
		}
	}
	*rest = path;
	return 0;
}

int ext_place(const char *name, struct ext_place *p)
{
	char path[EXT_PATH];
	const char *rest;
	u32 disk;
	int error;

	if (!*name)
		return ENOENT;
	if (!whole_path(name, path))
		return ENAMETOOLONG;
	disk = disk_of(path, &rest);
	if (!disk_exists(disk)) {
		if (may_say())
			say("%s: found no disk, needed: DISK= of `make thin`, or a node disk0 in the VM's description",
			    name);
		return ENODEV;
	}
	strcpy(p->path, rest);
	error = mount(disk);
	p->fs = mounts[disk].fs;
	return error;
}

int ext_find(const struct ext_place *p, u32 *ino)
{
	return ext_error(p, ext2fs_namei_follow(p->fs, EXT2_ROOT_INO, EXT2_ROOT_INO, p->path, ino));
}

int ext_find_above(struct ext_place *p, u32 *dir, const char **name)
{
	char *last = strrchr(p->path, '/');
	int error;

	*name = last + 1;
	if (!last[1])
		return EBUSY;
	if (strlen(*name) > EXT2_NAME_LEN)
		return ENAMETOOLONG;
	if (last == p->path) {
		*dir = EXT2_ROOT_INO;
		return 0;
	}
	*last = 0;
	error = ext_find(p, dir);
	*last = '/';
	return error;
}

int chdir(const char *name)
{
	struct ext_place p;
	struct stat s;

	if (stat(name, &s))
		return -1;
	if (!S_ISDIR(s.st_mode))
		return fail(ENOTDIR);
	pthread_mutex_lock(&ext_lock);
	whole_path(name, p.path);
	strcpy(here, p.path);
	pthread_mutex_unlock(&ext_lock);
	return 0;
}

char *getcwd(char *buffer, size_t bytes)
{
	char *got = NULL;

	pthread_mutex_lock(&ext_lock);
	if (!buffer)
		got = strdup(here);
	else if (strlen(here) < bytes)
		got = strcpy(buffer, here);
	else
		errno = ERANGE;
	pthread_mutex_unlock(&ext_lock);
	return got;
}
