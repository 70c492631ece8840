/* SPDX-License-Identifier: MIT */
/* Open files of the VM's disks: see ext.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ext2fs/ext2fs.h>

#include "guests/thin/ext.h"
#include "guests/thin/extdata.h"
#include "guests/thin/files.h"
#include "guests/thin/thin.h"

#define BUFFER	   32768 /* that stdio reads and writes at once */
#define MODE_OTHER 0022	 /* rights that new files do not have */

struct ext_file {
	struct file file;
	struct ext_node *node;
	u64 at;
	struct ext_place place; /* for what is said of it */
};

static struct ext_node *nodes; /* this and all below under ext_lock */

static struct ext_node *node_of(ext2_filsys fs, ext2_ino_t ino)
{
	struct ext_node *n = nodes;

	while (n && (n->fs != fs || n->ino != ino))
		n = n->next;
	return n;
}

/* ---- inodes ---- */
int ext_inode(ext2_filsys fs, u32 ino, struct ext2_inode *inode)
{
	struct ext_node *n = node_of(fs, ino);

	if (!n)
		return (int)ext2fs_read_inode(fs, ino, inode) ? EIO : 0;
	*inode = *ext2fs_file_get_inode(n->file);
	return 0;
}

int ext_set_inode(ext2_filsys fs, u32 ino, struct ext2_inode *inode)
{
	struct ext_node *n = node_of(fs, ino);

	inode->i_ctime = (u32)time(NULL);
	if (n)
		*ext2fs_file_get_inode(n->file) = *inode;
	return (int)ext2fs_write_inode(fs, ino, inode) ? EIO : 0;
}

/*
 * libext2fs takes no block back that ends where the disk ends, so that who has the last one would keep it. Meanwhile the disk
 * has one more; what is allocated then is none of it: cutting off allocates nothing.
 */
void ext_lengthen(ext2_filsys fs, bool longer)
{
	ext2fs_blocks_count_set(fs->super,
				ext2fs_blocks_count(fs->super) + (longer ? 1 : (blk64_t)-1));
}

static errcode_t take_blocks(ext2_filsys fs, ext2_ino_t ino, struct ext2_inode *inode)
{
	errcode_t error;

	ext_lengthen(fs, true);
	error = ext2fs_punch(fs, ino, inode, NULL, 0, ~0ull);
	ext_lengthen(fs, false);
	return error;
}

static int free_inode(ext2_filsys fs, ext2_ino_t ino)
{
	struct ext2_inode inode;
	errcode_t error = ext2fs_read_inode(fs, ino, &inode);
	bool is_folder = LINUX_S_ISDIR(inode.i_mode);

	if (!error && ext2fs_inode_has_valid_blocks2(fs, &inode))
		error = take_blocks(fs, ino, &inode);
	if (error)
		return EIO;
	inode.i_links_count = 0;
	inode.i_dtime = (u32)time(NULL);
	if (ext2fs_write_inode(fs, ino, &inode))
		return EIO;
	ext2fs_inode_alloc_stats2(fs, ino, -1, is_folder);
	return 0;
}

int ext_let_go(ext2_filsys fs, u32 ino) { return node_of(fs, ino) ? 0 : free_inode(fs, ino); }

void ext_stat(ext2_filsys fs, u32 ino, const struct ext2_inode *inode, struct stat *s)
{
	*s = (struct stat){
		.st_dev = (dev_t)(u64)fs->priv_data,
		.st_ino = (ino_t)ino,
		.st_mode = inode->i_mode,
		.st_nlink = inode->i_links_count,
		.st_uid = (uid_t)inode_uid(*inode),
		.st_gid = (gid_t)inode_gid(*inode),
		.st_size = (off_t)EXT2_I_SIZE(inode),
		.st_atim = { inode->i_atime, 0 },
		.st_mtim = { inode->i_mtime, 0 },
		.st_ctim = { inode->i_ctime, 0 },
		.st_blksize = BUFFER,
		.st_blocks = (blkcnt_t)ext2fs_inode_i_blocks(fs, (struct ext2_inode *)inode),
	};
}

/* ---- to the disk ---- */
static int sync_node(struct ext_node *n)
{
	errcode_t error = 0;

	if (!n->written)
		return 0;
	error = ext2fs_file_flush(n->file);
	if (!error)
		error = ext2fs_write_inode(n->fs, n->ino, ext2fs_file_get_inode(n->file));
	n->written = false;
	return ext_errno(error);
}

void ext_sync_nodes(void)
{
	for (struct ext_node *n = nodes; n; n = n->next)
		sync_node(n);
}

int ext_sync(ext2_filsys fs)
{
	if (!(fs->flags & EXT2_FLAG_RW))
		return 0;
	if (!(fs->flags & EXT2_FLAG_CHANGED))
		return io_channel_flush(fs->io) ? EIO : 0;
	if (ext2fs_flush(fs))
		return EIO;
	fs->flags &= ~EXT2_FLAG_CHANGED;
	return 0;
}

/* ---- reading ---- */
/* Under ext_lock. */
static ssize_t read_some(struct ext_file *e, void *bytes, size_t n, u64 at)
{
	size_t done = 0, part = 1;
	errcode_t error = 0;
	int failed;

	if (LINUX_S_ISDIR(ext2fs_file_get_inode(e->node->file)->i_mode))
		error = EISDIR;
	while (done < n && part && !error) {
		error = ext_data_read(e->node, at + done, (u8 *)bytes + done, n - done, &part);
		done += part;
	}
	failed = ext_error(&e->place, error);
	return failed && !done ? fail(failed) : (ssize_t)done;
}

static ssize_t ext_read(struct file *f, void *bytes, size_t n)
{
	struct ext_file *e = (struct ext_file *)f;
	ssize_t done;

	pthread_mutex_lock(&ext_lock);
	done = read_some(e, bytes, n, e->at);
	e->at += done > 0 ? (u64)done : 0;
	pthread_mutex_unlock(&ext_lock);
	return done;
}

static ssize_t ext_read_at(struct file *f, void *bytes, size_t n, off_t at)
{
	ssize_t done;

	pthread_mutex_lock(&ext_lock);
	done = read_some((struct ext_file *)f, bytes, n, (u64)at);
	pthread_mutex_unlock(&ext_lock);
	return done;
}

/* ---- writing ---- */
/* Under ext_lock. */
static ssize_t write_some(struct ext_file *e, const void *bytes, size_t n, u64 at)
{
	struct ext2_inode *inode = ext2fs_file_get_inode(e->node->file);
	size_t done = 0, part = 1;
	errcode_t error;
	int failed;

	error = ext_writable(e->node->fs);
	if (!error) {
		e->node->written = true;
		inode->i_mtime = inode->i_ctime = (u32)time(NULL);
	}
	while (done < n && part && !error) {
		error = ext_data_write(e->node, at + done, (const u8 *)bytes + done, n - done,
				       &part);
		done += part;
	}
	failed = ext_error(&e->place, error);
	return failed && !done ? fail(failed) : (ssize_t)done;
}

static ssize_t ext_write(struct file *f, const void *bytes, size_t n)
{
	struct ext_file *e = (struct ext_file *)f;
	ssize_t done;

	pthread_mutex_lock(&ext_lock);
	if (f->flags & O_APPEND)
		e->at = EXT2_I_SIZE(ext2fs_file_get_inode(e->node->file));
	done = write_some(e, bytes, n, e->at);
	e->at += done > 0 ? (u64)done : 0;
	pthread_mutex_unlock(&ext_lock);
	return done;
}

static ssize_t ext_write_at(struct file *f, const void *bytes, size_t n, off_t at)
{
	ssize_t done;

	pthread_mutex_lock(&ext_lock);
	done = write_some((struct ext_file *)f, bytes, n, (u64)at);
	pthread_mutex_unlock(&ext_lock);
	return done;
}

static int ext_truncate(struct file *f, off_t size)
{
	struct ext_file *e = (struct ext_file *)f;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = ext_data_truncate(e->node, size);
	pthread_mutex_unlock(&ext_lock);
	return error ? fail(error) : 0;
}

static off_t ext_seek(struct file *f, off_t offset, int whence)
{
	struct ext_file *e = (struct ext_file *)f;
	off_t to = -1;

	pthread_mutex_lock(&ext_lock);
	switch (whence) {
	case SEEK_SET: to = offset; break;
	case SEEK_CUR: to = (off_t)e->at + offset; break;
	case SEEK_END:
		to = (off_t)EXT2_I_SIZE(ext2fs_file_get_inode(e->node->file)) + offset;
		break;
	}
	if (to >= 0)
		e->at = (u64)to;
	pthread_mutex_unlock(&ext_lock);
	return to >= 0 ? to : fail(EINVAL);
}

static int ext_file_stat(struct file *f, struct stat *s)
{
	struct ext_node *n = ((struct ext_file *)f)->node;

	pthread_mutex_lock(&ext_lock);
	ext_stat(n->fs, n->ino, ext2fs_file_get_inode(n->file), s);
	pthread_mutex_unlock(&ext_lock);
	return 0;
}

static int ext_file_sync(struct file *f)
{
	struct ext_node *n = ((struct ext_file *)f)->node;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = sync_node(n);
	if (!error)
		error = ext_sync(n->fs);
	pthread_mutex_unlock(&ext_lock);
	return error ? fail(error) : 0;
}

static int ext_set_flags(struct file *f, int flags)
{
	f->flags = (f->flags & ~O_APPEND) | (flags & O_APPEND);
	return 0;
}

static int close_node(struct ext_node *n)
{
	struct ext_node **at = &nodes;
	bool is_gone = ext2fs_file_get_inode(n->file)->i_links_count == 0, written = n->written;
	int error = 0;

	if (--n->refs)
		return 0;
	if (!is_gone)
		error = sync_node(n);
	ext2fs_file_close(n->file);
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	if (is_gone)
		error = free_inode(n->fs, n->ino);
	if (written && !error)
		error = ext_sync(n->fs);
	free(n);
	return error;
}

static int ext_close(struct file *f)
{
	struct ext_file *e = (struct ext_file *)f;
	int error;

	pthread_mutex_lock(&ext_lock);
	error = close_node(e->node);
	pthread_mutex_unlock(&ext_lock);
	free(e);
	return error ? fail(error) : 0;
}

static const struct file_type ext_type = {
	.read = ext_read,
	.write = ext_write,
	.read_at = ext_read_at,
	.write_at = ext_write_at,
	.seek = ext_seek,
	.stat = ext_file_stat,
	.truncate = ext_truncate,
	.sync = ext_file_sync,
	.set_flags = ext_set_flags,
	.close = ext_close,
};

/* ---- opening ---- */
static int open_node(const struct ext_place *p, ext2_ino_t ino, struct ext_node **opened)
{
	struct ext_node *n = node_of(p->fs, ino);
	errcode_t error;

	if (n) {
		n->refs++;
		*opened = n;
		return 0;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return ENOMEM;
	error = ext2fs_file_open(p->fs, ino, p->fs->flags & EXT2_FLAG_RW ? EXT2_FILE_WRITE : 0,
				 &n->file);
	if (error) {
		free(n);
		return ext_error(p, error);
	}
	n->fs = p->fs;
	n->ino = ino;
	n->refs = 1;
	n->next = nodes;
	nodes = n;
	*opened = n;
	return 0;
}

static int check_mode(const struct ext_node *n, int flags)
{
	u16 mode = ext2fs_file_get_inode(n->file)->i_mode;
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	if (LINUX_S_ISDIR(mode))
		return writes ? EISDIR : 0;
	if (flags & O_DIRECTORY)
		return ENOTDIR;
	if (!LINUX_S_ISREG(mode))
		return ENXIO; /* devices and pipes mean nothing here */
	return writes ? ext_writable(n->fs) : 0;
}

static int find_or_make(struct ext_place *p, int flags, mode_t mode, u32 *ino)
{
	int error = ext_find(p, ino);
	const char *name;
	u32 dir;

	if (!error)
		return (flags & O_CREAT) && (flags & O_EXCL) ? EEXIST : 0;
	if (error != ENOENT || !(flags & O_CREAT))
		return error;
	error = ext_find_above(p, &dir, &name);
	return error ? error
		     : ext_make(p, dir, name, LINUX_S_IFREG | (mode & 07777 & ~MODE_OTHER), ino);
}

static int open_place(struct ext_file *e, const char *name, mode_t mode)
{
	int error = ext_place(name, &e->place), flags = e->file.flags;
	u32 ino;

	if (!error)
		error = find_or_make(&e->place, flags, mode, &ino);
	if (!error)
		error = open_node(&e->place, ino, &e->node);
	if (error)
		return error;
	error = check_mode(e->node, flags);
	if (!error && (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY)
		error = ext_data_truncate(e->node, 0);
	if (error)
		close_node(e->node);
	return error;
}

int open(const char *name, int flags, ...)
{
	struct ext_file *e = calloc(1, sizeof(*e));
	va_list ap;
	mode_t mode;
	int error, number;

	va_start(ap, flags);
	mode = flags & O_CREAT ? (mode_t)va_arg(ap, int) : 0;
	va_end(ap);
	if (!e)
		return fail(ENOMEM);
	e->file = (struct file){ &ext_type, 1, flags };
	pthread_mutex_lock(&ext_lock);
	error = open_place(e, name, mode);
	pthread_mutex_unlock(&ext_lock);
	if (error) {
		free(e);
		return fail(error);
	}
	number = file_number(&e->file, 0);
	if (number < 0) {
		ext_close(&e->file);
		errno = EMFILE;
	}
	return number;
}
