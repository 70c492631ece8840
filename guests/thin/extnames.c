/* SPDX-License-Identifier: MIT */
/* Names of files: making, taking away, looking. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ext2fs/ext2fs.h>

#include "guests/thin/ext.h"
#include "guests/thin/files.h"
#include "guests/thin/thin.h"

#define LINKS_MOST 65000

int ext_done(int error)
{
	pthread_mutex_unlock(&ext_lock);
	return error ? fail(error) : 0;
}

/* The place of a name, for looking at it. ext_lock is held afterwards. */
static int look(const char *name, struct ext_place *p, u32 *ino)
{
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_place(name, p);
	return error ? error : ext_find(p, ino);
}

int stat(const char *restrict name, struct stat *restrict s)
{
	struct ext_place p;
	struct ext2_inode inode;
	u32 ino;
	int error = look(name, &p, &ino);

	if (!error)
		error = ext_inode(p.fs, ino, &inode);
	if (!error)
		ext_stat(p.fs, ino, &inode, s);
	return ext_done(error);
}

/* All rights are the program's, but that of writing on a disk that cannot be written. */
int access(const char *name, int mode)
{
	struct ext_place p;
	u32 ino;
	int error = look(name, &p, &ino);

	if (!error && (mode & W_OK))
		error = ext_writable(p.fs);
	return ext_done(error);
}

int chmod(const char *name, mode_t mode)
{
	struct ext_place p;
	struct ext2_inode inode;
	u32 ino;
	int error = look(name, &p, &ino);

	if (!error)
		error = ext_writable(p.fs);
	if (!error)
		error = ext_inode(p.fs, ino, &inode);
	if (!error) {
		inode.i_mode = (u16)((inode.i_mode & LINUX_S_IFMT) | (mode & 07777));
		error = ext_set_inode(p.fs, ino, &inode);
	}
	return ext_done(error);
}

/* ---- making ---- */
long ext_add_name(ext2_filsys fs, u32 dir, const char *name, u32 ino, int type)
{
	errcode_t error = ext2fs_link(fs, dir, name, ino, type);

	if (error != EXT2_ET_DIR_NO_SPACE)
		return error;
	error = ext2fs_expand_dir(fs, dir);
	return error ? error : ext2fs_link(fs, dir, name, ino, type);
}

static errcode_t write_new(ext2_filsys fs, u32 ino, mode_t mode)
{
	struct ext2_inode inode = { .i_mode = (u16)mode, .i_links_count = 1 };
	ext2_extent_handle_t handle;
	errcode_t error;

	inode.i_atime = inode.i_ctime = inode.i_mtime = (u32)time(NULL);
	if (ext2fs_has_feature_extents(fs->super)) {
		error = ext2fs_extent_open2(fs, ino, &inode, &handle);
		if (error)
			return error;
		ext2fs_extent_free(handle);
	}
	return ext2fs_write_new_inode(fs, ino, &inode);
}

int ext_make(const struct ext_place *p, u32 dir, const char *name, mode_t mode, u32 *ino)
{
	errcode_t error = ext_writable(p->fs);

	if (!error)
		error = ext2fs_new_inode(p->fs, dir, (int)mode, NULL, ino);
	if (!error)
		error = write_new(p->fs, *ino, mode);
	if (!error)
		error = ext_add_name(p->fs, dir, name, *ino, EXT2_FT_REG_FILE);
	if (!error)
		ext2fs_inode_alloc_stats2(p->fs, *ino, +1, 0);
	return ext_error(p, error);
}

/* Where a name is to be. ext_lock is held afterwards; 0: nothing has the name, EEXIST. */
static int look_for_room(const char *name, struct ext_place *p, u32 *dir, const char **last)
{
	u32 ino;
	int error = look(name, p, &ino);

	if (error != ENOENT)
		return error ? error : EEXIST;
	error = ext_find_above(p, dir, last);
	return error ? error : ext_writable(p->fs);
}

int mkdir(const char *name, mode_t mode)
{
	struct ext_place p;
	const char *last;
	errcode_t failed;
	u32 dir;
	int error = look_for_room(name, &p, &dir, &last);

	(void)mode; /* all folders have 0755 */
	if (!error) {
		failed = ext2fs_mkdir(p.fs, dir, 0, last);
		if (failed == EXT2_ET_DIR_NO_SPACE) {
			failed = ext2fs_expand_dir(p.fs, dir);
			if (!failed)
				failed = ext2fs_mkdir(p.fs, dir, 0, last);
		}
		error = ext_error(&p, failed);
	}
	return ext_done(error);
}

mode_t umask(mode_t mask)
{
	(void)mask;
	return 022;
}

int ext_count_links(ext2_filsys fs, u32 ino, int by)
{
	struct ext2_inode inode;
	int error = ext_inode(fs, ino, &inode);

	if (error)
		return error;
	if (by > 0 && inode.i_links_count >= LINKS_MOST)
		return EMLINK;
	inode.i_links_count = (u16)(inode.i_links_count + by);
	error = ext_set_inode(fs, ino, &inode);
	return error || inode.i_links_count ? error : ext_let_go(fs, ino);
}

int link(const char *from, const char *to)
{
	struct ext_place p, q;
	struct ext2_inode inode;
	const char *last;
	u32 ino, dir;
	int error = look(from, &p, &ino);

	if (!error)
		error = ext_inode(p.fs, ino, &inode);
	if (!error && LINUX_S_ISDIR(inode.i_mode))
		error = EPERM;
	if (error)
		return ext_done(error);
	ext_done(0);
	error = look_for_room(to, &q, &dir, &last);
	if (!error && p.fs != q.fs)
		error = EXDEV;
	if (!error)
		error = ext_count_links(p.fs, ino, 1);
	if (!error)
		error = ext_error(&q, ext_add_name(q.fs, dir, last, ino, EXT2_FT_REG_FILE));
	return ext_done(error);
}

/* ---- taking away ---- */
static int entries_but_dots(ext2_ino_t dir, int entry, struct ext2_dir_entry *e, int offset,
			    int size, char *buffer, void *count)
{
	(void)dir;
	(void)e;
	(void)offset;
	(void)size;
	(void)buffer;
	if (entry == DIRENT_OTHER_FILE)
		++*(u32 *)count;
	return 0;
}

static int is_empty(const struct ext_place *p, u32 ino)
{
	u32 count = 0;
	errcode_t error = ext2fs_dir_iterate2(p->fs, ino, 0, NULL, entries_but_dots, &count);

	if (error)
		return ext_error(p, error);
	return count ? ENOTEMPTY : 0;
}

int ext_find_name(const char *name, struct ext_name *n)
{
	int error = ext_place(name, &n->place);

	n->dir = n->ino = 0;
	if (!error)
		error = ext_find_above(&n->place, &n->dir, &n->last);
	if (!error)
		error = ext_error(&n->place, ext2fs_lookup(n->place.fs, n->dir, n->last,
							   (int)strlen(n->last), NULL, &n->ino));
	return error;
}

static int take_file(const struct ext_name *n)
{
	int error = ext_error(&n->place, ext2fs_unlink(n->place.fs, n->dir, n->last, n->ino, 0));

	return error ? error : ext_count_links(n->place.fs, n->ino, -1);
}

static int take_folder(const struct ext_name *n)
{
	int error = is_empty(&n->place, n->ino);

	if (!error)
		error = ext_error(&n->place,
				  ext2fs_unlink(n->place.fs, n->dir, n->last, n->ino, 0));
	if (!error)
		error = ext_count_links(n->place.fs, n->ino, -2);
	return error ? error : ext_count_links(n->place.fs, n->dir, -1); /* its ".." */
}

int ext_take(const struct ext_name *n, bool folder)
{
	struct ext2_inode inode;
	int error = ext_inode(n->place.fs, n->ino, &inode);

	if (!error)
		error = ext_writable(n->place.fs);
	if (!error && LINUX_S_ISDIR(inode.i_mode) != folder)
		error = folder ? ENOTDIR : EISDIR;
	if (error)
		return error;
	return folder ? take_folder(n) : take_file(n);
}

static int take(const char *name, bool folder)
{
	struct ext_name n;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_find_name(name, &n);
	return ext_done(error ? error : ext_take(&n, folder));
}

int unlink(const char *name) { return take(name, false); }
int rmdir(const char *name) { return take(name, true); }

int remove(const char *name)
{
	int result = unlink(name);

	return result && errno == EISDIR ? rmdir(name) : result;
}

/* tmpfile()'s way to the same. */
int _remove_r(struct _reent *reent, const char *name)
{
	(void)reent; /* errno is the thread's */
	return remove(name);
}

/* ---- looking: all entries at once, as they are when the folder is opened ---- */
struct thin_dir {
	u32 count, room, next;
	bool failed;
	struct dirent *entry;
};

static int add_entry(ext2_ino_t dir, int place, struct ext2_dir_entry *e, int offset, int size,
		     char *buffer, void *into)
{
	DIR *d = into;
	struct dirent *to;
	int n = ext2fs_dirent_name_len(e);

	(void)dir;
	(void)place;
	(void)offset;
	(void)size;
	(void)buffer;
	if (d->count == d->room) {
		u32 room = d->room ? 2 * d->room : 16;
		struct dirent *more = realloc(d->entry, room * sizeof(*more));

		if (!more) {
			d->failed = true;
			return DIRENT_ABORT;
		}
		d->entry = more;
		d->room = room;
	}
	to = &d->entry[d->count++];
	to->d_ino = e->inode;
	to->d_type = (unsigned char)ext2fs_dirent_file_type(e);
	memcpy(to->d_name, e->name, (size_t)n);
	to->d_name[n] = 0;
	return 0;
}

DIR *opendir(const char *name)
{
	struct ext_place p;
	u32 ino;
	DIR *d = calloc(1, sizeof(*d));
	int error = look(name, &p, &ino);

	if (!d)
		error = ENOMEM;
	if (!error)
		error = ext_error(&p, ext2fs_dir_iterate2(p.fs, ino, 0, NULL, add_entry, d));
	if (!error && d->failed)
		error = ENOMEM;
	if (ext_done(error) == 0)
		return d;
	if (d)
		closedir(d);
	errno = error;
	return NULL;
}

struct dirent *readdir(DIR *d) { return d->next < d->count ? &d->entry[d->next++] : NULL; }
void rewinddir(DIR *d) { d->next = 0; }

int closedir(DIR *d)
{
	free(d->entry);
	free(d);
	return 0;
}
