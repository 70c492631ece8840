/* SPDX-License-Identifier: MIT */
/*
 * Open files: what a number means to read(), write() and their like. What a file is, a type says: the console (files.c), a file of a disk
 * (ext.c), a socket (sockets.c). The last two are linked only with programs that open such.
 *
 *   a file                     refs                                goes
 *   being opened               1: who opens it                     by its type, if there is no number for it
 *   open                       1 for each number, and for each     with the last of them: type->close()
 *                              call that uses it now
 */
#ifndef GUESTS_THIN_FILES_H
#define GUESTS_THIN_FILES_H

#include <sys/stat.h>
#include <sys/types.h>

#include "kernel/types.h"

#define FILES_MAX 64 /* FD_SETSIZE of newlib */

struct file;

/* All are called with a reference held, by any thread, several at once. -1 and errno: an error. NULL: there is no such thing. */
struct file_type {
	ssize_t (*read)(struct file *f, void *bytes, size_t n);
	ssize_t (*write)(struct file *f, const void *bytes, size_t n);
	/* At that place, which is no negative one, and not at the file's own. */
	ssize_t (*read_at)(struct file *f, void *bytes, size_t n, off_t at);
	ssize_t (*write_at)(struct file *f, const void *bytes, size_t n, off_t at);
	off_t (*seek)(struct file *f, off_t offset, int whence);
	int (*stat)(struct file *f, struct stat *s);
	int (*truncate)(struct file *f, off_t size);
	int (*sync)(struct file *f);
	int (*set_flags)(struct file *f, int flags); /* O_NONBLOCK, O_APPEND */
	int (*close)(struct file *f);		     /* the last reference is gone: frees it */
};

struct file {
	const struct file_type *type;
	u32 refs;
	int flags; /* of open() */
};

int file_number(struct file *f,
		int least); /* the lowest free one from there on; -1: EMFILE, and f is as it was */
struct file *file_get(int number); /* with a reference; NULL: EBADF */
void file_put(struct file *f);
int fail(int error); /* -1, and errno */

/* Has f called when the program ends, behind stdio's own end: what was written goes where it is to go. */
void files_at_end(void (*f)(void));
void files_end(void);

#endif /* GUESTS_THIN_FILES_H */
