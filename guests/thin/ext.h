/* SPDX-License-Identifier: MIT */
/*
 * Files of the VM's disks, by libext2fs: ext2, ext3 and ext4. The first disk is /, the second /data, then /disk2 and /disk3; each is mounted
 * with the first name that leads to it. One lock is held over all of libext2fs, while its disk is waited for too.
 *
 * A file that is open is one node, however often it is opened: libext2fs keeps a block and the inode of it, of which there must be no
 * two.
 *
 *   a node      links   goes on
 *   open        > 0     with its last file: what was written goes to the disk
 *   unlinked    0       with its last file: its blocks are freed
 */
#ifndef GUESTS_THIN_EXT_H
#define GUESTS_THIN_EXT_H

#include <pthread.h>
#include <sys/stat.h>

#include "kernel/types.h"

#define EXT_PATH 1024

struct struct_ext2_filsys;
struct ext2_inode;

extern pthread_mutex_t ext_lock;

/* All of these under ext_lock; what they return is 0 or an errno. */
struct ext_place {
	struct struct_ext2_filsys *fs;
	char path[EXT_PATH]; /* from its root, beginning with '/' */
};

/* The file system that a name leads to, mounted. */
int ext_place(const char *name, struct ext_place *p);
int ext_find(const struct ext_place *p, u32 *ino); /* the inode; links are followed */
/* The folder that p is in, and its name there, which ends p->path. EBUSY: it is a root. */
int ext_find_above(struct ext_place *p, u32 *dir, const char **name);
int ext_writable(struct struct_ext2_filsys *fs); /* EROFS; before each change */
/* The errno of an error of libext2fs's; says what is no mistake of the program's. */
int ext_error(const struct ext_place *p, long error);
int ext_errno(long error); /* the same, and nothing is said */
/* Around calls of libext2fs that cut files off: ext.c says why. */
void ext_lengthen(struct struct_ext2_filsys *fs, bool longer);

/* What was written goes to the disk: of all open files, and what libext2fs keeps of a file system. */
void ext_sync_nodes(void);
int ext_sync(struct struct_ext2_filsys *fs);
int ext_inode(struct struct_ext2_filsys *fs, u32 ino, struct ext2_inode *inode);
int ext_set_inode(struct struct_ext2_filsys *fs, u32 ino, struct ext2_inode *inode);
/* Frees an inode without links: now, or when it is closed. */
int ext_let_go(struct struct_ext2_filsys *fs, u32 ino);
int ext_make(const struct ext_place *p, u32 dir, const char *name, mode_t mode, u32 *ino);
/* A name itself, not what it leads to if it is a link. */
struct ext_name {
	struct ext_place place;
	u32 dir;
	const char *last; /* of place.path */
	u32 ino;	  /* 0: nothing has the name */
};
/* ENOENT: as far as ino, which is 0, all is filled in, if the folder is there: dir is not 0. */
int ext_find_name(const char *name, struct ext_name *n);
int ext_take(const struct ext_name *n,
	     bool folder); /* the name away: of an empty folder, of anything else */
/* Changes the count of links by `by` and lets go what has none any more. */
int ext_count_links(struct struct_ext2_filsys *fs, u32 ino, int by);
int ext_done(int error); /* ext_lock is given back; -1 and errno, or 0 */

/* A name more for an inode, of a type of directory entries. */
long ext_add_name(struct struct_ext2_filsys *fs, u32 dir, const char *name, u32 ino, int type);
void ext_stat(struct struct_ext2_filsys *fs, u32 ino, const struct ext2_inode *inode,
	      struct stat *s);

#endif /* GUESTS_THIN_EXT_H */
