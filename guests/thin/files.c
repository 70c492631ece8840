/* SPDX-License-Identifier: MIT */
/* Numbers of open files, and the calls that take one; the console's files. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "guests/thin/files.h"
#include "guests/thin/thin.h"

static ssize_t console_file_read(struct file *f, void *bytes, size_t n)
{
	(void)f;
	return n ? (ssize_t)console_read(bytes, n) : 0;
}

static ssize_t console_file_write(struct file *f, const void *bytes, size_t n)
{
	(void)f;
	console_write(bytes, n);
	return (ssize_t)n;
}

static int console_file_stat(struct file *f, struct stat *s)
{
	(void)f;
	*s = (struct stat){ .st_mode = S_IFCHR | 0600, .st_nlink = 1, .st_blksize = 1024 };
	return 0;
}

static int console_file_close(struct file *f)
{
	(void)f;
	return 0;
}

static const struct file_type console_type = {
	.read = console_file_read,
	.write = console_file_write,
	.stat = console_file_stat,
	.close = console_file_close,
};

static struct file console = { &console_type, 3, O_RDWR };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* numbers, refs */
static struct file *files[FILES_MAX] = { &console, &console, &console };

int fail(int error)
{
	errno = error;
	return -1;
}

int file_number(struct file *f, int least)
{
	int number;

	if (least < 0)
		return fail(EINVAL);
	pthread_mutex_lock(&lock);
	for (number = least; number < FILES_MAX && files[number]; number++)
		;
	if (number < FILES_MAX)
		files[number] = f;
	pthread_mutex_unlock(&lock);
	return number < FILES_MAX ? number : fail(EMFILE);
}

struct file *file_get(int number)
{
	struct file *f = NULL;

	pthread_mutex_lock(&lock);
	if (number >= 0 && number < FILES_MAX)
		f = files[number];
	if (f)
		f->refs++;
	pthread_mutex_unlock(&lock);
	if (!f)
		errno = EBADF;
	return f;
}

static int put(struct file *f)
{
	bool last;

	pthread_mutex_lock(&lock);
	last = --f->refs == 0;
	pthread_mutex_unlock(&lock);
	return last ? f->type->close(f) : 0;
}

void file_put(struct file *f) { put(f); }

static void (*at_end[2])(void);

void files_at_end(void (*f)(void))
{
	pthread_mutex_lock(&lock);
	for (u32 i = 0; i < 2; i++)
		if (!at_end[i] || at_end[i] == f) {
			at_end[i] = f;
			break;
		}
	pthread_mutex_unlock(&lock);
}

void files_end(void)
{
	for (u32 i = 0; i < 2; i++)
		if (at_end[i])
			at_end[i]();
}

/* What stood there before, or NULL. */
static struct file *replace(int number, struct file *f)
{
	struct file *was;

	pthread_mutex_lock(&lock);
	was = files[number];
	files[number] = f;
	pthread_mutex_unlock(&lock);
	return was;
}

int close(int number)
{
	struct file *f = number >= 0 && number < FILES_MAX ? replace(number, NULL) : NULL;

	return f ? put(f) : fail(EBADF);
}

_READ_WRITE_RETURN_TYPE read(int number, void *bytes, size_t n)
{
	struct file *f = file_get(number);
	ssize_t done;

	if (!f)
		return -1;
	done = (f->flags & O_ACCMODE) != O_WRONLY && f->type->read ? f->type->read(f, bytes, n)
								   : fail(EBADF);
	file_put(f);
	return done;
}

_READ_WRITE_RETURN_TYPE write(int number, const void *bytes, size_t n)
{
	struct file *f = file_get(number);
	ssize_t done;

	if (!f)
		return -1;
	done = (f->flags & O_ACCMODE) != O_RDONLY && f->type->write ? f->type->write(f, bytes, n)
								    : fail(EBADF);
	file_put(f);
	return done;
}

static int no_place(const struct file *f, bool can, off_t at)
{
	return !f->type->seek ? ESPIPE : !can ? EBADF : at < 0 ? EINVAL : 0;
}

ssize_t pread(int number, void *bytes, size_t n, off_t at)
{
	struct file *f = file_get(number);
	ssize_t done;
	int error;

	if (!f)
		return -1;
	error = no_place(f, (f->flags & O_ACCMODE) != O_WRONLY, at);
	done = error ? fail(error) : f->type->read_at(f, bytes, n, at);
	file_put(f);
	return done;
}

ssize_t pwrite(int number, const void *bytes, size_t n, off_t at)
{
	struct file *f = file_get(number);
	ssize_t done;
	int error;

	if (!f)
		return -1;
	error = no_place(f, (f->flags & O_ACCMODE) != O_RDONLY, at);
	done = error ? fail(error) : f->type->write_at(f, bytes, n, at);
	file_put(f);
	return done;
}

off_t lseek(int number, off_t offset, int whence)
{
	struct file *f = file_get(number);
	off_t at;

	if (!f)
		return -1;
	at = f->type->seek ? f->type->seek(f, offset, whence) : fail(ESPIPE);
	file_put(f);
	return at;
}

int fstat(int number, struct stat *s)
{
	struct file *f = file_get(number);
	int result;

	if (!f)
		return -1;
	result = f->type->stat(f, s);
	file_put(f);
	return result;
}

int ftruncate(int number, off_t size)
{
	struct file *f = file_get(number);
	int result;

	if (!f)
		return -1;
	result = size >= 0 && (f->flags & O_ACCMODE) != O_RDONLY && f->type->truncate
			 ? f->type->truncate(f, size)
			 : fail(EINVAL);
	file_put(f);
	return result;
}

int fsync(int number)
{
	struct file *f = file_get(number);
	int result;

	if (!f)
		return -1;
	result = f->type->sync ? f->type->sync(f) : fail(EINVAL);
	file_put(f);
	return result;
}

int fdatasync(int number) { return fsync(number); }

int isatty(int number)
{
	struct file *f = file_get(number);
	bool is = f && f->type == &console_type;

	if (!f)
		return 0;
	file_put(f);
	return is ? 1 : (fail(ENOTTY), 0);
}

/* Another number for f, from least on; the caller has a reference, which becomes the number's. */
static int duplicate(struct file *f, int least)
{
	int number = file_number(f, least);

	if (number < 0)
		file_put(f);
	return number;
}

int dup(int number)
{
	struct file *f = file_get(number);

	return f ? duplicate(f, 0) : -1;
}

int dup2(int number, int to)
{
	struct file *f = file_get(number), *was;

	if (!f)
		return -1;
	if (to < 0 || to >= FILES_MAX || to == number) {
		file_put(f);
		return to == number ? to : fail(EBADF);
	}
	was = replace(to, f);
	if (was)
		file_put(was);
	return to;
}

int fcntl(int number, int what, ...)
{
	struct file *f = file_get(number);
	va_list ap;
	long arg;
	int result;

	if (!f)
		return -1;
	va_start(ap, what);
	arg = va_arg(ap, long);
	va_end(ap);
	switch (what) {
	case F_DUPFD: return duplicate(f, (int)arg);
	case F_GETFD:
	case F_SETFD: result = 0; break; /* there is no other program that could inherit it */
	case F_GETFL: result = f->flags; break;
	case F_SETFL: result = f->type->set_flags ? f->type->set_flags(f, (int)arg) : 0; break;
	default: result = fail(EINVAL);
	}
	file_put(f);
	return result;
}
