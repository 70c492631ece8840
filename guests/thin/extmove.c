/* SPDX-License-Identifier: MIT */
/* Names of files: links that are names, other names for what there is, times. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <ext2fs/ext2fs.h>

#include "guests/thin/ext.h"
#include "guests/thin/files.h"
#include "guests/thin/thin.h"

int lstat(const char *restrict name, struct stat *restrict s)
{
	struct ext_name n;
	struct ext2_inode inode;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_find_name(name, &n);
	if (error == EBUSY) { /* a root */
		n.ino = EXT2_ROOT_INO;
		error = 0;
	}
	if (!error)
		error = ext_inode(n.place.fs, n.ino, &inode);
	if (!error)
		ext_stat(n.place.fs, n.ino, &inode, s);
	return ext_done(error);
}

/* ---- links that are names ---- */
/* The whole text of a link, which ends with a 0; the caller frees it. */
static errcode_t link_text(ext2_filsys fs, u32 ino, const struct ext2_inode *inode, char **text)
{
	size_t length = EXT2_I_SIZE(inode);
	ext2_file_t file;
	unsigned got = 0;
	errcode_t error;

	if (length >= fs->blocksize)
		return EXT2_ET_INODE_CORRUPTED;
	*text = calloc(1, length + 1);
	if (!*text)
		return EXT2_ET_NO_MEMORY;
	if (ext2fs_is_fast_symlink((struct ext2_inode *)inode)) {
		memcpy(*text, inode->i_block, length);
		return 0;
	}
	error = ext2fs_file_open(fs, ino, 0, &file);
	if (error)
		return error;
	error = ext2fs_file_read(file, *text, (unsigned)length, &got);
	ext2fs_file_close(file);
	return error ? error : got == length ? 0 : EXT2_ET_SHORT_READ;
}

ssize_t readlink(const char *restrict name, char *restrict buffer, size_t bytes)
{
	struct ext_name n;
	struct ext2_inode inode;
	char *text = NULL;
	size_t length = 0;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_find_name(name, &n);
	if (!error)
		error = ext_inode(n.place.fs, n.ino, &inode);
	if (!error && !LINUX_S_ISLNK(inode.i_mode))
		error = EINVAL;
	if (!error)
		error = ext_error(&n.place, link_text(n.place.fs, n.ino, &inode, &text));
	if (!error) {
		length = MIN(strlen(text), bytes);
		memcpy(buffer, text, length);
	}
	free(text);
	return ext_done(error) ? -1 : (ssize_t)length;
}

int symlink(const char *text, const char *name)
{
	struct ext_name n;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_find_name(name, &n);
	if (!error)
		error = EEXIST;
	else if (error == ENOENT && n.dir)
		error = *text ? ext_writable(n.place.fs) : ENOENT;
	if (!error && strlen(text) >= n.place.fs->blocksize)
		error = ENAMETOOLONG;
	if (!error) {
		errcode_t failed = ext2fs_symlink(n.place.fs, n.dir, 0, n.last, text);

		if (failed == EXT2_ET_DIR_NO_SPACE) {
			failed = ext2fs_expand_dir(n.place.fs, n.dir);
			if (!failed)
				failed = ext2fs_symlink(n.place.fs, n.dir, 0, n.last, text);
		}
		error = ext_error(&n.place, failed);
	}
	return ext_done(error);
}

/* ---- another name ---- */
/* The folder that a folder is in. */
static int above(const struct ext_name *n, u32 dir, u32 *up)
{
	return ext_error(&n->place, ext2fs_lookup(n->place.fs, dir, "..", 2, NULL, up));
}

/* A folder does not go into itself. */
static int is_within(const struct ext_name *n, u32 dir, u32 folder)
{
	int error = 0;

	while (!error && dir != folder && dir != EXT2_ROOT_INO)
		error = above(n, dir, &dir);
	return error ? error : dir == folder ? EINVAL : 0;
}

static int set_above(ext2_ino_t dir, int entry, struct ext2_dir_entry *e, int offset, int size,
		     char *buffer, void *up)
{
	(void)dir, (void)offset, (void)size, (void)buffer;
	if (entry != DIRENT_DOT_DOT_FILE)
		return 0;
	e->inode = *(u32 *)up;
	return DIRENT_CHANGED | DIRENT_ABORT;
}

/* Its ".." leads to another folder, which both know. */
static int move_folder(const struct ext_name *from, u32 up)
{
	ext2_filsys fs = from->place.fs;
	int error = ext_error(&from->place,
			      ext2fs_dir_iterate2(fs, from->ino, 0, NULL, set_above, &up));

	if (!error)
		error = ext_count_links(fs, up, 1);
	return error ? error : ext_count_links(fs, from->dir, -1);
}

static int type_of(const struct ext2_inode *inode)
{
	if (LINUX_S_ISDIR(inode->i_mode))
		return EXT2_FT_DIR;
	return LINUX_S_ISLNK(inode->i_mode) ? EXT2_FT_SYMLINK : EXT2_FT_REG_FILE;
}

/* What had the name `to` is gone. */
static int move(const struct ext_name *from, const struct ext_name *to)
{
	ext2_filsys fs = from->place.fs;
	struct ext2_inode inode;
	int error = ext_inode(fs, from->ino, &inode);
	bool folder = LINUX_S_ISDIR(inode.i_mode);

	if (!error && folder)
		error = is_within(to, to->dir, from->ino);
	if (!error && to->ino)
		error = ext_take(to, folder);
	if (!error)
		error = ext_error(&to->place,
				  ext_add_name(fs, to->dir, to->last, from->ino, type_of(&inode)));
	if (!error)
		error = ext_error(&from->place,
				  ext2fs_unlink(fs, from->dir, from->last, from->ino, 0));
	if (!error && folder && from->dir != to->dir)
		error = move_folder(from, to->dir);
	return error;
}

int rename(const char *from, const char *to)
{
	struct ext_name a, b;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_find_name(from, &a);
	if (!error) {
		error = ext_find_name(to, &b);
		if (error == ENOENT && b.dir)
			error = 0;
	}
	if (!error && a.place.fs != b.place.fs)
		error = EXDEV;
	if (!error)
		error = ext_writable(a.place.fs);
	if (!error && a.ino != b.ino)
		error = move(&a, &b);
	return ext_done(error);
}

/* ---- sizes and times ---- */
int truncate(const char *name, off_t size)
{
	int file = open(name, O_WRONLY), result, error;

	if (file < 0)
		return -1;
	result = ftruncate(file, size);
	error = errno;
	if (close(file))
		return -1;
	errno = error;
	return result;
}

int utime(const char *name, const struct utimbuf *times)
{
	struct ext_place p;
	struct ext2_inode inode;
	time_t now = time(NULL);
	u32 ino;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_place(name, &p);
	if (!error)
		error = ext_find(&p, &ino);
	if (!error)
		error = ext_writable(p.fs);
	if (!error)
		error = ext_inode(p.fs, ino, &inode);
	if (!error) {
		inode.i_atime = (u32)(times ? times->actime : now);
		inode.i_mtime = (u32)(times ? times->modtime : now);
		error = ext_set_inode(p.fs, ino, &inode);
	}
	return ext_done(error);
}
